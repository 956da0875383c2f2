"""The benchmark command: what a training step, a probe and a repair cost, side by side with what else there is.

Run it with `python -m tests.benchmarks --help` from the root of the repository. Every figure is measured in that run;
what is compared takes turns in one process, because other work on the machine would otherwise decide the ratios.
"""
