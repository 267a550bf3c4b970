"""Lines of libraries that say nothing to the user of a bundle."""

from __future__ import annotations

import logging
import re
import warnings

# A run's own lines name the metrics of an epoch, the best weights and the results.
_NOISE = re.compile(
    r"Engine run (resuming|finished|starting)|Epoch\[\d+\] Complete\.|Got new best metric of |Key metric: "
    # MONAI's DICOM reader, which is created with every LoadImaged and not used.
    r"|nvImageCodec is not available"
)


def leave_out_noise() -> None:
    """Leave such lines out of the log. Call it after the log is set up, and before transforms are created."""
    for handler in logging.root.handlers:
        handler.addFilter(_says_something)
    warnings.filterwarnings("ignore", message="NvImgCodecPydicomReader: nvImageCodec decoder plugin did not register")


def _says_something(record: logging.LogRecord) -> bool:
    return not _NOISE.match(record.getMessage())
