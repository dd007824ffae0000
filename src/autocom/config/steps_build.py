"""Steps as the core runs them, from steps as the admin wrote them.

Resolves sounds and finds names that lead nowhere: teams, rosters, rules of `jump`. Must not
decide whether the order of steps makes sense (`rule_checks`). Invariant: where a name leads
nowhere a fault is added, and what is returned is never used. The story goes on in
`client_build`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from autocom.config import steps as written
from autocom.config.faults import suggestion
from autocom.core import model as core

if TYPE_CHECKING:
    from autocom.config.document import Route
    from autocom.config.scene import Ear

# the keys of a step that hold steps
_BRANCHES: Final = {"queue": ("on_timeout", "on_full", "on_nobody"), "menu": ("otherwise",)}


def every_step(steps: Sequence[written.Step], route: Route) -> Iterator[tuple[written.Step, Route]]:
    """Each step at any depth with the route of its key."""
    for index, step in enumerate(steps):
        here = (*route, index, step.kind)
        yield step, here
        for branch, inner in branches(step):
            yield from every_step(inner, (*here, *branch))


def branches(step: written.Step) -> Iterator[tuple[tuple[str, ...], Sequence[written.Step]]]:
    """The lists of steps inside a step, with the keys that lead to them."""
    for name in _BRANCHES.get(step.kind, ()):
        yield (name,), getattr(step.content, name)
    if step.menu is not None:
        for digit, inner in step.menu.keys.items():
            yield ("keys", digit), inner


class StepsBuilder:
    """For the steps of one client; `rules` are the names `jump` may name."""

    def __init__(self, ear: Ear, rules: Sequence[str]) -> None:
        self._ear = ear
        self._rules = rules

    def build(self, steps: Sequence[written.Step], route: Route) -> tuple[core.Step, ...]:
        """The core's steps; `route` leads to the list."""
        return tuple(self._step(step, (*route, index, step.kind)) for index, step in enumerate(steps))

    def _step(self, step: written.Step, route: Route) -> core.Step:
        built: core.Step
        match step.content:
            case written.Play() as play:
                audio = self._ear.prompt(play, route)
                built = core.Play(audio, core.Mode(play.mode), play.must_hear, play.repeat)
            case written.Queue() as queue:
                built = self._queue(queue, route)
            case written.Menu() as menu:
                built = self._menu(menu, route)
            case written.Forward() as forward:
                built = self._forward(forward, route)
            case written.OnCall() as on_call:
                self._known(on_call.roster, self._ear.scene.rosters, "roster", (*route, "roster"))
                built = core.OnCall(on_call.roster)
            case written.Voicemail() as voicemail:
                built = self._voicemail(voicemail, route)
            case written.Message() as message:
                built = core.SendMessage(message.to, message.text)
            case bool():
                built = core.Answer()
            case float() as seconds:
                built = core.Ringback(seconds)
            case str() as word:
                built = (
                    core.Hangup(core.HangupKind(word)) if step.kind == "hangup" else self._jump(word, route)
                )
        return built

    def _queue(self, queue: written.Queue, route: Route) -> core.Enqueue:
        self._known(queue.team, self._ear.scene.teams, "team", (*route, "team"))
        announce = queue.announce
        return core.Enqueue(
            team=queue.team,
            music=self._ear.music(queue.music, (*route, "music")) if queue.music else None,
            ring_for=queue.ring_for,
            ring=core.Ringing(queue.ring),
            announce=core.Announcements(
                announce.position, announce.wait, announce.every, announce.first_after
            )
            if announce
            else None,
            max_wait=queue.max_wait,
            on_timeout=self.build(queue.on_timeout, (*route, "on_timeout")),
            on_full=self.build(queue.on_full, (*route, "on_full")),
            on_nobody=self.build(queue.on_nobody, (*route, "on_nobody")),
        )

    def _menu(self, menu: written.Menu, route: Route) -> core.Menu:
        return core.Menu(
            prompt=self._ear.prompt(menu.play, (*route, "play")),
            keys={digit: self.build(inner, (*route, "keys", digit)) for digit, inner in menu.keys.items()},
            wait=menu.wait,
            otherwise=self.build(menu.otherwise, (*route, "otherwise")),
        )

    def _forward(self, forward: written.Forward, route: Route) -> core.Forward:
        if forward.to in self._ear.scene.own_numbers:
            message = f"{forward.to} is a number of this bureau: the call would come back for ever"
            self._ear.faults.append(self._ear.sheet.at((*route, "to")).fault(message))
        return core.Forward(forward.to, forward.ring_for, forward.present, forward.accept)

    def _voicemail(self, voicemail: written.Voicemail, route: Route) -> core.Voicemail:
        prompt = self._ear.prompt(voicemail.play, (*route, "play")) if voicemail.play else None
        return core.Voicemail(prompt, voicemail.max, tuple(voicemail.mail))

    def _jump(self, rule: str, route: Route) -> core.Jump:
        self._known(rule, frozenset(self._rules), "rule", route)
        return core.Jump(rule)

    def _known(self, name: str, known: frozenset[str] | None, what: str, route: Route) -> None:
        if known is not None and name not in known:
            message = f"there is no {what} `{name}`{suggestion(name, sorted(known))}"
            self._ear.faults.append(self._ear.sheet.at(route).fault(message))
