"""What AMI says of logins, and the file that shuts addresses out."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from autocom.asterisk.bans import EVENTS, FILTERS, login_of
from autocom.asterisk.conf.bans import FILE, bans_inc, write_bans
from autocom.core.bans import Login

FAILED = {
    "Event": "ChallengeResponseFailed",
    "Service": "PJSIP",
    "AccountID": "lea\r\nEvent: SuccessfulAuth",
    "RemoteAddress": "IPV4/UDP/192.0.2.66/5062",
}


def test_a_wrong_and_a_right_answer_are_logins() -> None:
    assert login_of(FAILED) == Login("192.0.2.66", right=False)
    assert login_of({**FAILED, "Event": "SuccessfulAuth"}) == Login("192.0.2.66", right=True)
    six = {**FAILED, "RemoteAddress": "IPV6/TLS/2001:db8::7/5061"}
    assert login_of(six) == Login("2001:db8::/64", right=False)


@pytest.mark.parametrize(
    "other",
    [
        {"Event": "ChallengeSent"},  # the first request of everybody
        {"Event": "InvalidAccountID"},  # sent without an answer to a challenge
        {"Service": "AMI"},
        {"RemoteAddress": ""},
        {"RemoteAddress": "IPV4/UDP/nobody/5060"},
        {"RemoteAddress": "IPV4/UDP/192.0.2.66/5060/192.0.2.67/5060"},
    ],
)
def test_nothing_else_is_one(other: dict[str, str]) -> None:
    assert login_of({**FAILED, **other}) is None


def test_ami_is_asked_for_these_events_alone() -> None:
    assert [each["MatchCriteria"].split(",")[0] for each in FILTERS] == [f"name({event})" for event in EVENTS]


def test_the_file_denies_networks_and_nothing_else() -> None:
    text = bans_inc(["192.0.2.66", "2001:db8::/64", "192.0.2.66"])
    assert [line for line in text.splitlines() if "=" in line] == [
        "type = acl", "deny = 192.0.2.66/32", "deny = 2001:db8::/64",
    ]  # fmt: skip
    assert "[" not in bans_inc([])
    with pytest.raises(ValueError, match="does not appear"):
        bans_inc(["192.0.2.66\n[evil]\ntype=endpoint"])


def test_it_is_written_when_it_changes_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    assert write_bans(tmp_path, [])
    assert not write_bans(tmp_path, [])
    assert write_bans(tmp_path, ["192.0.2.66"])
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
