"""Kept versions of the configuration, and the way back, without any exchange."""

from __future__ import annotations

import stat
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import autocom
from autocom import rolling, versions
from autocom.config import ConfigurationRefused, load
from autocom.exchange import RunningExchange
from autocom.versions import NoSuchVersion, Versions, files_of, put_back

BUREAU = """\
bureau: {name: Essai, number: "+33199001000", country: FR, timezone: Europe/Paris, language: fr, holidays: FR, unknown_client: accueil}
teams: {medical: {}}
secretaries: [{id: lea, name: Léa, extension: "201", password: "${LEA:-secret}", teams: {medical: 1}}]
"""
CLIENT = """\
id: accueil
name: Accueil
profile: general
numbers: [{did: "+33199001001"}]
hours: {mon-fri: ["08:00-12:00"]}
rules: [{name: open, do: [{play: {sound: ici}}, {queue: {team: medical}}]}]
"""
FIRST = {"bureau.yaml": BUREAU, "clients/accueil.yaml": CLIENT}
SECOND = FIRST | {
    "clients/accueil.yaml": CLIENT.replace("12:00", "13:00"),
    "clients/lilas.yaml": CLIENT.replace("accueil", "lilas").replace("1001", "1002"),
}


@pytest.fixture
def kept(tmp_path: Path) -> Versions:
    return Versions(tmp_path / "state")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "config"
    (made / "clients").mkdir(parents=True)
    (made / "sounds").mkdir()
    (made / "sounds" / "ici.wav").write_bytes(b"")
    (made / "notes.txt").write_text("mine")
    put_back(made, FIRST)
    return made


def test_a_version_is_kept_readable_by_its_owner_only_and_listed_newest_first(kept: Versions) -> None:
    kept.note("v1", "start", 10.0, FIRST)
    kept.note("v2", "chef", 20.0, SECOND)
    kept.note("v2", "start", 30.0, SECOND)
    assert [(one.version, one.author, one.at) for one in kept.history()] == [
        ("v2", "chef", 20.0),
        ("v1", "start", 10.0),
    ], "the same one again after a restart is no new line"
    assert files_of(kept.path("v2")) == SECOND
    assert kept.current() == "v2"
    assert kept.former() == "v1"
    for path in kept.folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_files_that_did_not_change_are_kept_once(kept: Versions) -> None:
    kept.note("v1", "start", 10.0, FIRST)
    kept.note("v2", "chef", 20.0, SECOND)
    one, other = (kept.path(version) / "bureau.yaml" for version in ("v1", "v2"))
    assert one.samefile(other)
    assert not (kept.path("v1") / "clients/accueil.yaml").samefile(kept.path("v2") / "clients/accueil.yaml")


def test_a_version_is_found_by_the_beginning_of_its_name(kept: Versions) -> None:
    kept.note("abc1", "start", 10.0, FIRST)
    kept.note("abd2", "chef", 20.0, SECOND)
    assert kept.find("abc") == "abc1"
    for name in ("ab", "x", ""):
        with pytest.raises(NoSuchVersion):
            kept.find(name)


def test_a_line_cut_off_by_a_crash_is_passed_over(kept: Versions) -> None:
    kept.note("v1", "start", 10.0, FIRST)
    with (kept.folder / "history.jsonl").open("a") as history:
        history.write('{"version": "v2", "auth')
    assert [one.version for one in kept.history()] == ["v1"]


def test_the_oldest_files_go_and_the_history_stays(kept: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "MOST_KEPT", 3)
    for n in range(6):
        kept.note(f"v{n}", "chef", float(n), FIRST | {"bureau.yaml": f"# {n}"})
    assert len(kept.history()) == 6
    assert [n for n in range(6) if kept.kept(f"v{n}")] == [3, 4, 5]


def test_nothing_is_known_before_the_first_version(kept: Versions) -> None:
    assert kept.history() == []
    assert kept.current() is None
    assert kept.former() is None


def test_rolling_back_puts_the_former_files_back_and_twice_is_there_and_back(
    kept: Versions, folder: Path
) -> None:
    kept.note("v1", "start", 10.0, FIRST)
    put_back(folder, SECOND)
    kept.note("v2", "chef", 20.0, SECOND)
    done = rolling.roll_back(kept, folder, None, "chef", 30.0)
    assert (done.version, done.aside) == ("v1", None)
    assert files_of(folder) == FIRST
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "sounds" / "ici.wav").exists()
    rolling.undo(folder, done)
    assert files_of(folder) == SECOND
    kept.note("v1", "rollback", 31.0, FIRST)
    assert kept.former() == "v2"


def test_what_was_never_in_force_is_set_aside_before_it_is_replaced(kept: Versions, folder: Path) -> None:
    kept.note("v1", "start", 10.0, FIRST)
    torn = FIRST | {"clients/accueil.yaml": "{{{ \udcff not yaml"}
    put_back(folder, torn)
    done = rolling.roll_back(kept, folder, "v1", "chef", 30.0)
    assert done.aside is not None
    assert files_of(kept.path(done.aside)) == torn
    assert files_of(folder) == FIRST
    assert kept.current() == "v1", "what was set aside was not in force"
    assert kept.find(done.aside[:8]) == done.aside


def test_a_version_that_check_would_refuse_today_changes_nothing(kept: Versions, folder: Path) -> None:
    kept.note("v1", "start", 10.0, FIRST)
    put_back(folder, SECOND)
    kept.note("v2", "chef", 20.0, SECOND)
    (folder / "sounds" / "ici.wav").unlink()
    with pytest.raises(ConfigurationRefused) as refused:
        rolling.roll_back(kept, folder, None, "chef", 30.0)
    assert "v1" in str(refused.value.faults[0])
    assert files_of(folder) == SECOND


def test_without_a_former_version_there_is_no_way_back(kept: Versions, folder: Path) -> None:
    with pytest.raises(NoSuchVersion):
        rolling.roll_back(kept, folder, None, "chef", 30.0)


def test_a_kept_version_is_the_version_that_was_in_force(kept: Versions, folder: Path) -> None:
    loaded = load(folder, None, 2026)
    kept.note(loaded.configuration.version, "start", 10.0, versions.relative(loaded.files, folder))
    again = rolling.load_beside(kept.path(loaded.configuration.version), folder, 1_790_000_000.0)
    assert again.configuration == loaded.configuration


async def test_what_the_first_rollback_loads_is_loaded_beside_the_calls_loop(
    kept: Versions, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    class Watch:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "autocom.rolling":
                threads.append(threading.current_thread())

    monkeypatch.delitem(sys.modules, "autocom.rolling")
    monkeypatch.delattr(autocom, "rolling")
    monkeypatch.setattr(sys, "meta_path", [Watch(), *sys.meta_path])
    board: Any = SimpleNamespace(ports=SimpleNamespace(clock=SimpleNamespace(now=lambda: 30.0)))
    source: Any = SimpleNamespace(folder=folder)
    nothing: Any = None
    with pytest.raises(LookupError):
        await RunningExchange(board, nothing, source, nothing, kept).rollback("v9", "chef")
    assert threads
    assert threading.main_thread() not in threads
