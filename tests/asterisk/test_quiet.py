"""A phone is rung anew when the call that was ended there is over for it."""

from __future__ import annotations

import asyncio

from autocom.asterisk.quiet import AT_MOST, Quiet
from tests.support.virtual import run


def test_a_phone_is_waited_for_until_every_leg_that_was_ended_there_is_gone() -> None:
    async def story() -> None:
        quiet = Quiet()
        await quiet.at("PJSIP/lea")  # what talks there is the floor's to know, not waited for
        quiet.ends("ring-c1-1-lea", "PJSIP/lea")
        quiet.ends("ring-c2-1-lea", "PJSIP/lea")
        quiet.ends("ring-c2-1-lea", "PJSIP/lea")
        waits = asyncio.create_task(quiet.at("PJSIP/lea"))
        await quiet.at("PJSIP/ines")
        quiet.gone("ring-c2-1-lea")
        await asyncio.sleep(0.1)
        assert not waits.done()
        quiet.gone("ring-c1-1-lea")
        await waits

    run(story())


def test_a_leg_whose_end_is_never_told_holds_a_phone_up_for_half_a_second() -> None:
    async def story() -> None:
        quiet, loop = Quiet(), asyncio.get_running_loop()
        quiet.ends("ring-c1-1-lea", "PJSIP/lea")
        began = loop.time()
        await quiet.at("PJSIP/lea")
        assert loop.time() - began == AT_MOST
        await quiet.at("PJSIP/lea")
        assert loop.time() - began == AT_MOST, "once"

    run(story())
