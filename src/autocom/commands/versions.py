"""`versions`, `rollback`, `diff`: what was in force, what a change does, and the way back.

All three work without a running exchange, from the state folder; where one runs, it does the rollback
itself, so that its file watcher never reads a half-written folder.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote
from zoneinfo import ZoneInfo

import click

from autocom.commands.shared import ask_if_running, author, fail, settings, speech, zone
from autocom.timeline import iso

if TYPE_CHECKING:
    from autocom.config import ConfigurationRefused, Loaded
    from autocom.core.model import Configuration
    from autocom.versions import Versions

SENTENCES = {
    "set aside": ("mise de côté", "set aside"),
    "in force": ("en vigueur", "in force"),
    "gone": ("fichiers plus gardés", "files no longer kept"),
    "refused": ("refusé : rien n'a changé", "refused: nothing was changed"),
    "applied": ("la version {version} est en vigueur", "version {version} is in force"),
    "back": (
        "les fichiers de la version {version} sont remis ; rien ne tourne, le prochain démarrage les applique",
        "the files of version {version} are back; no exchange runs, the next start applies them",
    ),
    "aside": (
        "ce que le dossier contenait est gardé sous {name} : `autocom rollback {name}` le remet",
        "what the folder held is kept as {name}: `autocom rollback {name}` brings it back",
    ),
}


def _versions() -> Versions:
    from autocom.versions import Versions  # noqa: PLC0415

    return Versions(settings().state)


def _refused(refused: ConfigurationRefused) -> NoReturn:
    for fault in refused.faults:
        click.echo(str(fault), err=True)
    raise SystemExit(1)


@click.command()
@click.option("--json", "as_json", is_flag=True)
def versions(as_json: bool) -> None:
    """Every version that came into force, newest first, with its author."""
    kept = _versions()
    history = kept.history()
    current = kept.current()
    # a version that was gone back to has two lines; the newer one is its time in force
    standing = next((n for n, one in enumerate(history) if one.version == current and not one.kept), None)
    if as_json:
        rows = [
            {
                "version": one.version,
                "at": iso(one.at),
                "author": one.author,
                "set_aside": one.kept,
                "files": kept.kept(one.version),
                "in_force": n == standing,
            }
            for n, one in enumerate(history)
        ]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    if not history:
        fail(f"no version is kept under {kept.folder}: it begins with the first `autocom up`")
    here, say = zone(), speech(SENTENCES)
    for n, one in enumerate(history):
        at = datetime.fromtimestamp(one.at, here)
        about = [say("set aside")] if one.kept else [say("in force")] if n == standing else []
        about += [] if kept.kept(one.version) else [say("gone")]
        what = ", ".join(about)
        click.echo(f"{at:%Y-%m-%d %H:%M:%S}  {one.version:<18}  {one.author:<20}  {what}".rstrip())


@click.command()
@click.argument("version", required=False)
@click.option("--author", "by", help="Who does it; left out: the system's user.")
def rollback(version: str | None, by: str | None) -> None:
    """Put the files of the former version (or of VERSION) back into the configuration folder, and apply them."""
    who = by or author()
    query = f"?author={quote(who, safe='')}" + (f"&version={quote(version, safe='')}" if version else "")
    answer = ask_if_running("POST", f"/v1/rollback{query}")
    if answer is None:
        _roll_back_alone(version, who)
        return
    for fault in answer["faults"]:
        click.echo(fault, err=True)
    if not answer["applied"]:
        click.echo(speech(SENTENCES)("refused"), err=True)
        raise SystemExit(1)
    _aside(answer["aside"])
    click.echo(speech(SENTENCES)("applied", version=answer["version"]))


def _roll_back_alone(version: str | None, who: str) -> None:
    from autocom import rolling  # noqa: PLC0415
    from autocom.config import ConfigurationRefused  # noqa: PLC0415

    now = datetime.now(tz=UTC).timestamp()
    try:
        done = rolling.roll_back(_versions(), settings().config, version, who, now)
    except LookupError as error:
        fail(str(error.args[0]))
    except ConfigurationRefused as refused:
        _refused(refused)
    except OSError as error:
        fail(f"the files cannot be put back: {error}")
    _aside(done.aside)
    click.echo(speech(SENTENCES)("back", version=done.version))


def _aside(name: str | None) -> None:
    if name is not None:
        click.echo(speech(SENTENCES)("aside", name=name))


@click.command()
@click.argument("old", required=False)
@click.argument("new", required=False)
@click.option(
    "--replay",
    is_flag=False,
    flag_value="yesterday",
    help="Also decide the journal's calls of that day (yesterday, today, 2026-11-20) by both.",
)
@click.option("--since", help="As --replay, from then until now: '2026-11-20 08:00', or a duration as 7d.")
@click.option("--json", "as_json", is_flag=True)
def diff(old: str | None, new: str | None, replay: str | None, since: str | None, as_json: bool) -> None:
    """What a change does, in words: between OLD and NEW, each a version or a folder.

    Left out: what is in force, and the configuration folder as it is."""
    from autocom import differences  # noqa: PLC0415

    kept = _versions()
    before = _read(
        kept, old or kept.current() or fail("nothing was in force yet: name a version or a folder")
    )
    after = _read(kept, new) if new else _read_folder(settings().config)
    language = settings().language or after.bureau.language
    found = differences.differences(before, after, language)
    moved = _replayed(before, after, replay, since, language) if replay or since else None
    if as_json:
        answer: dict[str, Any] = {
            "old": before.version,
            "new": after.version,
            "differences": [{"where": one.where, "text": one.text} for one in found],
        }
        if moved is not None:
            answer["replay"] = {"calls": moved.calls, "elsewhere": [dict(row) for row in moved.elsewhere]}
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    for sentence in differences.in_words(before.version, after.version, found, language):
        click.echo(sentence)
    if moved is not None:
        for sentence in moved.in_words(language, ZoneInfo(after.bureau.timezone)):
            click.echo(sentence)


def _read(kept: Versions, name: str) -> Configuration:
    from autocom import rolling  # noqa: PLC0415

    if Path(name).is_dir():
        return _read_folder(Path(name))
    try:
        version = kept.find(name)
    except LookupError as error:
        fail(str(error.args[0]))
    now = datetime.now(tz=UTC).timestamp()
    return _whole(lambda: rolling.load_beside(kept.path(version), settings().config, now)).configuration


def _read_folder(folder: Path) -> Configuration:
    from autocom.config import load  # noqa: PLC0415

    return _whole(lambda: load(folder, None, datetime.now(tz=UTC).year)).configuration


def _whole(read: Any) -> Loaded:
    from autocom.config import ConfigurationRefused  # noqa: PLC0415

    try:
        loaded: Loaded = read()
    except ConfigurationRefused as refused:
        _refused(refused)
    return loaded


def _replayed(
    before: Configuration, after: Configuration, day: str | None, since: str | None, language: str
) -> Any:
    from autocom.commands.journal import ask_journal, since_when  # noqa: PLC0415
    from autocom.config import plan_of  # noqa: PLC0415
    from autocom.journal import queries  # noqa: PLC0415
    from autocom.replay import replay  # noqa: PLC0415

    start, end = (
        (since_when(since), None) if since else _day(day or "yesterday", ZoneInfo(after.bureau.timezone))
    )
    calls = ask_journal(
        lambda engine: queries.calls(engine, since=start, until=end, limit=None, direction="in")
    )
    return replay(before, after, calls, plan_of(after.bureau.country), language)


def _day(word: str, here: ZoneInfo) -> tuple[float, float]:
    from datetime import date, time, timedelta  # noqa: PLC0415

    today = datetime.now(tz=here).date()
    try:
        known = {"today": today, "yesterday": today - timedelta(days=1)}
        day = known[word] if word in known else date.fromisoformat(word)
        start, end = (datetime.combine(d, time(), here).timestamp() for d in (day, day + timedelta(days=1)))
    except (ValueError, OverflowError):
        fail(f"--replay {word!r}: write yesterday, today or a date as 2026-11-20")
    return max(0.0, start), max(0.0, end)
