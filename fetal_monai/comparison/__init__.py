"""Comparison of methods with each other and with the papers, from the runs in an MLflow store."""
