"""A rule's steps as the few plain operations that the dialplan can do by itself.

A list of operations, done one after the other; a queue names where to go on when nobody came in time, or nobody
is there. What needs autocom is replaced by what serves the caller best without it: of a menu the first key that
leads to a queue, else to somebody outside; instead of a voicemail the sentence that nobody is there, for there is
nobody to keep a message; texts, callbacks, announcements and messages "if he waits" are left out.
Must not know when a rule holds (`standby`). Invariants: bounded in number; numbers that may never be dialled
(emergency, premium, our own) and media that the dialplan could misread are left out here, not there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from autocom.core.dialling import never_dialled, own_numbers
from autocom.core.journal import Json
from autocom.core.model import (
    Answer,
    Audio,
    Bureau,
    Client,
    Configuration,
    Enqueue,
    Forward,
    Hangup,
    HangupKind,
    Menu,
    Mode,
    Music,
    OnCall,
    Play,
    Ringback,
    Secretary,
    Step,
    Team,
    Voicemail,
)
from autocom.core.numbers import FRANCE, NumberingPlan
from autocom.core.reach import every_step
from autocom.core.standby_pools import pool_of
from autocom.core.telephony import Cause

MOST = 30
"""Operations after which no step more is written. A rule has a few more than that: each way out of a queue, and what
has been begun, ends with an end. The dialplan's script cuts what it does for one call at 40."""
LONGEST_WAIT = 3600
"""Seconds in a queue without a limit of its own."""
_ANSWERED = math.inf
_MEDIA = re.compile(r"[^\s&|,;=$\"'\\<>`^()\[\]{}]{1,400}")

_CAUSES = {
    HangupKind.NORMAL: Cause.NORMAL,
    HangupKind.BUSY: Cause.BUSY,
    HangupKind.REJECT: Cause.REJECTED,
    HangupKind.CONGESTION: Cause.CONGESTION,
    HangupKind.NO_ANSWER: Cause.NO_ANSWER,
    HangupKind.UNKNOWN: Cause.UNALLOCATED,
}

Operation = list[Json]


@dataclass(frozen=True, slots=True)
class Around:
    """What the operations depend on besides the client: as long as two are equal, so are equal clients' operations."""

    configuration: Configuration = field(compare=False, repr=False)
    plan: NumberingPlan
    bureau: Bureau
    teams: Mapping[str, Team]
    secretaries: Mapping[str, Secretary]
    nobody: Audio
    no_answer: Audio
    music: Music
    own: frozenset[str]

    @classmethod
    def of(cls, configuration: Configuration, plan: NumberingPlan = FRANCE) -> Self:
        """What surrounds the clients of this configuration."""
        stock, teams, secretaries = configuration.stock, configuration.teams, configuration.secretaries
        no_answer = stock.no_answer or stock.nobody
        own = own_numbers(configuration)
        bureau = configuration.bureau
        return cls(configuration, plan, bureau, teams, secretaries, stock.nobody, no_answer, stock.music, own)


def operations(
    steps: Iterable[Step], client: Client, around: Around, team: str | None = None
) -> list[Operation]:
    """What to do, in order (`team`: the one that callers wait for instead of the queues' own):

    `["play", media, early|answered, name, seconds]` · `["ring", seconds]` · `["answer"]` ·
    `["queue", pool, team, music class, seconds, ringing, on timeout, where nobody is there, secretaries]` ·
    `["dial", [number], present, seconds, accept, media of the question]` (goes on where nobody took it) ·
    `["roster", id, media of the question]` (the same, with whoever is on call then) · `["end", cause]`.
    """
    writer = _Writer(client, around, team)
    writer.write(tuple(steps), 0.0)
    return writer.done


