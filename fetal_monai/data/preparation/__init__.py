"""Prepare a folder of annotated or labelled frames: masks and a data list."""
