"""What a bundle would do, found without running any of it."""
