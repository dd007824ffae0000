"""Lamps over ARI: device states for names, and counts of messages; a part of `asterisk.telephone`.

A lamp is a device of Asterisk's own kind `Stasis:`, kept in its database, so that it outlives its restart;
the hints of `conf.hints` name the devices. Messages are counted where no mailbox is: Debian's Asterisk has no
`/ari/mailboxes` (res_mwi_external is not built), so a Local channel says the figures by MinivmMWI in
`dialplan/lamps.conf`. Invariant: states are only ever set; nothing is subscribed to (`deviceState:`
subscriptions deadlock ARI under load, 22.10).
"""

from __future__ import annotations

from autocom.asterisk.ari.client import Refused
from autocom.asterisk.ari.generated import Ari
from autocom.asterisk.conf.hints import device, mailbox
from autocom.calls.ports import TelephoneDown
from autocom.core.presence import Lamp

COUNTER = "autocom-lamp"
STATES = {
    Lamp.IDLE: "NOT_INUSE",
    Lamp.RINGING: "RINGING",
    Lamp.BUSY: "BUSY",
    Lamp.HELD: "ONHOLD",
    # among several devices of a hint the lowest of all; ARI refuses UNKNOWN, which would say it better (22.10)
    Lamp.SILENT: "INVALID",
}


class LampCommands:
    """The port's two commands about lamps. Both may be repeated."""

    _ari: Ari

    async def show_state(self, name: str, state: Lamp | None) -> None:
        """Raises TelephoneDown."""
        try:
            await self._ari.device_states.update(device(name), STATES[state or Lamp.SILENT])
            if state is None:
                # by itself it would be silent: nobody is told of a state that is deleted (22.10)
                await self._ari.device_states.delete(device(name))
        except Refused as refusal:
            raise TelephoneDown(str(refusal)) from refusal

    async def show_mailbox(self, box: str, new: int, old: int) -> None:
        """By a channel that lives for a millisecond. Two of one box are not to follow each other at once: each
        has a thread of its own in Asterisk. Raises TelephoneDown."""
        try:
            await self._ari.channels.originate(
                f"Local/s@{COUNTER}/n",
                context=COUNTER,
                extension="s",
                priority=1,
                variables={"AUTOCOM_BOX": mailbox(box), "AUTOCOM_NEW": str(new), "AUTOCOM_OLD": str(old)},
            )
        except Refused as refusal:
            raise TelephoneDown(str(refusal)) from refusal
