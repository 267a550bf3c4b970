"""Checks of a zip before any of its members is read."""

from __future__ import annotations

import stat
import struct
import zipfile
from pathlib import PurePosixPath

from fetal_monai.sharing.audit.audit_entry import AuditEntry

MAX_ENTRIES = 10_000
MAX_TOTAL_BYTES = 16 * 2**30
MAX_RATIO = 250
"""Largest ratio of unpacked to packed size. Text compresses about 20 times, trained weights hardly at all."""

_SMALL_BYTES = 2**20  # members up to this size may have any ratio
_END = struct.Struct("<4s4H2LH")  # end of central directory (APPNOTE 4.3.16)
_END_64 = struct.Struct("<4sQ2H2L4Q")  # the same for zip64 (4.3.14); a locator of 20 bytes follows it
_LOCATOR_BYTES = 20


def archive_findings(archive: zipfile.ZipFile, file: str) -> list[AuditEntry]:
    """List what is wrong with a zip, without reading any of its members.

    Args:
        archive: The open zip.
        file: Its name in the report.
    """
    members = archive.infolist()
    findings = []
    if archive.comment or _is_shifted(archive):
        why = "it does not end with its directory: other programs may find another directory in it"
        findings.append(AuditEntry(file, "", "archive", file, True, why))
    seen: set[str] = set()
    for member in members:
        key = member.filename.rstrip("/").casefold()
        refusals = [*_name_refusals(member.filename), *_member_refusals(member)]
        if key in seen:
            refusals.append("its name appears twice: which one is read depends on the program")
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
        refusals.append(".. leads out of the folder that the zip is unpacked into")
    if name.startswith(("/", "\\")) or name[1:2] == ":":
        refusals.append("an absolute path: it is outside the folder that the zip is unpacked into")
    if "\\" in name or not name.isprintable():
        refusals.append("systems read this name differently")
    return refusals


def _member_refusals(member: zipfile.ZipInfo) -> list[str]:
    refusals = []
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        refusals.append("a link" if kind == stat.S_IFLNK else "neither a file nor a folder")
    if member.flag_bits & 0x1:
        refusals.append("it is encrypted, so its content cannot be judged")
    if member.file_size > _SMALL_BYTES and member.file_size > MAX_RATIO * max(member.compress_size, 1):
        refusals.append(f"it unpacks to more than {MAX_RATIO} times its size")
    return refusals


def _shown_size(member: zipfile.ZipInfo) -> str:
    return f"{member.compress_size} -> {member.file_size} bytes"


def _is_shifted(archive: zipfile.ZipFile) -> bool:
    """Return whether the directory is not where the zip's end record says: Python corrects for this, torch does not."""
    stream = archive.fp
    assert stream is not None
    stream.seek(-_END.size, 2)
    *_, stated, _ = _END.unpack(stream.read(_END.size))
    if stated == 0xFFFFFFFF:
        stream.seek(-_END.size - _LOCATOR_BYTES - _END_64.size, 2)
        *_, stated = _END_64.unpack(stream.read(_END_64.size))
    return bool(stated != archive.start_dir)
