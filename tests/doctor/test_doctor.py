"""Each check of `autocom doctor` on an installation in which just that is broken, and on one that is well."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from autocom.asterisk.clock import SteadyClock
from autocom.calls.inspection import WORDS
from autocom.commands import doctor as command
from autocom.config import alaw
from autocom.doctor import bureau as of_the_bureau
from autocom.doctor import (
    clocks,
    complaints,
    database,
    doors,
    folder,
    letters,
    papers,
    phones,
    program,
    rounds,
    telephone,
    trunks,
)
from autocom.doctor.findings import Finding, ok, same
from autocom.doctor.patient import Patient
from autocom.phones.certificates import DAY, own
from autocom.rescue import card as rescue_card
from tests.doctor.ward import Asterisk, asterisk, found, locked, occupied, patient
from tests.support.bureau import Bureau, queue
from tests.support.exchange import COMMAND
from tests.support.mail_server import MailServer
from tests.support.ports import free_port
from tests.support.postgres import execute, fresh_database

STATUS: dict[str, Any] = {
    "calls": 2,
    "config_version": "v0",
    "configuration_refused": None,
    "database": {"state": "up", "behind": 0},
    "secretaries": [{"id": "lea", "registered": True, "logged_in": True}],
}


# --- program


async def test_an_old_python_is_bad(bureau: Bureau) -> None:
    ill = await patient(bureau)
    assert (await found(program.python, ill))[0] == "ok"
    assert await found(program.python, replace(ill, python=(3, 10))) == (
        "bad",
        "Python 3.10 → install Python 3.11 or newer, then `make setup`",
    )


async def test_packages_that_differ_from_the_lock_are_bad(bureau: Bureau, tmp_path: Path) -> None:
    ill = await patient(bureau)
    assert (await found(program.packages, ill))[0] == "ok"
    lock = locked(tmp_path / "checkout", "click==0.0.1", "no-such-package==1.0")
    level, words = await found(program.packages, replace(ill, root=lock))
    assert level == "bad"
    assert "2 packages differ" in words
    assert "no-such-package –/1.0" in words


async def test_an_exchange_that_does_not_run_is_a_warning_and_a_deaf_one_is_bad(bureau: Bureau) -> None:
    ill = await patient(bureau)
    assert (await found(program.service, ill))[0] == "warn"
    assert (await found(program.service, replace(ill, alive=True)))[0] == "bad"
    assert (await found(program.service, replace(ill, alive=True, status=STATUS)))[0] == "ok"


async def test_what_the_exchange_itself_says_is_wrong_is_repeated(bureau: Bureau) -> None:
    ill = replace(await patient(bureau), alive=True, status=STATUS)
    assert (await found(program.alerts, ill))[0] == "ok"
    texts = {language: {"title": "Trunk {x} is down", "sentence": "…"} for language in ("fr", "en")}
    level, words = await found(program.alerts, replace(ill, status={**STATUS, "alerts": [{"text": texts}]}))
    assert level == "warn"
    assert words.startswith("1: Trunk {x} is down → ")


async def test_who_may_not_see_the_lock_is_not_told_that_nothing_runs(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    bureau.state.mkdir(parents=True, exist_ok=True)
    (bureau.state / "lock").touch(mode=0)
    monkeypatch.setattr(os, "getuid", lambda: bureau.state.stat().st_uid + 1)
    monkeypatch.setattr(os, "access", lambda *_: False)
    ill = await patient(bureau)
    level, words = await found(program.service, ill)
    assert (level, "autocom up" in words) == ("warn", False)
    with occupied(socket.SOCK_DGRAM) as port:
        assert await doors.sip_udp(await patient(bureau, sip_bind=f"127.0.0.1:{port}")) is None


async def test_where_asterisk_runs_elsewhere_nobody_is_sent_to_start_a_private_one(bureau: Bureau) -> None:
    far = await patient(bureau, ari_url="http://127.0.0.1:8088", ari_user="u", ari_password="p")
    assert "autocom up" not in (await found(program.service, far))[1]


async def test_a_rescuer_is_known_by_its_lock_and_where_none_is_the_advice_fits_who_keeps_it(
    bureau: Bureau, tmp_path: Path
) -> None:
    ill = replace(await patient(bureau), alive=True)
    level, words = await found(program.rescuer, ill)
    assert (level, "rescuer.log" in words) == ("warn", True)
    far = await patient(bureau, ari_url="http://127.0.0.1:8088", ari_user="u", ari_password="p")
    assert "systemctl start autocom-rescue" in (await found(program.rescuer, replace(far, alive=True)))[1]
    assert await program.rescuer(replace(ill, alive=False)) is None
    held = rescue_card.lock(bureau.state, "1.0")
    assert held is not None
    with held:
        # of another container: here this pid is nobody's
        held.truncate(0)
        held.write("4194305 1.0\n")
        held.flush()
        assert (await found(program.rescuer, ill))[0] == "ok"
        link = tmp_path / "link"
        link.symlink_to(bureau.state)
        assert (await found(program.rescuer, replace(await patient(bureau, state=link), alive=True)))[
            0
        ] == "ok"
    assert (await found(program.rescuer, ill))[0] == "warn"


# --- bureau


async def test_a_configuration_with_faults_is_bad_and_tells_the_first(bureau: Bureau) -> None:
    assert (await found(of_the_bureau.configuration, await patient(bureau)))[0] == "ok"
    (bureau.config / "bureau.yaml").write_text("bureau: {name: 5\n")
    level, words = await found(of_the_bureau.configuration, await patient(bureau))
    assert level == "bad"
    assert "bureau.yaml:" in words


async def test_a_folder_that_is_not_in_force_is_a_warning(bureau: Bureau) -> None:
    ill = replace(await patient(bureau), alive=True, status=STATUS)
    assert ill.configuration is not None
    level, words = await found(of_the_bureau.in_force, ill)
    assert (level, "in force v0" in words) == ("warn", True)
    refused = STATUS | {"configuration_refused": {"first": "bureau.yaml:1:1: no"}}
    assert "bureau.yaml:1:1" in (await found(of_the_bureau.in_force, replace(ill, status=refused)))[1]
    same_one = STATUS | {"config_version": ill.configuration.version}
    assert (await found(of_the_bureau.in_force, replace(ill, status=same_one)))[0] == "ok"


async def test_a_recording_that_cannot_be_decoded_is_bad(bureau: Bureau) -> None:
    assert (await found(of_the_bureau.sounds, await patient(bureau)))[0] == "ok"
    (bureau.config / "sounds" / "broken.wav").write_bytes(b"RIFF no sound")
    level, words = await found(of_the_bureau.sounds, await patient(bureau))
    assert (level, "broken.wav" in words) == ("bad", True)


async def test_recordings_are_looked_at_for_as_long_as_there_is_time_and_how_many_is_told(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    ill = await patient(bureau)
    total = len(list((bureau.config / "sounds").glob("*.*")))
    assert f"{total} recordings can be read, of {total}" in (await found(of_the_bureau.sounds, ill))[1]
    monkeypatch.setattr(of_the_bureau, "LOOKS_FOR", -1.0)
    assert f"0 recordings can be read, of {total}" in (await found(of_the_bureau.sounds, ill))[1]


async def test_recordings_are_decoded_and_not_converted(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    def takes_long(_: object) -> float:
        raise AssertionError("a second of the processor for a minute of sound")

    ill = await patient(bureau)
    monkeypatch.setattr(alaw, "_gain", takes_long)
    assert (await found(of_the_bureau.sounds, ill))[0] == "ok"


async def test_a_music_that_is_short_is_a_warning_and_one_that_is_gone_is_bad(bureau: Bureau) -> None:
    bureau.sound("hold", 810, 3)
    bureau.client("lilas")["rules"][0]["do"] = [queue(music="hold")]
    bureau.write()
    ill = await patient(bureau)
    level, words = await found(of_the_bureau.music, ill)
    assert (level, "hold (3 s)" in words) == ("warn", True)
    for name in ("hold", "music"):
        bureau.sound(name, 810, 25)
    bureau.write()
    assert (await found(of_the_bureau.music, ill))[0] == "ok"
    for file in (bureau.config / "sounds").glob("hold.*"):
        file.unlink()
    assert (await found(of_the_bureau.music, ill))[0] == "bad"


# --- folder


async def test_a_state_folder_that_others_can_read_or_that_is_a_file_is_bad(bureau: Bureau) -> None:
    ill = await patient(bureau)
    assert (await found(folder.rights, ill))[0] == "ok"
    bureau.state.mkdir(parents=True, exist_ok=True)
    card = bureau.state / "service.json"
    card.write_text("{}")
    card.chmod(0o644)
    level, words = await found(folder.rights, ill)
    assert (level, "service.json" in words) == ("bad", True)
    card.chmod(0o600)
    assert (await found(folder.rights, ill))[0] == "ok"
    for kept in ("versions", "recordings", "voicemail", "attachments"):
        (bureau.state / kept).mkdir(mode=0o755)
        assert f"others can read: {kept}" in (await found(folder.rights, ill))[1]
        (bureau.state / kept).chmod(0o700)
    other = bureau.state.parent / "a-file"
    other.write_text("")
    assert (await found(folder.rights, await patient(bureau, state=other)))[0] == "bad"
    missing = await patient(bureau, state=bureau.state / "later")
    assert "is made at the first start" in (await found(folder.rights, missing))[1]


async def test_a_folder_of_another_user_is_bad(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    bureau.state.mkdir(parents=True, exist_ok=True)
    (bureau.state / "lock").touch()
    monkeypatch.setattr(folder, "_not_ours", lambda path: path.name == "lock")
    level, words = await found(folder.rights, await patient(bureau))
    assert (level, "belongs to another user: lock → " in words) == ("bad", True)


async def test_root_is_not_told_to_take_the_folder_away_from_autocom(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.stat

    def autocoms(path: Path, **how: bool) -> os.stat_result:
        return os.stat_result((*real(path, **how)[:4], 4242, *real(path, **how)[5:]))

    bureau.state.mkdir(parents=True, exist_ok=True)
    (bureau.state / "lock").touch()
    monkeypatch.setattr(os, "getuid", lambda: 0)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "stat", autocoms)
        level, words = await found(folder.rights, await patient(bureau))
    assert (level, "chown" in words, "sudo -u '#4242' …" in words) == ("warn", False, True)


async def test_a_full_disk_is_bad_and_one_that_fills_is_a_warning(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    ill = await patient(bureau)
    real = os.statvfs(bureau.config)

    def room(share: int) -> None:
        blocks = share // real.f_frsize
        shrunk = os.statvfs_result((*real[:4], blocks, *real[5:]))
        monkeypatch.setattr(os, "statvfs", lambda _: shrunk)

    for share, level in ((folder.LEAST // 2, "bad"), (folder.LITTLE // 2, "warn"), (folder.LITTLE * 4, "ok")):
        room(share)
        assert (await found(folder.disk, ill))[0] == level


# --- clocks


@pytest.mark.parametrize(("state", "level"), [(0, "ok"), (5, "warn"), (None, "ok"), (-1, "ok")])
async def test_a_clock_that_nothing_keeps_is_a_warning(bureau: Bureau, state: int | None, level: str) -> None:
    assert (await found(clocks.synchronised(lambda: state), await patient(bureau)))[0] == level
    assert clocks.kernel_state() is None or clocks.kernel_state() in range(-1, 6)


async def test_an_asterisk_whose_clock_differs_is_bad(bureau: Bureau) -> None:
    async with asterisk() as other:
        ill = replace(await patient(bureau), doors=other.doors)
        assert (await found(clocks.skew, ill))[0] == "bad"
        now = SteadyClock().now()
        told = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
        other.answers["asterisk/ping"] = (200, {"timestamp": told})
        assert (await found(clocks.skew, ill))[0] == "ok"
    assert await clocks.skew(replace(ill, doors=None)) is None


# --- database


async def test_a_cluster_that_no_postgresql_of_this_machine_reads_is_bad(bureau: Bureau) -> None:
    ill = await patient(bureau)
    assert (await found(database.program, ill))[0] == "ok"
    cluster = bureau.state / "postgres" / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("9\n")
    level, words = await found(database.program, ill)
    assert (level, "made by PostgreSQL 9" in words) == ("bad", True)


async def test_a_database_that_does_not_answer_is_bad(bureau: Bureau) -> None:
    ill = await patient(bureau, database_url=f"postgresql+psycopg://a:b@127.0.0.1:{free_port()}/x")
    level, words = await found(database.reachable, ill)
    assert (level, "not reachable" in words) == ("bad", True)
    assert await database.migrated(ill) is None
    assert await database.rights(ill) is None


async def test_a_database_of_another_revision_is_bad(bureau: Bureau, postgres: Any) -> None:
    with fresh_database(postgres, migrated=False) as empty:
        ill = await patient(bureau, database_url=empty)
        assert (await found(database.reachable, ill))[0] == "ok"
        level, words = await found(database.migrated, ill)
        assert (level, "revision –" in words) == ("bad", True)
    with fresh_database(postgres) as url:
        ill = await patient(bureau, database_url=url)
        assert (await found(database.migrated, ill))[0] == "ok"
        assert (await found(database.rights, ill))[0] == "warn"  # the test server's own superuser
        assert (await found(clocks.skew, ill))[0] == "ok"


async def test_a_role_that_may_not_write_is_bad(bureau: Bureau, postgres: Any) -> None:
    with fresh_database(postgres) as url:
        role = f"reader_{os.getpid()}"
        execute(url, f"CREATE ROLE {role} LOGIN PASSWORD 'fiction'")
        try:
            execute(url, f"GRANT USAGE ON SCHEMA public TO {role}")
            theirs = sa.make_url(url).set(username=role, password="fiction")
            ill = await patient(bureau, database_url=theirs.render_as_string(hide_password=False))
            level, words = await found(database.rights, ill)
            assert (level, "cannot write" in words) == ("bad", True)
            execute(url, f"GRANT INSERT ON events TO {role}")
            assert (await found(database.rights, ill))[0] == "ok"
        finally:
            execute(url, f"DROP OWNED BY {role}")
            execute(url, f"DROP ROLE {role}")


@pytest.mark.parametrize(
    ("state", "behind", "level"), [("up", 0, "ok"), ("up", 5000, "warn"), ("down", 3, "bad")]
)
async def test_a_journal_that_lags_is_told(bureau: Bureau, state: str, behind: int, level: str) -> None:
    status = STATUS | {"database": {"state": state, "behind": behind}}
    assert (await found(database.behind, replace(await patient(bureau), status=status)))[0] == level


# --- Asterisk


async def sick(bureau: Bureau, other: Asterisk) -> Patient:
    return replace(await patient(bureau), doors=other.doors, alive=True, status=STATUS)


async def test_no_asterisk_to_start_is_bad(
    bureau: Bureau, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ill = await patient(bureau)
    assert (await found(telephone.program, ill))[0] == "ok"
    monkeypatch.setenv("AUTOCOM_ASTERISK_HOME", str(tmp_path / "nowhere"))
    monkeypatch.setenv("AST", str(tmp_path / "nowhere"))
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "nowhere" / "bin").mkdir(parents=True)
    (tmp_path / "nowhere" / "bin" / "asterisk").write_text("")
    assert (await found(telephone.program, ill))[0] == "bad"


async def test_an_asterisk_that_is_away_refuses_us_or_is_old_is_bad(bureau: Bureau) -> None:
    async with asterisk() as other:
        ill = await sick(bureau, other)
        assert (await found(telephone.running, ill))[0] == "ok"
        other.answers["asterisk/info"] = (200, {"system": {"version": "22.9.0"}})
        assert "upgrade to Asterisk 22.10.1" in (await found(telephone.running, ill))[1]
        other.answers["asterisk/info"] = (401, {"message": "Authentication required"})
        assert "refuses our user (401)" in (await found(telephone.running, ill))[1]
    assert "does not answer" in (await found(telephone.running, ill))[1]


async def test_an_ari_that_is_deadlocked_though_its_ping_answers_is_bad(bureau: Bureau) -> None:
    async with asterisk() as other:
        ill = await sick(bureau, other)
        assert (await found(telephone.hung, ill))[0] == "ok"
        other.answers["applications/autocom"] = (404, {"message": "Application not found"})
        assert "not connected" in (await found(telephone.hung, ill))[1]
        other.silent.add("applications/autocom")
        assert "deadlocked" in (await found(telephone.hung, ill))[1]


@pytest.mark.parametrize(
    "answer", [(404, {"message": "not found"}), (500, "oops"), (200, "<html>"), (200, {"hello": "world"})]
)
async def test_an_http_server_that_is_not_ari_is_no_asterisk_and_no_bug_of_ours(
    bureau: Bureau, answer: tuple[int, Any]
) -> None:
    async with asterisk() as other:
        ill = await sick(bureau, other)
        other.answers = dict.fromkeys(other.answers, answer)
        level, words = await found(telephone.running, ill)
        assert (level, f"status {answer[0]}" in words, "res_ari" in words) == ("bad", True, True)
        others = (telephone.modules, telephone.hung, clocks.skew)
        seen = await rounds.examine(ill, [(check.__name__, check) for check in others])
        assert seen == []


async def test_a_module_that_is_missing_is_bad_and_one_too_many_a_warning(bureau: Bureau) -> None:
    async with asterisk() as other:
        ill = await sick(bureau, other)
        assert (await found(telephone.modules, ill))[0] == "ok"
        status, rows = other.answers["asterisk/modules"]
        other.answers["asterisk/modules"] = (
            status,
            [*rows, {"name": "chan_unistim.so", "status": "Running"}],
        )
        level, words = await found(telephone.modules, ill)
        assert (level, "chan_unistim" in words) == ("warn", True)
        other.answers["asterisk/modules"] = (
            status,
            [r for r in rows if r["name"] != "app_stasis_broadcast.so"],
        )
        level, words = await found(telephone.modules, ill)
        assert (level, "app_stasis_broadcast" in words) == ("bad", True)


async def test_an_ari_user_who_may_only_read_is_bad(bureau: Bureau) -> None:
    async with asterisk() as other:
        ill = await sick(bureau, other)
        assert (await found(telephone.commands, ill))[0] == "ok"
        other.answers["playbacks/doctor-asks-nothing"] = (403, {"message": "Write access denied"})
        assert (await found(telephone.commands, ill))[0] == "bad"


async def test_an_ami_that_is_away_or_refuses_us_is_bad(bureau: Bureau) -> None:
    async with asterisk() as other:
        ill = await sick(bureau, other)
        assert (await found(telephone.manager, ill))[0] == "ok"
        other.login = "Error"
        assert "refuses our user" in (await found(telephone.manager, ill))[1]
    assert "does not answer" in (await found(telephone.manager, ill))[1]


async def test_contexts_that_asterisk_has_not_loaded_are_bad(bureau: Bureau, tmp_path: Path) -> None:
    async with asterisk() as other:
        ill = replace(await sick(bureau, other), root=tmp_path)
        assert "the dialplan is missing" in (await found(telephone.dialplan, ill))[1]
        (tmp_path / "dialplan").mkdir()
        (tmp_path / "dialplan" / "x.conf").write_text("[general]\n[from-trunk]\nexten => s,1,NoOp\n[guard]\n")
        for contexts, named in (
            ({"from-trunk": 1}, "guard"),
            ({"from-trunk": 2, "guard": 0}, "from-trunk"),
            ({"from-trunk": 0, "guard": 0}, "from-trunk"),
        ):
            other.contexts = contexts
            level, words = await found(telephone.dialplan, ill)
            assert (level, f"otherwise: {named}" in words) == ("bad", True)
        other.contexts = {"from-trunk": 1, "guard": 0}
        assert (await found(telephone.dialplan, ill))[0] == "ok"


async def test_an_ari_that_the_network_can_reach_is_told(bureau: Bureau) -> None:
    async with asterisk() as other:
        ill = await sick(bureau, other)
        assert (await found(telephone.http, ill))[0] == "ok"
        with socket.socket() as wide:
            wide.bind(("0.0.0.0", 0))
            wide.listen()
            open_to_all = replace(other.doors, ami_port=wide.getsockname()[1])
            assert (await found(telephone.http, replace(ill, doors=open_to_all)))[0] == "bad"
    far = await patient(bureau, ari_url="http://192.0.2.7:8088", ari_user="u", ari_password="p")
    assert (await found(telephone.http, far))[0] == "warn"


async def test_too_few_voice_ports_are_a_warning(bureau: Bureau) -> None:
    bureau.bureau["trunks"][0]["max_calls"] = 30
    bureau.write()
    assert (await found(telephone.voice_ports, await patient(bureau, rtp_ports="10000-10999")))[0] == "ok"
    level, words = await found(telephone.voice_ports, await patient(bureau, rtp_ports="10000-10050"))
    assert (level, "want 128" in words) == ("warn", True)


async def test_errors_in_asterisks_log_are_a_warning(bureau: Bureau) -> None:
    ill = await patient(bureau)
    assert await complaints.troubles(ill) is None
    log = ill.asterisk_state / "log" / "messages"
    log.parent.mkdir(parents=True)
    log.write_text("[2026] NOTICE[1] x.c: fine\n")
    assert (await found(complaints.troubles, ill))[0] == "ok"
    log.write_text("[2026] ERROR[1] x.c: broken\n")
    assert "x.c: broken" in (await found(complaints.troubles, ill))[1]


async def test_an_error_from_before_asterisks_start_is_nobodys_trouble_any_more(bureau: Bureau) -> None:
    start = datetime.fromisoformat("2026-11-22T08:00:00+00:00")

    def line(at: datetime, words: str) -> str:
        return f"[{at.astimezone():%Y-%m-%d %H:%M:%S}.123] ERROR[1] x.c: {words}\n"

    async with asterisk() as other:
        other.answers["asterisk/info"] = (200, {"status": {"startup_time": "2026-11-22T08:00:00.000+0000"}})
        far = await patient(bureau, ari_url=other.doors.ari_url, ari_user="u", ari_password="p")
        log = far.asterisk_state / "log" / "messages"
        log.parent.mkdir(parents=True)
        log.write_text(line(start - timedelta(days=1), "old"))
        assert (await found(complaints.troubles, far))[0] == "ok"
        with log.open("a") as file:
            file.write(line(start + timedelta(hours=1), "new"))
        level, words = await found(complaints.troubles, far)
        assert (level, words.startswith("1 errors; the last: "), "x.c: new" in words) == ("warn", True, True)


async def test_of_a_long_log_the_end_is_read(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    ill = await patient(bureau)
    log = ill.asterisk_state / "log" / "messages"
    log.parent.mkdir(parents=True)
    log.write_text("[2026] ERROR[1] x.c: first\n" + "[2026] NOTICE[1] x.c: fine\n" * 10)
    assert (await found(complaints.troubles, ill))[0] == "warn"
    monkeypatch.setattr(complaints, "LONGEST_LOG", 100)
    assert (await found(complaints.troubles, ill))[0] == "ok"


# --- doors


@pytest.mark.parametrize(
    ("check", "name", "kind"),
    [
        (doors.sip_udp, "sip_bind", socket.SOCK_DGRAM),
        (doors.sip_tls, "sip_tls_bind", socket.SOCK_STREAM),
        (doors.http, "http_bind", socket.SOCK_STREAM),
        (doors.https, "https_bind", socket.SOCK_STREAM),
        (doors.agi, "agi_bind", socket.SOCK_STREAM),
    ],
)
async def test_a_door_that_somebody_else_has_keeps_it_from_starting(
    bureau: Bureau, check: Any, name: str, kind: int
) -> None:
    with occupied(kind) as port:
        ill = await patient(bureau, **{name: f"127.0.0.1:{port}"})
        level, words = await found(check, ill)
        assert (level, f"AUTOCOM_{name.upper()}" in words) == ("bad", True)
        if kind == socket.SOCK_STREAM:
            assert (await found(check, replace(ill, alive=True)))[0] == "ok"
    assert (await found(check, ill))[0] == "ok"
    assert (await found(check, replace(ill, alive=True)))[0] == "bad"


@contextmanager
def survivor(state: Path) -> Iterator[int]:
    """What the last autocom left behind: a process on our Asterisk's files, and its pid file."""
    files = state.resolve() / "asterisk"
    (files / "run").mkdir(parents=True)
    command = [sys.executable, "-c", "input()", str(files / "etc" / "asterisk.conf")]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        (files / "run" / "asterisk.pid").write_text(f"{process.pid}\n")
        try:
            yield process.pid
        finally:
            process.kill()


