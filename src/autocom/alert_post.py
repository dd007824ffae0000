"""Alerts on their way to the webhook of bureau.yaml: one POST each, in order, again until somebody took it.

    POST url   X-Signature: sha256=…   Idempotency-Key: alert-…
    {"id": "alert-…", "event": "raised", "alert": "no_secretary", …}

A posting is a row of the local log, saved with the alert that it tells; so a crash loses none, and one whose answer was
lost comes again under the same id. The HMAC-SHA256 of the body proves to the other side that it is ours. How a lane
tries, waits and gives up is `autocom.lane`. Must not know what is told.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from autocom import lane
from autocom.calls.ports import Clock, Rows
from autocom.core.alerts import Webhook
from autocom.core.codec import Codec
from autocom.core.journal import Json
from autocom.gateway import post_bytes

log = structlog.get_logger()

POST: Final = "alert-post:"
PATIENCE: Final = 86400.0
"""Seconds after which a posting is given up: who reads it a day later learns nothing."""

WITHIN: Final = 10.0


@dataclass(frozen=True, slots=True)
class Posting:
    """One alert to be posted. `body`: the JSON as it goes out, so that every try says the same."""

    id: str
    at: float
    body: str
    due: float = 0.0
    tries: int = 0


CODEC: Final = Codec((Posting,))


def posting(identity: str, at: float, body: Mapping[str, Json]) -> dict[str, Json]:
    """The row of a new one."""
    text = json.dumps({"id": identity, **body}, ensure_ascii=False)
    return {POST + identity: CODEC.dump(Posting(identity, at, text))}


class Post(lane.Lane[Posting]):
    """`webhook`: where to, None: nowhere (any more); what waits is dropped then."""

    def __init__(self, journal: Rows, clock: Clock, webhook: Callable[[], Webhook | None]) -> None:
        super().__init__("webhook", "alerts", clock, asyncio.Event(), PATIENCE)
        self._journal, self._webhook = journal, webhook

    def _open(self) -> Sequence[Posting]:
        found, broken = CODEC.rows(Posting, POST, self._journal.rows(POST))
        for key in broken:
            log.error("posting unreadable, dropped", key=key)
            self._journal.save((), floor={key: None})
        return sorted(found, key=lambda each: (each.at, each.id))

    async def _send(self, going: Posting) -> None:
        webhook = self._webhook()
        if webhook is not None:
            if self._clock.now() - going.at >= PATIENCE:
                raise lane.Refused("older than a day")
            raw = going.body.encode()
            proof = "sha256=" + hmac.new(webhook.secret.encode(), raw, hashlib.sha256).hexdigest()
            headers = {
                "Content-Type": "application/json",
                "Idempotency-Key": going.id,
                webhook.signature: proof,
            }
            await post_bytes(webhook.url, raw, headers, WITHIN)
        self._journal.save((), floor={POST + going.id: None})

    def _put_off(self, going: Posting, why: str, pause: float) -> None:
        if not going.tries:
            log.warning("alert not posted, tried again", id=going.id, why=why)
        later = replace(going, tries=going.tries + 1, due=self._clock.now() + pause)
        self._journal.save((), floor={POST + going.id: CODEC.dump(later)})

    def _give_up(self, going: Posting, why: str) -> None:
        log.error("alert not posted, given up", id=going.id, why=why)
        self._journal.save((), floor={POST + going.id: None})
