"""A live call as its story sees it: verbs, a mailbox, and the story's saved state.

Every verb is about this caller's channel. `Gone` about that channel becomes `HungUp` here, once.
`next` waits for the next note and keeps the early-media limit on the way: a call that has been
in early media too long is answered by itself, without a gap in what the caller hears. Law:
`become` saves before anything acts on the new stage.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from autocom.calls.mailbox import Mailbox
from autocom.calls.notes import FaxCame, HungUp, Moved, Note
from autocom.calls.outside import Ports
from autocom.calls.ports import Gone, TelephoneDown
from autocom.calls.sounding import Sounding, spoken
from autocom.calls.unheard import too_short
from autocom.core.journal import Entry, Json
from autocom.core.model import Audio, Mode, Music
from autocom.core.naming import playback_id
from autocom.core.stages import Deciding, Following, Leaving, Patched, Stage, Talking, Waiting
from autocom.core.story import Story
from autocom.core.telephony import VANISHED, ChannelGone, FaxHeard, MusicEnded, PlaybackEnded, TelephoneBack

T = TypeVar("T")

WISHED = 1.0
"""Seconds within which two calls that are to be joined must both have come to rest."""
FAX_WINDOW = 12.0
"""Seconds after the answer in which a fax machine is recognised: three of its tones, and no more of the
machine's time than that."""