async def test_nobody_is_told_to_stop_the_asterisk_that_holds_the_calls_of_a_dead_autocom(
    bureau: Bureau,
) -> None:
    with occupied(socket.SOCK_DGRAM) as sip, occupied() as tls:
        chosen = {"sip_bind": f"127.0.0.1:{sip}", "sip_tls_bind": f"127.0.0.1:{tls}"}
        with survivor(bureau.state) as pid:
            ill = await patient(bureau, **chosen)
            for check in (doors.sip_udp, doors.sip_tls, telephone.running):
                level, words = await found(check, ill)
                assert (level, f"process {pid}" in words, "takes it over" in words) == ("warn", True, True)
                assert "stop" not in words
        ill = await patient(bureau, **chosen)
        assert (await found(doors.sip_udp, ill))[0] == "bad"
        assert await telephone.running(ill) is None


async def test_a_port_that_we_may_not_have_is_nobody_elses_fault(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "can_bind", lambda *_, **__: "Permission denied")
    level, words = await found(doors.https, await patient(bureau, https_bind="127.0.0.1:443"))
    assert (level, "Permission denied" in words, "stop" in words) == ("bad", True, False)


# --- trunks and phones


def with_trunks_from(ill: Patient, *hosts: str) -> Patient:
    assert ill.loaded is not None
    made = ill.loaded.configuration
    trunk = next(iter(made.trunks.values()))
    trunks_of = {f"{trunk.id}-{host}": replace(trunk, match=(host,)) for host in hosts}
    return replace(ill, loaded=replace(ill.loaded, configuration=replace(made, trunks=trunks_of)))


