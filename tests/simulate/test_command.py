"""`autocom simulate` as it is typed: the example bureau, what it writes, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from autocom.cli import main
from autocom.config import load, stock_folder
from autocom.simulate.measure import MeasuringShelf
from tests.support.tones import sine, write_wav

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ["--config", str(ROOT / "config"), "--day", "2026-11-23", "--seeds", "2"]


def simulated(*words: str) -> Result:
    return CliRunner().invoke(main, ["simulate", *words])


def test_the_example_bureau_is_simulated_in_its_language():
    found = simulated(*EXAMPLE, "--calls", "300")
    assert found.exit_code == 0, found.output
    assert "lundi 2026-11-23" in found.stdout
    for word in ("cab-lilas", "technical", "sofia", "Erlang C", "Ensemble", "09:30"):
        assert word in found.stdout


def test_the_same_words_give_the_same_answer():
    first, again = (simulated(*EXAMPLE, "--calls", "200", "--json") for _ in range(2))
    assert first.stdout == again.stdout
    said = json.loads(first.stdout)
    assert (said["seeds"], said["goal"], said["zone"]) == (2, 0.8, "Europe/Paris")


def test_a_holiday_is_a_closed_day():
    said = json.loads(
        simulated(*EXAMPLE[:2], "--day", "2026-12-25", "--calls", "300", "--seeds", "2", "--json").stdout
    )
    assert said["clients"]["cab-lilas"]["wanted"] == 0
    assert said["clients"]["plomberie-azur"]["wanted"] > 0


def test_what_secretaries_more_would_change_is_compared():
    found = simulated(*EXAMPLE, "--calls", "1000", "--secretaries", "+3:medical", "--json")
    changes = json.loads(found.stdout)["changes"]
    level = next(c for c in changes if (c["group"], c["figure"]) == ("total", "service_level"))
    assert level["difference"] > 0.02


def test_another_folder_is_compared(tmp_path):
    other = tmp_path / "other"
    shutil.copytree(ROOT / "config", other)
    bureau = other / "bureau.yaml"
    text = bureau.read_text(encoding="utf-8")
    bureau.write_text(
        text.replace("{widen: [{after: 20s, to: general}]}", "{widen: [{after: 0s, to: general}]}"),
        encoding="utf-8",
    )
    found = simulated(*EXAMPLE, "--calls", "600", "--against", str(other), "--lang", "en")
    assert found.exit_code == 0, found.output
    assert "Compared, the same callers" in found.stdout
    assert "medical: Service level" in found.stdout


def test_a_profile_is_followed_and_files_are_written(tmp_path):
    path = tmp_path / "monday.yaml"
    path.write_text('calls: 200\nshifts: {lea: "08:00-18:00"}\nno_answer: 5\n', encoding="utf-8")
    out = tmp_path / "made" / "here"
    found = simulated(*EXAMPLE, "--profile", str(path), "--out", str(out), "--aht", "60s", "--patience", "2m")
    assert found.exit_code == 0, found.output
    said = json.loads((out / "figures.json").read_text(encoding="utf-8"))
    assert list(said["secretaries"]) == ["lea"]
    assert said["patience"] == pytest.approx(120.0)
    assert {path.suffix for path in out.iterdir()} == {".csv", ".json", ".svg"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--day", "23/11/2026"], "--day 23/11/2026: write it as 2026-11-23"),
        (["--day", "2026-02-30"], "--day 2026-02-30: write it as 2026-11-23"),
        (["--from-journal", "yesterday"], "--from-journal yesterday: write it as 2026-11-23"),
        (
            ["--from-journal", "2026-11-23", "--calls", "3"],
            "--from-journal takes day, calls, times and shifts",
        ),
        (["--resample"], "--resample needs --from-journal"),
        (["--secretaries", "two"], "--secretaries two: write +2:medical or -1:medical"),
        (["--secretaries", "+1:dental"], "there is no team dental: medical, legal, technical, general"),
        (["--profile", "none.yaml"], "none.yaml:1:1: cannot be read"),
        (["--config", "nowhere"], "nowhere:1:1:"),
        (["--against", "nowhere"], "nowhere:1:1:"),
        (["--out", "/proc/none"], "--out /proc/none:"),
    ],
)
def test_what_is_wrong_is_one_clear_line(words, said):
    config = [] if "--config" in words else EXAMPLE[:2]
    found = simulated(*config, "--seeds", "1", *(["--calls", "5"] if "--out" in words else []), *words)
    assert found.exit_code == 1
    assert said in found.stderr
    assert "Traceback" not in found.output


@pytest.mark.parametrize(
    "words",
    [
        ["--seeds", "0"],
        ["--aht", "two"],
        ["--aht", "0s"],
        ["--calls", "-1"],
        ["--lang", "de"],
        ["--goal", "100"],
    ],
)
def test_what_is_no_value_is_refused_by_its_option(words):
    found = simulated(*EXAMPLE[:2], *words)
    assert found.exit_code == 2
    assert words[0] in found.stderr


def test_messages_are_as_long_as_they_are_to_hear(tmp_path):
    folder = tmp_path / "config"
    shutil.copytree(ROOT / "config", folder)
    write_wav(folder / "sounds" / "bip.wav", sine(440, 2.5))
    (folder / "sounds" / "raw.alaw").write_bytes(b"\x55" * 12_000)
    (folder / "sounds" / "broken.flac").write_bytes(b"no flac")
    shelf = MeasuringShelf(folder / "sounds", stock_folder())
    load(folder, shelf, 2026)
    assert shelf.sound("bip", "fr").seconds == pytest.approx(2.5, abs=0.01)
    assert shelf.sound("raw", "fr").seconds == 1.5
    assert shelf.sound("broken", "fr").seconds == 0.0
    assert shelf.say("Bonjour, ne quittez pas, nous vous répondons.", "fr").seconds == pytest.approx(
        2.6, abs=0.2
    )
