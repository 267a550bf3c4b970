"""What a running bundle knows of itself: its metadata, its merged config, and overrides that mean nothing."""

from fetal_monai.bundle.metadata import load_metadata
from fetal_monai.bundle.overrides import UnknownOverrideError, check_overrides
from fetal_monai.bundle.running import running_config

__all__ = ["UnknownOverrideError", "check_overrides", "load_metadata", "running_config"]