async def test_a_trunk_whose_address_does_not_resolve_is_bad(bureau: Bureau) -> None:
    assert (await found(trunks.addresses, await patient(bureau)))[0] == "ok"
    ill = with_trunks_from(await patient(bureau), "no-such-host.invalid")
    assert (await found(trunks.addresses, ill))[0] == "bad"
    assert (await found(trunks.addresses, with_trunks_from(ill)))[0] == "warn"


async def test_a_dead_dns_is_told_as_such_within_the_time_of_one_question(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(*_: object, **__: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(trunks, "WITHIN", 0.1)
    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", hangs)
    ill = with_trunks_from(await patient(bureau), "sip.operator.example")
    (one,) = await rounds.examine(ill, [("trunk addresses", trunks.addresses)], patience=3)
    assert "does not resolve: " in one.finding.seen.english


async def test_an_operator_who_does_not_answer_is_a_warning_and_any_answer_is_one(bureau: Bureau) -> None:
    port = free_port()
    bureau.bureau["trunks"][0]["host"] = f"127.0.0.1:{port}"
    bureau.write()
    ill = await patient(bureau)
    assert (await found(trunks.hosts, ill))[0] == "warn"

    class Operator(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            assert data.startswith(b"OPTIONS sip:127.0.0.1:")
            self.transport.sendto(b"SIP/2.0 403 Forbidden\r\n\r\n", addr)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Operator, local_addr=("127.0.0.1", port))
    assert (await found(trunks.hosts, ill))[0] == "ok"
    transport.close()


async def test_phones_that_are_away_are_told(bureau: Bureau) -> None:
    ill = replace(await patient(bureau), alive=True, status=STATUS)
    assert (await found(phones.registered, ill))[0] == "ok"

    def rows(*ids: tuple[str, bool, bool]) -> Patient:
        made = [{"id": i, "registered": r, "logged_in": at_work} for i, r, at_work in ids]
        return replace(ill, status=STATUS | {"secretaries": made})

    assert (await found(phones.registered, rows(("lea", False, False), ("ines", False, False))))[0] == "bad"
    level, words = await found(phones.registered, rows(("lea", False, True), ("ines", True, True)))
    assert (level, "lea" in words, "ines" in words) == ("warn", True, False)
    assert (await found(phones.registered, rows(("lea", False, False), ("ines", True, True))))[0] == "ok"


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({"sip_bind": "127.0.0.1:5060"}, "warn"),
        ({"sip_bind": "0.0.0.0:5060"}, "warn"),
        ({"sip_bind": "0.0.0.0:5060", "host": "autocom.bureau.example"}, "ok"),
        ({"sip_bind": "192.0.2.7:5060"}, "ok"),
    ],
)
async def test_an_address_that_phones_cannot_reach_is_a_warning(
    bureau: Bureau, changes: dict[str, str], level: str
) -> None:
    assert (await found(phones.reach, await patient(bureau, **changes)))[0] == level


