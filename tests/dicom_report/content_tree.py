"""Reading a structured report by pydicom alone."""

from __future__ import annotations

from collections.abc import Iterator

from pydicom import Dataset
from pydicom.sr.coding import Code


def items(container: Dataset) -> Iterator[Dataset]:
    """All content items below one, depth first."""
    for item in container.get("ContentSequence", ()):
        yield item
        yield from items(item)


def code(sequence: list[Dataset]) -> Code:
    (item,) = sequence
    return Code(item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning)


def concept(item: Dataset) -> Code:
    return code(item.ConceptNameCodeSequence)


def number(item: Dataset) -> tuple[str, str]:
    """Value and unit of a NUM."""
    (measured,) = item.MeasuredValueSequence
    return f"{measured.NumericValue:.6g}", code(measured.MeasurementUnitsCodeSequence).value


def children(item: Dataset, value: str) -> list[Dataset]:
    """The children with a concept's code."""
    return [child for child in item.get("ContentSequence", ()) if concept(child).value == value]


def path(root: Dataset, *values: str) -> list[Dataset]:
    """All items that are reached from the root by the codes of their concepts."""
    found = [root]
    for value in values:
        found = [child for item in found for child in children(item, value)]
    return found
