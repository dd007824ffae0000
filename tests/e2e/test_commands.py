"""Every command of the contract from outside: its exit code, its words, the exact keys of its JSON.

Other programs read these; whatever a person mistypes is one line on stderr and exit 1, never a
traceback. One exchange with one served and one abandoned call stands behind most of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import pytest_asyncio
from ruamel.yaml import YAML

from tests.support import asked
from tests.support.bureau import CALLER, MESSAGE, VOICES, Bureau
from tests.support.exchange import Exchange
from tests.support.phones import Phones

pytestmark = [pytest.mark.timeout(120)]
DID = "0199001001"
EXAMPLE = Path(__file__).parents[2] / "config"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

CALL_KEYS = {
    "id", "client", "did", "caller", "anonymous", "forwarded_from", "forward_reason", "rule", "config_version",
    "arrived_at", "answered_at", "queued_at", "bridged_at", "ended_at", "secretary", "outcome", "cause", "wait_ms",
    "talk_ms", "offers",
}  # fmt: skip
STATUS_KEYS = {"asterisk", "database", "trunks", "secretaries", "waiting", "config_version"}
SECRETARY_KEYS = {"id", "state", "since", "registered", "call"}
WAITING_KEYS = {"call", "client", "caller", "since"}
EXPLAIN_KEYS = {"client", "rule", "steps", "team", "eligible", "why"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def exchange(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Exchange]:
    """Two calls in the journal: lea talked with one caller, the other gave up in the message."""
    bureau = Bureau.at(tmp_path_factory.mktemp("commands"))
    async with Exchange(bureau) as running:
        async with Phones() as phones:
            given_up = await phones.dial(bureau.uri(DID), "0639980102")
            await given_up.hears(MESSAGE)
            await given_up.hangup()
            lea = bureau.secretaries[0]
            await phones.secretary(lea.id, lea.password, bureau.sip, say=lea.voice, answer_after=0.1)
            await asked.are(bureau, lea="free")
            caller = await phones.dial(bureau.uri(DID), say=CALLER)
            await caller.hears(VOICES[0])
            await caller.hangup()
            await running.finished_call(2)
        await asked.are(bureau, lea="offline")
        yield running


async def refused(exchange: Exchange, *arguments: str) -> str:
    """The one line that a command says when it cannot do what is asked."""
    done = await exchange.run(*arguments)
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert not done.stdout
    return done.stderr


async def calls(exchange: Exchange, *arguments: str) -> list[dict[str, Any]]:
    """What `autocom calls --json` prints."""
    lines = (await exchange.cli("calls", "--json", *arguments)).splitlines()
    return [json.loads(line) for line in lines]


# --- the running exchange ---------------------------------------------------------------------


async def test_status_as_json_has_the_contracts_keys(exchange: Exchange) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        caller = await phones.dial(bureau.uri(DID), "0639980103")
        await caller.hears(MESSAGE)
        status = json.loads(await exchange.cli("status", "--json"))
        assert status.keys() >= STATUS_KEYS
        assert [row["id"] for row in status["secretaries"]] == ["lea", "ines"]
        for row in status["secretaries"]:
            assert row.keys() >= SECRETARY_KEYS
            assert row["state"] == "offline"
            assert INSTANT.fullmatch(row["since"])
            assert (row["registered"], row["call"]) == (False, None)
        (waiting,) = status["waiting"]
        assert waiting.keys() >= WAITING_KEYS
        assert (waiting["client"], waiting["caller"]) == ("lilas", "+33639980103")
        assert INSTANT.fullmatch(waiting["since"])
        words = await exchange.cli("status")
        assert words.startswith("Asterisk up, database up")
        assert waiting["call"] in words
        await caller.hangup()
    await asked.until(bureau, lambda s: s["calls"] == 0)


async def test_a_secretarys_words_change_what_she_is(exchange: Exchange) -> None:
    async with Phones() as phones:
        ines = exchange.bureau.secretaries[1]
        await phones.secretary(ines.id, ines.password, exchange.bureau.sip)
        await asked.are(exchange.bureau, ines="free")
        for words, said in (
            (("pause",), "ines is paused (other)"),
            (("pause", "lunch"), "ines is paused (lunch)"),
            (("pause", "3"), "ines is paused (training)"),
            (("resume",), "ines is free"),
            (("done",), "ines is free"),
            (("logout",), "ines is logged_out"),
            (("login",), "ines is free"),
        ):
            assert await exchange.cli("secretary", "ines", *words) == f"{said}\n"


async def test_a_secretarys_words_that_are_none_are_refused(exchange: Exchange) -> None:
    assert "there is no secretary 'nobody'; there are: ines, lea" in await refused(
        exchange, "secretary", "nobody", "login"
    )
    assert "unknown pause reason 'nap'" in await refused(exchange, "secretary", "lea", "pause", "nap")
    assert "there is no secretary" in await refused(exchange, "secretary", "../../v1/status", "login")
    done = await exchange.run("secretary", "lea", "dance")
    assert done.returncode == 2
    assert "'dance' is not one of" in done.stderr


async def test_reload_says_which_version_is_in_force(exchange: Exchange) -> None:
    version = (await asked.status(exchange.bureau))["config_version"]
    assert await exchange.cli("reload") == f"version {version} is in force\n"


# --- the journal ------------------------------------------------------------------------------


async def test_calls_as_json_are_one_object_a_line_newest_first(exchange: Exchange) -> None:
    served, given_up, *_ = (await calls(exchange))[-2:]
    assert served.keys() >= CALL_KEYS
    assert given_up.keys() >= CALL_KEYS
    assert (served["outcome"], served["secretary"], served["caller"]) == ("served", "lea", "+33639980101")
    assert (given_up["outcome"], given_up["cause"], given_up["caller"]) == (
        "abandoned",
        "short",
        "+33639980102",
    )
    for key in ("arrived_at", "answered_at", "queued_at", "bridged_at", "ended_at"):
        assert INSTANT.fullmatch(served[key]), key
    assert given_up["bridged_at"] is None
    assert isinstance(served["wait_ms"], int)
    assert isinstance(served["talk_ms"], int)
    assert served["anonymous"] is False
    assert served["arrived_at"] > given_up["arrived_at"]


async def test_calls_are_chosen_by_client_by_time_and_by_number(exchange: Exchange) -> None:
    everything = await calls(exchange)
    assert await calls(exchange, "--limit", "1") == everything[:1]
    assert await calls(exchange, "--client", "lilas") == everything
    assert await calls(exchange, "--client", "accueil") == []
    assert await calls(exchange, "--since", "1h") == everything
    assert await calls(exchange, "--since", "2099-01-01") == []
    assert await calls(exchange, "--since", everything[-1]["arrived_at"]) == everything
    assert "--since 'yesterday'" in await refused(exchange, "calls", "--since", "yesterday")
    assert (await exchange.run("calls", "--limit", "0")).returncode == 2
    lines = (await exchange.cli("calls")).splitlines()
    assert len(lines) == len(everything)
    assert everything[0]["id"] in lines[0]


async def test_one_call_is_told_with_its_facts_and_its_segments(exchange: Exchange) -> None:
    newest = (await calls(exchange))[-2]
    story = json.loads(await exchange.cli("call", newest["id"], "--json"))
    assert story.keys() >= CALL_KEYS | {"events", "segments"}
    assert {key: story[key] for key in CALL_KEYS} == {key: newest[key] for key in CALL_KEYS}
    for event in story["events"]:
        assert INSTANT.fullmatch(event["at"])
        assert event["kind"]
    assert [event["at"] for event in story["events"]] == sorted(event["at"] for event in story["events"])
    for segment in story["segments"]:
        assert segment.keys() >= {"kind", "start", "end", "secretary"}
        assert segment["kind"] in {"message", "waiting", "ringing", "talk", "wrap_up"}
        assert segment["start"] <= segment["end"]
    words = await exchange.cli("call", newest["id"])
    for word in ("call arrives", "identified", "offered to lea", "talks with lea", "ends: served"):
        assert word in words, word
    assert "there is no call 'c-none'" in await refused(exchange, "call", "c-none")
    assert "there is no call '%'" in await refused(exchange, "call", "%")


# --- the configuration ------------------------------------------------------------------------


async def test_check_is_silent_on_stderr_for_a_good_folder_and_exact_for_a_bad_one(
    exchange: Exchange, tmp_path: Path
) -> None:
    good = await exchange.run("check")
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.splitlines()[-1].endswith("good")
    assert (await exchange.run("check", str(EXAMPLE))).returncode == 0
    bad = Bureau.at(tmp_path)
    bad.client("lilas")["colour"] = "blue"
    bad.client("accueil")["rules"][0]["do"][1]["queue"]["team"] = "nobody"
    bad.write()
    bad.tidy()
    done = await exchange.run("check", str(bad.config))
    assert done.returncode == 1
    assert not done.stdout
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert re.match(rf"{re.escape(str(bad.config))}/clients/(lilas|accueil)\.yaml:\d+:\d+: \S", line), (
            line
        )
    done = await exchange.run("check", str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@pytest.fixture
def example(exchange: Exchange) -> Any:
    """The commands read the repository's example bureau."""
    exchange.bureau.settings["AUTOCOM_CONFIG"] = str(EXAMPLE)
    yield exchange
    del exchange.bureau.settings["AUTOCOM_CONFIG"]


