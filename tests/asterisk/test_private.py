from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from autocom.asterisk.installation import Installation, NoAsterisk, cache_folder, find
from autocom.asterisk.private import AsteriskFailed, Doors
from autocom.asterisk.remembered import Remembered
from tests.asterisk.host_support import AriApp, bureau, eventually, folder, private
from tests.support import PATIENCE


async def test_it_starts_without_one_warning_for_sixty_secretaries_in_about_a_second():
    async with folder() as place:
        asterisk = place.asterisk()
        began = asyncio.get_running_loop().time()
        await asterisk.start(place.bureau(secretaries=60))
        took = asyncio.get_running_loop().time() - began
        assert asterisk.troubles() == []
        assert (asterisk.paths.log / "output").read_text() == ""
        assert took < 5  # 0.5 s alone; other tests share the machine
        async with AriApp(asterisk) as app:
            endpoints = await app.call("GET", "endpoints")
        assert {each["resource"] for each in endpoints} >= {"lea", "lea@web", "s059", "trunk-operator"}


@pytest.mark.parametrize(
    ("ari", "phones"),
    [
        ("http://127.0.0.1:8088/ari", "ws://127.0.0.1:8088/ws"),
        ("http://127.0.0.1:8088", "ws://127.0.0.1:8088/ws"),
        ("https://pbx.example/asterisk/ari/", "wss://pbx.example/asterisk/ws"),
    ],
)
def test_phones_in_a_browser_come_in_beside_ari(ari: str, phones: str):
    assert Doors(ari, "user", "secret", "127.0.0.1", 5038, "user", "secret").websocket == phones


async def test_secrets_and_configuration_are_readable_by_their_owner_alone():
    async with private() as (place, asterisk):
        for path in (*asterisk.paths.etc.iterdir(), *(place.state / "asterisk").glob("*.json")):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        assert stat.S_IMODE(asterisk.paths.etc.stat().st_mode) == 0o700
        assert stat.S_IMODE(asterisk.paths.run.stat().st_mode) == 0o700  # the control socket lies there


@pytest.mark.parametrize("damaged", ["", "{}", "[]", "{"])
def test_a_rescuers_password_that_cannot_be_read_is_made_anew_and_kept(tmp_path: Path, damaged: str):
    (tmp_path / "rescue.json").write_text(damaged)
    made = Remembered(tmp_path).rescue_password()
    assert len(made) > 20
    assert Remembered(tmp_path).rescue_password() == made


async def test_a_second_autocom_on_the_folder_adopts_the_running_one_by_the_same_doors():
    async with private() as (place, first):
        second = place.asterisk()
        doors = await second.start(place.bureau())
        assert second.adopted
        assert (second.pid, doors) == (first.pid, first.doors)


async def test_it_outlives_an_autocom_that_is_killed():
    script = textwrap.dedent(
        """
        import asyncio, logging, structlog
        from pathlib import Path
        from tests.asterisk.host_support import Folder
        from autocom.asterisk import installation
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
        async def main():
            place = Folder(await installation.find())
            asterisk = place.asterisk()
            await asterisk.start(place.bureau())
            print(place.state, place.sip[1], *place.rtp, asterisk.pid, flush=True)
            await asyncio.Event().wait()
        asyncio.run(main())
        """
    )
    async with folder() as place:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
        )
        assert child.stdout is not None
        state, sip, low, high, pid = (await child.stdout.readline()).decode().split()
        os.killpg(os.getpgid(int(pid)), 0)
        child.kill()
        await child.wait()
        place.state, place.sip, place.rtp = Path(state), ("127.0.0.1", int(sip)), (int(low), int(high))
        heir = place.asterisk()
        await heir.start(place.bureau())
        assert heir.adopted
        assert heir.pid == int(pid)
        await heir.stop(5)
        assert not Path(f"/proc/{pid}").exists() or _zombie(pid)


def _zombie(pid: str) -> bool:
    return Path(f"/proc/{pid}/cmdline").read_bytes() == b""


async def test_changed_addresses_start_it_anew():
    async with private() as (place, first):
        before = first.pid
        place.rtp = (place.rtp[0], place.rtp[1] - 20)
        second = place.asterisk()
        await second.start(place.bureau())
        assert not second.adopted
        assert second.pid != before


async def test_a_stale_pid_file_of_another_program_is_not_adopted():
    async with folder() as place:
        asterisk = place.asterisk()
        asterisk.paths.run.mkdir(parents=True)
        (asterisk.paths.run / "asterisk.pid").write_text(str(os.getpid()))
        await asterisk.start(place.bureau())
        assert not asterisk.adopted
        assert asterisk.pid != os.getpid()


async def test_a_taken_sip_port_is_named_by_its_setting():
    async with folder() as place:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(place.sip)
            with pytest.raises(AsteriskFailed, match=rf"AUTOCOM_SIP_BIND=127.0.0.1:{place.sip[1]}"):
                await place.asterisk().start(place.bureau())


async def test_a_remembered_port_that_was_taken_meanwhile_is_chosen_anew():
    async with folder() as place:
        asterisk = place.asterisk()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            remembered = place.state / "asterisk" / "ports.json"
            remembered.parent.mkdir()
            remembered.write_text(json.dumps({"http": taken.getsockname()[1], "ami": taken.getsockname()[1]}))
            doors = await asterisk.start(place.bureau())
            assert doors.ami_port != taken.getsockname()[1]


