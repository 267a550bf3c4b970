"""Bundles that come from, or go to, somewhere else."""
