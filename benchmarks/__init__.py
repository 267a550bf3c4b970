"""Timings and comparisons, run by hand; never tests."""
