import grpc
import pytest

from cascade.link import FailureReason, LinkFailure
from cascade.transport.channel import METHOD, SERVICE, failure_of, status_of
from cascade.v1 import link_pb2


@pytest.mark.parametrize("reason", list(FailureReason))
def test_a_failure_survives_its_telling(reason: FailureReason) -> None:
    failure = LinkFailure(reason, "because: of this")
    code, details = status_of(failure)
    assert code is not grpc.StatusCode.OK
    assert failure_of(details) == failure


@pytest.mark.parametrize("details", ["", "failed to connect: refused", "connection reset"])
def test_words_of_grpc_are_a_lost_link(details: str) -> None:
    assert failure_of(details) == LinkFailure(FailureReason.LOST, details)


def test_the_method_is_the_one_of_the_contract() -> None:
    assert link_pb2.DESCRIPTOR.services_by_name["Link"].methods_by_name[METHOD].full_name == f"{SERVICE}.{METHOD}"
