"""Rules for the arguments of components that decide what a component imports, unpickles, writes or sends.

Such a component may be used only through a `_target_`, where every argument is named. Passed on as a function, or
called in an expression, it could receive other arguments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from fetal_monai.sharing.audit.known_texts import KnownTexts, UnknownTextError
from fetal_monai.sharing.audit.verdict import Verdict, all_of, allow, refuse
from fetal_monai.sharing.audit.written_paths import judge_written_file, judge_written_folder

Rule: TypeAlias = Callable[[Any, KnownTexts], Verdict]
"""Judges the value of an argument as it is written in a config."""

_IMAGES = (".nii", ".nii.gz", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".mha", ".mhd", ".nrrd", ".dcm")
_WRITERS = ("ITKWriter", "NibabelWriter", "PILWriter", "itkwriter", "nibabelwriter", "pilwriter")


def written_folder(value: Any, texts: KnownTexts) -> Verdict:
    """Judge a folder that data files are written into; see written_paths.py."""
    return _each(value, texts, judge_written_folder)


def written_file(*suffixes: str) -> Rule:
    """Return a rule for a file that is written: it must have one of these suffixes."""
    return lambda value, texts: _each(value, texts, lambda text: judge_written_file(text, suffixes))


def one_of(*choices: str | None) -> Rule:
    """Return a rule that allows only these strings, and None if it is among them."""

    def judge(value: Any, texts: KnownTexts) -> Verdict:
        try:
            others = texts.of_value(value) - set(choices)
        except UnknownTextError as error:
            return refuse(str(error))
        return refuse(f"{', '.join(map(repr, others))}: not one of {choices}") if others else allow("an allowed value")

    return judge


def only(required: object) -> Rule:
    """Return a rule that allows a single value, written literally."""
    return lambda value, _: allow("the only allowed value") if value is required else refuse(f"it must be {required}")


def word(value: Any, texts: KnownTexts) -> Verdict:
    """Judge a string that becomes part of a file name or names an attribute: letters, digits, _ and -, or None."""
    return _each(value, texts, _judge_word)


def _judge_word(text: str) -> Verdict:
    return allow("a word") if _WORD.fullmatch(text) else refuse(f"{text!r} is not a word of letters, digits, _ and -")


def _named_words(value: Any, _: KnownTexts) -> Verdict:
    """Judge a mapping whose keys become parts of file names."""
    if not isinstance(value, dict):
        return refuse(f"{value!r} is not a mapping")
    return all_of(_judge_word(str(key)) for key in value)


def _each(value: Any, texts: KnownTexts, judge: Callable[[str], Verdict]) -> Verdict:
    """Judge every string that a value can be; None writes nothing."""
    try:
        known = texts.of_value(value)
    except UnknownTextError as error:
        return refuse(str(error))
    return all_of(judge(text) for text in sorted(text for text in known if text is not None))


def _plain(value: Any, texts: KnownTexts) -> Verdict:
    """Judge a value that must not contain references, expressions or macros."""
    match value:
        case str():
            return refuse(f"{value!r} is computed") if value[:1] in ("$", "@", "%") else allow("plain")
        case dict() | list():
            return all_of(_plain(item, texts) for item in (value.values() if isinstance(value, dict) else value))
    return allow("plain")


def _reader(*backends: str) -> Rule:
    """Return a rule for an image reader's name, or a list of names; MONAI would import any other name."""

    def judge(value: Any, texts: KnownTexts) -> Verdict:
        if isinstance(value, list):
            return all_of(judge(item, texts) for item in value)
        name = texts.name_of(value)
        if value is None or name in backends:
            return allow("a reader")
        package, _, reader = (name or "").rpartition(".")
        known = reader in _READERS and package in _READER_PACKAGES
        return (
            allow("a reader") if known else refuse(f"{value!r}: not one of the readers {', '.join(sorted(_READERS))}")
        )

    return judge


_READERS = frozenset(
    {
        *("FastMRIReader", "FrameReader", "ITKReader", "NibabelReader", "NrrdReader", "NumpyReader", "PILReader"),
        *("PydicomReader", "WSIReader"),
    }
)
_READER_PACKAGES = frozenset(
    {"", "fetal_monai.data", "monai.data"}
)  # without a package, MONAI looks among its own readers
_WORD = re.compile(r"(?!_)[A-Za-z0-9_-]*", re.ASCII)
_LOADS = {"reader": _reader()}
_LOADS_SLIDES = {"reader": _reader("cucim", "cuCIM", "openslide", "OpenSlide", "tifffile", "TiffFile")}
_COMPILER = {"compile_kwargs": only(None)}
_TORCHVISION = {"name": word}
_CACHE = {
    "cache_dir": written_folder,
    "pickle_module": one_of("pickle"),
    "hash_func": only(None),
    "hash_transform": only(None),
}
_CSV = {"output_dir": written_folder, "filename": written_file(".csv", ".tsv")}
_TENSORBOARD = {"log_dir": written_folder, "summary_writer": only(None)}
_SAVE_IMAGE = {
    "output_dir": written_folder,
    "output_ext": one_of(*_IMAGES, *(suffix[1:] for suffix in _IMAGES)),
    "output_postfix": word,
    "writer": one_of(None, *_WRITERS),
    "folder_layout": only(None),
    "output_name_formatter": only(None),
}
_SAVE_ABOUT_FRAME = {"output_dir": written_folder, "ending": word}

