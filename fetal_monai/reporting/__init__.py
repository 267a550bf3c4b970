"""Pictures, figures and tables of results."""
