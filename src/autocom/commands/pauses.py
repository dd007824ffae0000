"""`pauses`: what pauses were taken, by whom and why, and which were over their quota.

Read from the journal, with the quotas of the configuration as it is now; needs no running exchange. What
is counted how is `core.pause_report`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from autocom.commands.configuration import read_folder
from autocom.commands.journal import ask_journal, since_when
from autocom.commands.shared import language, settings, speech, zone
from autocom.speech import Speech

SENTENCES = {
    "line": (
        "{secretary:<12} {reason:<12} {times:>9}  {total:>9} en tout  la plus longue {longest:>9}{over}",
        "{secretary:<12} {reason:<12} {times:>10}  {total:>9} in all  longest {longest:>9}{over}",
    ),
    "over": ("   au-delà de ce qui est permis {times}", "   over its quota {times}"),
    "none": ("aucune pause depuis le {since}", "no pause since {since}"),
}

if TYPE_CHECKING:
    from autocom.core.pause_report import PauseLine


@click.command()
@click.option("--since", default="7d", show_default=True, help="'YYYY-MM-DD [HH:MM]', or a duration as 2h.")
@click.option("--secretary", help="Only hers, by her id.")
@click.option("--json", "as_json", is_flag=True)
def pauses(since: str, secretary: str | None, as_json: bool) -> None:
    """Pauses by secretary and reason: how many, how long, how often over the quota."""
    from autocom.core import pause_report  # noqa: PLC0415
    from autocom.journal import queries  # noqa: PLC0415

    bureau = read_folder(settings().config).configuration.bureau
    start, now = since_when(since), datetime.now(tz=UTC).timestamp()
    states = ask_journal(lambda engine: queries.states(engine, since=start, secretary=secretary))
    seen = (pause_report.Seen(*state) for state in states)
    lines = pause_report.report(pause_report.pauses(seen), bureau.quotas, bureau.timezone, now)
    for line in lines:
        click.echo(json.dumps(_object(line), ensure_ascii=False) if as_json else text(line, language()))
    if not lines and not as_json:
        since = f"{datetime.fromtimestamp(start, zone()):%Y-%m-%d %H:%M}"
        click.echo(speech(SENTENCES)("none", since=since))


def _object(line: PauseLine) -> dict[str, object]:
    return {
        "secretary": line.secretary,
        "reason": line.reason,
        "times": line.times,
        "total_s": round(line.total),
        "longest_s": round(line.longest),
        "over": {"longest": line.over_longest, "a_day": line.over_a_day, "times": line.over_times},
    }


def text(line: PauseLine, language: str) -> str:
    """One line of the report for a terminal."""
    say = Speech(SENTENCES, language)
    return say(
        "line",
        secretary=line.secretary,
        reason=line.reason,
        times=say.count(line.times, "time"),
        total=_length(line.total),
        longest=_length(line.longest),
        over=say("over", times=say.count(line.over, "time")) if line.over else "",
    )


def _length(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
