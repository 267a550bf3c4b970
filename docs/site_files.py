"""MkDocs hook: the site is made of the repository's own Markdown, at the paths it has there, and of the docstrings."""

from __future__ import annotations

import ast
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

_ROOT = Path(__file__).parents[1]
_PATTERNS = (
    *("*.md", "LICENSE", "docs/**/*", "bundles/*/LICENSE", "bundles/*/docs/**/*"),
    *("fetal_monai/**/*.xsd", "fetal_monai/sharing/**/*", "tests/sharing/**/*.py"),  # what the pages link to
)
_PACKAGE = _ROOT / "fetal_monai"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the pages of the API reference in the navigation."""
    pages = ["api/index.md", *(f"api/{name}.md" for name in _subpackages())]
    config.nav = [{"API": pages} if entry == {"API": "api/"} else entry for entry in config.nav or []]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Replace what MkDocs found in `docs_dir`: links between the files then work as they do in the repository."""
    theme = [file for file in files if file.src_dir != config.docs_dir]
    paths = sorted({path for pattern in _PATTERNS for path in _ROOT.glob(pattern) if path.is_file()})
    sources = [
        File.generated(config, path.relative_to(_ROOT).as_posix(), abs_src_path=str(path))
        for path in paths
        if path != Path(__file__) and "__pycache__" not in path.parts
    ]
    return Files([*theme, *sources, *_reference(config)])


def _subpackages() -> dict[str, str]:
    """The subpackages that export names, and the first line of what they say of themselves."""
    texts = {path.parent.name: path.read_text() for path in sorted(_PACKAGE.glob("*/__init__.py"))}
    return {
        name: (ast.get_docstring(ast.parse(text)) or "").splitlines()[0]
        for name, text in texts.items()
        if "__all__" in text
    }


def _reference(config: MkDocsConfig) -> list[File]:
    """One page a subpackage, and a table of them."""
    rows = [f"| [{name}]({name}.md) | {summary} |" for name, summary in _subpackages().items()]
    index = "\n".join(["# API reference", "", "| subpackage | what it holds |", "|---|---|", *rows])
    pages = [
        File.generated(config, f"api/{name}.md", content=f"# fetal_monai.{name}\n\n::: fetal_monai.{name}\n")
        for name in _subpackages()
    ]
    return [File.generated(config, "api/index.md", content=index), *pages]
