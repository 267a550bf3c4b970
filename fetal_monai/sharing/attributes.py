"""Attributes of values that are known only when a config runs.

No expression may yield a module, so what is left are attributes of the objects that allowed classes and functions
make. Of those are refused: what leads from an object to the interpreter (private names, frames, code), names of
modules, and methods that write, delete or load files, whatever the object.
"""

from __future__ import annotations

import sys

from fetal_monai.sharing.allowed import DEFAULT_BINDINGS, ROOTS


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_INTERPRETER = _words(
    "ag_await ag_code ag_frame ag_running co_code co_consts co_names cr_await cr_code cr_frame cr_origin "
    "cr_running f_back f_builtins f_code f_globals f_locals f_trace func_globals func_code gi_code gi_frame "
    "gi_running gi_yieldfrom mro tb_frame tb_next"
)

_MODULES = frozenset(sys.stdlib_module_names) | frozenset(ROOTS) | frozenset(DEFAULT_BINDINGS)

_FILES = _words(
    "chmod copy_into dump export export_chrome_trace extract extractall from_file hardlink_to lchmod link_to load "
    "load_library loads memmap mkdir move move_into open rename rmdir rmtree save save_to_buffer save_weights savefig "
    "symlink_to to_csv to_pickle tofile touch truncate unlink write write_bytes write_text writelines"
)

_PROCESSES = _words(
    "Popen call_command check_call check_output exec exec_module execl execv execve fork getoutput import_module "
    "load_module popen run_cmd run_module run_path spawn spawnl spawnv startfile system"
)


def attribute_refusal(attribute: str, *, called: bool) -> str:
    """Why an attribute of an unknown value is refused; empty if it is not.

    Args:
        attribute: its name.
        called: whether it is called on the spot. A module cannot be, so `x.copy()` is no module's name.
    """
    if attribute.startswith("_"):
        return f".{attribute} is private"
    if attribute in _INTERPRETER:
        return f".{attribute} leads into the interpreter"
    if attribute in _FILES:
        return f".{attribute} writes or loads files"
    if attribute in _PROCESSES:
        return f".{attribute} runs something else"
    if attribute in _MODULES and not called:
        return f".{attribute} may be a module"
    return ""
