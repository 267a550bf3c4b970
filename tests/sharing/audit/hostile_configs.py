"""Hostile configs, each with a different trick. MARK stands for a folder that they create."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Trick:
    """A config, and the reason for which the audit must refuse it.

    Attributes:
        name: Its id in pytest.
        config: Content of the whole file.
        why: Part of the reason.
        works: Whether MONAI creates the folder MARK from it in this environment.
    """

    name: str
    config: dict[str, Any]
    why: str
    works: bool = True


def _expression(name: str, text: str, why: str, *, works: bool = True) -> Trick:
    imports = ["$import os", "$from fetal_monai.phantom import demonstration_dataset as demo"]
    return Trick(name, {"imports": imports, "x": f"${text}"}, why, works)


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
        "not on the list of attributes",
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
    Trick("a computed reference", {"x": "$__local_refs[@y]", "y": "imports"}, "neither imported", works=False),
]

TARGETS = [
    _component("a function of os", "os.mkdir", _target_="os.mkdir", path="MARK"),
    _component("os behind torch", "is the module os", _target_="torch.os.mkdir", path="MARK"),
    _component("exec", "builtins is not", _target_="builtins.exec", works=False),
    _component("a builtin by its bare name", "open is not", _target_="open", file="x", mode="w", works=False),
    _component("a bare name of MONAI", "run_cmd", _target_="run_cmd", cmd_list=["mkdir", "MARK"]),
    _component("dots too many", "is not a dotted name", _target_="os..mkdir", path="MARK"),
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
    _component("a loss that loads from a hub", "not reviewed", _target_="PerceptualLoss", works=False),
    _component("a compiler", "torch.utils.cpp_extension", _target_="torch.utils.cpp_extension.load", works=False),
    _component("code to time", "torch.utils.benchmark", _target_="torch.utils.benchmark.Timer", works=False),
    _component("a debugger", "debugger", _target_="Compose", _mode_="debug", works=False),
    _component("a description", "is the module os", _target_="Compose", _desc_="$torch.os.mkdir('MARK')"),
    _component("what it requires", "is the module os", _target_="Compose", _requires_=["$torch.os.mkdir('MARK')"]),
    _component("an argument's list", "is the module os", _target_="Compose", transforms=["$torch.os.mkdir('MARK')"]),
]

ARGUMENTS = [
    _component("a reader", "os.mkdir", _target_="LoadImage", reader="os.mkdir", path="MARK"),
    _component(
        "a builtin as reader", "not one of the readers", _target_="LoadImage", reader="open", file="x", works=False
    ),
    _component("a reader by reference", "not one of the readers", _target_="LoadImage", reader="@y", works=False),
    Trick("an overlay's reader", {"x": {"_target_": "LoadImage", "path": "MARK"}, "x#reader": "os.mkdir"}, "os.mkdir"),
    Trick(
        "one of an overlay's readers",
        {"x": {"_target_": "LoadImage", "reader": ["ITKReader"]}, "x#reader#0": "open"},
        "changes a part of reader",
        works=False,
    ),
    _component("a reader that unpickles", "may run code", _target_="LoadImage", allow_pickle=True, works=False),
    _component("a debugger's flag", "may run code", _target_="Compose", _debug_=True, works=False),
    _expression("another one", "monai.data.NumpyReader(None, None, True)", "_target_", works=False),
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
        "called later",
    ),
    _expression("a pickle", "torch.load('model.pt')", "weights_only", works=False),
    _expression("a pickle, openly", "torch.load('model.pt', weights_only=False)", "may run code", works=False),
    _expression("a pickle, later", "(lambda f: f('model.pt'))(torch.load)", "_target_", works=False),
    _component("a cache", "may run code", _target_="PersistentDataset", weights_only=False, works=False),
]

FILES = [
    _expression(
        "a written file",
        "monai.data.load_decathlon_datalist('x')[0].write_text('y')",
        ".write_text is not",
        works=False,
    ),
    _expression(
        "a tensor over a file", "torch.ones(1).untyped_storage().from_file('x')", ".from_file is not", works=False
    ),
    _expression("a copied file", "list(@dataset_dir)[0].copy('y')", "only be called without arguments", works=False),
    _expression("a switch of cuDNN", "setattr(torch.backends.cudnn, 'm', True)", "setattr", works=False),
    _expression("an array to a file", "np.zeros(3).tofile('x')", ".tofile is not", works=False),
    _expression("a moved file", "@imports2.replace('x')", "moves files", works=False),
    _expression("the environment", "os.environ.update(A='1')", "os.environ", works=False),
    _expression("an assignment to the environment", "[0 for os.environ['A'] in ['1']]", "assigns", works=False),
    _component(
        "a pickle by another module", "must be None", _target_="torch.load", f="a", pickle_module="@y", works=False
    ),
    _component(
        "processes by an address",
        "must be None",
        _target_="torch.distributed.init_process_group",
        init_method="$'tc' + 'p://x'",
        works=False,
    ),
    _expression("numpy's pickles", "np.load('x.npy', allow_pickle=True)", "numpy.load", works=False),
    _expression("an absolute path", "os.path.join(@dataset_dir, '/etc/passwd')", "absolute", works=False),
    _expression("a climbing path", "@dataset_dir + '/../../.ssh'", "leads out", works=False),
    Trick("an absolute path as text", {"x": "/root/.bashrc"}, "absolute", works=False),
    Trick("a home", {"x": "~/.bashrc"}, "absolute", works=False),
    Trick("a climbing path as text", {"x": "../../setup.py"}, "leads out", works=False),
    Trick("a URL", {"x": "https://example.org/model.pt"}, "a URL", works=False),
    Trick("a macro that climbs", {"x": "%../other/configs/train.json#net"}, "leads out", works=False),
    Trick("a macro to anywhere", {"x": "%/etc/secret.json#net"}, "absolute", works=False),
    Trick("a macro to nothing", {"x": "%configs/other.json#net"}, "no config", works=False),
]


def _writes(name: str, why: str, target: str, **arguments: Any) -> Trick:
    items = {"root": "$'.' if @y else 'a'", "y": True, "z": "$'/' + 'x'", "code": "configs", "s": "$@s + 'b'"}
    return Trick(name, {**items, "x": {"_target_": target, **arguments}}, why, works=False)


WRITES = [
    _writes("weights as a module", "ends with .pt", "CheckpointSaver", save_dir="a", key_metric_filename="cucim.py"),
    _writes("weights as a config", "read as code or configs", "CheckpointSaver", save_dir="$@root + '/' + @code"),
    _writes("weights in another folder's configs", "read as code", "CheckpointSaver", save_dir="bundles/x/Configs"),
    _writes("weights anywhere", "an absolute path", "CheckpointSaver", save_dir="@z"),
    _writes("a prefix that climbs", "is not a word", "CheckpointSaver", save_dir="a", file_prefix="../x"),
    _writes("weights by a name that climbs", "is not a word", "CheckpointSaver", save_dir="a", save_dict={"../x": 1}),
    _writes("weights by other names", "is not a mapping", "CheckpointSaver", save_dir="a", save_dict="@y"),
    _writes("an image of no image's kind", "not one of", "SaveImaged", output_dir="a", output_ext=".py"),
    _writes("a writer", "not one of", "SaveImaged", output_dir="a", writer="os.mkdir"),
    _writes("a layout of files", "must be None", "SaveImage", folder_layout="@y", output_dir="a"),
    _writes("a computed folder", "cannot be known", "SaveImage", output_dir="$os.environ['HOME']"),
    _writes("a folder by macro", "copied from another place", "SaveImage", output_dir="%root"),
    _writes("a folder by a relative id", "depends on where it is", "SaveImage", output_dir="@##root"),
    _writes("a folder that is not at the top", "not a top-level item", "SaveImage", output_dir="@x#output_postfix"),
    _writes("a folder that is not there", "no config of the bundle has", "SaveImage", output_dir="@nowhere"),
    _writes("a folder that refers to itself", "refers to itself", "SaveImage", output_dir="$@s + 'a'"),
    _writes("a folder that is a list", "not a string", "SaveImage", output_dir=["a"]),
    _writes("a folder of entry points", "letters, digits", "MetricsSaver", save_dir="x.dist-info"),
    _writes("a cache of bytecode", "read as code", "PersistentDataset", data=[], cache_dir="__pycache__"),
    _writes("another pickle", "not one of", "PersistentDataset", data=[], cache_dir="a", pickle_module="dill"),
    _writes("events as configs", "read as code", "TensorBoardStatsHandler", log_dir="configs"),
    _writes("a log as a module", "ends with .log", "LogfileHandler", output_dir="a", filename="x.py"),
    _writes("our weights as a module", "ends with .pt", "fetal_monai.handlers.BestNetwork", path="a/x.py"),
    _writes(
        "our masks", "is not a word", "fetal_monai.transforms.SaveFrameMaskd", keys="p", output_dir="a", ending="/../x"
    ),
    _writes("our store", "letters, digits", "fetal_monai.tracking.RunTracker", bundle_root="../x"),
    _writes("our phantoms", "read as code", "fetal_monai.phantom.demonstration_dataset", folder="configs"),
    _writes("weights from an address", "must be None", "HoVerNet", pretrained_url="$'ht' + 'tp' + '://x'"),
    Trick(
        "a folder that another config names",
        {"a": "b", "x": {"_target_": "SaveImage", "output_dir": "@a"}, "+a": "configs"},
        "read as code",
        works=False,
    ),
    Trick(
        "a folder that is far away",
        {
            **{f"a{index}": f"@a{index + 1}" for index in range(2000)},
            "x": {"_target_": "SaveImage", "output_dir": "@a0"},
        },
        "refers to itself",
        works=False,
    ),
    Trick(
        "too many folders",
        {"x": {"_target_": "SaveImage", "output_dir": "$" + " + ".join(["('a' if 1 else 'b')"] * 9)}},
        "more than 256",
        works=False,
    ),
    _expression("phantoms as configs", "monai.data.Dataset(data=demo('configs'))", "read as code", works=False),
    _expression("phantoms anywhere", "demo(folder=os.getcwd())", "cannot be known", works=False),
    _expression("phantoms by a dictionary", "demo(**@y)", "as an explicit argument", works=False),
]

SERVICES = [
    _expression("processes elsewhere", "torch.distributed.init_process_group('a', 'tcp')", "backend", works=False),
    _expression("a pickle by its flag", "torch.load('a', weights_only=@y)", "may run code", works=False),
    _expression("a pickle by another reader", "torch.load('a', None, np, weights_only=True)", "weights", works=False),
    _expression("a pickle by a dictionary", "torch.load('a', weights_only=True, **@y)", "expected a path", works=False),
    _expression("print to a file", "print('x', file=@y)", "only write to the console", works=False),
    _expression("print by a dictionary", "print('x', **@y)", "only write to the console", works=False),
    _expression("print handed on", "list(map(print, []))", "print is neither", works=False),
    _expression("what a parameter holds", "[f('a') for f in @y]", "is a parameter", works=False),
    _expression("what a list holds", "@y[0]('a')", "what it calls is not known", works=False),
    _expression("a method that runs", "@y.run('a')", "only be called without arguments", works=False),
    _expression("a method's own attributes", "@y.run.real", ".run is not on the list", works=False),
    _expression("a format within a format", "'{:{}}'.format(1, @y)", "looks up attributes", works=False),
    Trick("a config that is a component", {"_target_": "UNet"}, "one component", works=False),
    Trick("a key that is empty", {"x": {"": 1}}, "id of something else", works=False),
    Trick("a macro beside imports", {"m": ["$import os", "%y"], "y": 1}, "where imported modules are", works=False),
    Trick("a reference to everything", {"x": "$@"}, "whole config", works=False),
]

TRICKS = [*ALIASES, *SYNTAX, *INTERPRETER, *IMPORTS, *TARGETS, *ARGUMENTS, *FILES, *WRITES, *SERVICES]
