import click
import grpc
import pytest

from chappe.administration.connection import NotPermitted, Refused, Unreachable, explained


class Fault(grpc.RpcError):
    """What a call raises."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self._code = code
        self._details = details

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._details


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, Unreachable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, Unreachable),
        (grpc.StatusCode.PERMISSION_DENIED, NotPermitted),
        (grpc.StatusCode.UNAUTHENTICATED, NotPermitted),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, Refused),
        (grpc.StatusCode.INVALID_ARGUMENT, Refused),
    ],
)
def test_a_fault_has_a_kind_whatever_its_words(code: grpc.StatusCode, kind: type[click.ClickException]) -> None:
    found = explained(Fault(code, "the hub's store is unavailable: disk full"), "hub.example:7444")
    assert type(found) is kind


def test_who_does_not_answer_is_named() -> None:
    assert "hub.example:7444" in explained(Fault(grpc.StatusCode.UNAVAILABLE, ""), "hub.example:7444").message
