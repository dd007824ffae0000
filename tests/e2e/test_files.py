"""Files that are gone when they should be heard, on the real Asterisk: messages (F35) and music (F34).

One exchange. What autocom has converted is taken away under it; what the caller hears decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import psycopg
import pytest
import pytest_asyncio

from tests.support import PATIENCE, asked, oracle
from tests.support.bureau import Bureau, client, play, queue
from tests.support.eventually import eventually
from tests.support.exchange import Exchange
from tests.support.leg import Leg
from tests.support.phones import Phones
from tests.support.tones import SILENCE, Run

pytestmark = [pytest.mark.timeout(120)]
FILES, EMPTY = "0199001002", "0199001003"
HOW = {"away": "0199001004", "empty": "0199001005", "unreadable": "0199001006"}
"""What becomes of a message, and the number whose callers would hear it: the same sound is told once in ten minutes."""
GONE_TONE, GONE_MUSIC, EMPTY_MUSIC = 1980, 2170, 2370


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def exchange(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Exchange]:
    bureau = Bureau.at(tmp_path_factory.mktemp("files"), secretaries=0)
    bureau.sound("gone-message", GONE_TONE, 3)
    bureau.sound("gone-music", GONE_MUSIC, 4)
    bureau.sound("empty-music", EMPTY_MUSIC, 4)
    lines = [("files", FILES, "gone-message", "gone-music"), ("empty", EMPTY, "gone-message", "empty-music")]
    for how, did in HOW.items():
        bureau.sound(f"message-{how}", GONE_TONE, 3)
        lines.append((f"message-{how}", did, f"message-{how}", "gone-music"))
    for name, did, message, music in lines:
        rules = [{"name": "open", "do": [play(message), queue(music=music)]}]
        bureau.add(client(name, f"+33{did[1:]}", rules=rules))
    bureau.write()
    async with Exchange(bureau) as running:
        yield running


@contextmanager
def spoilt(exchange: Exchange, name: str, how: str) -> Iterator[None]:
    """The converted file is away, empty, or cannot be read as a file (rights do not hold for everybody)."""
    found = next((exchange.bureau.state / "audio").glob(f"{name}-*"))
    aside = found.with_name(f"aside-{found.name}")
    found.rename(aside)
    if how == "empty":
        found.touch()
    elif how == "unreadable":
        found.mkdir()
    try:
        yield
    finally:
        if found.is_dir():
            found.rmdir()
        aside.replace(found)


def missing(exchange: Exchange) -> list[str]:
    """The sounds that were missing so far."""
    with psycopg.connect(asked.database(exchange.bureau)) as db:
        rows = db.execute("SELECT fields FROM events WHERE kind = 'fault' ORDER BY seq").fetchall()
    return [row[0]["where"] for row in rows if row[0]["fault"] == "sound_missing"]


def sound_after(leg: Leg, tone: int) -> list[Run]:
    """What was to be heard after this tone, and is no silence."""
    runs = leg.timeline()
    last = max((n for n, run in enumerate(runs) if run.chord == (tone,)), default=len(runs))
    return [run for run in runs[last + 1 :] if run.chord != SILENCE]


@pytest.mark.fault("F35")
@pytest.mark.parametrize("how", ["away", "empty", "unreadable"])
async def test_a_message_that_is_not_there_is_skipped_and_said(
    exchange: Exchange, measured, how: str
) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        with spoilt(exchange, f"message-{how}", how):
            caller = await phones.dial(bureau.uri(HOW[how]))
            music = await caller.hears(GONE_MUSIC)
        await caller.hangup()
    assert (GONE_TONE,) not in caller.heard()
    measured("from the call to the step after the message", music - 0.3, "s", at_most=1.0)
    await eventually(lambda: f"message-{how}" in missing(exchange), "a sound that was missing is said")
    await oracle.nothing_is_left(exchange)


@pytest.mark.fault("F34")
@pytest.mark.parametrize(
    ("music", "did", "how", "tone"),
    [("gone-music", FILES, "away", GONE_MUSIC), ("empty-music", EMPTY, "empty", EMPTY_MUSIC)],
    ids=["away", "empty"],
)
async def test_a_music_that_is_not_there_gives_way_to_another(
    exchange: Exchange, measured, music: str, did: str, how: str, tone: int
) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        with spoilt(exchange, music, how):
            caller = await phones.dial(bureau.uri(did))
            await caller.hears(GONE_TONE)
            async with asyncio.timeout(PATIENCE):
                while not (played := sound_after(caller, GONE_TONE)) or played[-1].end - played[0].start < 2:
                    await asyncio.sleep(0.1)
        await caller.hangup()
    began = next(run.end for run in caller.timeline() if run.chord == (GONE_TONE,))
    assert (tone,) not in caller.heard()
    measured("silence before another music", played[0].start - began, "s", at_most=2.0)
    await eventually(
        lambda: f"music-{music}" in " ".join(missing(exchange)), "a music that was missing is said"
    )
    await oracle.nothing_is_left(exchange)