async def test_explain_tells_open_from_closed_and_who_would_ring(example: Exchange) -> None:
    at = ("--did", "0199001001", "--from", "0639980101", "--at")
    opened = json.loads(await example.cli("explain", *at, "2026-11-24 09:00", "--json"))
    assert opened.keys() >= EXPLAIN_KEYS
    assert (opened["client"], opened["open"], opened["caller"]) == ("cab-lilas", True, "+33639980101")
    assert opened["team"]
    assert opened["eligible"]
    assert all({"secretary", "team", "level", "after_s"} == row.keys() for row in opened["eligible"])
    closed = json.loads(await example.cli("explain", *at, "2026-11-24 03:00", "--json"))
    assert (closed["client"], closed["open"], closed["team"], closed["eligible"]) == (
        "cab-lilas",
        False,
        None,
        [],
    )
    assert closed["rule"] != opened["rule"]
    holiday = json.loads(await example.cli("explain", *at, "2026-12-25 10:00", "--json"))
    assert holiday["open"] is False
    words = await example.cli("explain", *at, "2026-11-24 09:00")
    assert "cab-lilas" in words
    assert f"rule {opened['rule']}" in words


async def test_explain_tells_shared_numbers_apart_and_names_what_is_unknown(example: Exchange) -> None:
    flagged = json.loads(await example.cli("explain", "--did", "0199009999", "--json"))
    assert flagged["client"] == "accueil"
    assert flagged["flags"]
    assert flagged["anonymous"] is True
    done = await example.run("explain", "--did", "0199001001", "--at", "soon")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert (await example.run("explain", "--did", "1", "--reason", "whim")).returncode == 2
    assert (await example.run("explain")).returncode == 2


