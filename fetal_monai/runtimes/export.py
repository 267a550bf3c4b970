"""Networks exported to ONNX, kept in the user's cache."""

from __future__ import annotations

import os
from pathlib import Path

from fetal_monai.files.atomic import atomic_path
from fetal_monai.runtimes.bundle import SegmentationBundle


def cached_model(bundle: SegmentationBundle, name: str) -> Path:
    """Where the cache keeps, or would keep, a file made of a bundle's weights at its network's size."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fetal_monai"
    height, width = bundle.spatial_size
    return cache / f"{bundle.weights_sha256[:16]}-{height}x{width}" / name


def exported(bundle: SegmentationBundle) -> Path:
    """The bundle's network as ONNX, from resized gray frames to probabilities; written once for its weights.

    Raises:
        ImportError: It has to be written, and the packages for it are not installed.
        ValueError: The weights are damaged.
    """
    path = cached_model(bundle, "model.onnx")
    if path.is_file():
        return path
    try:
        import onnxscript  # noqa: F401
        import torch
    except ImportError as error:
        raise ImportError("Exporting a network needs onnxscript: pip install fetal-monai[fast]") from error
    from fetal_monai.runtimes.graph import load_graph

    # Two frames: a batch of one would become a constant of the graph.
    frames = torch.rand(2, 1, *bundle.spatial_size)
    with atomic_path(path) as temporary:
        torch.onnx.export(
            load_graph(bundle),
            (frames,),
            temporary,
            dynamo=True,
            external_data=False,
            verbose=False,
            input_names=["gray"],
            output_names=["probability"],
            dynamic_shapes=({0: torch.export.Dim("frames", min=1)},),
        )
    return path
