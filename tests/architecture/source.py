# SPDX-License-Identifier: EUPL-1.2
"""The source of the app as the architecture tests see it: which module imports which, and where."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT_DIR = Path(__file__).parent.parent.parent
OURS = ("abs_platform", "jobs")
PACKAGE_DIR = ROOT_DIR / "abs_platform"


@dataclass(frozen=True, slots=True)
class Import:
    """One of our modules imports another. ``for_types`` when only a type checker does."""

    importer: str
    imported: str
    line: int
    for_types: bool
    in_function: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


def python_files(*folders: str) -> list[Path]:
    """The Python files of these folders."""
    return sorted(path for folder in folders for path in (ROOT_DIR / folder).rglob("*.py"))


def module_name(path: Path) -> str:
    """The dotted name of a file."""
    parts = path.relative_to(ROOT_DIR).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    """All modules of the app and its jobs, by name."""
    return {module_name(path): path for path in python_files(*OURS)}


def features() -> set[str]:
    """The feature packages: the folders with Python in them, without the edges, which are clients of them all."""
    return {path.name for path in PACKAGE_DIR.iterdir() if (path / "__init__.py").exists()} - {"cli", "demo"}


@cache
def imports() -> tuple[Import, ...]:
    """Every import of one of our modules by another."""
    return tuple(found for name, path in modules().items() for found in imports_of(name, path.read_text()))


def imports_of(importer: str, source: str) -> list[Import]:
    """What one module imports of ours."""
    found: list[Import] = []

    def walk(node: ast.AST, *, for_types: bool, in_function: bool) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.extend(Import(importer, name, node.lineno, for_types, in_function) for name in _targets(node))
        types_only = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            walk(child, for_types=for_types or types_only, in_function=in_function or function)

    walk(ast.parse(source), for_types=False, in_function=False)
    return found


def _targets(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if alias.name.split(".")[0] in OURS]
    assert node.level == 0, f"a relative import on line {node.lineno}"
    if node.module is None or node.module.split(".")[0] not in OURS:
        return []
    named = [f"{node.module}.{alias.name}" for alias in node.names]
    return [name if name in modules() else node.module for name in named]