def schemas_and_files(schemas: dict[str, Any]) -> list[tuple[dict[str, Any], list[Path]]]:
    """Each schema with the files of the example that are its kind."""
    clients = sorted((EXAMPLE / "clients").glob("*.yaml"))
    return [(schemas["bureau"], [EXAMPLE / "bureau.yaml"]), (schemas["client"], clients)]


async def test_the_schema_is_one_and_takes_the_example(exchange: Exchange) -> None:
    schemas = json.loads(await exchange.cli("schema"))
    assert schemas.keys() == {"bureau", "client"}
    text = json.dumps(schemas)
    for key in ("unknown_client", "forwarded_from", "early_limit", "ring_for", "must_hear"):
        assert key in text
    yaml = YAML(typ="safe", pure=True)
    for kind, files in schemas_and_files(schemas):
        jsonschema.Draft202012Validator.check_schema(kind)
        for file in files:
            jsonschema.Draft202012Validator(kind).validate(yaml.load(file.read_text()))
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(kind).validate({"colour": "blue"})


# --- by themselves ----------------------------------------------------------------------------


async def test_every_command_says_in_one_line_that_nothing_runs(bureau: Bureau) -> None:
    alone = Exchange(bureau)
    for words in (
        ("status",), ("status", "--json"), ("calls",), ("calls", "--json"), ("call", "c0"), ("reload",),
        ("secretary", "lea", "login"), ("db", "current"), ("db", "upgrade"),
    ):  # fmt: skip
        said = await refused(alone, *words)
        assert "autocom up" in said, said
        assert str(bureau.state) in said, said


async def test_the_database_is_migrated_down_and_up_and_read_while_the_exchange_is_away(
    bureau: Bureau, start_exchange: Any
) -> None:
    exchange = await start_exchange(bureau)
    async with Phones() as phones:
        caller = await phones.dial(bureau.uri(DID), "0639980102")
        await caller.hears(MESSAGE)
        await caller.hangup()
        await exchange.finished_call()
    await exchange.kill9()
    assert "no autocom answers" in await refused(exchange, "status")
    assert len(await calls(exchange)) == 1, "the journal is read without the exchange"
    head = (await exchange.cli("db", "current")).strip()
    assert re.fullmatch(r"\w+", head)
    assert await exchange.cli("db", "downgrade", "base") == "at nothing\n"
    assert await exchange.cli("db", "current") == "nothing\n"
    assert "cannot be read" in await refused(exchange, "calls")
    assert await exchange.cli("db", "upgrade") == f"at {head}\n"
    assert "refuses" in await refused(exchange, "db", "upgrade", "no-such-revision")
    await exchange.start()
    await exchange.until_status(lambda state: state["database"]["state"] == "up")


async def test_help_and_version_need_no_exchange(bureau: Bureau) -> None:
    alone = Exchange(bureau)
    words = await alone.cli("--help")
    for command in (
        "up", "serve", "check", "explain", "reload", "status", "calls", "call", "secretary", "schema", "demo", "db",
    ):  # fmt: skip
        assert re.search(rf"^  {command}\b", words, re.MULTILINE), command
    assert re.search(r"\d+\.\d+", await alone.cli("--version"))
    assert (await alone.run("fly")).returncode == 2