class Line(Mailbox):
    """One caller. Owned by one task; only `post` may be called from elsewhere."""

    def __init__(self, story: Story, ports: Ports) -> None:
        super().__init__()
        self.story = story
        self.ports = ports
        self.sounding: Sounding | None = None
        self.crashed = False
        self.signed = False  # the dialplan knows that he is written down
        self.cause: int | None = None  # with which he went, where that was told
        self.cut = False  # gone while nobody looked, or with his line
        self.seeing = True  # whether Asterisk's events arrive; else no time runs out
        self.rings = False  # whether this process has seen to it that he hears ringing
        self.plays: str | None = None  # the class of the music that this process has begun for him
        self.doubted = False  # the process stood still: until Asterisk was asked, no time runs out
        self.wish: Callable[[], bool] | None = None  # to be joined with another call; False: not yet
        self.at_rest = False  # in `next`, with nothing under way: the story may be moved by somebody else
        self._moved = False
        self._resting = False

    # --- what comes ---

    async def next(self, until: float | None = None) -> Note | None:
        """The next note, or None at `until` (UTC epoch seconds). Raises `HungUp` when the caller went, `Moved`
        where another call has taken this one over or was taken over by it."""
        while True:
            await self._let_be_moved()
            while self._mail:
                note = self._mail.popleft()
                if isinstance(note, ChannelGone) and note.channel == self.channel:
                    if self.story.absent:
                        continue  # he waits to be called back
                    self.cause, self.cut = note.cause, self.cut or note.cause in VANISHED
                    raise HungUp
                if isinstance(note, FaxHeard) and self._is_for_a_fax(note):
                    raise FaxCame
                if isinstance(note, PlaybackEnded):
                    if self.sounding is None or note.playback != self.sounding.playback:
                        continue  # of a message that was stopped
                    self._played(ok=note.ok)
                if isinstance(note, MusicEnded) and not self._resting:
                    await self._go_on_without(note)
                    continue
                return note
            early = self.story.early_until if self.story.answered_at is None and not self._resting else None
            limit = None if self.doubted else min((t for t in (until, early) if t is not None), default=None)
            if limit is not None and limit <= self.now():
                if limit == early:
                    await self.answer_in_passing("early_limit")
                    continue
                return None
            self._wake.clear()
            self.at_rest = not self._resting
            try:
                async with asyncio.timeout(None if limit is None else max(0.0, limit - self.now())):
                    await self._wake.wait()
            except TimeoutError:
                continue
            finally:
                self.at_rest = False

    async def _let_be_moved(self) -> None:
        """Where the call is to be joined with another one: nothing else is read until that is done, or off."""
        while not self._resting:
            if self._moved:
                self._moved = False
                raise Moved
            if self.wish is None:
                return
            self.at_rest = True
            try:
                if self.wish() or self.wish is None:
                    continue
                self._wake.clear()
                async with asyncio.timeout(WISHED):
                    await self._wake.wait()
            except TimeoutError:
                self.wish = None
            finally:
                self.at_rest = False

    def move(self, story: Story) -> None:
        """This is the story now, saved already: the stage that runs is given up at once. Only while `at_rest`."""
        self.story, self._moved, self.wish = story, True, None
        self._wake.set()
        self.ports.restaged(story)

    def doubt(self) -> None:
        """The process stood still: what ran out meanwhile is not acted on before a `TelephoneBack`."""
        self.doubted, self.seeing = True, False

    def see(self, fact: TelephoneBack) -> None:
        """Asterisk's events arrive (again), and what was missed has been told."""
        self.doubted, self.seeing = False, True
        self.post(fact)

    def stay(self) -> None:
        """It is not joined with another call after all: whatever came meanwhile is read now."""
        self.wish = None
        self._wake.set()

    def _is_for_a_fax(self, heard: FaxHeard) -> bool:
        """Whether this tone takes him out of his stage: not twice, and not out of a conversation."""
        story = self.story
        engaged = isinstance(story.stage, Talking | Patched | Leaving)
        return heard.channel == self.channel and not (story.fax or story.absent or engaged or self._resting)

    def heed_his_leaving(self) -> None:
        """HungUp where it is known already that he went, and a stage alone with him would do something for him first."""
        alone = isinstance(self.story.stage, Deciding | Following | Waiting)
        if alone and any(
            isinstance(note, ChannelGone) and note.channel == self.channel for note in self._mail
        ):
            raise HungUp

    async def pass_time(self, until: float, *kept: type[Note]) -> None:
        """Let notes go by until the instant; those of these kinds are read after it."""
        later: list[Note] = []
        while (note := await self.next(until)) is not None:
            later += [note] if isinstance(note, kept) else []
        self.put_back(later)

    async def rest(self, seconds: float) -> None:
        """Wait before a stage is run again: nothing is commanded meanwhile, a hang-up still ends it, and
        notes are kept for the stage."""
        self._resting = True
        until, kept = self.now() + seconds, deque[Note]()
        try:
            while (note := await self.next(until)) is not None:
                kept.append(note)
        finally:
            self._resting = False
            self._mail = kept + self._mail

    # --- state ---

    @property
    def channel(self) -> str:
        """The caller's channel."""
        return self.story.channel

    @property
    def id(self) -> str:
        """The call's id."""
        return self.story.call.id

    def now(self) -> float:
        """The instant."""
        return self.ports.clock.now()

    def entry(self, kind: str, /, **fields: Json) -> Entry:
        """A fact of this call, now."""
        return Entry(self.now(), kind, self.id, fields)

    def become(self, stage: Stage | None = None, *entries: Entry, **changes: object) -> None:
        """Save the story at a new stage (or with other changes) together with what happened."""
        self.become_with({}, stage, *entries, **changes)

    def become_with(
        self, rows: Mapping[str, Json], stage: Stage | None = None, *entries: Entry, **changes: object
    ) -> None:
        """As `become`, with rows of the floor's table (a letter to be sent) in the same transaction."""
        if stage is not None:
            changes["stage"] = stage
        story: Story = replace(self.story, **changes)  # type: ignore[arg-type]
        self.ports.journal.save(entries, calls={self.id: self.ports.codec.dump(story)}, floor=rows)
        self.story, before = story, self.story.stage
        if story.stage is not before:
            self.ports.restaged(story)

    # --- verbs ---

    async def _do(self, command: Awaitable[T]) -> T:
        """A command about the caller's channel: gone is hung up."""
        try:
            return await command
        except Gone as gone:
            raise HungUp from gone

    async def answer(self, why: str) -> None:
        """Answer, once; from here on the caller pays. Nothing may be playing."""
        if self.story.answered_at is None:
            await self._do(self.ports.telephone.answer(self.channel))
            self.become(None, self.entry("answered", why=why), answered_at=self.now())
            if self.story.call.client.fax and why != "secretary" and self.story.call.direction == "in":
                await self._do(self.ports.telephone.listen_for_fax(self.channel, FAX_WINDOW))

    async def answer_in_passing(self, why: str) -> None:
        """Answer while a message or music is heard. A playback blocks `answer` on its channel, so it is
        stopped and goes on from where it was (two requests of about 2 ms: not audible)."""
        playing = self.sounding
        if playing is None:
            await self.answer(why)
            return
        position = playing.heard(self.now())
        self.sounding = None
        await self.ports.telephone.stop_playback(playing.playback)
        await self.answer(why)
        rest = min(position, playing.audio.seconds) if playing.audio.seconds else position
        await self._start(playing.audio, rest)

    def _early(self) -> None:
        """Early media begins: from now on the limit runs."""
        until = self._early_until()
        if until != self.story.early_until:
            self.become(early_until=until)

    def _early_until(self) -> float | None:
        if self.story.answered_at is None and self.story.early_until is None:
            return self.now() + self.story.call.client.early_limit
        return self.story.early_until

    async def play(self, audio: Audio, mode: Mode, *, must_hear: bool = False) -> None:
        """Start a message; its `PlaybackEnded` comes through `next`."""
        if mode is Mode.ANSWERED:
            await self.answer("message")
        self.become(
            None,
            self.entry(
                "message_started",
                sound=audio.name,
                mode="early" if self.story.answered_at is None else "answered",
                must_hear=must_hear,
                seconds=round(audio.seconds, 3),
                **spoken(audio),
            ),
            sounds=self.story.sounds + 1,
            early_until=self._early_until(),
        )
        await self.quiet_ringback()
        await self._start(audio, 0.0)

    async def _start(self, audio: Audio, skip: float) -> None:
        if skip:
            self.become(sounds=self.story.sounds + 1)
        playback = playback_id(self.id, self.story.sounds)
        self.plays = None
        self.sounding = Sounding(playback, audio, self.now(), skip)
        await self._do(
            self.ports.telephone.play(self.channel, playback, audio.media, skip_ms=round(skip * 1000))
        )

    async def music(self, music: Music) -> None:
        """Hold music until a message or the bridge."""
        self._early()
        await self.quiet_ringback()
        await self._begin_music(music.moh_class)

    async def _begin_music(self, moh_class: str) -> None:
        found = self.ports.unheard.instead_of(moh_class)
        if found is None:
            await self.ringback()
        else:
            await self._do(self.ports.telephone.start_music(self.channel, found))
        self.plays = found or moh_class

    async def _go_on_without(self, ended: MusicEnded) -> None:
        """A silent music: another one, or ringing, and nothing else changes."""
        if ended.channel == self.channel and ended.moh_class == self.plays and self.sounding is None:
            if ended.at_once:
                self.ports.unheard.music(ended.moh_class)
            try:
                await self._begin_music(ended.moh_class)
            except TelephoneDown:
                self.put_back([ended])  # nothing else would have it begun again
                raise

    async def ringback(self) -> None:
        """Let him hear ringing, until the next sound."""
        self._early()
        if not self.story.ringing:
            self.become(ringing=True)
        await self._do(self.ports.telephone.start_ringback(self.channel))
        self.rings = True

    async def tell_secretary(self, leg: str, audio: Audio) -> str | None:
        """Play something to her alone, before the two are joined; the playback, to be stopped before the
        bridge. None where her leg is gone, which the floor learns by itself."""
        playback = self._next_playback()
        try:
            await self.ports.telephone.play(leg, playback, audio.media)
        except Gone:
            return None
        return playback

    async def tell_all(self, bridge: str, media: str) -> str:
        """Play something to everybody in a bridge, unless it is gone; the playback."""
        playback = self._next_playback()
        with suppress(Gone):
            await self.ports.telephone.play_to_all(bridge, playback, media)
        return playback

    def _next_playback(self) -> str:
        self.become(sounds=self.story.sounds + 1)
        return playback_id(self.id, self.story.sounds)

    async def end_leg(self, channel: str) -> None:
        """Hang up somebody else's leg, which is over for this story; repeated until it is taken."""
        await self.ports.surely(lambda: self.ports.telephone.hang_up(channel))

    async def part(self, bridge: str) -> None:
        """Destroy a bridge of this call; repeated until it is taken."""
        await self.ports.surely(lambda: self.ports.telephone.disconnect(bridge))

    async def quiet_music(self) -> None:
        """Stop the music."""
        self.plays = None
        await self._do(self.ports.telephone.stop_music(self.channel))

    async def quiet_ringback(self) -> None:
        """Stop the ringing, if he hears any: Asterisk would go on with it behind the next sound."""
        self.rings = False
        if self.story.ringing:
            await self._do(self.ports.telephone.stop_ringback(self.channel))
            self.become(ringing=False)

    async def quiet_message(self) -> None:
        """Stop the message that plays, if one does."""
        if self.sounding is not None:
            playback = self.sounding.playback
            self._heard(complete=False)
            await self.ports.telephone.stop_playback(playback)

    def _played(self, *, ok: bool) -> None:
        """His message is over by itself; whether he could hear it."""
        sounding = self.sounding
        if sounding is None:
            return
        short = too_short(sounding.audio, sounding.heard(self.now()))
        if (short or not ok) and not self.story.fax:
            self.ports.unheard.message(sounding.audio, "over at once" if short and ok else "not played")
        self._heard(complete=ok and not short)

    def _heard(self, *, complete: bool) -> None:
        if self.sounding is None:
            return
        heard = self.sounding.heard(self.now())
        audio, self.sounding = self.sounding.audio, None
        entry = self.entry(
            "message_ended",
            sound=audio.name,
            heard_ms=round(heard * 1000),
            complete=complete,
            **spoken(audio),
        )
        self.ports.journal.save([entry])

    def forget_sound(self) -> None:
        """The caller is gone: note how much of the message he heard."""
        self._heard(complete=False)
