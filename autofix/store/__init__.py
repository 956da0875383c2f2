"""What is kept of a repair on the disk: the run folder, every finished run of the trainer, and the search's study."""
