"""Calls that the dialplan served without us: each comes into the journal once, and what is none of ours only once to the eye."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from autocom import fallback
from autocom.config import load, plan_of
from autocom.core.model import Configuration
from autocom.journal.log import LocalLog

CONFIG = Path(__file__).parents[1] / "config"
PLAN = plan_of("FR")


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load(CONFIG, None, 2026).configuration


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[LocalLog]:
    log = LocalLog(tmp_path / "journal.sqlite")
    yield log
    log.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "fallback"
    made.mkdir()
    return made


def served(folder: Path, channel: str, **variables: str) -> None:
    """What `dialplan/record_fallback.py` writes."""
    about = {
        "AUTOCOM_TRUNK": "operator",
        "AUTOCOM_REQUEST_USER": "0199001001",
        "AUTOCOM_FROM": "<sip:0639980101@operator.example>",
        "AUTOCOM_DIVERSIONS": "1",
        "AUTOCOM_DIVERSION_1": "<sip:0261912010@operator.example>;reason=no-answer",
        "AUTOCOM_ENTERED": "1795000000",
        **variables,
    }
    record = {"version": 1, "channel": channel, "ended_at": 1_795_000_030.5, "variables": about}
    (folder / f"{channel}.json").write_text(json.dumps(record))


def kinds(journal: LocalLog) -> list[str]:
    return [entry.kind for _, entry in journal.read(0, 100)]


def test_a_call_is_written_once_and_its_file_is_gone(
    folder: Path, journal: LocalLog, configuration: Configuration
) -> None:
    talked = {"DIALSTATUS": "ANSWER", "DIALEDPEERNAME": "PJSIP/lea-00000003", "ANSWEREDTIME": "12"}
    served(folder, "1795000000.7", **talked)
    assert fallback.take_in(folder, journal, configuration, PLAN) == 1
    assert kinds(journal) == ["arrived", "identified", "bridged", "talk_ended", "ended"]
    assert list(folder.iterdir()) == []
    who = journal.read(1, 1)[0][1].fields
    assert (who["client"], who["caller"]) == ("cab-lilas", "+33639980101")
    assert who["diversions"] == [{"number": "0261912010", "reason": "no-answer", "counter": 1}]
    served(folder, "1795000000.7", **talked)  # its file came back: killed between the two
    fallback.take_in(folder, journal, configuration, PLAN)
    assert len({entry.call for _, entry in journal.read(0, 100)}) == 1
    assert fallback.take_in(folder, journal, configuration, PLAN) == 0


def test_a_call_whose_story_crashed_has_its_record_already(
    folder: Path, journal: LocalLog, configuration: Configuration
) -> None:
    journal.save(floor={"fallback:1795000000.7": "c1", "other": 1})
    served(folder, "1795000000.7")
    fallback.take_in(folder, journal, configuration, PLAN)
    assert kinds(journal) == []
    assert journal.stored().floor == {"other": 1}
    assert list(folder.iterdir()) == []


def test_a_file_that_is_none_of_ours_is_put_aside_and_told_once(
    folder: Path, journal: LocalLog, configuration: Configuration
) -> None:
    (folder / "0.json").write_text("[]")
    served(folder, "1795000000.7")
    with capture_logs() as said:
        assert fallback.take_in(folder, journal, configuration, PLAN) == 1
        assert fallback.take_in(folder, journal, configuration, PLAN) == 0
    assert [line["file"] for line in said if "unreadable" in line["event"]] == ["0.json"]
    assert [path.name for path in folder.iterdir()] == ["0.unreadable"]
