"""The named tokens of the API, as they lie in the state folder."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from autocom.commands.tokens import CHOICES, token
from autocom.tokens import FILE, ROLES, TokenFile, digest
from autocom.web.roles import Holder


def test_a_token_is_known_by_its_digest_alone_and_says_who_it_is(tmp_path: Path) -> None:
    file = TokenFile(tmp_path)
    token = file.add("tableau", "reader", (), 1.0)
    limited = file.add("cab-lilas", "lead", ("lilas", "lilas"), 1.0)
    assert file.holder(token) == Holder("tableau", "reader")
    assert TokenFile(tmp_path).holder(limited) == Holder("cab-lilas", "lead", frozenset({"lilas"}))
    text = (tmp_path / FILE).read_text()
    assert token not in text
    assert digest(token) in text
    assert len(token) >= 40
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_token_that_is_taken_away_is_good_for_nothing_at_once_also_in_a_running_exchange(
    tmp_path: Path,
) -> None:
    running, command = TokenFile(tmp_path), TokenFile(tmp_path)
    token = command.add("tableau", "reader", (), 1.0)
    assert running.holder(token) is not None
    command.remove("tableau")
    assert running.holder(token) is None
    (tmp_path / FILE).unlink()
    assert running.holder(token) is None
    with pytest.raises(LookupError):
        command.remove("tableau")


def test_who_does_not_run_the_exchange_writes_no_file_that_it_could_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOCOM_STATE", str(tmp_path))
    given = CliRunner().invoke(token, ["add", "tableau", "--role", "reader"])
    assert given.exit_code == 0, given.output
    before = (tmp_path / FILE).read_bytes()
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    for command in (["add", "other", "--role", "reader"], ["remove", "tableau"]):
        given = CliRunner().invoke(token, command)
        assert given.exit_code == 1
        assert f"{tmp_path} belongs to " in given.output
        assert "run it as " in given.output
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize("name", ["", "a b", "../x", "Léa", "a" * 33, "-a", "a\n"])
def test_a_name_is_plain(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        TokenFile(tmp_path).add(name, "reader", (), 1.0)


def test_a_name_is_given_once(tmp_path: Path) -> None:
    file = TokenFile(tmp_path)
    file.add("tableau", "reader", (), 1.0)
    with pytest.raises(ValueError, match="already"):
        file.add("tableau", "admin", (), 1.0)


GOOD = {"name": "x", "role": "admin", "sha256": digest("t"), "clients": None}


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "{}", "[1]", '[{"name": "x"}]',
        json.dumps([{**GOOD, "role": "root"}]),
        json.dumps([{**GOOD, "clients": []}]),  # a limit that names nobody is not no limit
        json.dumps([{**GOOD, "clients": "lilas"}]),
        json.dumps([{**GOOD, "sha256": ""}]),
        json.dumps([GOOD, {**GOOD, "name": 1}]),
    ],
)  # fmt: skip
def test_a_damaged_file_opens_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    file = TokenFile(tmp_path)
    assert file.holder("t") is None
    assert file.holder("") is None
    with pytest.raises(ValueError, match="is damaged: remove it"):
        file.rows()


def test_a_file_that_cannot_be_read_for_a_moment_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = TokenFile(tmp_path)
    token = file.add("tableau", "reader", (), 1.0)

    def refused(_: object) -> bytes:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as full:
        full.setattr(Path, "read_bytes", refused)
        assert file.holder(token) is None
    assert file.holder(token) == Holder("tableau", "reader")


def test_a_text_that_is_no_unicode_is_nobodys_token(tmp_path: Path) -> None:
    TokenFile(tmp_path).add("tableau", "reader", (), 1.0)
    assert TokenFile(tmp_path).holder("\udcff") is None


def test_the_command_offers_every_role_and_the_page_explains_it() -> None:
    assert CHOICES == ROLES
    page = (Path(__file__).parents[1] / "docs" / "security.md").read_text(encoding="utf-8")
    assert all(f"| `{role}` | " in page for role in ROLES)
