"""Logs: structlog events to stderr, for people on a terminal, as JSON lines elsewhere.

No caller's number and no secret belongs into an event; ids do. Control characters that reach a value from outside
are escaped before either renderer has it, so one event is always one line (on a terminal, and its traceback), and none
moves a terminal's cursor.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, Literal, TextIO, cast

import structlog


class Lenient:
    """A stream whose full disk, closed pipe or dead terminal is nobody's error: a line that cannot be written must
    never end the call that it tells of."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, if possible; how many characters the writer may take for written."""
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, if possible."""
        with suppress(OSError, ValueError):
            self._stream.flush()


def set_up(level: str, form: Literal["json", "console"] | None) -> None:
    """Configure structlog and what libraries log, once per process."""
    chosen = form or ("console" if sys.stderr.isatty() else "json")
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # never the frames' locals: a withheld number or a password may be among them
            exception_formatter=structlog.dev.plain_traceback,
        )
        if chosen == "console"
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,  # not by the console: what it renders is not looked through
            plain,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", Lenient(sys.stderr))),
    )
    logging.basicConfig(handlers=[FromLibraries()], level=max(number, logging.WARNING), force=True)


class FromLibraries(logging.Handler):
    """What libraries log, as events of ours: of one line, in the form that was chosen."""

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        try:
            said = record.getMessage()
        except (TypeError, ValueError, KeyError):  # a library's slip must not end the call that met it
            said = f"{record.msg} {record.args}"
        # structlog knows no levels in between
        level = max(logging.DEBUG, min(logging.CRITICAL, record.levelno // 10 * 10))
        structlog.get_logger().bind(logger=record.name).log(level, said, exc_info=record.exc_info or None)


def plain(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Every text of one line and without what a terminal obeys, but for a traceback's line ends. structlog's console leaves
    all of it but line ends, its JSON what is above U+007E; a lone surrogate would end the line's writer."""
    for key, text in event.items():
        if isinstance(text, str) and not text.isprintable():
            event[key] = "\n".join(map(_plain, text.split("\n"))) if key == "exception" else _plain(text)
    return event


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
