"""Steps, conditions and hours in words, French and English: for `explain`, `diff` and `call`.

One line a step, the steps of each way out indented below it. Must not decide anything, and must not
hide anything either: whatever an admin can write about a step shows in its line. What is spoken is
shown as its text, not as the name of its sound file. Words that stand in the YAML stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from autocom.core.model import (
    NO_CALLER,
    Answer,
    Audio,
    Callback,
    Enqueue,
    Forward,
    Hangup,
    Jump,
    Listed,
    Menu,
    Mode,
    OnCall,
    Play,
    Ringback,
    SendMessage,
    Step,
    TimeRange,
    Voicemail,
    When,
)
from autocom.core.reach import branches

WEEKDAYS = {
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_FR = {
    "play": "message {audio} ({mode}{extra}{later}){times}",
    "early": "pré-décroché",
    "answered": "après décroché",
    "to its end": ", jusqu'au bout",
    "if waiting": ", s'il attend encore après {seconds}",
    "rings": ", sonnerie au lieu de musique",
    "times": " {n} fois",
    "queue": "file de l'équipe {team} ({ring}, {ring_for} s chacune{limit}{music}{more})",
    "at most": ", au plus {limit}",
    "music": ", musique {name}",
    "serves on": ", servi même après la fermeture",
    "preferred": ", d'abord {names} pendant {seconds}",
    "announces": ", annonce {what} dès {first} puis chaque {every}",
    "on_answer": ", {audio} juste avant la mise en relation",
    "paused too": ", toutes en pause comptent comme personne",
    "long wait": ", {limit} d'attente estimée au plus",
    "until": "jusqu'au {last}",
    "position": "la place",
    "wait": "l'attente",
    "menu": "menu {audio}, {wait} pour choisir",
    "forward": "transfert vers {to} ({ring_for}, numéro présenté : {present}{accept})",
    "accept": ", pris par la touche {digit}",
    "on_call": "astreinte {roster}",
    "voicemail": "messagerie ({limit} au plus{prompt}{mail})",
    "prompt": ", {audio}",
    "mail": ", envoyé à {to}",
    "message": "texte « {text} » à {to}",
    "callback": "rappel promis ({tries} essais, toutes les {after})",
    "hangup": "raccrocher ({kind})",
    "jump": "suite à la règle {rule}",
    "ringback": "sonnerie pendant {seconds}",
    "answer": "décrocher",
    "said": "« {text} »",
    "on_timeout": "attente trop longue",
    "on_full": "trop d'appels",
    "on_nobody": "personne au travail",
    "on_closing": "fermeture pendant l'attente",
    "on_long_wait": "attente estimée trop longue",
    "no on_timeout": "message de la maison, puis raccrocher",
    "no on_full": "ce que dit `on_full` du client, sinon occupé",
    "no on_nobody": "il attend",
    "no on_closing": "la règle qui vaut alors",
    "key": "touche {digit}",
    "otherwise": "autre touche ou aucune",
    "always": "toujours",
}
_EN = {
    "play": "play {audio} ({mode}{extra}{later}){times}",
    "early": "early",
    "answered": "answered",
    "to its end": ", to its end",
    "if waiting": ", if he still waits after {seconds}",
    "rings": ", ringing instead of music",
    "times": " {n} times",
    "queue": "queue for team {team} ({ring}, {ring_for} s each{limit}{music}{more})",
    "at most": ", at most {limit}",
    "music": ", music {name}",
    "serves on": ", served after closing all the same",
    "preferred": ", {names} first for {seconds}",
    "announces": ", announces {what} after {first}, then every {every}",
    "on_answer": ", {audio} just before he is joined",
    "paused too": ", all paused counts as nobody",
    "long wait": ", at most {limit} of expected wait",
    "until": "until {last}",
    "position": "the position",
    "wait": "the wait",
    "menu": "menu {audio}, {wait} to choose",
    "forward": "forward to {to} ({ring_for}, presents {present}{accept})",
    "accept": ", taken by key {digit}",
    "on_call": "whoever is on call in {roster}",
    "voicemail": "voicemail (at most {limit}{prompt}{mail})",
    "prompt": ", {audio}",
    "mail": ", mailed to {to}",
    "message": 'text "{text}" to {to}',
    "callback": "promise to call back ({tries} tries, every {after})",
    "hangup": "hangup {kind}",
    "jump": "go on with rule {rule}",
    "ringback": "ringback {seconds}",
    "answer": "answer",
    "said": '"{text}"',
    "on_timeout": "waited too long",
    "on_full": "too many calls",
    "on_nobody": "nobody at work",
    "on_closing": "closing while he waits",
    "on_long_wait": "expected wait too long",
    "no on_timeout": "the house's message, then hangup",
    "no on_full": "what the client's `on_full` says, else busy",
    "no on_nobody": "he waits",
    "no on_closing": "the rule that holds then",
    "key": "key {digit}",
    "otherwise": "another key or none",
    "always": "always",
}


def _table(language: str) -> dict[str, str]:
    return _EN if language == "en" else _FR


def duration(seconds: float) -> str:
    """As admins write it: `800ms`, `20s`, `5m`, `2h`, `90d`."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s" if seconds >= 1 or seconds == 0 else f"{seconds * 1000:g}ms"


def spoken(audio: Audio, language: str) -> str:
    """A sound: its text where it was made from one, else its name."""
    return _table(language)["said"].format(text=audio.text) if audio.text else audio.name


