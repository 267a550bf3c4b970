"""From a folder of annotated or labelled frames to masks and a data list."""
