"""Names, numbers and texts of strangers at every place where one could become a path, a line, a header or a command.

What each room does with them is tested beside it; here the same hostile texts go through all of them, the newest
included: a text that has a meaning somewhere is refused or stays a text.
"""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.asterisk.conf import Unwritable
from autocom.asterisk.conf.bans import bans_inc
from autocom.asterisk.conf.text import HOST, name, quoted, section, value
from autocom.config.sounds import AudioRefused, SoundFinder
from autocom.core.bans import source_of
from autocom.core.faults import fault
from autocom.core.naming import call_of_recording, call_of_tape
from autocom.shelf import Shelf
from autocom.tokens import TokenFile
from autocom.versions import NoSuchVersion, Versions

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = (
    "", ".", "..", "../x", "../../etc/passwd", "/etc/passwd", "a/../../b", "~root", "x\0y", "x\ny", "x\r\nX-Evil: 1",
    "${SHELL(id)}", "$[1+1]", "`id`", "$(id)", "a,b", "a&PJSIP/b", "a|b", "a;b", "%0d%0a", "\u202e\u2028\x85", '"',
    "\\", "'; DROP TABLE calls;--", "-rf", "{text}", "%s%n", "x" * 5000, "caf\udce9", "\x1b]0;x\x07",
)  # fmt: skip
ANY = st.text(max_size=60) | st.sampled_from(HOSTILE)


# --- paths -----------------------------------------------------------------------------------


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file beside what may be read."""
    (tmp_path / "secret.wav").write_bytes(b"RIFF")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "good.wav").write_bytes(b"RIFF")
    (inside / "link.wav").symlink_to(tmp_path / "secret.wav")
    (inside / "out").symlink_to(tmp_path)
    return inside


@pytest.mark.parametrize("text", [*HOSTILE, "../secret", "link", "out/secret", "inside/../../secret"])
def test_a_sounds_name_never_leads_out_of_its_folder(secret: Path, text: str) -> None:
    finder = SoundFinder(secret, secret)
    assert finder.sound("good", "fr") == secret / "good.wav"
    with pytest.raises(AudioRefused):
        finder.sound(text, "fr")
    try:
        found = finder.music(text, "fr")
    except AudioRefused:
        return
    assert found == (secret / "good.wav",)  # no name at all: the folder itself


@pytest.mark.parametrize("text", [*HOSTILE, "../secret", "good"])
def test_a_recordings_name_is_never_a_path(secret: Path, text: str) -> None:
    for call_of in (call_of_recording, call_of_tape):
        shelf = Shelf(secret, ".wav", call_of)
        with pytest.raises(ValueError, match="no name of a recording"):
            shelf.path(text)


@pytest.mark.parametrize("text", [*HOSTILE, "../secret"])
def test_a_versions_name_finds_a_version_or_nothing(tmp_path: Path, text: str) -> None:
    versions = Versions(tmp_path)
    versions.note("a1b2c3", "x", 1.0, {"bureau.yaml": "bureau: {}"})
    versions.note("d4e5f6", "x", 2.0, {"bureau.yaml": "bureau: {x: y}"})
    with pytest.raises((NoSuchVersion, ValueError)):
        versions.find(text)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["versions"]


# --- Asterisk's files ------------------------------------------------------------------------


@given(ANY, ANY)
def test_no_text_becomes_a_line_of_its_own_in_a_generated_file(key: str, text: str) -> None:
    try:
        made = section("phone", [("callerid", quoted(text)), ("set_var", value(key, "a test"))])
    except (Unwritable, UnicodeEncodeError):
        return
    assert len(made.splitlines()) <= 3 or any(c in made for c in "\x85\u2028\u2029\x1c\x1d\x1e\x0b\x0c")
    assert made.count("\n") == 3
    assert "\r" not in made


@given(ANY)
def test_no_text_becomes_an_identifier_with_a_meaning(text: str) -> None:
    try:
        name(text, "a test")
    except Unwritable:
        return
    assert not set(text) & set(" \t\r\n[](),;&|$\"\\/<>{}'`%~")


@given(ANY)
def test_no_host_reaches_further_than_a_host(text: str) -> None:
    if HOST.fullmatch(text):
        assert not set(text) & set(" \t\r\n,;&|$\"\\/<>{}()'`%~@?")


@given(ANY)
def test_no_text_is_shut_out_but_an_address(text: str) -> None:
    source = source_of(text)
    if source is None:
        with pytest.raises(ValueError):
            bans_inc([text + "x"])
    else:
        assert bans_inc([source]).count("deny = ") == 1


# --- the dialplan's own script -----------------------------------------------------------------


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("standby_route", ROOT / "dialplan" / "standby_route.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@given(text=ANY)
def test_what_the_standby_script_tells_asterisk_is_one_command_with_one_value(
    script: ModuleType, text: str
) -> None:
    out, asterisk = io.StringIO(), sys.stdin
    sys.stdin = io.StringIO("200 result=1\n")
    try:
        with redirect_stdout(out):
            script.tell("AUTOCOM_SHOWN", text)
    finally:
        sys.stdin = asterisk
    said = out.getvalue()
    assert said.count("\n") == 1
    inside = said.removeprefix('SET VARIABLE AUTOCOM_SHOWN "').removesuffix('"\n')
    assert said == f'SET VARIABLE AUTOCOM_SHOWN "{inside}"\n'
    # as Asterisk reads a quoted word: a backslash takes the next character, a quote ends it
    at = 0
    while at < len(inside):
        assert inside[at] != '"', inside
        at += 2 if inside[at] == "\\" else 1
    assert at == len(inside)


# --- lines of logs and of the journal --------------------------------------------------------

TELL = """
import json, sys
import structlog
from autocom import logs
logs.set_up("info", sys.argv[1])
for text in json.load(sys.stdin):
    structlog.get_logger().warning("event", text=text, why=f"a {text!r}")
"""


@pytest.mark.parametrize("form", ["json", "console"])
def test_one_event_is_one_line_whatever_is_in_it(form: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TELL, form],
        input=json.dumps(HOSTILE),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"},
    )
    assert done.returncode == 0, done.stderr
    lines = done.stderr.rstrip("\n").split("\n")
    assert len(lines) == len(HOSTILE)
    assert all(line.replace("\x1b", "").isprintable() for line in lines)
    if form == "json":
        assert [json.loads(line)["event"] for line in lines] == ["event"] * len(HOSTILE)


@given(ANY, ANY)
def test_a_fault_is_one_short_line(where: str, detail: str) -> None:
    fields = fault(1.0, "banned", where, detail).fields
    for key in ("where", "detail"):
        assert str(fields[key]).isprintable()
        assert len(str(fields[key])) <= 300


@pytest.mark.parametrize("text", HOSTILE)
def test_no_name_of_a_token_is_more_than_a_word(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match="a name is"):
        TokenFile(tmp_path).add(text, "reader", (), 1.0)
    assert list(tmp_path.iterdir()) == []