def tree(steps: Iterable[Step], language: str, depth: int = 0, *, unsaid: bool = False) -> Iterator[str]:
    """Every step at any depth, a line each, indented by two spaces per level; ways out with their name.
    `unsaid`: also what a queue does where the file says nothing of a way out."""
    table = _table(language)
    for step in steps:
        yield "  " * depth + in_words(step, language)
        for way, inside in branches(step):
            if inside:
                name, _, digit = way.partition(" ")
                yield "  " * (depth + 1) + table[name].format(digit=digit) + ":"
                yield from tree(inside, language, depth + 2, unsaid=unsaid)
            elif unsaid and isinstance(step, Enqueue) and f"no {way}" in table and not _endless(step, way):
                yield "  " * (depth + 1) + table[way] + ": " + table[f"no {way}"]


def _endless(queue: Enqueue, way: str) -> bool:
    """Whether nobody ever leaves this queue that way."""
    return way == "on_timeout" and queue.max_wait is None


def in_words(step: Step, language: str) -> str:  # noqa: C901, PLR0911, PLR0912 - a line for each kind
    """One step in one line."""
    table = _table(language)

    def say(word: str, **values: object) -> str:
        return table[word].format(**values)

    match step:
        case Play(audio, mode, must_hear, repeat, later):
            return say(
                "play",
                later=say("if waiting", seconds=duration(later)) if later is not None else "",
                audio=spoken(audio, language),
                mode=table["early" if mode is Mode.EARLY else "answered"],
                extra=table["to its end"] if must_hear else "",
                times=say("times", n=repeat) if repeat > 1 else "",
            )
        case Enqueue():
            return _queue(step, table, language)
        case Menu():
            return say("menu", audio=spoken(step.prompt, language), wait=duration(step.wait))
        case Forward(to, ring_for, present, accept):
            key = say("accept", digit=accept) if accept else ""
            return say("forward", to=to, ring_for=duration(ring_for), present=present, accept=key)
        case OnCall(roster):
            return say("on_call", roster=roster)
        case Voicemail(prompt, limit, mail):
            heard = say("prompt", audio=spoken(prompt, language)) if prompt else ""
            sent = say("mail", to=", ".join(mail)) if mail else ""
            return say("voicemail", limit=duration(limit), prompt=heard, mail=sent)
        case SendMessage(to, text):
            return say("message", to=to, text=text)
        case Callback(tries, after):
            return say("callback", tries=tries, after=duration(after))
        case Hangup(kind):
            return say("hangup", kind=kind.value)
        case Jump(rule):
            return say("jump", rule=rule)
        case Ringback(seconds):
            return say("ringback", seconds=duration(seconds))
        case Answer():
            return say("answer")
        case _ as unreachable:
            assert_never(unreachable)


def _queue(queue: Enqueue, table: dict[str, str], language: str) -> str:
    more = ""
    if queue.prefer and queue.prefer_for:
        more += table["preferred"].format(names=", ".join(queue.prefer), seconds=duration(queue.prefer_for))
    if (told := queue.announce) is not None:
        named = [table[word] for word in ("position", "wait") if getattr(told, word)]
        named += [told.play.text or told.play.name] if told.play else []
        more += table["announces"].format(
            what=", ".join(named), first=duration(told.first_after), every=duration(told.every)
        )
    if queue.ringing:
        more += table["rings"]
    if queue.serve_after_closing:
        more += table["serves on"]
    if queue.on_answer is not None:
        more += table["on_answer"].format(audio=spoken(queue.on_answer, language))
    if queue.nobody_paused:
        more += table["paused too"]
    if queue.max_expected_wait is not None:
        more += table["long wait"].format(limit=duration(queue.max_expected_wait))
    return table["queue"].format(
        team=queue.team,
        ring=queue.ring.value,
        ring_for=f"{queue.ring_for:g}",
        limit=table["at most"].format(limit=duration(queue.max_wait)) if queue.max_wait is not None else "",
        music=table["music"].format(name=queue.music.name) if queue.music else "",
        more=more,
    )


def conditions(when: When | None, language: str) -> str:
    """The conditions of a rule as one line, in the words of the YAML."""
    if when is None:
        return _table(language)["always"]
    days = WEEKDAYS["en" if language == "en" else "fr"]
    parts = {
        "caller": callers(when.caller, when.listed, language),
        "hours": "" if when.open is None else "open" if when.open else "closed",
        "absence": "" if when.absence is None else str(when.absence).lower(),
        "forward_reason": ", ".join(reason.value for reason in when.forward_reason),
        "did": ", ".join(when.did),
        "days": ", ".join(days[day - 1] for day in when.days),
        "dates": ", ".join(
            f"{first} … {last}" if first != last else f"{first}" for first, last in when.dates
        ),
        "time": ranges(when.time),
        "waiting_over": "" if when.waiting_over is None else str(when.waiting_over),
        "nobody": "" if when.nobody is None else str(when.nobody).lower(),
    }
    return "; ".join(f"{key}: {value}" for key, value in parts.items() if value) or _table(language)["always"]


def callers(entries: Sequence[str], listed: Sequence[Listed], language: str) -> str:
    """Each entry once, with why and until when it is in its list."""
    until = _table(language)["until"]
    told = {each.entry: each for each in listed}
    shown: list[str] = []
    for entry in dict.fromkeys((*entries, *told)):
        if entry == NO_CALLER and told:
            continue
        about = told.get(entry)
        end = until.format(last=about.last) if about is not None and about.last else ""
        why = ", ".join(filter(None, (about.reason if about is not None else "", end)))
        shown.append(f"{entry} ({why})" if why else entry)
    return ", ".join(shown)


def ranges(spans: Sequence[TimeRange]) -> str:
    """`08:00-12:30, 13:30-19:00`."""
    return ", ".join(f"{span.start:%H:%M}-{clock(span)}" for span in spans)


def clock(span: TimeRange) -> str:
    """The end of a range as it is written: midnight at its end is 24:00."""
    return "24:00" if span.end.hour == span.end.minute == 0 else f"{span.end:%H:%M}"
