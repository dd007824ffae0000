"""Where a bug stops: the one place of the stories that catches any exception.

A crash inside `contained` is logged and handed to `crashed`, which sees to the caller; what runs
beside it goes on. Cancellation and the process's end pass through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger()


@contextmanager
def contained(what: str, crashed: Callable[[str], None], **about: object) -> Iterator[None]:
    """Run the block; an error in it is logged as `what` and `crashed` gets it as one line."""
    try:
        yield
    except Exception as error:
        log.exception(what, **about)
        crashed(f"{type(error).__name__}: {error}")