ARGUMENTS: Mapping[str, Mapping[str, Rule]] = {
    "monai.data.csv_saver.CSVSaver": _CSV,
    "monai.data.dataset.CacheNTransDataset": _CACHE,
    "monai.data.dataset.CSVDataset": {"kwargs_read_csv": _plain},
    "monai.data.dataset.PersistentDataset": _CACHE,
    "monai.data.image_dataset.ImageDataset": _LOADS,
    "monai.data.image_reader.NumpyReader": {},
    "monai.data.wsi_datasets.MaskedPatchWSIDataset": _LOADS_SLIDES,
    "monai.data.wsi_datasets.PatchWSIDataset": _LOADS_SLIDES,
    "monai.data.wsi_datasets.SlidingPatchWSIDataset": _LOADS_SLIDES,
    "monai.engines.evaluator.SupervisedEvaluator": _COMPILER,
    "monai.engines.trainer.SupervisedTrainer": _COMPILER,
    "monai.handlers.checkpoint_saver.CheckpointSaver": {
        "save_dir": written_folder,
        "save_dict": _named_words,
        "file_prefix": word,
        "final_filename": written_file(".pt", ".pth"),
        "key_metric_filename": written_file(".pt", ".pth"),
    },
    "monai.handlers.classification_saver.ClassificationSaver": _CSV,
    "monai.handlers.logfile_handler.LogfileHandler": {"output_dir": written_folder, "filename": written_file(".log")},
    "monai.handlers.metrics_saver.MetricsSaver": {"save_dir": written_folder},
    "monai.handlers.probability_maps.ProbMapProducer": {"output_dir": written_folder, "output_postfix": word},
    "monai.handlers.tensorboard_handlers.TensorBoardHandler": _TENSORBOARD,
    "monai.handlers.tensorboard_handlers.TensorBoardImageHandler": _TENSORBOARD,
    "monai.handlers.tensorboard_handlers.TensorBoardStatsHandler": _TENSORBOARD,
    "monai.inferers.inferer.PatchInferer": {"merger_cls": one_of("AvgMerger", "monai.inferers.AvgMerger")},
    "monai.networks.nets.hovernet.HoVerNet": {"pretrained_url": only(None)},
    "monai.networks.nets.milmodel.MILModel": {"backbone": word},
    "monai.networks.nets.torchvision_fc.TorchVisionFCModel": {"model_name": word},
    "monai.transforms.io.array.LoadImage": _LOADS,
    "monai.transforms.io.array.SaveImage": _SAVE_IMAGE,
    "monai.transforms.io.dictionary.LoadImaged": _LOADS,
    "monai.transforms.io.dictionary.SaveImaged": _SAVE_IMAGE,
    "monai.transforms.post.dictionary.SaveClassificationd": {**_CSV, "saver": only(None)},
    "monai.transforms.utility.array.RandTorchVision": _TORCHVISION,
    "monai.transforms.utility.array.TorchVision": _TORCHVISION,
    "monai.transforms.utility.dictionary.RandTorchVisiond": _TORCHVISION,
    "monai.transforms.utility.dictionary.TorchVisiond": _TORCHVISION,
    "fetal_monai.handlers.BestNetwork": {"path": written_file(".pt")},
    "fetal_monai.handlers.EvaluationReport": {"output_dir": written_folder},
    "fetal_monai.handlers.MeasurementReport": {"output_dir": written_folder},
    "fetal_monai.handlers.RegionOverlays": {"output_dir": written_folder},
    "fetal_monai.handlers.RegionReport": {"output_dir": written_folder},
    "fetal_monai.handlers.RegionTable": {"output_dir": written_folder},
    "fetal_monai.handlers.SampleOverlays": {"path": written_file(".png")},
    "fetal_monai.handlers.TrainingState": {"path": written_file(".pt")},
    "fetal_monai.phantom.demonstration_dataset": {"folder": written_folder},
    "fetal_monai.phantom.demonstration_planes": {"folder": written_folder},
    "fetal_monai.tracking.RunTracker": {"bundle_root": written_folder, "output_dir": written_folder},
    "fetal_monai.transforms.SaveEllipseLabeld": _SAVE_ABOUT_FRAME,
    "fetal_monai.transforms.SaveFrameMaskd": _SAVE_ABOUT_FRAME,
    "fetal_monai.transforms.SaveHeadCropd": _SAVE_ABOUT_FRAME,
    "fetal_monai.transforms.SaveHeadOverlayd": _SAVE_ABOUT_FRAME,
    "fetal_monai.workflow.initialize": {"bundle_root": written_folder},
    "fetal_monai.workflow.run_in_folder": {"output_dir": written_folder},
    "torch.distributed.init_process_group": {"init_method": only(None), "store": only(None)},
    "torch.load": {"pickle_module": only(None), "weights_only": only(True)},
}
"""Rules by component and argument. A component is named by the module that defines it, our own by its subpackage.

`allow_list.FLAGS` applies to the arguments of all components.
"""
