"""Logs: structlog events to stderr, for people on a terminal, as JSON lines elsewhere.

No caller's number and no secret belongs into an event; ids do. Control characters that reach a
value from outside are escaped by both renderers, so one event is always one line.
"""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog


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
    exceptions = [] if chosen == "console" else [structlog.processors.format_exc_info]
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *exceptions,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(stream=sys.stderr, level=max(number, logging.WARNING), format="%(name)s: %(message)s")
