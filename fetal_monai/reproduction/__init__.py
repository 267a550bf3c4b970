"""Reproduction of a paper's tables: every row is trained and evaluated by the bundles' own commands, and compared."""

from fetal_monai.reproduction.errors import ReproductionError
from fetal_monai.reproduction.plan import Job, Plan
from fetal_monai.reproduction.reproduce import reproduce

__all__ = ["Job", "Plan", "ReproductionError", "reproduce"]
