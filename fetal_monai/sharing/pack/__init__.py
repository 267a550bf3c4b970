"""A bundle as a zip in the layout of the MONAI model zoo, with the modules that it uses."""
