"""Reading a user's script without running it, and changing it where a patch says so."""
