"""What the page's server is told of secretaries: sessions, tickets, guesses, addresses; and the certificate's life."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from autocom import reach
from autocom.asterisk.private import AsteriskFailed
from autocom.cli import main
from autocom.core.accounts import ha1
from autocom.core.model import Configuration
from autocom.core.posts import Pause, Post
from autocom.papers import Papers
from autocom.phone_desk import Desk
from autocom.phones.certificates import DAY, WARN, own
from autocom.phones.keys import SESSION, TICKET
from autocom.settings import Settings
from autocom.web.phone import TooManyGuesses
from tests.asterisk.host_support import bureau

HERE = "192.0.2.9"


class Clock:
    def __init__(self) -> None:
        self.instant = 1.8e9

    def now(self) -> float:
        return self.instant


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def set_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Settings]:
    """Settings on an empty environment and a state folder of their own."""

    def settings(**values: str) -> Settings:
        for name, value in {"STATE": str(tmp_path / "state"), **values}.items():
            monkeypatch.setenv(f"AUTOCOM_{name}", value)
        return Settings.read(env_file=None)

    return settings


@pytest.fixture
def desk(set_up: Callable[..., Settings], clock: Clock) -> Desk:
    configuration = bureau()
    return Desk(set_up(), clock, lambda: configuration, {}.get, lambda: None)


def word(link: str) -> str:
    parts = urlsplit(link)
    return parts.fragment or parts.path.rsplit("/", 1)[1]


def test_who_knows_her_password_gets_a_session_that_a_new_password_ends(
    set_up: Callable[..., Settings], clock: Clock
) -> None:
    now: list[Configuration] = [bureau()]
    desk = Desk(set_up(), clock, lambda: now[0], {}.get, lambda: None)
    lea = now[0].secretaries["lea"]
    session = desk.enter("lea", lea.password, HERE)
    assert session
    assert desk.who(session) == "lea"
    assert desk.account("lea")["ha1"] == ha1("lea", lea.password)
    assert lea.password not in json.dumps(dict(desk.account("lea")))
    clock.instant += SESSION / 2
    longer = str(desk.account("lea")["session"])
    clock.instant += SESSION / 2 + 1
    assert desk.who(session) is None
    assert desk.who(longer) == "lea"
    changed = replace(lea, password="another")
    now[0] = replace(now[0], secretaries={**now[0].secretaries, "lea": changed})
    assert desk.who(longer) is None


def test_guesses_at_one_id_are_stopped_and_others_come_in_meanwhile(desk: Desk, clock: Clock) -> None:
    for _ in range(10):
        assert desk.enter("lea", "guess", "192.0.2.66") is None
    with pytest.raises(TooManyGuesses):
        desk.enter("lea", "guess", "192.0.2.67")
    assert desk.enter("nobody", "", HERE) is None
    assert desk.enter("ines", bureau().secretaries["ines"].password, HERE)
    clock.instant += 301
    assert desk.enter("lea", bureau().secretaries["lea"].password, HERE)


def test_an_address_that_guesses_at_everybody_is_stopped_also_with_tickets(desk: Desk) -> None:
    with capture_logs() as said:
        for n in range(30):
            assert desk.redeem(f"guess{n}", HERE) is None
    assert said == [
        {"event": "too many wrong passwords for the page", "address": HERE, "log_level": "warning"}
    ]
    for tried in (desk.redeem, desk.linphone):
        with pytest.raises(TooManyGuesses):
            tried("guess", HERE)
    with pytest.raises(TooManyGuesses):
        desk.enter("ines", "guess", HERE)


def test_a_link_opens_the_page_once_and_only_the_page(desk: Desk, clock: Clock) -> None:
    link = str(desk.link("lea", "page")["url"])
    assert link.startswith("http://127.0.0.1:8080/phone#"), "behind #, no server's log has it"
    assert desk.linphone(word(link), HERE) is None
    session = desk.redeem(word(link), HERE)
    assert session
    assert desk.who(session) == "lea"
    assert desk.redeem(word(link), HERE) is None
    late = str(desk.link("lea", "page")["url"])
    clock.instant += TICKET + 1
    assert desk.redeem(word(late), HERE) is None


def test_linphone_gets_hers_once(desk: Desk) -> None:
    link = str(desk.link("lea", "linphone")["url"])
    xml = desk.linphone(word(link), HERE)
    assert xml
    assert "<sip:127.0.0.1:5060;transport=udp>" in xml.replace("&lt;", "<").replace("&gt;", ">")
    assert desk.linphone(word(link), HERE) is None
    with pytest.raises(LookupError):
        desk.link("nobody", "page")
    with pytest.raises(ValueError, match="neither"):
        desk.link("lea", "fax")


def test_her_state_is_hers(set_up: Callable[..., Settings], clock: Clock) -> None:
    hers = Post("lea", registered=True, logged_in=True, pause=Pause("lunch", clock.now()), since=clock.now())
    desk = Desk(set_up(), clock, bureau, {"lea": hers}.get, lambda: None)
    assert desk.state("lea") == {
        "state": "paused",
        "since": "2027-01-15T08:00:00.000Z",
        "reason": "lunch",
        "logged_in": True,
    }
    assert desk.state("ines")["state"] == "offline"


@pytest.mark.parametrize("odd", ["\ud800", "\udcff.\udcfe.lea", "1.\udcff.lea", "é.ü.lea", "\0", "."])
def test_what_is_no_text_at_all_opens_nothing_and_breaks_nothing(desk: Desk, odd: str) -> None:
    assert desk.enter("lea", odd, HERE) is None
    assert desk.enter(odd, odd, HERE) is None
    assert desk.redeem(odd, HERE) is None
    assert desk.linphone(odd, HERE) is None
    assert desk.who(odd) is None


# --- addresses ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "host", "page"),
    [
        ({}, "127.0.0.1", "http://127.0.0.1:8080"),
        ({"SIP_BIND": "192.0.2.5:5060"}, "192.0.2.5", "http://127.0.0.1:8080"),
        (
            {"HOST": "autocom.example", "HTTPS_BIND": "0.0.0.0:8443"},
            "autocom.example",
            "https://autocom.example:8443",
        ),
        ({"HOST": "2001:db8::7", "HTTPS_BIND": "[::]:8443"}, "2001:db8::7", "https://[2001:db8::7]:8443"),
        (
            {"SIP_TLS_BIND": "192.0.2.6:5061", "URL": "https://phone.example/"},
            "192.0.2.6",
            "https://phone.example",
        ),
        (
            {"HOST": "autocom.example", "HTTP_BIND": "0.0.0.0:80"},
            "autocom.example",
            "http://autocom.example:80",
        ),
    ],
)
def test_what_phones_and_browsers_are_told_is_what_the_certificate_is_for(
    set_up: Callable[..., Settings], values: dict[str, str], host: str, page: str
) -> None:
    settings = set_up(**values)
    assert reach.reach(settings).host == host
    assert not reach.reach(settings).guessed
    assert reach.pages(settings) == page
    assert reach.names(settings)[0] == host
    assert {"localhost", "127.0.0.1"} <= set(reach.names(settings))


def test_an_address_that_nobody_set_is_a_guess_and_said_to_be(set_up: Callable[..., Settings]) -> None:
    found = reach.reach(set_up(SIP_BIND="0.0.0.0:5060"))
    assert found.guessed
    assert re.fullmatch(r"[0-9.]+", found.host)
    assert found.host != "0.0.0.0"


def test_phones_use_tls_where_it_is_there(set_up: Callable[..., Settings]) -> None:
    lea = bureau().secretaries["lea"]
    assert reach.account(set_up(), lea).transport == "udp"
    account = reach.account(set_up(SIP_TLS_BIND="127.0.0.1:5061", SRTP="required"), lea)
    assert (account.transport, account.port, account.srtp) == ("tls", 5061, True)


# --- the certificate ----------------------------------------------------------------------------


class Asterisk:
    """Counts how often it is asked to read its certificate again."""

    def __init__(self) -> None:
        self.reloads = 0
        self.refuses = False

    async def reload(self) -> None:
        self.reloads += 1
        if self.refuses:
            raise AsteriskFailed("busy")


async def test_where_nothing_speaks_tls_there_is_no_certificate(
    set_up: Callable[..., Settings], clock: Clock
) -> None:
    papers = Papers(set_up(), clock)
    await papers.look(Asterisk().reload)
    assert (papers.certificate, papers.sip, papers.context(), papers.status()) == (None, None, None, None)


async def test_ours_is_renewed_three_weeks_before_its_end_and_asterisk_told_once(
    set_up: Callable[..., Settings], clock: Clock
) -> None:
    papers, asterisk = Papers(set_up(SIP_TLS_BIND="127.0.0.1:5061"), clock), Asterisk()
    assert papers.sip
    assert papers.certificate
    end = papers.certificate.expires
    await papers.look(asterisk.reload)
    assert asterisk.reloads == 0
    clock.instant = end - WARN + 60
    with capture_logs() as said:
        await papers.look(asterisk.reload)
        await papers.look(asterisk.reload)
    assert asterisk.reloads == 1
    assert papers.certificate.expires > end
    assert [entry["event"] for entry in said] == ["a new certificate is in use"]


async def test_an_asterisk_that_refuses_the_new_one_is_asked_again(
    set_up: Callable[..., Settings], clock: Clock
) -> None:
    papers, asterisk = Papers(set_up(SIP_TLS_BIND="127.0.0.1:5061"), clock), Asterisk()
    assert papers.certificate
    clock.instant = papers.certificate.expires - DAY
    asterisk.refuses = True
    await papers.look(asterisk.reload)
    asterisk.refuses = False
    await papers.look(asterisk.reload)
    await papers.look(asterisk.reload)
    assert asterisk.reloads == 2


async def test_one_that_cannot_be_renewed_stays_in_use_and_is_tried_again(
    set_up: Callable[..., Settings], clock: Clock
) -> None:
    settings = set_up(SIP_TLS_BIND="127.0.0.1:5061")
    papers, asterisk = Papers(settings, clock), Asterisk()
    assert papers.certificate
    before, folder = papers.certificate, settings.state / "tls"
    folder.rename(settings.state / "moved")
    folder.write_text("a file where the folder was, or a full disk")
    clock.instant = before.expires - DAY
    with capture_logs() as said:
        await papers.look(asterisk.reload)
    assert "the one before stays in use" in said[0]["event"]
    assert papers.certificate is before
    folder.unlink()
    (settings.state / "moved").rename(folder)
    await papers.look(asterisk.reload)
    assert papers.certificate.expires > before.expires
    assert asterisk.reloads == 1


async def test_one_of_the_admins_is_complained_about_once_a_day_from_three_weeks_before_its_end(
    set_up: Callable[..., Settings], clock: Clock, tmp_path: Path
) -> None:
    theirs = own(tmp_path / "theirs", ["autocom.example"], clock.now())
    settings = set_up(HTTPS_BIND="127.0.0.1:8443", TLS_CERT=str(theirs.certificate), TLS_KEY=str(theirs.key))
    papers, asterisk = Papers(settings, clock), Asterisk()
    clock.instant = theirs.expires - WARN - 60
    assert papers.status() == {
        "names": ["autocom.example"], "own": False, "expires": papers.status()["expires"], "days": 21, "soon": False  # type: ignore[call-overload,index]
    }  # fmt: skip
    with capture_logs() as said:
        await papers.look(asterisk.reload)
        assert said == []
        clock.instant += 120
        for hours in (0, 1, 22, 2):
            clock.instant += hours * 3600
            await papers.look(asterisk.reload)
    assert [entry["event"] for entry in said] == ["the certificate ends soon: put a new one in its place"] * 2
    assert [entry["days"] for entry in said] == [20, 19]
    with capture_logs() as said:
        theirs.key.write_text("nothing")
        await papers.look(asterisk.reload)
    assert "the one before stays in use" in said[0]["event"]
    assert asterisk.reloads == 0


# --- the command --------------------------------------------------------------------------------

EXAMPLE = Path(__file__).resolve().parents[1] / "config"


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["phone", *arguments])
    return done.exit_code, done.output


@pytest.fixture
def example(set_up: Callable[..., Settings]) -> Callable[..., Settings]:
    set_up(CONFIG=str(EXAMPLE), LANGUAGE="en")
    return set_up


def test_the_command_masks_the_password_unless_asked(example: Callable[..., Settings]) -> None:
    code, said = run("lea")
    assert code == 0
    assert "lea-demo" not in said
    assert "********" in said
    assert "only while autocom runs" in said
    assert "can be reached from this machine only" in said
    assert "lea-demo" in run("lea", "--show-password")[1]
    example(LANGUAGE="fr", HOST="autocom.example")
    assert "mot de passe" in run("lea")[1]
    assert "serveur (domaine)                autocom.example" in run("lea")[1]


def test_the_command_speaks_json_without_the_password(example: Callable[..., Settings]) -> None:
    found = json.loads(run("lea", "--json")[1])
    assert (found["user"], found["port"], found["password"]) == ("lea", "5060", "********")
    assert found["page"] == "http://127.0.0.1:8080/phone"


def test_the_command_writes_files_for_their_owner_alone(
    example: Callable[..., Settings], tmp_path: Path
) -> None:
    code, _ = run("lea", "--write", str(tmp_path / "out"))
    assert code == 0
    files = {
        path.relative_to(tmp_path / "out").as_posix()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    assert files == {
        "baresip/accounts", "baresip/config", "linphone/linphone.xml", "microsip/MicroSIP.ini", "other/softphone.txt"
    }  # fmt: skip
    assert {(tmp_path / "out" / file).stat().st_mode & 0o777 for file in files} == {0o600}
    code, said = run("lea", "--for", "microsip")
    assert "username=lea" in said


def test_with_tls_the_authority_is_written_beside_them(
    example: Callable[..., Settings], tmp_path: Path
) -> None:
    settings = example(SIP_TLS_BIND="127.0.0.1:5061")
    own(settings.state / "tls", reach.names(settings), 1.8e9)
    run("lea", "--for", "baresip", "--write", str(tmp_path / "out"))
    assert (tmp_path / "out" / "autocom-authority.crt").read_text().startswith("-----BEGIN CERTIFICATE")
    assert not (tmp_path / "out" / "microsip").exists()


@pytest.mark.parametrize(
    ("arguments", "words"), [(("nobody",), "no secretary"), (("lea", "--link"), "no autocom runs")]
)
def test_what_cannot_be_done_is_one_line(
    example: Callable[..., Settings], arguments: tuple[str, ...], words: str
) -> None:
    code, said = run(*arguments)
    assert code == 1
    assert words in said
    assert len(said.strip().splitlines()) == 1
