"""Probes: what is measured on a live model, one kind a file. They read; they change nothing."""
