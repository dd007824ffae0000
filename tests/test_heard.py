"""Which messages somebody listened to: said over the API, kept, written down once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from autocom.core.journal import Entry, Json
from autocom.core.letters import VOICE, Voice, row_of, voices
from autocom.core.references import reference
from autocom.heard import Listened
from autocom.web.messages import MessageRoutes

NOW = 1_790_000_000.0


class Rows:
    """The local log as far as rows and entries go, and a clock."""

    def __init__(self, *left: Voice) -> None:
        self.floor: dict[str, Json] = {}
        self.entries: list[Entry] = []
        for voice in left:
            self.save((), floor=row_of(voice))

    def save(
        self,
        entries: Sequence[Entry] = (),
        *,
        calls: Mapping[str, Json] | None = None,
        floor: Mapping[str, Json] | None = None,
    ) -> None:
        assert not calls
        self.entries.extend(entries)
        self.floor.update(floor or {})

    def rows(self, prefix: str) -> dict[str, Json]:
        return {key: row for key, row in self.floor.items() if key.startswith(prefix)}

    def now(self) -> float:
        return NOW

    def of(self, recording: str) -> Voice:
        return next(v for v in voices(self.rows(VOICE))[0] if v.recording == recording)


def voice(number: int, client: str = "lilas") -> Voice:
    return Voice(f"voice-c{number}-1", f"c{number}", client, NOW - 100 + number, NOW + 3600, kept=True)


def listened(*left: Voice) -> tuple[Rows, Listened]:
    rows = Rows(*left)
    return rows, Listened(rows, rows)  # type: ignore[arg-type]


def test_a_message_is_heard_by_its_id_or_its_reference_and_new_again() -> None:
    rows, messages = listened(voice(1), voice(2))
    for wanted in ("voice-c1-1", reference("voice-c1-1"), f" {reference('voice-c1-1').lower()} "):
        said = messages.mark(wanted, "lea", heard=True)
        assert (said["id"], said["client"], said["heard_at"]) == (
            "voice-c1-1",
            "lilas",
            "2026-09-21T14:13:20.000Z",
        )
        assert rows.of("voice-c1-1").heard == NOW
        assert rows.of("voice-c2-1").heard is None
        assert messages.mark(wanted, "lea", heard=False)["heard_at"] is None
        assert rows.of("voice-c1-1").heard is None


def test_it_is_written_down_once_however_often_it_is_said_and_of_no_call() -> None:
    rows, messages = listened(voice(1))
    for _ in range(3):
        messages.mark("voice-c1-1", "lea", heard=True)
    messages.mark("voice-c1-1", "ines", heard=False)
    assert [(e.kind, e.call, dict(e.fields)) for e in rows.entries] == [
        (
            "voicemail_heard",
            None,
            {"recording": "voice-c1-1", "client": "lilas", "heard": heard, "by": by},
        )
        for heard, by in ((True, "lea"), (False, "ines"))
    ]


def test_nothing_else_of_a_message_changes() -> None:
    rows, messages = listened(voice(1))
    before = rows.of("voice-c1-1")
    messages.mark("voice-c1-1", "lea", heard=True)
    messages.mark("voice-c1-1", "lea", heard=False)
    assert rows.of("voice-c1-1") == before


@pytest.mark.parametrize("wanted", ["", "voice-c9-1", "ZZZZ", "../etc/passwd", "voice-c1-"])
def test_what_is_no_message_is_refused_with_what_to_do(wanted: str) -> None:
    rows, messages = listened(voice(1))
    with pytest.raises(LookupError, match="see `autocom voicemail`"):
        messages.mark(wanted, "lea", heard=True)
    assert rows.entries == []


def test_a_reference_that_two_messages_have_names_both() -> None:
    seen: dict[str, int] = {}
    number = 0
    while (mark := reference(f"voice-c{number}-1")) not in seen:
        seen[mark] = number
        number += 1
    one, other = voice(seen[mark]), voice(number)
    rows, messages = listened(one, other)
    with pytest.raises(LookupError, match=f"{one.recording}, {other.recording}"):
        messages.mark(mark, "lea", heard=True)
    assert messages.mark(other.recording, "lea", heard=True)["id"] == other.recording
    assert rows.of(one.recording).heard is None


async def test_programs_list_and_mark_messages_over_the_api() -> None:
    rows, messages = listened(voice(1), voice(2, "roses"))
    application = web.Application()
    MessageRoutes(messages).add(application)
    async with TestClient(TestServer(application)) as http:
        found = await (await http.get("/v1/voicemail")).json()
        assert [(row["id"], row["client"], row["heard_at"]) for row in found] == [
            ("voice-c2-1", "roses", None),
            ("voice-c1-1", "lilas", None),
        ]
        marked = await http.post("/v1/voicemail/voice-c2-1/heard", params={"by": "lea"})
        assert (marked.status, (await marked.json())["id"]) == (200, "voice-c2-1")
        assert rows.entries[-1].fields["by"] == "lea"
        assert rows.of("voice-c2-1").heard == NOW
        assert (await http.post("/v1/voicemail/voice-c2-1/new")).status == 200
        assert rows.of("voice-c2-1").heard is None
        missing = await http.post("/v1/voicemail/voice-c7-1/heard")
        assert missing.status == 404
        assert "there is no message" in (await missing.json())["error"]
        wrong = await http.post("/v1/voicemail/voice-c2-1/loud")
        assert (wrong.status, await wrong.json()) == (400, {"error": "a message is heard or new"})