# --- papers and letters


async def test_a_certificate_that_ends_or_does_not_fit_is_told(bureau: Bureau, tmp_path: Path) -> None:
    now = SteadyClock().now()
    made = own(tmp_path / "tls", ("autocom.example",), now)
    bind = f"127.0.0.1:{free_port()}"
    ill = await patient(bureau, https_bind=bind, tls_cert=made.certificate, tls_key=made.key)
    assert (await found(papers.certificate, ill))[0] == "ok"
    assert (await found(papers.certificate, replace(ill, now=made.expires - 10 * DAY)))[0] == "warn"
    assert (await found(papers.certificate, replace(ill, now=made.expires + 1)))[0] == "bad"
    other = own(tmp_path / "other", ("autocom.example",), now)
    odd = await patient(bureau, https_bind=bind, tls_cert=made.certificate, tls_key=other.key)
    assert "is not that of" in (await found(papers.certificate, odd))[1]
    assert await papers.certificate(await patient(bureau)) is None


async def test_recordings_without_their_key_are_bad_and_a_key_beside_them_is_a_warning(
    bureau: Bureau,
) -> None:
    ill = await patient(bureau)
    assert await papers.recording_key(ill) is None
    (bureau.state / "recordings").mkdir(parents=True)
    (bureau.state / "recordings" / "tape-c1-1").write_bytes(b"x")
    assert (await found(papers.recording_key, ill))[0] == "bad"
    (bureau.state / "recording.key").write_text("x")
    assert (await found(papers.recording_key, ill))[0] == "warn"
    given = await patient(bureau, recording_key="A" * 43 + "=")
    assert (await found(papers.recording_key, given))[0] == "ok"


