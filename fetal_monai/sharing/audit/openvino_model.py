"""Judge an OpenVINO model: a graph of operations in XML, with its numbers in a .bin beside it."""

from __future__ import annotations

import pickletools
import re
from typing import IO

from fetal_monai.files.hardened_xml import parse_xml
from fetal_monai.sharing.audit.audit_entry import AuditEntry

_DEEPEST_LEVEL = 24
_OWN_OPERATIONS = re.compile(r"opset\d+")


def audit_graph(file: str, content: bytes) -> AuditEntry:
    """Judge the XML: every operation must be one of OpenVINO's own, whose code is not in the bundle.

    Raises:
        ValueError: The content is no XML, or has a document type.
    """
    root = parse_xml(content, _DEEPEST_LEVEL)
    if root.tag != "net":
        return AuditEntry(file, "", "file", root.tag, True, "XML that is no OpenVINO model")
    foreign = next(
        (layer for layer in root.iter("layer") if not _OWN_OPERATIONS.fullmatch(layer.get("version", ""))), None
    )
    if foreign is not None:
        return AuditEntry(
            file, "", "weights", str(foreign.get("type")), True, "an operation that OpenVINO does not have"
        )
    return AuditEntry(file, "", "weights", "OpenVINO", False, "a graph of OpenVINO's own operations")


def audit_numbers(file: str, stream: IO[bytes]) -> AuditEntry:
    """Judge the .bin beside such a graph: it must not begin like a pickle, which `torch.load` would run."""
    try:
        next(pickletools.genops(stream))
    except ValueError:
        return AuditEntry(file, "", "weights", "OpenVINO", False, "numbers only")
    return AuditEntry(file, "", "weights", "pickle", True, "it begins like a pickle, not like the numbers of a model")
