from __future__ import annotations

import os
import pwd
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autocom.journal import postgres_programs
from autocom.journal.postgres import PrivatePostgres
from autocom.journal.postgres_programs import Account, PostgresUnavailable, account_for, find_programs
from tests.support.postgres import execute


@pytest.fixture
def server(tmp_path: Path):
    made = PrivatePostgres(tmp_path)
    yield made
    made.stop()


def pid_of(server: PrivatePostgres) -> int:
    status = server._status()
    assert status is not None
    return status.pid


def test_a_first_start_makes_a_database_and_a_next_start_finds_it_again(server):
    url = server.start()
    execute(url, "CREATE TABLE kept (x int)")
    assert server.running()
    server.stop()
    assert not server.running()

    assert server.start() == url  # the same port and password: engines of a running service go on
    assert execute(url, "SELECT count(*) FROM kept") == [(0,)]


def test_stopping_leaves_no_process_and_stopping_again_does_nothing(server):
    server.start()
    pid = pid_of(server)
    server.stop()
    server.stop()

    assert not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text()


def test_a_folder_where_none_was_ever_started_has_no_url_and_nothing_to_stop(server):
    server.stop()
    with pytest.raises(PostgresUnavailable, match="no PostgreSQL runs"):
        _ = server.url


def test_a_server_outlives_the_process_that_started_it_and_is_adopted(server, tmp_path):
    script = f"""
import os, signal
from pathlib import Path
from autocom.journal.postgres import PrivatePostgres
print(PrivatePostgres(Path({str(tmp_path)!r})).start(), flush=True)
os.killpg(os.getpgid(0), signal.SIGKILL)
"""
    starter = subprocess.run(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True, check=False
    )
    assert starter.returncode == -signal.SIGKILL
    pid = pid_of(server)

    assert server.start() == starter.stdout.splitlines()[-1]
    assert pid_of(server) == pid


def test_two_processes_that_start_at_once_share_one_server(tmp_path, server):
    with ThreadPoolExecutor(3) as pool:
        urls = set(pool.map(lambda _: PrivatePostgres(tmp_path).start(), range(3)))

    assert len(urls) == 1
    assert execute(urls.pop(), "SELECT 1") == [(1,)]


def test_two_state_folders_have_servers_that_do_not_meet(tmp_path):
    one, other = PrivatePostgres(tmp_path / "one"), PrivatePostgres(tmp_path / "other")
    try:
        assert one.start() != other.start()
        execute(one.url, "CREATE TABLE mine (x int)")
        one.stop()
        assert other.running()
        assert execute(other.url, "SELECT to_regclass('mine')") == [(None,)]
    finally:
        one.stop()
        other.stop()


def test_a_server_that_crashed_recovers_with_everything_committed(server):
    url = server.start()
    execute(url, "CREATE TABLE kept AS SELECT generate_series(1, 1000)")
    os.kill(pid_of(server), signal.SIGKILL)

    assert server.start() == url
    assert execute(url, "SELECT count(*) FROM kept") == [(1000,)]


def test_a_stale_pid_that_belongs_to_somebody_else_does_not_stop_the_start(server):
    server.start()
    pid_file = server.folder / "cluster" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.stop()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")  # alive, and no PostgreSQL

    assert not server.running()
    server.start()
    assert server.running()
    assert pid_of(server) != os.getpid()


def test_a_port_that_somebody_took_is_given_up(server):
    first = server.start()
    port = int(first.rpartition(":")[2].partition("/")[0])
    server.stop()
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        second = server.start()

    assert second != first
    assert execute(second, "SELECT 1") == [(1,)]


def test_a_full_disk_does_not_take_the_address_at_which_it_ran(server):
    url = server.start()
    port = int(url.rpartition(":")[2].partition("/")[0])
    server.stop()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with socket.socket() as taken:  # so that its settings have to be written anew
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
        try:
            with pytest.raises(OSError, match="too large"):
                server.start()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert server.remembered() == url
    assert server.start() == url


