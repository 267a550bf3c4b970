"""Helpers of a running bundle: its metadata and merged config, misspelt overrides, the demonstration, its folder."""

from fetal_monai.workflow.demonstration import check_dataset
from fetal_monai.workflow.failed_files import state_failed_files
from fetal_monai.workflow.initialization import initialize
from fetal_monai.workflow.metadata import load_metadata
from fetal_monai.workflow.overrides import UnknownOverrideError, check_overrides
from fetal_monai.workflow.run_folder import run_in_folder
from fetal_monai.workflow.trained_settings import use_trained_settings

__all__ = [
    "UnknownOverrideError",
    "check_dataset",
    "check_overrides",
    "initialize",
    "load_metadata",
    "run_in_folder",
    "state_failed_files",
    "use_trained_settings",
]
