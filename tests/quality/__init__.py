"""The quality suite: does `autofix.repair` mend stalled runs, and leave the others alone?

Run it with `python -m tests.quality` from the root of the repository. The cases are the scripts under `examples/`.
"""
