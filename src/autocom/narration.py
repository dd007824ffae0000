"""`autocom call ID`: what happened to a call and why, as lines in French or English.

Every fact with its time; below those that were decisions, the reasons as they were written at that moment:
the rules that did not hold, the score, who else could have been asked and why she was not, how the wait was
spent. Must not decide or guess anything: what is not in the journal is not told. A kind without words of its
own is shown with its particulars (`timeline`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from autocom.sentences import said
from autocom.timeline import particulars
from autocom.wordings import duration

Fields = Mapping[str, Any]

_FR = {
    "arrived": "l'appel arrive par {trunk}",
    "rule": "règle {rule}",
    "rule_changed": "les règles sont relues : règle {rule}",
    "answered": "décroché ({why})",
    "message_started": "message {sound}",
    "message_ended": "fin du message {sound}, entendu {heard}{cut}",
    "music_started": "musique {music}",
    "queued": "en file pour l'équipe {team} (priorité {priority} s){instead}",
    "queued_elsewhere": "consigne : équipe {team} au lieu de {before}, il garde sa place",
    "offered": "sonne chez {secretary} (essai {attempt})",
    "ringing": "le téléphone de {secretary} sonne",
    "offer_ended": "fin de la sonnerie chez {secretary} : {result}",
    "bridged": "en ligne avec {secretary}",
    "talk_ended": "fin de la conversation avec {secretary}, par {by}",
    "wrap_up_started": "{secretary} en post-appel",
    "wrap_up_ended": "fin du post-appel de {secretary}",
    "announced": "annonce : place {position}",
    "vanished": "le téléphone de {secretary} a disparu : il attend de nouveau, en tête",
    "whispered": "le nom du client est dit à {secretary}",
    "returning": "il rappelle et retrouve sa place",
    "callback_promised": "rappel promis, il garde sa place",
    "callback_started": "{secretary} est là, il est rappelé",
    "callback_ended": "fin du rappel : {result}",
    "forward_started": "transfert : {name} est appelé",
    "forward_ringing": "le téléphone extérieur sonne",
    "forward_answered": "décroché à l'extérieur",
    "forward_accepted": "accepté par la touche {digit}",
    "forward_ended": "fin du transfert : {result}",
    "patched": "en ligne avec {name}",
    "patch_ended": "fin de la mise en relation, par {by}",
    "voicemail_started": "messagerie : enregistrement",
    "voicemail_ended": "fin de l'enregistrement, {seconds} s",
    "fax_heard": "un télécopieur appelle",
    "dequeued": "quitte la file : {why}",
    "adopted": "repris après un redémarrage ({stage})",
    "ended": "fin : {outcome}",
    "cut": ", coupé",
    "instead": ", par consigne au lieu de {team}",
    "version": "configuration {version}",
    "not": "pas {rule} : {failed}",
    "first": "première règle dont les conditions sont réunies",
    "score": "score {score} : attendu {waited}{priority}, objectif {target}",
    "score only": "score {score} : attendu {waited}",
    "plus": " + {seconds} d'avance",
    "she": "niveau {level}{widened}, libre depuis {idle}{tried}{preferred}{head}",
    "widened": " d'une équipe élargie",
    "tried": ", l'avait laissé sonner {n} fois",
    "preferred": ", secrétaire préférée",
    "head": ", remis en tête",
    "others": "pas les autres : {names}",
    "also": "aussi libres : {names}",
    "spent": "a attendu {seconds} :",
    "segment": "{kind} {seconds}{who}",
    "until now": "en cours",
    "withheld": "masqué",
    "unknown": "inconnu",
    "identified": "reconnu : {client}, {did} appelé par {caller}{flags}",
    "busy": "occupée", "paused": "en pause", "wrap_up": "en post-appel", "resting": "au repos", "turn": "après elle",
    "language": "langue", "country": "pays", "level": "niveau moins bon", "no_answer": "sans réponse",
    "answered by her": "décroché", "refused": "refusé", "unreachable": "injoignable", "withdrawn": "retiré",
    "message": "message", "waiting": "file", "talk": "conversation",
    "caller": "l'appelant", "secretary": "la secrétaire", "service": "le service", "outside": "l'extérieur",
    "timeout": "attente trop longue", "nobody": "personne au travail", "full": "trop d'appels", "closed": "fermeture",
    "key": "touche", "left": "parti", "fax": "fax", "served": "servi", "abandoned": "abandonné",
    "forwarded": "transféré", "voicemail": "messagerie", "rejected": "refusé par règle", "fallback": "secours",
    "failed": "échec", "during_message": "pendant le message", "during_music": "pendant la musique",
    "while_ringing": "pendant une sonnerie", "short": "tout de suite",
}  # fmt: skip
_EN = {
    "arrived": "call arrives by {trunk}",
    "rule": "rule {rule}",
    "rule_changed": "rules read again: rule {rule}",
    "answered": "answered ({why})",
    "message_started": "message {sound}",
    "message_ended": "message {sound} ends, heard {heard}{cut}",
    "music_started": "music {music}",
    "queued": "queued for team {team} (priority {priority} s){instead}",
    "queued_elsewhere": "override: team {team} instead of {before}, he keeps his place",
    "offered": "offered to {secretary} (attempt {attempt})",
    "ringing": "rings at {secretary}",
    "offer_ended": "offer to {secretary} ends: {result}",
    "bridged": "talks with {secretary}",
    "talk_ended": "talk with {secretary} ends, by {by}",
    "wrap_up_started": "{secretary} in wrap-up",
    "wrap_up_ended": "wrap-up of {secretary} ends",
    "announced": "told position {position}",
    "vanished": "the phone of {secretary} vanished: he waits again, at the head",
    "whispered": "the client's name is told to {secretary}",
    "returning": "he calls again and has his place back",
    "callback_promised": "to be called back, he keeps his place",
    "callback_started": "{secretary} is there, he is called back",
    "callback_ended": "callback ends: {result}",
    "forward_started": "forward: {name} is rung",
    "forward_ringing": "the outside phone rings",
    "forward_answered": "picked up outside",
    "forward_accepted": "accepted by key {digit}",
    "forward_ended": "forward ends: {result}",
    "patched": "talks with {name}",
    "patch_ended": "patch ends, by {by}",
    "voicemail_started": "voicemail: recording",
    "voicemail_ended": "recording ends, {seconds} s",
    "fax_heard": "a fax machine calls",
    "dequeued": "leaves the queue: {why}",
    "adopted": "adopted after a restart ({stage})",
    "ended": "ends: {outcome}",
    "cut": ", cut",
    "instead": ", by override instead of {team}",
    "version": "configuration {version}",
    "not": "not {rule}: {failed}",
    "first": "the first rule whose conditions hold",
    "score": "score {score}: waited {waited}{priority}, target {target}",
    "score only": "score {score}: waited {waited}",
    "plus": " + {seconds} of advance",
    "she": "level {level}{widened}, free for {idle}{tried}{preferred}{head}",
    "widened": " of a team he widened to",
    "tried": ", had let him ring {n} times",
    "preferred": ", preferred secretary",
    "head": ", put back to the head",
    "others": "not the others: {names}",
    "also": "also free: {names}",
    "spent": "waited {seconds}:",
    "segment": "{kind} {seconds}{who}",
    "until now": "under way",
    "withheld": "withheld",
    "unknown": "unknown",
    "identified": "identified: {client}, {did} called by {caller}{flags}",
    "answered by her": "answered",
    "service": "the service",
    "turn": "after her",
    "wrap_up": "wrap-up",
    "while_ringing": "while ringing",
    "during_message": "during the message",
    "during_music": "during the music",
    "no_answer": "no answer",
}
_INDENT = " " * 14
_HERS = ("ringing", "talk", "wrap_up")


def told(call: Fields, language: str, zone: ZoneInfo) -> Iterator[str]:
    """The call as `queries.call` returns it, line by line."""
    story = _Story(_EN if language == "en" else _FR, language)
    for event in call["events"]:
        at = datetime.fromisoformat(event["at"]).astimezone(zone)
        yield f"{at:%H:%M:%S}.{at.microsecond // 1000:03}  {story.fact(event['kind'], event)}"
        for reason in story.reasons(event["kind"], event):
            yield f"{_INDENT}{reason}"
    yield from story.wait(call)


class _Story:
    """The words of one language."""

    def __init__(self, words: Mapping[str, str], language: str) -> None:
        self.words, self.language = words, language

    def say(self, word: str, **values: object) -> str:
        return self.words[word].format(**values)

    def word(self, word: object) -> str:
        """A word of the journal as people say it."""
        found = self.words.get(str(word), str(word))
        return str(word) if "{" in found else found

    def fact(self, kind: str, fields: Fields) -> str:
        """What happened, in one line."""
        made = {
            "identified": self._identified,
            "message_ended": self._message_ended,
            "queued": self._queued,
            "offer_ended": self._offer_ended,
            "ended": self._ended,
        }.get(kind)
        if made is not None:
            return made(fields)
        if kind not in self.words:
            return f"{kind} {particulars(kind, fields)}".rstrip()
        shown = {
            key: self.word(value) if key in ("by", "why", "result") else value
            for key, value in fields.items()
        }
        try:
            return self.words[kind].format_map(shown)
        except KeyError:  # of a version that wrote less
            return f"{kind} {particulars(kind, fields)}".rstrip()

    def _identified(self, fields: Fields) -> str:
        caller = fields.get("caller") or self.words["withheld" if fields.get("anonymous") else "unknown"]
        flags = f" [{', '.join(fields['flags'])}]" if fields.get("flags") else ""
        return self.say(
            "identified", client=fields.get("client"), did=fields.get("did"), caller=caller, flags=flags
        )

    def _message_ended(self, fields: Fields) -> str:
        heard = duration(round((fields.get("heard_ms") or 0) / 1000, 1))
        cut = "" if fields.get("complete") else self.words["cut"]
        return self.say("message_ended", sound=fields.get("sound"), heard=heard, cut=cut)

    def _queued(self, fields: Fields) -> str:
        other = fields.get("instead_of")
        instead = self.say("instead", team=other) if other else ""
        return self.say("queued", team=fields.get("team"), priority=fields.get("priority"), instead=instead)

    def _offer_ended(self, fields: Fields) -> str:
        result = fields.get("result")
        shown = self.words["answered by her"] if result == "answered" else self.word(result)
        return self.say("offer_ended", secretary=fields.get("secretary"), result=shown)

    def _ended(self, fields: Fields) -> str:
        cause = f" ({self.word(fields['cause'])})" if fields.get("cause") else ""
        return self.say("ended", outcome=self.word(fields.get("outcome"))) + cause

    # --- why

    def reasons(self, kind: str, fields: Fields) -> Iterator[str]:
        """Why it happened, as far as it was a decision."""
        match kind:
            case "identified":
                yield from (said(sentence, self.language) for sentence in fields.get("why") or ())
                if fields.get("config_version"):
                    yield self.say("version", version=fields["config_version"])
            case "rule" | "rule_changed":
                if fields.get("hours"):
                    yield said(fields["hours"], self.language)
                yield from self._rules(fields)
            case "offered" if isinstance(fields.get("why"), dict):
                yield from self._she(fields["secretary"], fields["why"])

    def _rules(self, fields: Fields) -> Iterator[str]:
        for tried in fields.get("why") or ():
            if tried.get("matched"):
                yield self.words["first"]
            else:
                failed = said(str(tried.get("failed")), self.language)
                yield self.say("not", rule=tried.get("rule"), failed=failed)

    def _she(self, secretary: str, why: Fields) -> Iterator[str]:
        """His score, her place, and the others; also as older versions wrote it."""
        waited = _seconds(why.get("waited_ms"))
        if "target" in why:
            ahead = (why.get("priority") or 0) + (why.get("advance") or 0)
            plus = self.say("plus", seconds=duration(ahead)) if ahead else ""
            target = duration(why["target"])
            yield self.say("score", score=why.get("score"), waited=waited, priority=plus, target=target)
        else:
            yield self.say("score only", score=why.get("score"), waited=waited)
        tried = why.get("tried_before")
        yield self.say(
            "she",
            level=why.get("level"),
            widened=self.words["widened"] if why.get("widened") else "",
            idle=_seconds(why.get("idle_ms")),
            tried=self.say("tried", n=tried) if tried else "",
            preferred=self.words["preferred"] if why.get("preferred") else "",
            head=self.words["head"] if why.get("head") else "",
        )
        others = why.get("others")
        if isinstance(others, dict) and others:
            named = ", ".join(f"{name} ({self._reason(word)})" for name, word in others.items())
            yield self.say("others", names=named)
        elif also := [name for name in why.get("eligible") or () if name != secretary]:
            yield self.say("also", names=", ".join(also))

    def _reason(self, word: object) -> str:
        known = {"tried": "no_answer", "widened": "widened"}.get(str(word), str(word))
        return self.word(known).strip()

    # --- how the wait was spent

    def wait(self, call: Fields) -> Iterator[str]:
        """The parts of the call before the conversation, or all of them where there was none."""
        if call.get("wait_ms") is None:
            return
        yield self.say("spent", seconds=_seconds(call["wait_ms"]))
        for segment in call["segments"]:
            start, end = segment["start"], segment["end"]
            length = self.words["until now"]
            if end is not None:
                gone = datetime.fromisoformat(end) - datetime.fromisoformat(start)
                length = _seconds(gone.total_seconds() * 1000)
            who = f" {segment['secretary']}" if segment["kind"] in _HERS and segment.get("secretary") else ""
            kind = {"ringing": "sonnerie" if self.language != "en" else "ringing"}.get(segment["kind"])
            yield "  " + self.say("segment", kind=kind or self.word(segment["kind"]), seconds=length, who=who)


def _seconds(milliseconds: object) -> str:
    return f"{milliseconds / 1000:.1f} s" if isinstance(milliseconds, int | float) else "?"
