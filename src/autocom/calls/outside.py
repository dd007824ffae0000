"""What every story has in common with every other one: the outside, and the floor's inbox."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from autocom.calls.ports import Advice, Clock, Journal, Telephone
from autocom.calls.unheard import Unheard
from autocom.core.codec import Codec
from autocom.core.floor_words import FloorFact
from autocom.core.story import Story


async def _at_once(command: Callable[[], Awaitable[None]]) -> None:
    await command()


@dataclass(frozen=True, slots=True)
class Ports:
    """See the module. `surely` gives a command that nothing waits for, and repeats it where Asterisk did not answer."""

    telephone: Telephone
    journal: Journal
    clock: Clock
    submit: Callable[[FloorFact], None]
    codec: Codec
    advice: Advice | None = None
    surely: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]] = _at_once
    restaged: Callable[[Story], None] = lambda _: None  # a call has come to another stage
    unheard: Unheard = field(default_factory=Unheard)
