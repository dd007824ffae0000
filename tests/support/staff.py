"""Secretaries who sit down at their phones: registered, and free."""

from __future__ import annotations

from typing import Any

from tests.support import asked
from tests.support.bureau import Account, Bureau
from tests.support.phones import Phones, Softphone


async def at_work(phones: Phones, bureau: Bureau, index: int = 0, **habits: Any) -> Softphone:
    """One of them, with her own voice."""
    (phone,) = await _free(phones, bureau, (bureau.secretaries[index],), habits)
    return phone


async def all_at_work(phones: Phones, bureau: Bureau, **habits: Any) -> list[Softphone]:
    """Everybody, in their order."""
    return await _free(phones, bureau, bureau.secretaries, habits)


async def _free(
    phones: Phones, bureau: Bureau, who: tuple[Account, ...], habits: dict[str, Any]
) -> list[Softphone]:
    made = [await phones.secretary(a.id, a.password, bureau.sip, say=a.voice, **habits) for a in who]
    await asked.are(bureau, **dict.fromkeys((a.id for a in who), "free"))
    return made
