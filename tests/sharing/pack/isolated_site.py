"""A Python environment with some of the installed distributions and their requirements, and nothing else."""

from __future__ import annotations

import venv
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement


def isolated_python(folder: Path, distributions: Iterable[str]) -> Path:
    """Create a virtual environment with links to the packages of this one; nothing is downloaded."""
    venv.EnvBuilder(symlinks=True).create(folder)
    (site,) = folder.glob("lib/python*/site-packages")
    for installed in _with_requirements(distributions):
        for top in {file.parts[0] for file in installed.files or ()}:
            link = site / top
            if top not in ("..", "__pycache__") and link.suffix != ".pth" and not link.is_symlink():
                link.symlink_to(str(installed.locate_file(top)))
    return folder / "bin" / "python"


def _with_requirements(names: Iterable[str]) -> list[Distribution]:
    found: dict[tuple[str, str], Distribution] = {}
    queue = [(name, "") for name in names]
    while queue:
        name, extra = queue.pop()
        if (name, extra) in found:
            continue
        found[name, extra] = distribution(name)
        for requirement in map(Requirement, found[name, extra].requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                queue += [(requirement.name, wanted) for wanted in ("", *requirement.extras)]
    return list(found.values())
