"""Diagnosis of a run that somebody else drives: `fit` with a callback, or a loop of the user's own. Only ever reads."""
