"""Bundles exchanged with others: `audit` judges what a bundle would do, `pack` makes a zip that runs elsewhere."""
