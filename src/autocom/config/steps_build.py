"""Steps as the core runs them, from steps as the admin wrote them.

Resolves sounds and finds names that lead nowhere: teams, rosters, rules of `jump`. Must not
decide whether the order of steps makes sense (`rule_checks`). Invariant: where a name leads
nowhere a fault is added, and what is returned is never used. The story goes on in
`client_build`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from autocom.config import steps as written
from autocom.config.asking import forward_ask, on_call_ask
from autocom.config.faults import suggestion
from autocom.config.wording import told
from autocom.core import model as core
from autocom.core.model import ON_ANSWER_AT_MOST

if TYPE_CHECKING:
    from autocom.config.document import Route
    from autocom.config.scene import Ear


_LETTERS_AT_MOST: Final = 75  # about five seconds; what a slow voice has left then is cut


class StepsBuilder:
    """For the steps of one client, called `name`; `rules` are the names `jump` may name, `music` is what
    callers hear who wait for somebody outside."""

    def __init__(self, ear: Ear, name: str, rules: Sequence[str], music: core.Music | None) -> None:
        self._ear = ear
        self._name = name
        self._rules = rules
        self._music = music

    def build(self, steps: Sequence[written.Step], route: Route) -> tuple[core.Step, ...]:
        """The core's steps; `route` leads to the list."""
        return tuple(self._step(step, (*route, index, step.kind)) for index, step in enumerate(steps))

    def _step(self, step: written.Step, route: Route) -> core.Step:
        built: core.Step
        match step.content:
            case written.Play() as play:
                audio = self._ear.prompt(play, route)
                built = core.Play(audio, core.Mode(play.mode), play.must_hear, play.repeat, play.if_waiting)
            case written.Queue() as queue:
                built = self._queue(queue, route)
            case written.Menu() as menu:
                built = self._menu(menu, route)
            case written.Forward() as forward:
                built = self._forward(forward, route)
            case written.OnCall() as on_call:
                built = self._on_call(on_call, route)
            case written.Voicemail() as voicemail:
                built = self._voicemail(voicemail, route)
            case written.Message() as message:
                built = core.SendMessage(message.to, message.text)
            case written.Callback() as callback:
                built = core.Callback(callback.tries, callback.retry_after)
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
        teams = self._ear.scene.teams
        if teams is not None and queue.team not in teams:
            near = suggestion(queue.team, sorted(teams))
            fault = told("there is no team `{name}`{near}", name=queue.team, near=near)
            self._ear.faults.append(self._ear.sheet.at((*route, "team")).fault(fault))
        preferred = queue.preferred
        rings = queue.music == written.RINGBACK
        return core.Enqueue(
            team=queue.team,
            music=self._ear.music(queue.music, (*route, "music")) if queue.music and not rings else None,
            ringing=rings,
            ring_for=queue.ring_for,
            ring=core.Ringing(queue.ring),
            announce=self._announce(queue.announce, (*route, "announce")) if queue.announce else None,
            max_wait=queue.max_wait,
            on_timeout=self.build(queue.on_timeout, (*route, "on_timeout")),
            on_full=self.build(queue.on_full, (*route, "on_full")),
            on_nobody=self.build(queue.on_nobody, (*route, "on_nobody")),
            on_closing=self.build(queue.on_closing, (*route, "on_closing")),
            serve_after_closing=queue.after_closing == "serve",
            keys={digit: self.build(inner, (*route, "keys", digit)) for digit, inner in queue.keys.items()},
            prefer=tuple(preferred.secretaries) if preferred else (),
            prefer_for=preferred.for_ if preferred else 0.0,
            on_answer=self._on_answer(queue.on_answer, (*route, "on_answer")) if queue.on_answer else None,
            nobody_paused=queue.nobody == "paused",
            max_expected_wait=queue.max_expected_wait,
            on_long_wait=self.build(queue.on_long_wait, (*route, "on_long_wait")),
        )

    def _on_answer(self, prompt: written.Prompt, route: Route) -> core.Audio:
        """Two people wait for its end. A text is judged by its letters: where files are only checked it is not
        spoken, and both must say the same."""
        ear = self._ear
        audio = ear.prompt(prompt, route)
        if prompt.say is not None and len(prompt.say) > _LETTERS_AT_MOST:
            fault = told(
                "has {count} characters, at most {most} are allowed",
                count=len(prompt.say),
                most=_LETTERS_AT_MOST,
            )
            ear.faults.append(ear.sheet.at((*route, "say")).fault(fault))
        lasts = ear.lasts(prompt.sound) if prompt.sound is not None else 0.0
        if lasts > ON_ANSWER_AT_MOST:
            fault = told(
                "lasts {seconds:.1f}s, at most {most:.0f}s are allowed: two people wait for its end",
                seconds=lasts,
                most=ON_ANSWER_AT_MOST,
            )
            ear.faults.append(ear.sheet.at((*route, "sound")).fault(fault))
        return audio

    def _announce(self, announce: written.Announce, route: Route) -> core.Announcements:
        own = self._ear.prompt(announce.play, (*route, "play")) if announce.play else None
        return core.Announcements(announce.position, announce.wait, announce.every, announce.first_after, own)

    def _menu(self, menu: written.Menu, route: Route) -> core.Menu:
        return core.Menu(
            prompt=self._ear.prompt(menu.play, (*route, "play")),
            keys={digit: self.build(inner, (*route, "keys", digit)) for digit, inner in menu.keys.items()},
            tries=menu.tries,
            wait=menu.wait,
            otherwise=self.build(menu.otherwise, (*route, "otherwise")),
        )

    def _forward(self, forward: written.Forward, route: Route) -> core.Forward:
        ear = self._ear
        ask = None
        if forward.accept is not None:
            ask = ear.spoken(forward_ask(self._name, forward.accept, ear.language), (*route, "accept"))
        return core.Forward(forward.to, forward.ring_for, forward.present, forward.accept, ask, self._music)

    def _on_call(self, on_call: written.OnCall, route: Route) -> core.OnCall:
        ear = self._ear
        rosters = ear.scene.rosters
        accept = (rosters or {}).get(on_call.roster)
        if rosters is not None and accept is None:
            near = suggestion(on_call.roster, sorted(rosters))
            fault = told("there is no roster `{name}`{near}", name=on_call.roster, near=near)
            ear.faults.append(ear.sheet.at((*route, "roster")).fault(fault))
        ask = ear.spoken(on_call_ask(self._name, accept or "1", ear.language), route)
        return core.OnCall(on_call.roster, ask, self._music)

    def _voicemail(self, voicemail: written.Voicemail, route: Route) -> core.Voicemail:
        prompt = self._ear.prompt(voicemail.play, (*route, "play")) if voicemail.play else None
        return core.Voicemail(prompt, voicemail.max, tuple(voicemail.mail))

    def _jump(self, rule: str, route: Route) -> core.Jump:
        if rule not in self._rules:
            near = suggestion(rule, sorted(self._rules))
            fault = told("there is no rule `{name}`{near}", name=rule, near=near)
            self._ear.faults.append(self._ear.sheet.at(route).fault(fault))
        return core.Jump(rule)
