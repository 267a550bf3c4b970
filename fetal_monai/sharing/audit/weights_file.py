"""List and judge what loading a weights file would run.

A pickle is a program. `torch.load(weights_only=True)` runs only the opcodes and globals that a state dict needs, and
the ones allowed here are a subset of these. STACK_GLOBAL, whose operands are computed while the pickle runs, is always
refused, so that nothing has to guess what it would import.
"""

from __future__ import annotations

import io
import pickletools
import tarfile
import zipfile
from typing import IO

from fetal_monai.sharing.audit.archive import archive_findings
from fetal_monai.sharing.audit.audit_entry import AuditEntry
from fetal_monai.sharing.audit.verdict import Verdict, allow, refuse

MAX_PICKLE_BYTES = 64 * 2**20

_STORAGES = "Float Double Half BFloat16 Byte Char Short Int Long Bool ComplexFloat ComplexDouble"
_DTYPES = "float16 float32 float64 bfloat16 uint8 int8 int16 int32 int64 bool complex64 complex128 uint16 uint32 uint64"
_REBUILDERS = "_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_parameter"
GLOBALS = frozenset(
    {
        *("collections OrderedDict", "__builtin__ set", "torch Size", "torch device", "torch.nn.parameter Parameter"),
        *("torch.storage UntypedStorage", "torch.serialization _get_layout"),
        *(f"torch._utils {name}" for name in _REBUILDERS.split()),
        *(f"torch {name}Storage" for name in _STORAGES.split()),
        *(f"torch {name}" for name in _DTYPES.split()),
    }
)
"""Globals that a state dict needs, as pickle writes them: module, space, name."""

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # the first of five pickles of torch.save before 1.6; storages follow
_LEGACY_PICKLES = 5

_OPCODE_NAMES = """
APPEND APPENDS BINFLOAT BINGET BININT BININT1 BININT2 BINPERSID BINPUT BINUNICODE BUILD EMPTY_DICT EMPTY_LIST EMPTY_SET
EMPTY_TUPLE GLOBAL LONG1 LONG_BINGET LONG_BINPUT MARK NEWFALSE NEWOBJ NEWTRUE NONE PROTO REDUCE SETITEM SETITEMS
SHORT_BINSTRING STOP TUPLE TUPLE1 TUPLE2 TUPLE3"""
_OPCODES = frozenset(_OPCODE_NAMES.split())


def audit_weights(file: str, stream: IO[bytes]) -> list[AuditEntry]:
    """Judge a file by its content, whatever its name.

    Args:
        file: Its name within the bundle.
        stream: Its content, which must be seekable.
    """
    start = stream.read(8)
    stream.seek(0)
    if start[:4] == b"PK\x03\x04":
        return _audit_archive(file, stream)
    if tarfile.is_tarfile(stream):
        return [
            AuditEntry(file, "", "weights", "tar", True, "torch.save's oldest format: save it again with torch.save")
        ]
    stream.seek(0)
    return _audit_pickles(file, stream)


def is_pickle_or_zip(start: bytes) -> bool:
    """Return whether a file that begins like this must be judged as weights, whatever its name."""
    return start[:4] == b"PK\x03\x04" or (start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"))


def audit_pickle(file: str, place: str, stream: IO[bytes]) -> list[AuditEntry]:
    """Judge the pickle at the stream's position, and leave the stream at the pickle's end.

    Everything before a broken opcode would already have run, so a broken pickle is judged up to there, and refused.
    """
    named: dict[str, Verdict] = {}
    try:
        for opcode, argument, position in pickletools.genops(stream):
            if opcode.name == "GLOBAL":
                known = argument in GLOBALS
                why = "torch.load(weights_only=True) refuses it, or should"
                named[str(argument)] = allow("allowed in a state dict") if known else refuse(why)
            elif opcode.name not in _OPCODES:
                named[opcode.name] = refuse(f"a state dict does not contain this opcode (byte {position})")
    except Exception as error:  # whatever a broken pickle makes pickletools raise
        named["broken"] = refuse(f"it is not a complete pickle: {error}")
    return [
        AuditEntry(file, place, "pickle", what, not verdict.allowed, verdict.why) for what, verdict in named.items()
    ]


def _audit_pickles(file: str, stream: IO[bytes]) -> list[AuditEntry]:
    legacy = _first_constant(stream) == _LEGACY_MAGIC
    entries: list[AuditEntry] = []
    for index in range(_LEGACY_PICKLES if legacy else 1):
        entries += audit_pickle(file, f"pickle {index}" if legacy else "", stream)
    if not legacy and stream.read(1):
        entries.append(AuditEntry(file, "", "pickle", "more bytes", True, "something follows the pickle"))
    return entries


def _first_constant(stream: IO[bytes]) -> object:
    position = stream.tell()
    try:
        return next((argument for opcode, argument, _ in pickletools.genops(stream) if opcode.name == "LONG1"), None)
    except Exception:  # a broken pickle is reported where it is judged
        return None
    finally:
        stream.seek(position)


def _audit_archive(file: str, stream: IO[bytes]) -> list[AuditEntry]:
    try:
        with zipfile.ZipFile(stream) as archive:
            return archive_findings(archive, file) or _audit_members(file, archive)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        return [AuditEntry(file, "", "weights", "zip", True, f"it cannot be read: {error}")]


def _audit_members(file: str, archive: zipfile.ZipFile) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    members = archive.infolist()
    for member in members:
        inner = member.filename.partition("/")[2]
        if member.is_dir() or (inner.startswith("data/") and inner[5:].isdigit()):
            continue  # the numbers of a storage
        if inner.startswith("code/") or inner == "constants.pkl" or member.filename.endswith(".py"):
            why = "TorchScript or a torch.package: it contains a program, and weights_only does not apply to it"
            entries.append(AuditEntry(file, member.filename, "weights", "code", True, why))
        elif member.filename.endswith(".pkl"):
            if member.file_size > MAX_PICKLE_BYTES:
                why = f"a pickle of more than {MAX_PICKLE_BYTES} bytes"
                entries.append(AuditEntry(file, member.filename, "pickle", f"{member.file_size} bytes", True, why))
                continue
            content = io.BytesIO(archive.read(member))
            entries += audit_pickle(file, member.filename, content)
            if content.read(1):
                entries.append(AuditEntry(file, member.filename, "pickle", "more bytes", True, "something follows it"))
    if not any(member.filename.endswith("data.pkl") for member in members):
        entries.append(AuditEntry(file, "", "weights", "zip", True, "a zip that torch.save did not write"))
    return entries
