"""Measuring the frames of a whole archive, on one machine or a cluster, with Ray Data (extra `cluster`)."""
