"""The source tree as the architecture tests see it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("xmpp", "cascade", "chassis", "edge_node", "central_hub", "chappe")
GENERATED = ("cascade/v1/",)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """A Python file of the product."""

    path: Path

    def __str__(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        """Its source."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text, str(self))


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the product that people write."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return tuple(module for module in map(Module, paths) if not str(module).startswith(GENERATED))


def functions(module: Module) -> Iterator[Function]:
    """Every function of the module, also the inner ones."""
    return (node for node in ast.walk(module.tree) if isinstance(node, Function))


def is_declaration(function: Function) -> bool:
    """Whether it says only that it exists, as a port's methods do: its body is a docstring or `...`."""
    return all(isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) for line in function.body)


def ancestors(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    """The parent of every node."""
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def text_files() -> Iterator[Path]:
    """Every file that people write, of the product or about it."""
    yield from (path for path in sorted(ROOT.iterdir()) if path.is_file())
    for folder in sorted(ROOT.iterdir()):
        if folder.is_dir() and (folder.name == ".ci" or is_ours(folder)):
            yield from (path for path in sorted(folder.rglob("*")) if path.is_file() and is_ours(path))


def is_ours(path: Path) -> bool:
    """Whether no part of the path is hidden, generated or built."""
    parts = path.relative_to(ROOT).parts
    if parts[0] == ".ci":
        return True
    return not any(
        part.startswith(".") or part in {"__pycache__", "build", "dist"} or part.endswith((".egg-info", ".pyc"))
        for part in parts
    ) and not path.relative_to(ROOT).as_posix().startswith(GENERATED)
