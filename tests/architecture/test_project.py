"""The lock agrees with pyproject.toml, and every exception from a rule has its reason."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ROOT, Module, modules

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS = PROJECT["dependency-groups"]
RUNTIME = [*PROJECT["project"]["dependencies"], *GROUPS["build"]]
LOCKS = {"runtime": RUNTIME, "development": [*RUNTIME, *GROUPS["development"]], "fuzz": GROUPS["fuzz"]}

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
EXCEPTION = re.compile(r"#\s*(?:noqa|type: ignore)(.*)$")
REASON = re.compile(r"(?:: ?[A-Z]+[0-9]+(?:,? ?[A-Z]+[0-9]+)*|\[[a-z-]+(?:, ?[a-z-]+)*\])\s+(?:[#-] )?\w")


def lock_of(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LOCKS)
def test_lock_has_every_dependency(name: str) -> None:
    pins = {canonicalize_name(project): version for project, version in PIN.findall(lock_of(name))}
    wanted = [Requirement(text) for text in LOCKS[name]]
    assert [
        str(each) for each in wanted if not each.specifier.contains(pins.get(canonicalize_name(each.name), "0"))
    ] == []


@pytest.mark.parametrize("name", LOCKS)
def test_lock_has_hashes_and_no_address(name: str) -> None:
    lock = lock_of(name)
    entries = re.split(r"\n(?=\S)", lock)
    assert [entry for entry in entries if PIN.match(entry) and not HASH.search(entry)] == []
    assert "://" not in lock
    assert [line for line in lock.splitlines() if line.lstrip().startswith("--") and not HASH.search(line)] == []


def test_locks_agree() -> None:
    runtime, development = (dict(PIN.findall(lock_of(name))) for name in ("runtime", "development"))
    assert {name: version for name, version in runtime.items() if development.get(name) != version} == {}


def test_every_ignored_rule_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lists = re.findall(r"^(?:ignore|\"[^\"]+\") = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    lines = [line for entries in lists for line in entries.splitlines() if re.match(r'\s+"[A-Z]+[0-9]*",', line)]
    assert len(lines) > 10
    assert [line for line in lines if not re.search(r"# \S", line)] == []


def test_every_exception_in_the_code_has_its_code_and_reason() -> None:
    assert [found for module in modules() for found in bare_exceptions(module)] == []


def bare_exceptions(module: Module) -> list[str]:
    lines = enumerate(module.text.splitlines(), start=1)
    found = [(number, match[1]) for number, line in lines if (match := EXCEPTION.search(line))]
    return [f"{module}:{number}" for number, rest in found if not REASON.match(rest)]


def test_the_check_of_exceptions_sees_what_it_is_for() -> None:
    for good in (
        ": S104  # every address is the point",
        "[arg-type]  # the stub is wrong",
        ": N802 - the name is gRPC's",
        ": A001, B002  # both",
    ):
        assert REASON.match(good), good
    for bad in ("", ": S104", "[arg-type]", "  # why not", "[arg-type]  #", ": S104 -"):
        assert not REASON.match(bad), bad
