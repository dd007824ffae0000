"""Who may hear whose conversation, when and how: a team lead, within the windows that her team declares.

Staff are told beforehand when they may be listened to (the window stands in bureau.yaml) and at the moment it
happens; what is nobody's business but hers (a call that is no client's) is never heard, and what is under
medical or legal secrecy only where the team's window says so. Pure; the configuration in force and the instant are
arguments. Invariant: whatever is not allowed here by some team is refused. The story is in `calls.supervising`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from autocom.core.hours import next_change, status
from autocom.core.model import MODES, Client, Configuration, Hours, Supervision
from autocom.core.stages import Talking
from autocom.core.story import Call, Story

KEYS = {"1": "listen", "2": "whisper", "3": "barge"}
NEXT = "*"
"""What the lead presses while she hears a conversation."""


@dataclass(frozen=True, slots=True)
class Denied:
    """`why`: unknown (no such secretary), oneself, not_lead, no_window (none is declared), outside_window, mode,
    private (no client's call), confidential."""

    why: str


@dataclass(frozen=True, slots=True)
class Allowed:
    """`modes` she may use; `until`: when the first of the windows that hold now ends (None: not in sight);
    `beep`: the secretary hears a soft tone as well."""

    modes: frozenset[str]
    until: float | None
    beep: bool


def allowed(
    configuration: Configuration, lead: str, secretary: str, call: Call | None, now: float
) -> Allowed | Denied:
    """Whether this lead may hear this secretary now. `call`: the conversation it is about, None while she is in
    none (whose calls she will have is not known yet)."""
    hers = configuration.secretaries.get(secretary)
    if hers is None or lead not in configuration.secretaries:
        return Denied("unknown")
    if lead == secretary:
        return Denied("oneself")
    if call is not None and (not call.client.id or call.direction == "internal"):
        return Denied("private")
    led = [team for team in hers.teams if lead in _leads(configuration, team)]
    if not led:
        return Denied("not_lead")
    declared = [found for team in led if (found := _window(configuration, team)) is not None]
    if not declared:
        return Denied("no_window")
    hours = [(found, _hours(found, configuration)) for found in declared]
    held = [(found, wanted) for found, wanted in hours if status(wanted, (), now).open]
    if not held:
        return Denied("outside_window")
    if call is not None and _secret(configuration, call.client):
        held = [(found, wanted) for found, wanted in held if found.confidential]
        if not held:
            return Denied("confidential")
    ends = [next_change(wanted, (), now) for _, wanted in held]
    return Allowed(
        frozenset(mode for found, _ in held for mode in found.modes),
        min((end for end in ends if end is not None), default=None),
        any(found.beep for found, _ in held),
    )


def conversation(stories: Iterable[Story], secretary: str) -> Story | None:
    """The conversation that she is in: of several (one is on hold by her phone) the one she talks in."""
    mine = [
        story
        for story in stories
        if isinstance(story.stage, Talking)
        and story.stage.secretary == secretary
        and story.stage.joined_at is not None
    ]
    return max(mine, key=_foremost, default=None)


def next_secretary(
    configuration: Configuration, lead: str, after: str, talking: frozenset[str]
) -> str | None:
    """The next of the lead's secretaries who is in a conversation, in the order of the configuration, beginning
    behind `after`; None where nobody else is."""
    mine = [
        person.id
        for person in configuration.secretaries.values()
        if person.id != lead and any(lead in _leads(configuration, team) for team in person.teams)
    ]
    begin = mine.index(after) + 1 if after in mine else 0
    return next((who for who in mine[begin:] + mine[:begin] if who in talking and who != after), None)


def mode_for(wanted: str, modes: frozenset[str]) -> str | None:
    """The mode she begins with: what she wants where it is allowed; None: nothing is."""
    return wanted if wanted in modes else next((mode for mode in MODES if mode in modes), None)


def said(what: str, lead: str, mode: str, language: str) -> str:
    """What the secretary reads on her phone: `what` is started, mode or ended."""
    if what == "ended":
        return (
            f"Votre responsable {lead} n'écoute plus." if language == "fr" else f"{lead} no longer listens."
        )
    french = {
        "listen": f"Votre responsable {lead} écoute.",
        "whisper": f"Votre responsable {lead} vous parle, l'appelant ne l'entend pas.",
        "barge": f"Votre responsable {lead} est dans la conversation.",
    }
    english = {
        "listen": f"Your team lead {lead} listens.",
        "whisper": f"Your team lead {lead} talks to you, the caller does not hear it.",
        "barge": f"Your team lead {lead} is in the conversation.",
    }
    return (french if language == "fr" else english)[mode]


def refused(why: str, language: str) -> str:
    """Why she may not, for the lead's phone and for programs."""
    french = {
        "unknown": "cette secrétaire n'existe pas",
        "oneself": "on ne s'écoute pas soi-même",
        "not_lead": "elle n'est d'aucune équipe dont vous êtes responsable",
        "no_window": "aucune plage d'écoute n'est déclarée pour son équipe",
        "outside_window": "hors des plages d'écoute déclarées",
        "mode": "ce mode n'est pas permis dans son équipe",
        "private": "cet appel n'est celui d'aucun client",
        "confidential": "appel sous secret professionnel",
    }
    english = {
        "unknown": "there is no such secretary",
        "oneself": "nobody listens to herself",
        "not_lead": "she is in no team that you lead",
        "no_window": "no window of supervision is declared for her team",
        "outside_window": "outside the declared windows of supervision",
        "mode": "this mode is not allowed in her team",
        "private": "this call is no client's",
        "confidential": "a call under professional secrecy",
    }
    return (french if language == "fr" else english)[why]


def _foremost(story: Story) -> tuple[bool, float]:
    stage = story.stage
    assert isinstance(stage, Talking)
    return stage.held is None or stage.third is not None, stage.joined_at or 0.0


def _leads(configuration: Configuration, team: str) -> tuple[str, ...]:
    found = configuration.teams.get(team)
    return () if found is None else found.leads


def _window(configuration: Configuration, team: str) -> Supervision | None:
    found = configuration.teams.get(team)
    return None if found is None else found.supervision


def _hours(window: Supervision, configuration: Configuration) -> Hours:
    return Hours(configuration.bureau.timezone, window.week)


def _secret(configuration: Configuration, client: Client) -> bool:
    """By what the client is now or was when the call came: the stricter counts."""
    today = configuration.clients.get(client.id)
    return client.discreet or (today is not None and today.discreet)
