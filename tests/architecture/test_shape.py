"""Every module has the unit test of its name; files and functions are small; names are the glossary's."""

import ast
from collections.abc import Iterator

from tests.architecture.tree import ROOT, Function, Module, functions, is_declaration, modules

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50

LONGER: dict[str, str] = {
    "central_hub/app.py:compose": "a composition root: each part is made once, in the order of what needs what",
    "edge_node/sessions/session.py:__init__": "one attribute a line, each with its meaning",
}
"""Reviewed exceptions, each with its reason: `path/of/file.py` or `path/of/file.py:function`."""

TESTED_ELSEWHERE = {
    "edge_node/adapters/": "tests/contracts runs one suite per port against every adapter",
    "central_hub/adapters/": "tests/contracts runs one suite per port against every adapter",
    "edge_node/custody/port.py": "a port and its values: tests/contracts/edge/test_custody.py",
    "cascade/transport/client.py": "gRPC on both sides: tests/integration/cascade; with time: tests/simulation/cluster",
    "cascade/transport/server.py": "gRPC on both sides: tests/integration/cascade",
    "central_hub/links/exchange.py": "links of real sites: tests/integration/hub/test_links.py",
    "central_hub/operations/server.py": "a gRPC port: tests/integration/hub/test_administration.py",
    "central_hub/operations/service.py": "every call of it: tests/integration/hub/test_administration.py",
    "central_hub/operations/status.py": "what it says is asked for in tests/integration/hub/test_administration.py",
    "central_hub/app.py": "a whole hub: tests/integration/hub; how it starts: tests/integration/cluster/test_starts.py",
    "chappe/administration/account.py": "the commands with a hub: tests/integration/hub/test_administration.py",
    "chappe/administration/bulk.py": "the commands with a hub: tests/integration/hub/test_administration.py",
    "chappe/administration/confirmation.py": "the commands with a hub: tests/integration/hub/test_administration.py",
    "chappe/administration/connection.py": "the commands with a hub: tests/integration/hub/test_administration.py",
    "chappe/administration/site.py": "the commands with a hub: tests/integration/hub/test_administration.py",
}
"""Reviewed exceptions: the beginning of a path, and where its tests are."""

FORBIDDEN_SUFFIXES = ("Manager", "Helper", "Helpers", "Util", "Utils", "Impl", "Processor")
FORBIDDEN_MODULES = {"base", "common", "helpers", "misc", "models", "util", "utils"}


def test_there_is_something_to_check() -> None:
    assert any(str(module) == "chassis/clock.py" for module in modules())


def test_every_module_has_the_test_of_its_name() -> None:
    tests = {path.relative_to(ROOT / "tests" / "unit").as_posix() for path in (ROOT / "tests" / "unit").rglob("*.py")}
    assert [str(module) for module in modules() if needs_test(module) and not has_test(module, tests)] == []


def needs_test(module: Module) -> bool:
    """Files without code (ports, constants, what a package exports) have nothing to test; `__main__` calls `app`."""
    if module.path.name in {"__init__.py", "__main__.py"} or str(module).startswith(tuple(TESTED_ELSEWHERE)):
        return False
    return any(not is_declaration(function) for function in functions(module))


def has_test(module: Module, tests: set[str]) -> bool:
    """`edge_node/features/roster/feature.py` is tested by `edge_node/**/test_feature.py`, or `.../test_roster.py`."""
    package, *_, name = str(module).removesuffix(".py").split("/")
    names = {f"test_{name}.py", f"test_{module.path.parent.name}.py", f"test_{module.path.parent.name}_{name}.py"}
    return any(test.startswith(f"{package}/") and test.rpartition("/")[2] in names for test in tests)


def test_files_are_small() -> None:
    lengths = {str(module): len(module.text.splitlines()) for module in modules()}
    assert {name: length for name, length in lengths.items() if length > FILE_LINES_MAX and name not in LONGER} == {}


def test_functions_are_small() -> None:
    lengths = {f"{module}:{function.name}": length(function) for module in modules() for function in functions(module)}
    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES_MAX and name not in LONGER} == {}


def length(function: Function) -> int:
    """Lines of a function without its docstring: to explain must not cost."""
    assert function.end_lineno is not None
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None and first.end_lineno is not None:
        lines -= first.end_lineno - first.lineno + 1
    return lines


def test_exceptions_are_still_needed() -> None:
    names = {str(module) for module in modules()}
    assert [name for name in LONGER if name.partition(":")[0] not in names] == []


def test_no_name_without_a_meaning() -> None:
    assert [f"{module}: {name}" for module in modules() for name in class_names(module) if is_forbidden(name)] == []
    assert [str(module) for module in modules() if FORBIDDEN_MODULES & set(module.path.relative_to(ROOT).parts)] == []
    assert [str(module) for module in modules() if module.path.stem in FORBIDDEN_MODULES] == []


def is_forbidden(name: str) -> bool:
    return name.endswith(FORBIDDEN_SUFFIXES)


def class_names(module: Module) -> Iterator[str]:
    return (node.name for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef))
