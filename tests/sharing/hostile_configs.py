"""Configs that do what they should not, each by another trick: MARK stands for a folder that they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Trick:
    """A config, and what the audit must say of it.

    Attributes:
        name: what pytest calls it.
        config: of the whole file.
        why: a part of the reason.
        works: whether MONAI really makes the folder MARK from it, here and now.
    """

    name: str
    config: dict[str, Any]
    why: str
    works: bool = True


def _expression(name: str, text: str, why: str, *, works: bool = True) -> Trick:
    return Trick(name, {"imports": ["$import os"], "x": f"${text}"}, why, works)


def _component(name: str, why: str, *, works: bool = True, **component: Any) -> Trick:
    return Trick(name, {"x": component}, why, works)


ALIASES = [
    _expression("torch shows os", "torch.os.mkdir('MARK')", "is the module os"),
    _expression("MONAI shows subprocess", "monai.utils.misc.subprocess.run(['mkdir', 'MARK'])", "monai.utils.misc"),
    _expression(
        "a deeper module shows os", "monai.config.deviceconfig.os.mkdir('MARK')", "monai.config.deviceconfig.os"
    ),
    _expression("os.path shows os", "os.path.os.mkdir('MARK')", "posixpath"),
    _expression("an allowed module shows torch", "torch.nn.functional.torch.os.mkdir('MARK')", "is the module torch"),
    _expression("os itself", "os.mkdir('MARK')", "not on the allow-list"),
    _expression("another alphabet's letters", "\uff54orch.os.mkdir('MARK')", "is the module os"),
    _expression("run_cmd of MONAI", "monai.utils.run_cmd(['mkdir', 'MARK'])", "monai.utils.misc.run_cmd"),
    _expression("optional_import", "monai.utils.optional_import('os')[0].mkdir('MARK')", "optional_import"),
    _expression(
        "a dictionary that holds a module",
        "monai.data.utils.SUPPORTED_PICKLE_MOD['pickle']._compat_pickle.__builtins__['__import__']('os').mkdir('MARK')",
        "is a dict",
    ),
]

SYNTAX = [
    _expression("nested lambdas", "(lambda: (lambda: torch.os.mkdir('MARK'))())()", "is the module os"),
    _expression("a default of a lambda", "(lambda m=os: m.mkdir('MARK'))()", "yields a module"),
    _expression("an f-string", "f\"{torch.os.mkdir('MARK')}\"", "is the module os"),
    _expression("a format specification", "f\"{1:{torch.os.mkdir('MARK') or ''}}\"", "is the module os"),
    _expression("a list comprehension", "[torch.os.mkdir(p) for p in ['MARK']]", "is the module os"),
    _expression("a shadowed module", "[os.mkdir('MARK') for os in [os]]", "yields a module"),
    _expression("a condition of a generator", "list(1 for _ in [1] if torch.os.mkdir('MARK'))", "is the module os"),
    _expression("a module as argument", "(lambda m: m.mkdir('MARK'))(os)", "yields a module"),
    _expression("an assignment", "[m := os, m.mkdir('MARK')]", "NamedExpr"),
    _expression("an assignment to a function", "[0 for torch.nn.Module.forward in [1]]", "assigns", works=False),
    _expression("an assignment to a config", "[0 for @imports2['x'] in [1]]", "assigns", works=False),
    _expression("too long", "1" + " + 1" * 5000, "10000 characters", works=False),
    _expression("a yield", "list((lambda: (yield torch.os.mkdir('MARK')))())", "Yield"),
    _expression("a dictionary's key", "{torch.os.mkdir('MARK'): 1}", "is the module os"),
    _expression("a slice", "[1][torch.os.mkdir('MARK'):]", "is the module os"),
    # MONAI reads # as ::, so what looks like a comment is evaluated, and the rest of the text is no string.
    _expression("what looks like a comment", "[1][0 #]+[torch.os.mkdir('MARK')\n]", "is the module os"),
    _expression("no Python at all", "os.mkdir('MARK'", "cannot parse", works=False),
    _expression("nothing but brackets", "(" * 300 + ")" * 300, "cannot parse", works=False),
]

INTERPRETER = [
    _expression(
        "classes of a tuple",
        "[c for c in ().__class__.__mro__[1].__subclasses__() if c.__name__ == '_wrap_close'][0]"
        ".__init__.__globals__['mkdir']('MARK')",
        "is private",
    ),
    _expression(
        "the frame of a generator",
        "(x for x in ()).gi_frame.f_builtins['__import__']('os').mkdir('MARK')",
        "leads into the interpreter",
    ),
    _expression(
        "globals of an allowed function",
        "monai.transforms.Compose.__init__.__globals__['np'].os.mkdir('MARK')",
        "is private",
        works=False,
    ),
    _expression("builtins of a module", "monai.__builtins__['__import__']('os').mkdir('MARK')", "is private"),
    _expression("__builtins__", "__builtins__['__import__']('os').mkdir('MARK')", "neither imported"),
    _expression("MONAI's own variables", "list(__local_refs.values())", "neither imported", works=False),
    _expression("format reads attributes", "'{0.__class__.__mro__}'.format(1)", "looks up attributes", works=False),
    *(
        _expression(f"builtin {call.split('(')[0]}", call, "neither imported nor a pure builtin", works=works)
        for call, works in (
            ("__import__('os').mkdir('MARK')", True),
            ("getattr(torch, 'o' + 's').mkdir('MARK')", True),
            ("eval('torch.os.mkdir(\"MARK\")', {'torch': torch})", True),
            ("exec('import os; os.mkdir(\"MARK\")')", True),
            ("vars(torch)['os'].mkdir('MARK')", True),
            ("globals()['torch'].os.mkdir('MARK')", True),
            ("eval(compile('__import__(\"os\").mkdir(\"MARK\")', '', 'eval'))", True),
            ("open('x', 'w')", False),
            ("setattr(torch, 'load', 1)", False),
            ("breakpoint()", False),
            ("type('X', (), {})", False),
        )
    ),
]

IMPORTS = [
    Trick("an import", {"x": "$import subprocess"}, "subprocess is not on the allow-list", works=False),
    Trick("an import deep in a list", {"x": [{"y": ["$import pickle"]}]}, "pickle is not", works=False),
    Trick("a renamed function", {"i": "$from os import mkdir as f", "x": "$f('MARK')"}, "os.mkdir"),
    Trick("a module in numpy's name", {"i": "$import os as np", "x": "$np.mkdir('MARK')"}, "np stands for numpy"),
    Trick("everything", {"x": "$from torch.nn import *"}, "cannot be known", works=False),
    # MONAI fails on expressions with the word "import" in them, so these imports stand under another key.
    Trick("a reference to an import", {"m": "$import os", "x": "$@m.mkdir('MARK')"}, "imported modules"),
    Trick("a reference into a list", {"m": ["$import os"], "x": "$@m#0.mkdir('MARK')"}, "imported modules"),
    Trick("a reference to a list", {"m": ["$import os"], "x": "$@m[0].mkdir('MARK')"}, "imported modules"),
    Trick("a plain reference", {"m": ["$import os"], "n": "@m", "x": "$@n[0].mkdir('MARK')"}, "imported modules"),
    Trick("a relative reference", {"m": ["$import os"], "a": {"x": "$@##m#0.mkdir('MARK')"}}, "imported modules"),
    Trick("a copy", {"imports": ["$import os"], "m": "%imports", "x": "$@m#0.mkdir('MARK')"}, "imported modules"),
    Trick("a computed reference", {"x": "$__local_refs[@y]", "y": "imports"}, "is computed", works=False),
]

TARGETS = [
    _component("a function of os", "os.mkdir", _target_="os.mkdir", path="MARK"),
    _component("os behind torch", "is the module os", _target_="torch.os.mkdir", path="MARK"),
    _component("exec", "builtins is not", _target_="builtins.exec", works=False),
    _component("a builtin by its bare name", "open is not", _target_="open", file="x", mode="w", works=False),
    _component("a bare name of MONAI", "run_cmd", _target_="run_cmd", cmd_list=["mkdir", "MARK"]),
    _component("dots too many", "no dotted name", _target_="os..mkdir", path="MARK"),
    _component("a module", "neither a class nor a function", _target_="monai.transforms", works=False),
    _component("an expression", "cannot be known", _target_="$torch.os.mkdir", path="MARK"),
    _component("a component", "cannot be known", _target_={"_target_": "Compose"}, works=False),
    Trick("a reference", {"n": "os.mkdir", "x": {"_target_": "@n", "path": "MARK"}}, "cannot be known"),
    Trick("a macro", {"n": "os.mkdir", "x": {"_target_": "%n", "path": "MARK"}}, "cannot be known"),
    Trick("an overlay's key", {"x": {"path": "MARK"}, "x#_target_": "os.mkdir"}, "os.mkdir"),
    Trick("a merging key", {"x": {"path": "MARK"}, "+x": {"_target_": "os.mkdir"}}, "os.mkdir"),
    Trick("a class attribute", {"x": {"_target_": "torch.nn.Module.__init__"}}, "is private", works=False),
    _component("MONAI's bundle runner", "monai.bundle.scripts.run", _target_="monai.bundle.run", works=False),
    _component("a downloader", "monai.apps", _target_="monai.apps.download_url", url="x", works=False),
    _component("code from a hub", "torch.hub", _target_="torch.hub.load", works=False),
    _component("a loss that loads from a hub", "torch.hub", _target_="PerceptualLoss", works=False),
    _component("a compiler", "torch.utils.cpp_extension", _target_="torch.utils.cpp_extension.load", works=False),
    _component("code to time", "torch.utils.benchmark", _target_="torch.utils.benchmark.Timer", works=False),
    _component("a debugger", "debugger", _target_="Compose", _mode_="debug", works=False),
    _component("a description", "is the module os", _target_="Compose", _desc_="$torch.os.mkdir('MARK')"),
    _component("what it requires", "is the module os", _target_="Compose", _requires_=["$torch.os.mkdir('MARK')"]),
    _component("an argument's list", "is the module os", _target_="Compose", transforms=["$torch.os.mkdir('MARK')"]),
]

ARGUMENTS = [
    _component("a reader", "os.mkdir", _target_="LoadImage", reader="os.mkdir", path="MARK"),
    _component("a builtin as reader", "there is no", _target_="LoadImage", reader="open", file="x", works=False),
    _component("a reader by reference", "no dotted name", _target_="LoadImage", reader="@y", works=False),
    Trick("an overlay's reader", {"x": {"_target_": "LoadImage", "path": "MARK"}, "x#reader": "os.mkdir"}, "os.mkdir"),
    Trick(
        "one of an overlay's readers",
        {"x": {"_target_": "LoadImage", "reader": ["ITKReader"]}, "x#reader#0": "open"},
        "there is no",
        works=False,
    ),
    _component("a reader that unpickles", "may run code", _target_="LoadImage", allow_pickle=True, works=False),
    _component("a debugger's flag", "may run code", _target_="Compose", _debug_=True, works=False),
    _expression("another one", "monai.data.NumpyReader(None, None, True)", "unpickles", works=False),
    _component("a merger", "os.mkdir", _target_="PatchInferer", merger_cls="os.mkdir", works=False),
    _expression("a reader in an expression", "monai.transforms.LoadImage('os.mkdir', path='MARK')", "_target_"),
    Trick(
        "the class of a loader",
        {"loader": {"_target_": "LoadImage"}, "x": "$type(@loader)('os.mkdir', path='MARK')"},
        "type is neither",
    ),
    Trick(
        "a loader to be called later",
        {"l": {"_target_": "LoadImage", "_mode_": "callable"}, "x": "$@l('os.' + 'mkdir', path='MARK')"},
        "may come later",
    ),
    _expression("a pickle", "torch.load('model.pt')", "weights_only", works=False),
    _expression("a pickle, openly", "torch.load('model.pt', weights_only=False)", "may run code", works=False),
    _expression("a pickle, later", "(lambda f: f('model.pt'))(torch.load)", "weights_only", works=False),
    _component("a cache", "may run code", _target_="PersistentDataset", weights_only=False, works=False),
]

FILES = [
    _expression("a written file", "monai.data.load_decathlon_datalist('x')[0].write_text('y')", "writes", works=False),
    _expression("a tensor over a file", "torch.ones(1).untyped_storage().from_file('x')", "writes", works=False),
    _expression("a copied file", "list(@dataset_dir)[0].copy('y')", "of a path", works=False),
    _expression("a switch of cuDNN", "setattr(torch.backends.cudnn, 'm', True)", "setattr", works=False),
    _expression("an array to a file", "np.zeros(3).tofile('x')", "writes", works=False),
    _expression("a moved file", "@imports2.replace('x')", "moves files", works=False),
    _expression("the environment", "os.environ.update(A='1')", "os.environ", works=False),
    _expression("numpy's pickles", "np.load('x.npy', allow_pickle=True)", "numpy.load", works=False),
    _expression("an absolute path", "os.path.join(@dataset_dir, '/etc/passwd')", "absolute", works=False),
    _expression("a climbing path", "@dataset_dir + '/../../.ssh'", "climbs out", works=False),
    Trick("an absolute path as text", {"x": "/root/.bashrc"}, "absolute", works=False),
    Trick("a home", {"x": "~/.bashrc"}, "absolute", works=False),
    Trick("a climbing path as text", {"x": "../../setup.py"}, "climbs out", works=False),
    Trick("an address", {"x": "https://example.org/model.pt"}, "an address", works=False),
    Trick("a macro that climbs", {"x": "%../other/configs/train.json#net"}, "climbs out", works=False),
    Trick("a macro to anywhere", {"x": "%/etc/secret.json#net"}, "absolute", works=False),
    Trick("a macro to nothing", {"x": "%configs/other.json#net"}, "no config", works=False),
]

TRICKS = [*ALIASES, *SYNTAX, *INTERPRETER, *IMPORTS, *TARGETS, *ARGUMENTS, *FILES]
