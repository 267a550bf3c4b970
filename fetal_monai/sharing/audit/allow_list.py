"""The allow-list: names that a bundle may use. Everything else is refused.

Three kinds of names:

- classes and functions that were reviewed one by one (`reviewed.txt`), listed by the module that defines them;
- single functions and constants, as they are spelt in a config (NAMES);
- this package's own components: whole subpackages that only compute (CALCULATING), and single names of those that
  read or write files (OWN_NAMES).

Methods and attributes of values have their own list in attributes.py.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

CALCULATING = tuple(
    f"fetal_monai.{subpackage}"
    for subpackage in ("biometry", "engines", "geometry", "inferers", "localisation", "losses", "metrics", "networks")
)
"""Subpackages whose classes and functions only compute: they neither write nor load anything."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _names(module: str, text: str) -> set[str]:
    return {f"{module}.{word}" for word in _words(text)}


OWN_NAMES = frozenset().union(
    _names(
        "fetal_monai.data", "CineItems FrameDataset FrameReader FrameStream class_balance collect_frames fingerprint"
    ),
    _names("fetal_monai.data", "intensity_statistics load_classification_datalist load_datalist"),
    _names("fetal_monai.handlers", "BestNetwork DiscriminatorWatch EvaluationReport FrameTime MeasurementReport"),
    _names("fetal_monai.handlers", "RegionOverlays RegionReport RegionTable SampleOverlays StopOnNonFinite TimeLimit"),
    _names("fetal_monai.handlers", "TrainingState"),
    _names("fetal_monai.phantom", "demonstration_dataset demonstration_planes"),
    _names("fetal_monai.tracking", "RunTracker"),
    _names("fetal_monai.transforms", "FrameGeometryd IsolateFrame LocaliseRegiond MeasureHeadd PolarToSectord"),
    _names("fetal_monai.transforms", "Rand2DAffined RejectNonFinited SaveEllipseLabeld SaveFrameMaskd SaveHeadCropd"),
    _names("fetal_monai.transforms", "SaveHeadOverlayd SectorToPolard geometry_origins"),
    _names("fetal_monai.weights", "load_pretrained load_weights"),
    _names("fetal_monai.workflow", "check_dataset check_overrides initialize run_in_folder state_failed_files"),
    _names("fetal_monai.workflow", "use_trained_settings"),
)
"""Classes and functions of the other subpackages, in whichever module of the subpackage they are defined."""

NAMES = frozenset().union(
    _names("os", "getcwd getenv cpu_count sep environ.get"),
    _names("os.path", "abspath basename commonpath commonprefix dirname exists expanduser getsize isabs isdir isfile"),
    _names("os.path", "join normpath pardir realpath relpath sep split splitext"),
    _names("glob", "glob iglob"),
    _names("functools", "partial"),
    _names("logging", "CRITICAL DEBUG ERROR INFO WARNING"),
    _names("math", "ceil cos e exp floor fsum gcd hypot inf isclose isfinite isnan log log10 log2 nan pi pow prod sin"),
    _names("math", "sqrt tan"),
    _names("pathlib", "Path"),
    _names("statistics", "fmean geometric_mean harmonic_mean mean median pstdev stdev variance"),
    _names("numpy", "abs all any arange argmax argmin argsort array asarray ceil clip concatenate cumsum deg2rad diag"),
    _names("numpy", "diff exp expand_dims eye flip float16 float32 float64 floor full inf int8 int16 int32 int64"),
    _names("numpy", "isfinite isnan linspace log max maximum mean median min minimum nan ones pi prod repeat round"),
    _names("numpy", "shape sort split sqrt squeeze stack std sum tile transpose uint8 uint16 unique where zeros"),
    _names("torch", "Generator Size abs arange argmax as_tensor autocast bfloat16 bool cat channels_last"),
    _names("torch", "channels_last_3d clamp contiguous_format device eye exp flatten float float16 float32 float64"),
    _names("torch", "full get_default_dtype half inference_mode initial_seed int int16 int32 int64 int8 is_tensor"),
    _names("torch", "linspace load log long manual_seed max mean min no_grad norm ones ones_like permute pow rand"),
    _names(
        "torch", "randn round set_default_dtype set_float32_matmul_precision sigmoid softmax sqrt squeeze stack std"
    ),
    _names("torch", "sum tensor uint8 unsqueeze where zeros zeros_like"),
    _names("torch.amp", "GradScaler autocast"),
    _names("torch.cuda", "current_device device_count empty_cache get_device_name is_available manual_seed_all"),
    _names("torch.cuda", "set_device synchronize amp.GradScaler amp.autocast"),
    _names("torch.backends.cudnn", "is_available"),
    _names("torch.backends.mps", "is_available"),
    _names(
        "torch.distributed", "barrier destroy_process_group get_rank get_world_size init_process_group is_available"
    ),
    _names("torch.distributed", "is_initialized"),
    _names("torch.nn.functional", "cross_entropy interpolate normalize one_hot pad relu sigmoid softmax softplus tanh"),
    _names("torch.nn", "SyncBatchNorm.convert_sync_batchnorm parallel.DistributedDataParallel"),
    _names("torch.utils.data", "random_split"),
    _names("fetal_monai.data", "ANATOMICAL_CLASSES BACKGROUND"),
)
"""Single functions, classes and constants, as they are spelt in a config."""

DEFAULT_BINDINGS = {"monai": "monai", "torch": "torch", "np": "numpy", "numpy": "numpy"}
"""Names that MONAI makes available in every expression."""

BUILTINS = _words(
    "abs all any bool bytes callable chr complex dict divmod enumerate filter float frozenset hash int isinstance "
    "issubclass iter len list map max min next ord pow print range repr reversed round set slice sorted str sum tuple "
    "zip"
)
"""Builtins that an expression may use: none looks up an attribute by name or runs code from a string."""

FLAGS = {"weights_only": True, "allow_pickle": False, "trust_remote_code": False, "_debug_": False}
"""Arguments that must have this value if they are given: other values run code or a debugger."""


@cache
def reviewed() -> frozenset[str]:
    """Return the dotted names of the reviewed classes and functions, each in the module that defines it."""
    found: set[str] = set(OWN_NAMES)
    module = ""
    for line in files("fetal_monai.sharing.audit").joinpath("reviewed.txt").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        start, colon, rest = line.partition(":")
        module, words = (start, rest) if colon else (module, line)
        found |= _names(module, words)
    return frozenset(found)


@cache
def roots() -> tuple[str, ...]:
    """Return the top-level packages that contain an allowed name."""
    return tuple(sorted({name.split(".")[0] for name in (*reviewed(), *NAMES, *CALCULATING)}))
