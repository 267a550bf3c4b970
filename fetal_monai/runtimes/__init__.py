"""A bundle's network as a function from gray pixels to the head's probability, on the fastest engine that is there."""

from fetal_monai.runtimes.bundle import SegmentationBundle, find_bundle
from fetal_monai.runtimes.runtime import ENGINES, PRECISIONS, Runtime
from fetal_monai.runtimes.select import select_runtime

__all__ = ["ENGINES", "PRECISIONS", "Runtime", "SegmentationBundle", "find_bundle", "select_runtime"]