def test_an_interrupted_first_start_is_thrown_away(server):
    half = server.folder / "cluster.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    assert execute(server.start(), "SELECT 1") == [(1,)]
    assert not half.exists()


def test_a_state_folder_with_a_very_long_path_works(tmp_path):
    server = PrivatePostgres(tmp_path / ("long-" * 20) / ("and with spaces é " * 4).strip())
    try:
        assert execute(server.start(), "SELECT 1") == [(1,)]
    finally:
        server.stop()


def test_the_password_is_random_and_the_owners_alone(postgres):
    url = postgres.url
    secret = postgres.folder / "password"

    assert secret.stat().st_mode & 0o077 == 0
    assert secret.read_text() in url
    assert len(secret.read_text()) == 48
    with pytest.raises(Exception, match="password authentication failed"):
        execute(url.replace(secret.read_text(), "wrong"), "SELECT 1")


def test_the_server_listens_on_the_loopback_only(postgres):
    assert execute(postgres.url, "SHOW listen_addresses") == [("127.0.0.1",)]
    assert execute(postgres.url, "SHOW unix_socket_directories") == [("",)]


def test_a_cluster_of_another_version_is_left_alone_with_a_sentence(server):
    cluster = server.folder / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("9\n")

    with pytest.raises(PostgresUnavailable, match="made by PostgreSQL 9"):
        server.start()
    assert (cluster / "PG_VERSION").read_text() == "9\n"


def test_variables_of_a_postgresql_client_do_not_bend_the_programs(server, monkeypatch):
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGOPTIONS", "")

    assert execute(server.start(), "SELECT 1") == [(1,)]


def test_a_cluster_that_cannot_start_says_why(server):
    server.start()
    server.stop()
    (server.folder / "cluster" / "global" / "pg_control").write_bytes(b"broken")

    with pytest.raises(PostgresUnavailable, match="does not start"):
        server.start()


def test_without_user_namespaces_root_lends_the_server_an_unprivileged_account(monkeypatch):
    monkeypatch.setattr(postgres_programs, "_UNSHARE", ("false", "--"))
    folder = Path(tempfile.mkdtemp(prefix="autocom-"))  # one that everybody can reach: not in a closed home
    folder.chmod(0o755)
    server = PrivatePostgres(folder)
    try:
        if os.geteuid() != 0:
            assert account_for(find_programs(), folder) == Account()
            return
        if not any(may_run(name) for name in ("postgres", "nobody")):
            with pytest.raises(PostgresUnavailable, match="refuses to run as root"):
                server.start()
            return
        assert execute(server.start(), "SELECT 1") == [(1,)]
        owner = pwd.getpwuid((server.folder / "cluster").stat().st_uid).pw_name
        assert owner in {"postgres", "nobody"}
        server.stop()
        monkeypatch.undo()  # namespaces are back: the cluster changes its owner again
        assert execute(server.start(), "SELECT 1") == [(1,)]
    finally:
        server.stop()
        shutil.rmtree(folder)


def may_run(name: str) -> bool:
    try:
        entry = pwd.getpwnam(name)
        account = Account((), entry.pw_uid, entry.pw_gid)
        return account.run([find_programs().path("postgres"), "--version"]).returncode == 0
    except (KeyError, OSError):
        return False


def test_root_without_any_account_that_can_run_it_is_told_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgres_programs, "_UNSHARE", ("false", "--"))
    monkeypatch.setattr(postgres_programs, "_UNPRIVILEGED", ("no-such-account",))

    with pytest.raises(PostgresUnavailable, match="run autocom as an ordinary user"):
        account_for(find_programs(), tmp_path)


def test_programs_that_are_not_there_are_said_to_be_missing(monkeypatch):
    monkeypatch.setattr(postgres_programs, "_folders", lambda: iter([Path("/nowhere")]))

    with pytest.raises(PostgresUnavailable, match="AUTOCOM_DATABASE_URL"):
        find_programs()


def test_an_account_of_our_own_runs_commands_as_they_are():
    assert Account().run(["echo", "hello"]).stdout == "hello\n"
