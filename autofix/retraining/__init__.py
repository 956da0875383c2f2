"""Scheduled retraining: fresh data, the champion's recipe, a fair contest, and a pointer that moves or stays."""
