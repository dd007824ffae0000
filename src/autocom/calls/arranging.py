"""Putting a conversation's people where its stage says they are: in the bridge, aside with music, ringing.

One bridge per conversation. `arrange` commands only what differs from the last time, everything on a stage that
is run again; it may be called at any instant. Must not decide who belongs where: that is
`core.conversation.arrangement`. Invariant: whoever is taken out of the bridge hears music at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.ports import Gone
from autocom.calls.taping import end_tape, keep_tape
from autocom.core.conversation import Arrangement, arrangement
from autocom.core.journal import Entry
from autocom.core.naming import bridge_id
from autocom.core.stages import Talking
from autocom.core.story import Story

AGAIN = 0.5
"""Seconds after which an arrangement is tried again that one of its people was gone from: his end is told, as a
rule, before that."""


@dataclass(slots=True)
class Conversation:
    """A conversation as its loop holds it. `arranged`: what Asterisk was told, None where that is not certain;
    `again_at`: when to tell it anew. `tone`: what she hears alone, to be stopped."""

    house: House
    line: Line
    stage: Talking
    arranged: Arrangement | None = None
    again_at: float | None = None
    tone: str | None = None

    @property
    def bridge(self) -> str:
        """Of this conversation."""
        return bridge_id(self.line.id, self.stage.attempt)

    def save(self, stage: Talking, *entries: Entry, **changes: object) -> None:
        """The conversation is this from now on."""
        self.stage = stage
        self.line.become(stage, *entries, **changes)

    def turn(self, story: Story) -> None:
        """The one in the caller's part has the secretary's from now on (`core.story.turned`). Who hears whom stays."""
        stage, of = story.stage, self.stage.secretary
        assert isinstance(stage, Talking)
        self.stage = stage
        entry = self.entry("turned", of=of)
        self.line.become(stage, entry, called_back=story.called_back, other=story.other)

    def entry(self, kind: str, **fields: str | float | None) -> Entry:
        """A fact of this conversation, now: with her name."""
        return self.line.entry(kind, secretary=self.stage.secretary, **fields)

    async def arrange(self) -> None:
        """Make it so."""
        wanted = arrangement(self.stage, self.line.channel)
        before, self.arranged, self.again_at = self.arranged, None, None
        try:
            await self._let_her_hear(before, wanted)
            for channel in wanted.aside:
                if before is None or channel not in before.aside:
                    await self.line.ports.telephone.take_out(self.bridge, channel)
                    await self._music(channel)
            await self._bring_in(before, wanted)
        except Gone:
            # his end is in the mailbox, or on its way; what he leaves behind is arranged then
            self.again_at = self.line.now() + AGAIN
            return
        self.arranged = wanted
        await self.tape()

    async def tape(self) -> None:
        """See to the recording. Whom she consulted was not told of it: it ends where the caller's time does."""
        if self.stage.private:
            await end_tape(self.line)
        else:
            await keep_tape(self.house, self.line, self.stage)

    async def _bring_in(self, before: Arrangement | None, wanted: Arrangement) -> None:
        coming = [c for c in wanted.inside if before is None or c not in before.inside]
        for channel in coming:
            if channel == self.line.channel:
                await self.line.quiet_music()
            elif channel != self.stage.leg:
                await self.line.ports.telephone.stop_music(channel)
                music = self.house.hold_music(self.line.story)
                await self.line.ports.telephone.hold_music(channel, music.moh_class)
        if coming:
            await self.line.ports.telephone.connect(self.bridge, coming)

    async def _music(self, channel: str) -> None:
        music = self.house.hold_music(self.line.story)
        if channel == self.line.channel:
            await self.line.music(music)
        else:
            await self.line.ports.telephone.start_music(channel, music.moh_class)

    async def _let_her_hear(self, before: Arrangement | None, wanted: Arrangement) -> None:
        """The ringing of whom she consults, while he rings."""
        telephone, leg = self.line.ports.telephone, self.stage.leg
        if wanted.rings and (before is None or not before.rings):
            await telephone.start_ringback(leg)
        elif not wanted.rings and (before is None or before.rings):
            await telephone.stop_ringback(leg)

    async def tell_her(self, media: str) -> None:
        """Play something in the bridge, which she is alone in."""
        self.tone = await self.line.tell_all(self.bridge, media)

    async def hush(self) -> None:
        """Stop what she hears alone, if she does."""
        tone, self.tone = self.tone, None
        if tone is not None:
            await self.line.ports.telephone.stop_playback(tone)
