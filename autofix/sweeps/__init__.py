"""Sweeps: many models on many data sets, with many sets of strategies and many seeds."""