@dataclass(slots=True)
class _Writer:
    """`early`: on the way to an operation, the seconds that he has heard, or let ring, without being answered;
    `_ANSWERED` once he is."""

    client: Client
    around: Around
    team: str | None
    done: list[Operation] = field(default_factory=list)

    def write(self, steps: tuple[Step, ...], early: float) -> int:
        """Append these; where they begin. They always end with an end, or in a queue."""
        begins = len(self.done)
        for place, step in enumerate(steps):
            if len(self.done) >= MOST:
                break
            rest = steps[place + 1 :]
            match step:
                case Play():
                    early = self._play(step, early)
                case Ringback(seconds):
                    early = self._rings(seconds, early)
                    self.done.append(["ring", round(seconds)])
                case Answer():
                    self.done.append(["answer"])
                    early = _ANSWERED
                case Enqueue():
                    self._queue(step)
                    return begins
                case Menu():
                    self.write((*_of_menu(step), *rest), early)
                    return begins
                case Forward() if dialled_without_us(step.to, self.around.own, self.around.plan):
                    early = self._rings(step.ring_for, early)
                    present = self._presented(step.present)
                    what: Operation = ["dial", [step.to], present, round(step.ring_for)]
                    self.done.append([*what, step.accept or "", _media(step.ask)])
                    self._sorry(rest)
                case OnCall(roster):
                    early = self._rings(_ANSWERED, early)  # how many phones there will be is not known
                    self.done.append(["roster", roster, _media(step.ask)])
                    self._sorry(rest)
                case Voicemail():
                    self._say(self.around.nobody)
                    self._end(HangupKind.NORMAL)
                    return begins
                case Hangup(kind):
                    self._end(kind)
                    return begins
                case _:
                    pass
        self._end(HangupKind.NORMAL)
        return begins

    def _rings(self, seconds: float, early: float) -> float:
        """Before he hears ringing: whom an operator could cut for it is answered now, for the dialplan cannot do so
        while it dials. The seconds unanswered after it."""
        if early + seconds <= self.client.early_limit:
            return early + seconds
        if early != _ANSWERED:
            self.done.append(["answer"])
        return _ANSWERED

    def _play(self, step: Play, early: float) -> float:
        """The message, three times at most; the seconds heard unanswered after it."""
        if step.if_waiting is not None:
            return early
        for _ in range(max(1, min(step.repeat, 3))):
            mode = step.mode
            if mode is Mode.EARLY:
                early += step.audio.seconds
                if early > self.client.early_limit:
                    mode = Mode.ANSWERED
            if mode is Mode.ANSWERED:
                early = _ANSWERED
            self._say(step.audio, mode)
        return early

    def _say(self, audio: Audio, mode: Mode = Mode.ANSWERED) -> None:
        if media := _media(audio):
            self.done.append(["play", media, mode.value, audio.name, round(audio.seconds, 1)])

    def _sorry(self, rest: tuple[Step, ...]) -> None:
        """Nobody outside was reached, and nothing stands behind."""
        if not rest:
            self._say(self.around.no_answer)

    def _end(self, kind: HangupKind) -> None:
        self.done.append(["end", int(_CAUSES[kind])])

    def _queue(self, step: Enqueue) -> None:
        team = self.team or step.team
        pool = pool_of(team, self.client, self.around.configuration)
        music = (step.music or self.around.music).moh_class
        wait = LONGEST_WAIT if step.max_wait is None else max(1, round(step.max_wait))
        here = len(self.done)
        self.done.append([])  # its ways out stand behind it
        nobody: tuple[Step, ...] = (Play(self.around.nobody, Mode.ANSWERED), Hangup())
        late = self.write(step.on_timeout or nobody, _ANSWERED)
        empty = late if step.on_nobody == step.on_timeout else None
        if empty is None:
            empty = self.write(step.on_nobody or nobody, _ANSWERED)
        members: list[Json] = [who for who, _ in pool.members]
        self.done[here] = ["queue", pool.name, team, music, wait, step.ringing, late, empty, members]

    def _presented(self, present: str) -> str:
        """The number that is shown, or `caller`: his own, known only when he calls."""
        if present == "caller":
            return present
        client = self.client
        if present == "client" and client.outgoing_verified and client.outgoing_number:
            return client.outgoing_number
        return self.around.bureau.number


def dialled_without_us(number: str, own: frozenset[str], plan: NumberingPlan = FRANCE) -> bool:
    """Whether the dialplan may be told this number: never one that nothing may dial, nor one that leads back to us."""
    return number not in own and not never_dialled(number, plan)


def _media(audio: Audio | None) -> str:
    """What Asterisk plays; empty where there is nothing, or the dialplan would read its path as syntax."""
    return audio.media if audio is not None and _MEDIA.fullmatch(audio.media) else ""


def _of_menu(menu: Menu) -> tuple[Step, ...]:
    """Where somebody is who can be spoken to: nobody is asked for a digit by the dialplan."""
    ways = (*menu.keys.values(), menu.otherwise)
    for wanted in ((Enqueue,), (Forward, OnCall)):
        for way in ways:
            if any(isinstance(step, wanted) for step in every_step(way)):
                return way
    return menu.otherwise
