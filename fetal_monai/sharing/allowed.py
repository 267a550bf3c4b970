"""What a bundle may name: the allow-list."""

from __future__ import annotations

PACKAGES = (
    *(
        f"monai.{package}"
        for package in (
            *("transforms", "networks", "losses", "metrics", "data", "engines", "handlers", "inferers", "optimizers"),
            *("visualize", "utils.enums", "apps.deepedit", "apps.deepgrow", "apps.detection", "apps.generation"),
            *("apps.nuclick", "apps.pathology", "apps.reconstruction", "apps.vista3d"),
        )
    ),
    *("torch.nn", "torch.optim", "torch.amp", "ignite.engine", "ignite.metrics"),
    *(
        f"fetal_monai.{room}"
        for room in (
            *("biometry", "bundle", "data", "engines", "geometry", "handlers", "inferers", "localisation", "losses"),
            *("metrics", "networks", "phantom", "tracking", "transforms", "weights"),
        )
    ),
)
"""Packages whose public classes and functions may be named. They must be defined below them, not merely imported."""

EXCEPTIONS = {
    "monai.networks.utils": "it loads and writes TorchScript",
    "monai.networks.trt_compiler": "it loads compiled engines",
    "monai.networks.nets.transchex": "it loads a folder of the transformers package",
    "monai.networks.nets.flexible_unet.FlexUNetEncoderRegister": "it imports what a string names",
    "monai.handlers.trt_handler": "it loads compiled engines",
    "monai.handlers.clearml_handlers": "it sends to a service",
    "monai.losses.perceptual": "it downloads code with torch.hub and runs it",
    "monai.data.torchscript_utils": "it loads TorchScript",
    "monai.data.image_writer.register_writer": "it changes what other components do",
    "monai.transforms.utils_create_transform_ims": "it downloads files",
    "fetal_monai.files.atomic": "it replaces files",
    "fetal_monai.weights.trained.publish_weights": "it replaces files",
}
"""Modules, classes and functions below PACKAGES that may not be named, and why."""

JUDGED_BY_ARGUMENTS = frozenset(
    {
        "monai.transforms.io.array.LoadImage",
        "monai.transforms.io.array.SaveImage",
        "monai.transforms.io.dictionary.LoadImaged",
        "monai.transforms.io.dictionary.SaveImaged",
        "monai.inferers.inferer.PatchInferer",
        "monai.data.image_reader.NumpyReader",
        "monai.data.dataset.PersistentDataset",
        "monai.data.dataset.CacheNTransDataset",
        "monai.data.dataset.LMDBDataset",
    }
)
"""Classes whose arguments decide what they import or unpickle (`LoadImage(reader="os.mkdir")` makes a folder).

They pass as components, where each argument has its name.
"""

LOCATED_ARGUMENTS = {"reader": "monai.data", "writer": "monai.data", "merger_cls": "monai.inferers"}
"""Arguments that name a class, and the package in which a name without dots is looked up."""

FLAGS = {"weights_only": True, "allow_pickle": False, "trust_remote_code": False, "_debug_": False}
"""Arguments that must have this value, if they are given: the other one runs code or a debugger."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _names(module: str, text: str) -> set[str]:
    return {f"{module}.{word}" for word in _words(text)}


NAMES = frozenset().union(
    _names("os", "getcwd getenv cpu_count sep environ.get"),
    _names("os.path", "abspath basename commonpath commonprefix dirname exists expanduser getsize isabs isdir isfile"),
    _names("os.path", "join normpath pardir realpath relpath sep split splitext"),
    _names("glob", "glob iglob"),
    _names("math", "ceil cos e exp floor fsum gcd hypot inf isclose isfinite isnan log log10 log2 nan pi pow prod sin"),
    _names("math", "sqrt tan"),
    _names("statistics", "fmean geometric_mean harmonic_mean mean median pstdev stdev variance"),
    _names("numpy", "abs all any arange argmax argmin argsort array asarray ceil clip concatenate cumsum deg2rad diag"),
    _names("numpy", "diff exp expand_dims eye flip float16 float32 float64 floor full inf int8 int16 int32 int64"),
    _names("numpy", "isfinite isnan linspace log max maximum mean median min minimum nan ones pi prod repeat round"),
    _names("numpy", "shape sort split sqrt squeeze stack std sum tile transpose uint8 uint16 unique where zeros"),
    _names("torch", "Tensor Generator Size abs arange argmax as_tensor autocast bfloat16 bool cat channels_last"),
    _names("torch", "channels_last_3d clamp contiguous_format device eye exp flatten float float16 float32 float64"),
    _names("torch", "full get_default_dtype half inference_mode initial_seed int int16 int32 int64 int8 is_tensor"),
    _names("torch", "linspace load log long manual_seed max mean min no_grad norm ones ones_like permute pow rand"),
    _names(
        "torch", "randn round set_default_dtype set_float32_matmul_precision sigmoid softmax sqrt squeeze stack std"
    ),
    _names("torch", "sum tensor uint8 unsqueeze where zeros zeros_like"),
    _names("torch.cuda", "current_device device_count empty_cache get_device_name is_available manual_seed_all"),
    _names("torch.cuda", "set_device synchronize amp.GradScaler amp.autocast"),
    _names("torch.backends.cudnn", "is_available"),
    _names("torch.backends.mps", "is_available"),
    _names(
        "torch.distributed", "barrier destroy_process_group get_rank get_world_size init_process_group is_available"
    ),
    _names("torch.distributed", "is_initialized"),
    _names("torch.utils.data", "BatchSampler ConcatDataset DataLoader Dataset RandomSampler SequentialSampler Subset"),
    _names("torch.utils.data", "TensorDataset WeightedRandomSampler random_split"),
    _names("torch.utils.data", "DistributedSampler distributed.DistributedSampler"),
    _names("monai.utils.misc", "ensure_tuple ensure_tuple_rep ensure_tuple_size fall_back_tuple first list_to_dict"),
    _names("monai.utils.misc", "set_determinism"),
    _names("monai.utils.module", "get_torch_version_tuple pytorch_after"),
    _names("monai.utils.type_conversion", "convert_to_numpy convert_to_tensor"),
    _names("ignite.handlers", "BasicTimeProfiler ConcatScheduler CosineAnnealingScheduler EMAHandler EarlyStopping"),
    _names("ignite.handlers", "HandlersTimeProfiler LRScheduler LinearCyclicalScheduler ParamGroupScheduler"),
    _names("ignite.handlers", "PiecewiseLinear ProgressBar ReduceLROnPlateauScheduler TerminateOnNan TimeLimit Timer"),
    _names("ignite.handlers", "create_lr_scheduler_with_warmup global_step_from_engine"),
    _names("mlflow", "active_run log_metric log_metrics log_param log_params set_experiment set_tag set_tags"),
)
"""Single functions, classes and constants."""

ROOTS = tuple(sorted({name.split(".")[0] for name in (*PACKAGES, *NAMES)}))
"""Packages that hold anything allowed."""

DEFAULT_BINDINGS = {"monai": "monai", "torch": "torch", "np": "numpy", "numpy": "numpy"}
"""Names that MONAI gives to every expression."""

BUILTINS = _words(
    "abs all any bool bytes callable chr complex dict divmod enumerate filter float frozenset hasattr hash int "
    "isinstance issubclass iter len list map max min next ord pow print range repr reversed round set slice "
    "sorted str sum tuple zip"
)
"""Builtins that an expression may use: they look up no attribute that a string names, and run no text."""
