"""Preparation of annotated or labelled frames for training: masks and data lists."""
