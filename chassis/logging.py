"""Logs: one JSON object a line on standard error; an event is a fact in snake_case, its circumstances are keys.

Rule: shells log, cores do not; never a stanza's content, never a secret.
"""

import json
import logging
import logging.config
import sys
from typing import Final, Literal, TextIO

import msgspec
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from chassis.settings import Settings

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class LoggingSettings(Settings):
    """What is logged and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Events below this level are dropped."""

    format: Literal["json", "console"] = "json"
    """`console` is for people and holds only on a terminal; elsewhere it is JSON all the same."""


class LogStream:
    """A text stream that loses lines rather than the process: a full disk or a closed pipe stops no service."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.writes_failed = 0

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            self.writes_failed += 1
            return 0

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self.writes_failed += 1

    def isatty(self) -> bool:
        return not self._stream.closed and self._stream.isatty()


def configure_logging(settings: LoggingSettings, stream: TextIO | None = None) -> LogStream:
    """Set up structlog, and the standard library's loggers (of gRPC, aiohttp, asyncio) into the same stream.

    To be called once, first thing in a process.  `stream` is standard error if not given.
    """
    target = LogStream(sys.stderr if stream is None else stream)
    renderer: Processor = _json
    if settings.format == "console" and target.isatty():
        renderer = structlog.dev.ConsoleRenderer()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[settings.level]),
        logger_factory=lambda *_names: structlog.WriteLogger(target),  # type: ignore[arg-type]  # all it needs is write
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=LEVELS[settings.level], force=True)
    logging.captureWarnings(capture=True)
    return target


def _json(_logger: WrappedLogger, _name: str, event: EventDict) -> str:
    """The order of keys is fixed where a reader looks first: time, level, event."""
    ordered = {"timestamp": event.pop("timestamp"), "level": event.pop("level"), "event": event.pop("event"), **event}
    try:
        return _ENCODER.encode(ordered).decode("utf-8")
    except UnicodeEncodeError:  # half a character, as in the name of a file that is not UTF-8: the line counts more
        return json.dumps(ordered, default=str)


_ENCODER: Final = msgspec.json.Encoder(enc_hook=str)
