"""Functions that an expression may call although their arguments decide what they do."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from fetal_monai.sharing.audit.known_texts import KnownTexts, UnknownTextError
from fetal_monai.sharing.audit.verdict import Verdict, all_of, allow, refuse
from fetal_monai.sharing.audit.written_paths import judge_written_folder


def _loads_weights(call: ast.Call, _: KnownTexts) -> Verdict:
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    flag = keywords.get("weights_only")
    if not isinstance(flag, ast.Constant) or flag.value is not True or len(call.args) != 1:
        return refuse("a pickle runs code unless weights_only=True is given literally")
    plain = keywords.keys() <= {"weights_only", "map_location", "mmap"} and not isinstance(call.args[0], ast.Starred)
    return allow() if plain else refuse("expected a path, map_location, mmap and weights_only=True")


def _joins_processes(call: ast.Call, _: KnownTexts) -> Verdict:
    plain = not call.args and [keyword.arg for keyword in call.keywords] in ([], ["backend"])
    return allow() if plain else refuse("expected only backend: other arguments set the address that it connects to")


def _writes_into(argument: str) -> Callable[[ast.Call, KnownTexts], Verdict]:
    """Return a rule for a function whose first argument is the folder that it writes into."""

    def judge(call: ast.Call, texts: KnownTexts) -> Verdict:
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        folder = call.args[0] if call.args else keywords.get(argument)
        if folder is None or None in keywords:
            return refuse(f"expected {argument} as an explicit argument")
        try:
            known = texts.of_expression(folder)
        except UnknownTextError as error:
            return refuse(str(error))
        return all_of(judge_written_folder(text) for text in sorted(text for text in known if text is not None))

    return judge


CALLS: Mapping[str, Callable[[ast.Call, KnownTexts], Verdict]] = {
    "fetal_monai.phantom.demonstration_dataset": _writes_into("folder"),
    "fetal_monai.phantom.demonstration_planes": _writes_into("folder"),
    "fetal_monai.workflow.initialize": _writes_into("bundle_root"),
    "fetal_monai.workflow.run_in_folder": _writes_into("output_dir"),
    "torch.distributed.init_process_group": _joins_processes,
    "torch.load": _loads_weights,
}
"""Rules for calls, by the function's dotted name."""

RETURN_FUNCTIONS = frozenset(
    {
        "monai.apps.pathology.handlers.utils.from_engine_hovernet",
        "monai.handlers.utils.from_engine",
        "monai.handlers.utils.stopping_fn_from_loss",
        "monai.handlers.utils.stopping_fn_from_metric",
    }
)
"""Functions that return a function, which may be called immediately."""
