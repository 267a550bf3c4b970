"""Reproduction of a paper's tables: every row is trained and evaluated by the bundles' own commands, and compared."""
