"""Helpers of a running bundle: its metadata and merged config, misspelt overrides, the demonstration."""

from fetal_monai.workflow.demonstration import check_dataset, demonstrate
from fetal_monai.workflow.metadata import load_metadata
from fetal_monai.workflow.overrides import UnknownOverrideError, check_overrides
from fetal_monai.workflow.trained_settings import use_trained_settings

__all__ = [
    "UnknownOverrideError",
    "check_dataset",
    "check_overrides",
    "demonstrate",
    "load_metadata",
    "use_trained_settings",
]
