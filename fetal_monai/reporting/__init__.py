"""Pictures, figures and tables about frames."""
