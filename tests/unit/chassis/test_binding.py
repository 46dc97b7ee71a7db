"""Why an address cannot be listened on."""

import asyncio
import errno
import os
import socket
from pathlib import Path

import pytest

from chassis.binding import BindFailed, naming_setting


def message(setting: str, address: str, error: OSError) -> str:
    with pytest.raises(BindFailed) as caught, naming_setting(setting, address):
        raise error
    return str(caught.value)


def test_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(BindFailed) as caught, naming_setting("listeners.tcp", f"127.0.0.1:{port}"):
            socket.create_server(("127.0.0.1", port))
    assert str(caught.value) == (
        f"listeners.tcp: cannot listen on 127.0.0.1:{port}: Address already in use "
        "(another process listens there; end it or choose another)"
    )


async def test_port_that_is_taken_on_the_loop() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(BindFailed, match="Address already in use"), naming_setting("x", "y"):
            await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", port)


def test_address_of_another_machine() -> None:
    with (
        pytest.raises(BindFailed, match="this machine has no such address"),
        naming_setting("x", "y"),
        socket.socket() as listener,
    ):
        listener.bind(("192.0.2.1", 0))


def test_folder_of_a_socket_file_that_is_not_there(tmp_path: Path) -> None:
    with (
        pytest.raises(BindFailed, match="the folder of the socket file does not exist"),
        naming_setting("x", "y"),
        socket.socket(socket.AF_UNIX) as listener,
    ):
        listener.bind(str(tmp_path / "absent" / "s"))


def test_privileged_port() -> None:
    text = message("x", ":80", PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    assert text.startswith("x: cannot listen on :80: Permission denied (ports below 1024")


def test_name_without_address() -> None:
    assert message("x", "nowhere:1", socket.gaierror(-2, "unknown")) == (
        "x: cannot listen on nowhere:1: the name has no address"
    )


def test_reason_without_number() -> None:
    assert message("x", "y", OSError("AF_UNIX path too long")) == "x: cannot listen on y: AF_UNIX path too long"


def test_nothing_wrong() -> None:
    with naming_setting("x", "y"):
        pass
