"""What is wrong with a zip before anything in it is read."""

from __future__ import annotations

import stat
import struct
import zipfile
from pathlib import PurePosixPath

from fetal_monai.sharing.audit.audit_entry import AuditEntry

MAX_ENTRIES = 10_000
MAX_TOTAL_BYTES = 16 * 2**30
MAX_RATIO = 250
"""Of unpacked to packed size. Text packs about 20 times, trained weights hardly at all."""

_SMALL_BYTES = 2**20  # what may have any ratio
_END = struct.Struct("<4s4H2LH")  # end of central directory (APPNOTE 4.3.16)
_END_64 = struct.Struct("<4sQ2H2L4Q")  # the same of a zip64 (4.3.14); a locator of 20 bytes follows it
_LOCATOR_BYTES = 20


def archive_findings(archive: zipfile.ZipFile, file: str) -> list[AuditEntry]:
    """What is wrong with a zip before any of its members is read.

    Args:
        archive: the open zip.
        file: how the report calls it.
    """
    members = archive.infolist()
    findings = []
    if archive.comment or _is_shifted(archive):
        why = "it does not end where its directory does: other programs may find another directory in it"
        findings.append(AuditEntry(file, "", "archive", file, True, why))
    seen: set[str] = set()
    for member in members:
        key = member.filename.rstrip("/").casefold()
        refusals = [*_name_refusals(member.filename), *_member_refusals(member)]
        if key in seen:
            refusals.append("its name is there twice: what is read depends on who reads it")
        seen.add(key)
        findings += [AuditEntry(file, member.filename, "archive", _shown_size(member), True, why) for why in refusals]
    if len(members) > MAX_ENTRIES:
        findings.append(AuditEntry(file, "", "archive", f"{len(members)} entries", True, f"more than {MAX_ENTRIES}"))
    if (total := sum(member.file_size for member in members)) > MAX_TOTAL_BYTES:
        findings.append(AuditEntry(file, "", "archive", f"{total} bytes", True, f"more than {MAX_TOTAL_BYTES} in all"))
    return findings


def _name_refusals(name: str) -> list[str]:
    refusals = []
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if ".." in parts:
        refusals.append("it climbs out of the folder that the zip is unpacked into")
    if name.startswith(("/", "\\")) or name[1:2] == ":":
        refusals.append("an absolute path: it leaves the folder that the zip is unpacked into")
    if "\\" in name or not name.isprintable():
        refusals.append("systems read this name differently")
    return refusals


def _member_refusals(member: zipfile.ZipInfo) -> list[str]:
    refusals = []
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        refusals.append("a link" if kind == stat.S_IFLNK else "neither a file nor a folder")
    if member.flag_bits & 0x1:
        refusals.append("it is encrypted, so nobody can read what it is")
    if member.file_size > _SMALL_BYTES and member.file_size > MAX_RATIO * max(member.compress_size, 1):
        refusals.append(f"it unpacks to more than {MAX_RATIO} times its size")
    return refusals


def _shown_size(member: zipfile.ZipInfo) -> str:
    return f"{member.compress_size} -> {member.file_size} bytes"


def _is_shifted(archive: zipfile.ZipFile) -> bool:
    """Whether the directory lies elsewhere than the zip's end states: Python corrects for that, torch does not."""
    stream = archive.fp
    assert stream is not None
    stream.seek(-_END.size, 2)
    *_, stated, _ = _END.unpack(stream.read(_END.size))
    if stated == 0xFFFFFFFF:
        stream.seek(-_END.size - _LOCATOR_BYTES - _END_64.size, 2)
        *_, stated = _END_64.unpack(stream.read(_END_64.size))
    return bool(stated != archive.start_dir)
