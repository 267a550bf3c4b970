"""Reproduction of a paper's tables: every row is trained and evaluated by the bundles' own commands, and compared."""

from .errors import ReproductionError
from .plan import Job, Plan
from .reproduce import reproduce

__all__ = ["Job", "Plan", "ReproductionError", "reproduce"]
