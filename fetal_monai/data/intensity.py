"""Intensity statistics of a data set."""

from __future__ import annotations

import math
from pathlib import Path

from monai.data import Dataset, DatasetSummary
from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged

from fetal_monai.data.datalist import load_datalist
from fetal_monai.data.io.frame_reader import FrameReader


def intensity_statistics(dataset_dir: str | Path, fold: int | None = None) -> tuple[float, float]:
    """Mean and standard deviation of the gray values of all training frames, each in its own size.

    Frames are read one by one. Validation and test frames are not used: information about them would leak into a
    network whose input is standardised with these statistics.

    Args:
        dataset_dir: The folder that holds `datalist.json`.
        fold: As in `load_datalist`.

    Returns:
        (mean, standard deviation), over all pixels.

    Raises:
        FileNotFoundError: There is no data list, or it names a file that does not exist.
        ValueError: The data list is malformed or has no such fold, or a frame cannot be read.
    """
    frames = [{"image": frame["image"]} for frame in load_datalist(dataset_dir, "training", fold)]
    load = Compose([LoadImaged("image", reader=FrameReader), EnsureChannelFirstd("image", channel_dim="no_channel")])
    # The summary uses the pixels whose label exceeds a threshold: all of them, with the frame as its own label.
    summary = DatasetSummary(Dataset(frames, load), label_key="image")
    summary.calculate_statistics(foreground_threshold=-math.inf)
    return summary.data_mean, summary.data_std
