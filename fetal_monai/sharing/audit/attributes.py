"""Attributes and methods that may be used on values that exist only when a bundle runs.

The types of these values are not known, so a name is listed only if it is harmless on everything that allowed names
can create: tensors, networks, transforms, data sets, engines, paths, strings, lists, and the data frame of a
CSVDataset. `query` and `eval` of a data frame run code from a string and `write_text` of a path writes, so they are
not listed.
"""

from __future__ import annotations

import ast
import string

from fetal_monai.sharing.audit.verdict import Verdict, allow, refuse


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


READ = _words(
    # tensors, devices, networks
    "T aspp backbone data device dtype encoder decoder head index is_cuda itemsize ndim network shape type weight "
    # attributes of components
    "dataset logger loss metrics optimizer output param_groups state transform transforms batch_size max_epochs epoch "
    # paths
    "name parent stem suffix "
    # this package's own results
    "artifacts epoch_length files frames gmacs parameters rejected source_dir weights"
)
"""Attributes that may be read."""

CALLED_WITHOUT_ARGUMENTS = _words(
    "bool contiguous copy cpu cuda detach dim double eval float half is_dir is_file item items keys long lower "
    "numel numpy parameters run tolist train upper values"
)
"""Methods that may be called without arguments. `eval` of a network takes none, that of a data frame takes code."""

CALLED = _words(
    # tensors, arrays, networks
    "all any argmax argmin clamp clip cumsum expand flatten int max mean median min permute prod repeat reshape round "
    "size softmax sigmoid squeeze std sum to transpose unsqueeze "
    # strings, lists, dictionaries, paths
    "count endswith get glob index join lstrip removeprefix removesuffix rsplit rstrip split splitlines startswith "
    "strip title zfill "
    # loggers, and the set-up of MONAI's detectors and this package's networks
    "setLevel set_atss_matcher set_balanced_sampler set_box_coder_weights set_box_regression_loss "
    "set_box_selector_parameters set_cls_loss set_hard_negative_sampler set_regular_matcher set_sliding_window_inferer "
    "set_intensity set_target_keys standardised"
)
"""Methods that may be called with any arguments."""


def judge_read(attribute: str) -> Verdict:
    """Judge reading an attribute of a value."""
    if attribute.startswith("_"):
        return refuse(f".{attribute} is private")
    return allow() if attribute in READ else refuse(f".{attribute} is not on the list of attributes that may be read")


def judge_method(call: ast.Call, attribute: str, base: ast.expr) -> Verdict:
    """Judge calling a method of a value.

    Args:
        call: The call.
        attribute: Name of the method.
        base: Expression for the value.
    """
    if attribute.startswith("_"):
        return refuse(f".{attribute} is private")
    if attribute in CALLED:
        return allow()
    if attribute in CALLED_WITHOUT_ARGUMENTS:
        bare = not call.args and not call.keywords
        return allow() if bare else refuse(f".{attribute} may only be called without arguments")
    if attribute == "replace":
        texts = len(call.args) == 2 and not call.keywords and not _has_star(call)
        return allow() if texts else refuse(".replace of a path moves files; that of a string has two arguments")
    if attribute == "format":
        return allow() if _is_plain_format(base) else refuse(".format looks up attributes that its string names")
    return refuse(f".{attribute} is not on the list of methods that may be called")


def _has_star(call: ast.Call) -> bool:
    return any(isinstance(argument, ast.Starred) for argument in call.args)


def _is_plain_format(base: ast.expr) -> bool:
    if not isinstance(base, ast.Constant) or not isinstance(base.value, str):
        return False
    try:
        fields = [field for _, field, _, _ in string.Formatter().parse(base.value) if field is not None]
    except ValueError:
        return False
    return all(not set(field) & set(".[") for field in fields) and "{" not in "".join(
        spec or "" for _, _, spec, _ in string.Formatter().parse(base.value)
    )
