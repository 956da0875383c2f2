"""Training in other processes, so that what one of them meets with ends that one alone."""
