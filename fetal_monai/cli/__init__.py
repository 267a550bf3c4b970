"""The command line `fetal-monai`."""
