"""The trail of `autocom explain` as lines for a terminal, French or English.

Must not decide anything: every line is read off the trail; the rules' own sentences come in French from
`sentences`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from autocom.core.numbers import NumberingPlan, national
from autocom.sentences import said
from autocom.wordings import duration

_FR = {
    "no number": "sans numéro",
    "flags": "à noter",
    "next": "prochain changement : {local}",
    "never": "rien ne change de soi-même",
    "override team": "consigne : vers l'équipe {team} jusqu'à {until}, par {author}",
    "override open": "consigne : ouvert jusqu'à {until}, par {author}",
    "override closed": "consigne : fermé jusqu'à {until}, par {author}",
    "tried": "règles essayées :",
    "holds": "ses conditions sont réunies{because}",
    "because": ", car {why}",
    "fails": "non, {failed}",
    "rule": "règle {rule} (ligne {line})",
    "blocked": "règle {rule} (bureau.yaml, ligne {line})",
    "decision": "  {host} est d'abord interrogé et peut nommer une autre règle ; sans réponse en {within} : celle-ci",
    "queue": "  priorité {priority} s, objectif {target}, sonne {ring}",
    "preferred": "  pendant {seconds}, d'abord : {names}",
    "rings": "  {when}{who} (niveau {level} de {team}){state}",
    "after": "après {seconds} : ",
    "unfit": "  jamais {who} ({why})",
    "language": "langue",
    "country": "pays",
    "idle": "  personne de ces équipes n'est au travail",
    "numbers": "reconnu :",
    "version": "version {version}",
    "not in force": "version {version} du dossier ; en vigueur : {in_force} (autocom reload)",
    "on_offer": "seraient appelées, dans l'ordre :",
    "cut_off": "coupé par la panne d'Asterisk : jusqu'à {until} il retrouve sa place, en file depuis {since}",
    "cut_off talked": "coupé en conversation par la panne d'Asterisk : jusqu'à {until} il passe avant tout le monde",
    "duty": "de garde alors ({roster}) : {names}, {seconds} chacun, {rounds} fois{then}",
    "no duty": "personne n'est de garde alors ({roster}){then}",
    "then": ", puis {name}",
}
_EN = {
    "no number": "no number",
    "flags": "flags",
    "next": "next change: {local}",
    "never": "nothing changes by itself",
    "override team": "override: to team {team} until {until}, by {author}",
    "override open": "override: open until {until}, by {author}",
    "override closed": "override: closed until {until}, by {author}",
    "tried": "rules tried:",
    "holds": "its conditions hold{because}",
    "because": " because {why}",
    "fails": "no, {failed}",
    "rule": "rule {rule} (line {line})",
    "blocked": "rule {rule} (bureau.yaml, line {line})",
    "decision": "  {host} is asked first and may name another rule; without an answer within {within}: this one",
    "queue": "  priority {priority} s, target {target}, rings {ring}",
    "preferred": "  for {seconds}, first: {names}",
    "rings": "  {when}{who} (level {level} of {team}){state}",
    "after": "after {seconds}: ",
    "unfit": "  never {who} ({why})",
    "language": "language",
    "country": "country",
    "idle": "  nobody of these teams is at work",
    "numbers": "identified:",
    "version": "version {version}",
    "not in force": "version {version} of the folder; in force: {in_force} (autocom reload)",
    "on_offer": "would be rung, in this order:",
    "cut_off": "cut off when Asterisk died: until {until} he has his place back, waiting since {since}",
    "cut_off talked": "cut off in a conversation when Asterisk died: until {until} he comes before everybody",
    "duty": "on call then ({roster}): {names}, {seconds} each, {rounds} times{then}",
    "no duty": "nobody is on call then ({roster}){then}",
    "then": ", then {name}",
}


def lines(trail: Mapping[str, Any], plan: NumberingPlan, language: str) -> Iterator[str]:
    """The whole trail."""
    words = _EN if language == "en" else _FR
    called = national(trail["did"], plan) if trail["did"] else words["no number"]
    yield f"{called}  ->  {trail['name']} ({trail['client']})"
    if trail["flags"]:
        yield f"{words['flags']}: {', '.join(trail['flags'])}"
    yield words["numbers"]
    yield from (f"  {said(sentence, language)}" for sentence in trail["identified_by"])
    for override in trail["overrides"]:
        ends = datetime.fromisoformat(override["until"]).astimezone(ZoneInfo(trail["timezone"]))
        yield words[f"override {override['override']}"].format(
            team=override["team"], until=f"{ends:%Y-%m-%d %H:%M}", author=override["author"]
        )
    yield said(trail["hours"], language)
    change = trail["next_change"]
    yield "  " + (words["next"].format(local=change["local"]) if change else words["never"])
    yield words["tried"]
    for tried in trail["trail"]:
        why = tried["because"]
        because = words["because"].format(why=said(why, language)) if why else ""
        verdict = (
            words["holds"].format(because=because)
            if tried["matched"]
            else words["fails"].format(failed=said(tried["failed"] or "", language))
        )
        yield f"  {tried['rule']}: {verdict}"
    yield words["blocked" if trail["blocked"] else "rule"].format(rule=trail["rule"], line=trail["line"])
    if (asked := trail["decision"]) is not None:
        yield words["decision"].format(host=asked["host"], within=duration(asked["within_s"]))
    yield from (f"  {step}" for step in trail["steps_in_full"])
    if trail["on_full"]:
        yield "on_full:"
        yield from (f"  {step}" for step in trail["on_full"])
    if (cut := trail["cut_off"]) is not None:
        zone = ZoneInfo(trail["timezone"])
        since, until = (
            f"{datetime.fromisoformat(cut[key]).astimezone(zone):%H:%M}" for key in ("since", "until")
        )
        yield words["cut_off talked" if cut["talked"] else "cut_off"].format(since=since, until=until)
    yield from _queue(trail, words)
    yield from _on_duty(trail, words)
    version, in_force = trail["config_version"], trail["version_in_force"]
    differs = in_force is not None and in_force != version
    yield words["not in force" if differs else "version"].format(version=version, in_force=in_force)


def _on_duty(trail: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[str]:
    for roster in trail["on_call"]:
        last = roster["fallback"]
        yield words["duty" if roster["on_duty"] else "no duty"].format(
            roster=roster["roster"],
            names=", ".join(who["name"] for who in roster["on_duty"]),
            seconds=duration(roster["ring_for_s"]),
            rounds=roster["rounds"],
            then=words["then"].format(name=last["name"]) if last else "",
        )


def _queue(trail: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[str]:
    queue = trail["queue"]
    if queue is None:
        return
    yield words["on_offer"]
    target = duration(queue["target_s"])
    yield words["queue"].format(priority=queue["priority"], target=target, ring=queue["ring"])
    if queue["preferred"] and queue["preferred_for_s"]:
        seconds = duration(queue["preferred_for_s"])
        yield words["preferred"].format(seconds=seconds, names=", ".join(queue["preferred"]))
    at_work = trail["at_work"]
    for who in trail["eligible"]:
        when = words["after"].format(seconds=duration(who["after_s"])) if who["after_s"] else ""
        state = f", {at_work.get(who['secretary'], '-')}" if at_work is not None else ""
        yield words["rings"].format(
            when=when, who=who["secretary"], level=who["level"], team=who["team"], state=state
        )
    for who in trail["not_eligible"]:
        yield words["unfit"].format(who=who["secretary"], why=words[who["why"]])
    if at_work is not None and not any(who["secretary"] in at_work for who in trail["eligible"]):
        yield words["idle"]
