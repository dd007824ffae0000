"""The running exchange as commands, API and phones see it: status, secretaries' words, reload.

Puts the rooms' answers together; decides nothing about calls. A reload is all or nothing: a
configuration that is refused changes nothing, and says why. `app.py` builds it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from importlib import import_module

import structlog

from autocom import calling, leading, ordering
from autocom.calls.outgoing import channels_used
from autocom.calls.results import NoResult
from autocom.calls.switchboard import Switchboard
from autocom.config import ConfigurationRefused, Loaded
from autocom.core import codes, features
from autocom.core.journal import Entry, Json
from autocom.core.model import Configuration
from autocom.core.posts import Post, Waiter
from autocom.core.stages import Promised, Waiting
from autocom.core.story import Story
from autocom.posts import Posts
from autocom.shared_journal import NotShipping, SharedJournal, Shipping
from autocom.source import ConfigurationSource
from autocom.timeline import iso
from autocom.versions import Versions, relative

log = structlog.get_logger()

PASSWORD = re.compile(
    r"""(["']?(?:password|(?:inbound_)?token|secret)["']?\s*:\s*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,}]+)"""
)


class CannotApply(Exception):  # noqa: N818 - says what went wrong
    """Asterisk does not take the new configuration; the message says why."""


def masked(text: str) -> str:
    """A YAML file without its passwords: versions are kept, secrets are not."""
    return PASSWORD.sub(r"\1***", text)


class RunningExchange:
    """What `web.api.Exchange` asks for, over the rooms. `apply` makes Asterisk follow a new configuration."""

    def __init__(
        self,
        switchboard: Switchboard,
        journal: SharedJournal,
        source: ConfigurationSource,
        apply: Callable[[Configuration], Awaitable[object]],
        versions: Versions,
    ) -> None:
        self.switchboard, self.journal, self.versions = switchboard, journal, versions
        self.posts = Posts(switchboard)
        self._source, self._apply = source, apply
        self.shipper: Shipping = NotShipping()  # until there is one
        self._reloading = asyncio.Lock()
        self.prompts: dict[str, str] = {}
        self.websocket: str | None = None
        self.certificate: Callable[[], Json] = lambda: None  # of TLS, where something speaks it
        self.renew: Callable[[], Awaitable[None]] = _nothing  # take up a certificate that was replaced
        self.mail: Callable[[], Json] = dict  # what `status` says of letters
        self.texts: Callable[[], Json] = dict  # and of texts
        self.alerts: Callable[[], dict[str, Json]] = dict  # what is wrong now, and was lately
        self.metrics: Callable[[], bytes] = bytes  # for Prometheus
        self.silent_side: Callable[[str | None], str | None] = lambda _: None  # of a call's conversation
        self.draining = False
        self.refused: dict[str, Json] | None = None  # the last reload, where it was refused

    def ready(self) -> bool:
        """Events arrive and calls are taken."""
        return not self.lacks()

    def lacks(self) -> list[str]:
        """Why no calls are taken: telephone, configuration, draining; empty where they are."""
        lacking = {
            "telephone": not self.switchboard.connected,
            "configuration": self.switchboard.configuration is None,
            "draining": self.draining,
        }
        return [what for what, lacks in lacking.items() if lacks]

    # --- status ---

    def status(self) -> dict[str, Json]:
        """The contract's status."""
        board = self.switchboard
        configuration = board.configuration
        waiting, oldest = self.shipper.lag()
        calls = list(board.lines.values())
        return {
            "asterisk": {"state": "up" if board.connected else "down"},
            "websocket": self.websocket,
            "certificate": self.certificate(),
            "database": {
                "state": "up" if self.shipper.connected else "down",
                "behind": waiting,
                "behind_since": iso(oldest) if oldest is not None else None,
            },
            "trunks": [
                {
                    "id": trunk.id,
                    "match": list(trunk.match),
                    "host": trunk.host,
                    "max_calls": trunk.max_calls,
                    "calls": channels_used(trunk.id, (line.story for line in calls)),
                }
                for trunk in (configuration.trunks.values() if configuration else ())
            ],
            "secretaries": [self._secretary_row(post) for post in board.dispatcher.floor.posts.values()],
            "waiting": self._waiting_rows(),
            "cut_off": [
                {
                    "client": client,
                    "caller": caller,
                    "since": iso(visit.since or visit.left_at),
                    "until": iso(visit.until),
                    "talked": visit.talked,
                    "secretary": visit.secretary,
                }
                for (client, caller), visit in board.guests.cut_off(board.ports.clock.now()).items()
            ],
            "parked": self.posts.parked(),
            "rooms": self.posts.rooms(),
            "calls": len(calls),
            "mail": self.mail(),
            "texts": self.texts(),
            "alerts": self.alerts().get("active", []),
            "overrides": leading.rows(board),
            "config_version": configuration.version if configuration else None,
            "configuration_refused": self.refused,
        }

    def _waiting_rows(self) -> list[Json]:
        """Who waits, and who is promised a callback."""
        board, waiters = self.switchboard, self.switchboard.dispatcher.floor.waiters
        rows: list[Json] = [
            _waiting_row(board.lines[waiter.call].story, waiter.joined, waiter.team)
            for waiter in waiters.values()
            if waiter.call in board.lines
        ]
        stories = (line.story for line in board.lines.values())
        for story in stories:
            off = _between_tries(story, waiters)
            if off is not None:
                rows.append(_waiting_row(story, off.joined, off.reaches))
        return rows

    def post(self, who: str) -> Post | None:
        """What the floor knows of her; None where there is nobody of that id."""
        return self.switchboard.dispatcher.floor.posts.get(who)

    def _secretary_row(self, post: Post) -> dict[str, Json]:
        configuration = self.switchboard.configuration
        known = configuration.secretaries.get(post.secretary) if configuration else None
        return {
            "id": post.secretary,
            "name": known.name if known else post.secretary,
            "state": post.state,
            "since": iso(post.since),
            "registered": post.registered,
            "logged_in": post.logged_in,
            "reason": post.pause.reason if post.pause else None,
            "over_quota": list(post.over_quota),
            "call": calling.call_of(self.switchboard, post),
            "no_sound_from": self.silent_side(post.call),
            "supervised": self.switchboard.overseers.of_secretary(post.secretary),
            "recorded": self.switchboard.overseers.taped(post.secretary),
            **ordering.conversation(self.switchboard, post.secretary),
            "forwards": self.posts.forwards(post.secretary) if known else {},
        }

    # --- what secretaries say ---

    def secretary(self, who: str, verb: str, reason: str | None) -> dict[str, Json]:
        """Log in, out, pause, resume, done; what she is afterwards. Or an order to her conversation (`reason` is what
        belongs to it); the call's id."""
        posts = self.switchboard.dispatcher.floor.posts
        if who not in posts:
            known = ", ".join(sorted(posts)) or "none"
            raise LookupError(f"there is no secretary {who!r}; there are: {known}")
        ordered = ordering.order(self.switchboard, who, verb, reason or "")
        if ordered is not None:
            return ordered
        self.switchboard.dispatcher.submit(features.by_verb(who, verb, reason))
        return self._secretary_row(self.switchboard.dispatcher.floor.posts[who])

    def call_out(self, who: str, to: str, client: str | None) -> dict[str, Json]:
        """Her phone rings first."""
        return calling.call_out(self.switchboard, who, to, client)

    async def feature(self, who: str, code: str) -> str:
        """A code dialled on her phone; the prompt that confirms it (media path, empty: none)."""
        prompt = "refused"
        match codes.code(code):
            case codes.SetForward() as forward:
                prompt = self.posts.forward_dialled(who, forward)
            case codes.Marks(result) if self._result(who, result):
                prompt = "result-noted"
            case codes.Says(verb, reason) if self.post(who) is not None:
                fact = features.by_verb(who, verb, reason)
                self.switchboard.dispatcher.submit(fact)
                prompt = features.confirmation(fact)
        return self.prompts.get(prompt, "")

    def _result(self, who: str, said: str) -> bool:
        try:
            self.switchboard.results.say(who, said)
        except NoResult as none:
            log.info("no result", secretary=who, why=str(none))
            return False
        return True

    # --- what team leads say ---

    def override(self, wish: Mapping[str, Json]) -> dict[str, Json]:
        """Put an override in force; LookupError and ValueError say what is wrong with the wish."""
        return leading.set_override(self.switchboard, wish)

    def end_overrides(self, client: str, author: str) -> dict[str, Json]:
        """End the client's overrides; how many there were."""
        return leading.clear_overrides(self.switchboard, client, author)

    # --- configuration ---

    async def adopt(self, loaded: Loaded, author: str) -> None:
        """Use a configuration that was read and applied, and keep that version."""
        self.prompts = loaded.media
        configuration = loaded.configuration
        self.switchboard.use(configuration)
        self.refused = None  # at once: whoever sees the new version sees no refusal of the one before
        fields: dict[str, Json] = {
            "version": configuration.version,
            "author": author,
            "clients": len(configuration.clients),
            "secretaries": len(configuration.secretaries),
            "content": {name: masked(text) for name, text in loaded.files.items()},
        }
        now = self.switchboard.ports.clock.now()
        self.journal.save([Entry(now, "configuration", None, fields)])
        files = relative(loaded.files, self._source.folder)
        try:
            await asyncio.to_thread(self.versions.note, configuration.version, author, now, files)
        except OSError as error:
            log.error("the version's files could not be kept: no rollback to it", why=str(error))

    async def reload(self, author: str) -> dict[str, Json]:
        """Apply the folder as it is now, as a whole or not at all."""
        async with self._reloading:
            await self.renew()
            return await self._reload(author)

    async def _reload(self, author: str) -> dict[str, Json]:
        current = self.switchboard.configuration
        version = current.version if current else None
        try:
            loaded = await self._source.read()
        except ConfigurationRefused as refused:
            faults: list[Json] = [str(fault) for fault in refused.faults]
            log.error("configuration refused, the running one stays", faults=len(faults), first=faults[0])
            self.note("configuration_refused", f"{author}: {len(faults)} faults; {faults[0]}")
            self._refuse(author, faults)
            return {"applied": False, "version": version, "faults": faults}
        if loaded.configuration.version != version:
            try:
                await self._apply(loaded.configuration)
            except CannotApply as error:
                log.error("configuration not applied, the running one stays", why=str(error))
                self.note("configuration_refused", f"{author}: {error}")
                self._refuse(author, [str(error)])
                return {"applied": False, "version": version, "faults": [str(error)]}
            await self.adopt(loaded, author)
            log.info("configuration applied", version=loaded.configuration.version, author=author)
        self.refused = None
        return {"applied": True, "version": loaded.configuration.version, "faults": []}

    def _refuse(self, author: str, faults: list[Json]) -> None:
        """Remember, for the status, that the folder does not hold what is in force."""
        at = iso(self.switchboard.ports.clock.now())
        self.refused = {"at": at, "author": author, "faults": len(faults), "first": faults[0]}

    async def rollback(self, wanted: str | None, author: str) -> dict[str, Json]:
        """Put the files of a kept version (None: the former one) back into the folder and apply them. What
        the folder held is kept, and is put back where the reload refuses. LookupError: no such version."""
        # it reads configurations itself, which loads all that reads YAML: up to a third of a second
        rolling = await asyncio.to_thread(import_module, "autocom.rolling")
        async with self._reloading:
            now, folder = self.switchboard.ports.clock.now(), self._source.folder
            try:
                done = await asyncio.to_thread(rolling.roll_back, self.versions, folder, wanted, author, now)
            except ConfigurationRefused as refused:
                return {"applied": False, "version": None, "faults": [str(fault) for fault in refused.faults]}
            answer = await self._reload(f"{author} (rollback)")
            if not answer["applied"]:
                await asyncio.to_thread(rolling.undo, folder, done)
            return answer | {"files": done.version, "aside": done.aside}

    def note(self, event: str, detail: str) -> None:
        """Write down what happened to the service itself."""
        fields: dict[str, Json] = {"event": event, "detail": detail}
        self.journal.save([Entry(self.switchboard.ports.clock.now(), "service", None, fields)])

    # --- journal ---

    async def flush(self) -> bool:
        """Wait a moment for PostgreSQL to have everything."""
        return await self.shipper.flush(3.0)

    def follow(self) -> AsyncIterator[Entry]:
        """Journal entries as they are saved."""
        return self.journal.follow()


async def _nothing() -> None:
    """Where there is no certificate."""


def _between_tries(story: Story, waiters: Mapping[str, Waiter]) -> Waiting | None:
    """The place of a callback that was promised and is off the floor for a while: a try failed, the next is
    to come."""
    stage = story.stage
    if isinstance(stage, Promised) and stage.secretary is None and story.call.id not in waiters:
        return stage.waiting
    return None


def _waiting_row(story: Story, joined: float, team: str) -> dict[str, Json]:
    """One who waits, on the line or to be called back."""
    return {
        "call": story.call.id,
        "client": story.call.client.id,
        "caller": story.call.identity.caller,
        "since": iso(joined),
        "team": team,
        "callback": story.absent or isinstance(story.stage, Promised),
    }
