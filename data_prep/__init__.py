"""Command lines that turn a raw data set into a checked data list; one module a data set."""