async def test_mail_that_nobody_takes_is_told(bureau: Bureau) -> None:
    bureau.client("lilas")["rules"][0]["do"] = [{"voicemail": {"mail": ["a@bureau.example"]}}]
    bureau.write()
    assert (await found(letters.mail, await patient(bureau)))[0] == "warn"
    async with MailServer() as server:
        said = {name.removeprefix("AUTOCOM_").lower(): value for name, value in server.settings.items()}
        ill = await patient(bureau, **said)
        assert (await found(letters.mail, ill))[0] == "ok"
        assert (await found(letters.mail, replace(ill, mail=True)))[0] == "ok"
        # a login that a server without STARTTLS cannot give
        strict = await patient(bureau, **(said | {"smtp_tls": "starttls"}))
        assert (await found(letters.mail, replace(strict, mail=True)))[0] == "bad"
    assert (await found(letters.mail, ill))[0] == "bad"


async def test_a_mail_server_that_keeps_its_greeting_back_is_waited_for(bureau: Bureau) -> None:
    async def greets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(2.3)
        writer.write(b"220 mail.example\r\n")
        while await reader.readline():
            writer.write(b"250 mail.example\r\n")
        writer.close()

    server = await asyncio.start_server(greets, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    said = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_tls": "none", "smtp_from": "a@bureau.example"}
    ill = replace(await patient(bureau, **said), mail=True)
    (one,) = await rounds.examine(ill, [("mail", letters.mail)], patience=1.0)
    server.close()
    assert one.finding.level == "ok", one.finding


async def test_alerts_that_nobody_can_be_mailed_are_told(bureau: Bureau) -> None:
    bureau.bureau["alerts"] = {"mail": ["chef@bureau.example"]}
    bureau.write()
    assert (await found(letters.mail, await patient(bureau)))[0] == "warn"


async def test_a_provider_of_texts_who_cannot_be_reached_is_bad(bureau: Bureau) -> None:
    with occupied() as port:
        bureau.bureau["texts"] = {
            "providers": [{"id": "op-sms", "kind": "webhook", "url": f"http://127.0.0.1:{port}/send"}]
        }
        bureau.write()
        ill = await patient(bureau)
        assert (await found(letters.texts, ill))[0] == "ok"
    assert (await found(letters.texts, ill))[0] == "bad"


# --- the round


async def test_a_check_that_crashes_or_hangs_is_a_finding_of_its_own_and_stops_no_other(
    bureau: Bureau,
) -> None:
    async def crashes(_: Patient) -> Finding:
        raise ZeroDivisionError("division by zero")

    async def hangs(_: Patient) -> Finding:
        await asyncio.sleep(60)
        raise AssertionError

    async def well(_: Patient) -> Finding:
        return ok(same("well"))

    async def absent(_: Patient) -> None:
        return None

    checks = (("crashes", crashes), ("hangs", hangs), ("well", well), ("absent", absent))
    seen = await rounds.examine(await patient(bureau), checks, patience=0.2)
    assert [(each.name, each.finding.level) for each in seen] == [
        ("crashes", "bad"),
        ("hangs", "bad"),
        ("well", "ok"),
    ]
    assert "ZeroDivisionError" in seen[0].finding.seen.english
    assert "no answer within 0.2 s" in seen[1].finding.seen.english


def test_every_check_has_a_name_of_its_own() -> None:
    names = [name for name, _ in rounds.CHECKS]
    assert len(set(names)) == len(names) >= 30


def test_every_check_stands_on_its_page() -> None:
    page = (
        (Path(__file__).parents[2] / "docs" / "doctor.md").read_text(encoding="utf-8").split("## English")[1]
    )
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    named = {part.strip().strip("`") for row in rows for part in row.split(",")}
    assert {name for name, _ in rounds.CHECKS} | set(WORDS) <= named


async def test_nothing_of_the_round_changes_the_state_folder(bureau: Bureau) -> None:
    before = sorted(bureau.state.rglob("*")) if bureau.state.exists() else []
    await rounds.examine(await patient(bureau))
    assert (sorted(bureau.state.rglob("*")) if bureau.state.exists() else []) == before


async def test_what_was_found_is_told_before_threads_that_hang_are_waited_for(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = threading.Event()
    waited: list[bool] = []

    async def hangs(*_: object) -> list[rounds.Examined]:
        loop = asyncio.get_running_loop()
        loop.run_in_executor(None, lambda: waited.append(told.wait(5)))
        return [rounds.Examined("x", ok(same("well")))]

    # that would be for every test after this one
    monkeypatch.setattr("structlog.configure", lambda **_: None)
    monkeypatch.setattr(rounds, "examine", hangs)
    monkeypatch.setattr(command.click, "echo", lambda *_: told.set())
    for name, value in bureau.environment.items():
        monkeypatch.setenv(name, value)
    callback = command.doctor.callback
    assert callback is not None
    await asyncio.to_thread(callback, as_json=True, mail=False)
    assert waited == [True]


async def run(bureau: Bureau, *arguments: str) -> tuple[int, str]:
    child = await asyncio.create_subprocess_exec(
        COMMAND,
        "doctor",
        *arguments,
        env=bureau.environment | {"AUTOCOM_LANGUAGE": "fr"},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await child.communicate()
    return child.returncode or 0, said.decode()


async def test_the_command_says_in_french_what_to_do_and_ends_with_one_where_something_is_broken(
    bureau: Bureau,
) -> None:
    code, said = await run(bureau)
    assert code == 0, said
    assert "! service" in said
    assert "→ lancez `autocom up`" in said
    (bureau.config / "bureau.yaml").unlink()
    code, said = await run(bureau, "--json")
    assert code == 1
    rows = {row["check"]: row for row in json.loads(said)}
    assert rows["configuration"]["level"] == "bad"
    assert set(rows["configuration"]) == {"check", "level", "seen", "advice"}
