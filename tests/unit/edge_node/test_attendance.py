from structlog.testing import capture_logs

from tests.support.edge import Edge


async def test_an_account_comes_with_its_first_resource_and_goes_with_its_last(edge: Edge) -> None:
    with capture_logs() as logged:
        phone, desk = await edge.login("anna", "phone"), await edge.login("anna", "desk")
        await phone.leave()
        assert [each["event"] for each in logged] == ["account_online"]
        await desk.leave()
    assert [(each["event"], each["account"]) for each in logged] == [
        ("account_online", "anna"),
        ("account_offline", "anna"),
    ]
