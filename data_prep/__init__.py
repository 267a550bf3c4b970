"""Command lines that convert a raw data set to a checked data list; one module per data set."""
