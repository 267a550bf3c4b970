"""Comparison of methods with each other and with the papers, from the runs in an MLflow store."""

from fetal_monai.comparison.compare import compare
from fetal_monai.comparison.errors import ComparisonError

__all__ = ["ComparisonError", "compare"]
