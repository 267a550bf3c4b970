"""Comparison of methods with each other and with the papers, from the runs in an MLflow store."""

from .compare import compare
from .errors import ComparisonError

__all__ = ["ComparisonError", "compare"]
