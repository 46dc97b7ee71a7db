"""Cores are not asynchronous, and XML is written in one place."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.tree import Function, Module, ancestors, functions, is_declaration, modules

PURE = ("xmpp/", "cascade/", "edge_node/routing/", "edge_node/sessions/", "central_hub/routing/")
NOT_PURE = ("cascade/transport/",)

TAG = re.compile(r"<(?:/|[A-Za-z])")


def test_no_coroutine_in_a_core() -> None:
    """A port that a core declares for others may have asynchronous methods; the core itself has none."""
    pure = [module for module in modules() if str(module).startswith(PURE) and not str(module).startswith(NOT_PURE)]
    found = [f"{module}:{function.name}" for module in pure for function in functions(module) if is_coroutine(function)]
    assert found == []


def is_coroutine(function: Function) -> bool:
    return isinstance(function, ast.AsyncFunctionDef) and not is_declaration(function)


def test_only_the_language_writes_xml() -> None:
    others = [module for module in modules() if not str(module).startswith("xmpp/")]
    assert [f"{module}:{line}" for module in others for line in lines_that_write_tags(module)] == []


def lines_that_write_tags(module: Module) -> Iterator[int]:
    """Lines that put values between tags: f-strings, `%` and `format`.  `<Session ...>` in `__repr__` is no tag."""
    parents = ancestors(module.tree)
    for node in ast.walk(module.tree):
        if any(TAG.search(text) for text in templates(node)) and not in_repr(node, parents):
            yield getattr(node, "lineno", 0)


def templates(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.JoinedStr(values=values):
            for value in values:
                yield from constant(value)
        case ast.BinOp(left=left, op=ast.Mod()):
            yield from constant(left)
        case ast.Call(func=ast.Attribute(value=value, attr="format")):
            yield from constant(value)
        case _:
            pass


def constant(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.Constant(value=bytes() as raw):
            yield raw.decode("latin-1")
        case _:
            pass


def in_repr(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    current: ast.AST | None = node
    while current is not None:
        if isinstance(current, ast.FunctionDef) and current.name == "__repr__":
            return True
        current = parents.get(current)
    return False


def test_the_check_sees_what_it_is_for() -> None:
    seen = [
        f"x = {quoted}" for quoted in ('f"<body>{text}"', '"</%s>" % name', 'b"<a id=%b>" % raw', '"<a>{}".format(b)')
    ]
    for source in seen:
        assert any(TAG.search(text) for node in ast.walk(ast.parse(source)) for text in templates(node)), source
    for source in ('f"{low} < {high}"', '"<a/>"', 'f"{count} <- {name}"'):
        assert not any(TAG.search(text) for node in ast.walk(ast.parse(source)) for text in templates(node)), source
