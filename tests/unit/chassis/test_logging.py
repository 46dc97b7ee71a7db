"""Logs, in a process of their own: the configuration is the process's."""

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from chassis.logging import LoggingSettings, LogStream, configure_logging


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_event_is_one_line_with_time_level_and_event_first() -> None:
    stream = io.StringIO()
    configure_logging(LoggingSettings(), stream)
    structlog.get_logger().info("stream_closed", reason="a\nb", peer=("::1", 5))
    (line,) = lines(stream)
    assert list(line) == ["timestamp", "level", "event", "reason", "peer"]
    assert line["timestamp"].endswith("Z")
    assert (line["level"], line["event"], line["reason"], line["peer"]) == ("info", "stream_closed", "a\nb", ["::1", 5])


def test_half_a_character_costs_no_line() -> None:
    stream = io.StringIO()
    configure_logging(LoggingSettings(), stream)
    structlog.get_logger().info("file_found", path=os.fsdecode(b"\xe9t\xe9"), kind=object)
    (line,) = lines(stream)
    assert os.fsencode(line["path"]) == b"\xe9t\xe9"
    assert line["kind"] == "<class 'object'>"


def test_level_drops_what_is_below() -> None:
    stream = io.StringIO()
    configure_logging(LoggingSettings(level="warning"), stream)
    log = structlog.get_logger()
    log.info("heard")
    log.warning("seen")
    logging.getLogger("grpc").info("heard")
    assert [line["event"] for line in lines(stream)] == ["seen"]


def test_bound_context_and_exceptions() -> None:
    stream = io.StringIO()
    configure_logging(LoggingSettings(), stream)
    log = structlog.get_logger().bind(site="paris")
    try:
        os.environ["CHAPPE_LOST"]
    except KeyError:
        log.exception("link_failed", value=object)
    (line,) = lines(stream)
    assert line["site"] == "paris"
    assert line["value"] == "<class 'object'>"
    assert line["exception"].endswith("KeyError: 'CHAPPE_LOST'")


def test_the_standard_librarys_loggers_write_the_same_form() -> None:
    stream = io.StringIO()
    configure_logging(LoggingSettings(), stream)
    logging.getLogger("aiohttp.server").error("bad %s", "request")
    (line,) = lines(stream)
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert (line["level"], line["event"], line["logger"]) == ("error", "bad request", "aiohttp.server")


def test_console_is_for_terminals() -> None:
    terminal, file = Terminal(), io.StringIO()
    configure_logging(LoggingSettings(format="console"), terminal)
    structlog.get_logger().info("drain_started")
    assert "drain_started" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")
    structlog.reset_defaults()
    configure_logging(LoggingSettings(format="console"), file)
    structlog.get_logger().info("drain_started")
    assert lines(file)[0]["event"] == "drain_started"


def test_full_disk_loses_lines_and_nothing_else() -> None:
    stream = configure_logging(LoggingSettings(), FullDisk())
    structlog.get_logger().info("stream_closed")
    assert stream.writes_failed > 0


def test_closed_stream_loses_lines_and_nothing_else() -> None:
    inner = io.StringIO()
    inner.close()
    stream = LogStream(inner)
    stream.write("x")
    stream.flush()
    assert stream.writes_failed > 0
    assert not stream.isatty()


def test_standard_error_is_the_default() -> None:
    code = (
        "import structlog, warnings\n"
        "from chassis.logging import LoggingSettings, configure_logging\n"
        "configure_logging(LoggingSettings())\n"
        "structlog.get_logger().info('process_started')\n"
        "warnings.warn('old')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == ""
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [event["level"] for event in events] == ["info", "warning"]