async def test_its_death_is_told_at_once():
    async with private() as (_, asterisk):
        assert asterisk.pid is not None
        os.kill(asterisk.pid, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE):
            assert "Asterisk ended" in str(await asterisk.died())


async def test_the_death_of_an_adopted_one_is_told_too():
    async with private() as (place, first):
        second = place.asterisk()
        await second.start(place.bureau())
        assert first.pid is not None
        os.kill(first.pid, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE):
            assert "Asterisk ended" in str(await second.died())


async def test_a_frozen_one_is_killed_when_it_does_not_end_by_itself():
    async with private() as (_, asterisk):
        assert asterisk.pid is not None
        os.kill(asterisk.pid, signal.SIGSTOP)
        async with asyncio.timeout(PATIENCE):
            await asterisk.stop(0.5)
        assert asterisk.pid is None


async def test_a_frozen_one_is_not_adopted_but_replaced():
    async with private() as (place, first):
        frozen = first.pid
        assert frozen is not None
        os.kill(frozen, signal.SIGSTOP)
        second = place.asterisk()
        async with asyncio.timeout(20):
            await second.start(place.bureau())
        assert not second.adopted
        assert second.pid != frozen


async def test_a_start_without_its_modules_fails_by_their_name():
    async with folder() as place:
        broken = replace(place.home, modules=place.state)
        place.home = broken
        with pytest.raises(AsteriskFailed, match="cannot load chan_pjsip"):
            await place.asterisk().start(place.bureau())


async def test_a_start_that_ends_at_once_tells_what_was_said(tmp_path: Path):
    program = tmp_path / "asterisk"
    program.write_text("#!/bin/sh\necho this machine is full >&2\nexit 1\n")
    program.chmod(0o755)
    async with folder() as place:
        place.home = replace(place.home, program=program)
        with pytest.raises(AsteriskFailed, match="Asterisk ended while it started: this machine is full"):
            await place.asterisk().start(place.bureau())


async def test_a_new_secretary_is_reachable_after_a_reload_and_nothing_is_reloaded_without_a_change():
    async with private() as (place, asterisk):
        assert not await asterisk.apply(place.bureau())
        changed = await asterisk.apply(place.bureau(secretaries=3))
        assert set(changed.names) == {"pjsip.conf", "extensions.conf"}
        assert not changed.restart
        async with AriApp(asterisk) as app:
            assert (await app.call("GET", "endpoints/PJSIP/chloe"))["state"] == "offline"
        assert asterisk.troubles() == []


async def test_a_state_folder_with_a_long_path_works():
    async with folder() as place:
        place.state = place.state / ("a-rather-long-folder-name-" * 4)
        asterisk = place.asterisk()
        try:
            await asterisk.start(bureau(place.sounds))
            assert asterisk.troubles() == []
            assert len(str(asterisk.paths.run)) < 60
        finally:
            await asterisk.stop(5)
            for left in asterisk.paths.run.iterdir():
                left.unlink()
            asterisk.paths.run.rmdir()


async def test_two_run_side_by_side():
    async with private() as (_, one), private() as (_, other):
        assert one.pid != other.pid
        assert one.doors.ari_url != other.doors.ari_url
        assert one.troubles() == other.troubles() == []


async def test_the_log_keeps_no_trouble_of_the_start_before():
    async with private() as (place, asterisk):
        (asterisk.paths.log / "messages").write_text("[x] ERROR[1] old: trouble\n")
        await asterisk.stop()
        await asterisk.start(place.bureau())
        assert asterisk.troubles() == []
        await eventually((asterisk.paths.log / "messages").exists)


async def test_a_named_folder_comes_before_the_cache(tmp_path: Path):
    assert cache_folder({"AUTOCOM_ASTERISK_HOME": "/x", "AST": "/y"}) == Path("/x")
    assert cache_folder({"AST": "/y", "HOME": "/h"}) == Path("/y")
    assert cache_folder({"XDG_CACHE_HOME": "/c", "HOME": "/h"}) == Path("/c/autocom/asterisk")
    assert cache_folder({"HOME": "/h"}) == Path("/h/.cache/autocom/asterisk")
    assert await find({"AUTOCOM_ASTERISK_HOME": str(tmp_path), "PATH": str(tmp_path)}) is None


async def test_an_incomplete_or_old_asterisk_is_refused_by_name(tmp_path: Path):
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "asterisk"
    program.write_text("#!/bin/sh\necho Asterisk 22.9.0-rc1\n")
    program.chmod(0o755)
    with pytest.raises(NoAsterisk, match="no complete Asterisk"):
        await find({"AUTOCOM_ASTERISK_HOME": str(tmp_path)})
    (tmp_path / "env").write_text("MODDIR=/none\nDATADIR=/none\n")
    with pytest.raises(NoAsterisk, match=r"22\.9\.0, needed is 22\.10\.1"):
        await find({"AUTOCOM_ASTERISK_HOME": str(tmp_path)})


async def test_an_asterisk_on_the_path_serves_where_the_cache_is_empty(tmp_path: Path):
    program = tmp_path / "asterisk"
    program.write_text("#!/bin/sh\necho Asterisk 22.9.0\n")
    program.chmod(0o755)
    environ = {"HOME": str(tmp_path), "PATH": str(tmp_path) + ":/usr/bin:/bin"}
    assert await find(environ) is None  # too old
    home = await find()
    assert isinstance(home, Installation)
    assert (home.modules / "chan_pjsip.so").exists()
