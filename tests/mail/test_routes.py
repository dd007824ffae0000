"""The two ways out against a real SMTP server and a real HTTP gateway, willing and unwilling."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from autocom.core.letters import Letter, Note, wav_seconds, wav_whole
from autocom.lane import Later, Refused, Unreachable
from autocom.mail.route import Parcel
from autocom.mail.shelf import VoiceShelf
from autocom.mail.smtp import SmtpRoute, SmtpServer
from autocom.mail.text import TextRoute
from tests.support import tones
from tests.support.mail_server import SENDER, Gateway, MailServer
from tests.support.ports import free_port


def parcel(to: str = "a@lilas.example", body: str = "bonjour") -> Parcel:
    return Parcel(
        Letter("note-c1-1-to-1", to, 1_790_000_000.0, "fr", Note(body, "Lilas"), "c1", "lilas"), "Été", body
    )


def route(server: MailServer, **changes: object) -> SmtpRoute:
    fields: dict[str, object] = {"host": "127.0.0.1", "port": server.port, "sender": SENDER, "tls": "none"}
    return SmtpRoute(SmtpServer(**{**fields, **changes}), patience=8.0)  # type: ignore[arg-type]


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer() as running:
        yield running


# --- mail ------------------------------------------------------------------------------------


async def test_a_mail_is_taken_by_the_server(server: MailServer) -> None:
    await route(server).send(parcel(body="à l'accueil\n.\nfin"))
    (mail,) = server.taken
    assert mail["Subject"] == "Été"
    assert mail.get_content().splitlines() == ["à l'accueil", ".", "fin"]
    assert server.recipients == [["a@lilas.example"]]


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [("550 no such user", Refused), ("452 mailbox full", Later), ("421 closing", Later)],
)
async def test_what_the_server_says_of_a_recipient_is_of_this_recipient(
    server: MailServer, answer: str, meaning: type[Exception]
) -> None:
    server.refuse = answer
    with pytest.raises(meaning, match=answer[:3]):
        await route(server).send(parcel())
    server.refuse = None
    await route(server).send(parcel())


async def test_a_server_that_is_away_or_says_nothing_is_unreachable(server: MailServer) -> None:
    await server.stop()
    with pytest.raises(Unreachable):
        await route(server).send(parcel())

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    port = free_port()
    listening = await asyncio.start_server(mute, "127.0.0.1", port)
    silent = SmtpRoute(SmtpServer("127.0.0.1", port, SENDER, "none"), patience=0.2)
    with pytest.raises(Unreachable):
        await silent.send(parcel())
    listening.close()


async def test_a_goodbye_that_fails_does_not_make_the_mail_unsent() -> None:
    """Taken is taken: the connection dies between 250 and QUIT."""
    taken: list[bytes] = []

    async def abrupt(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                taken.append(await reader.readuntil(b"\r\n.\r\n"))
                writer.write(b"250 taken\r\n")
                await writer.drain()
                break
            writer.write(b"250 OK\r\n")
        writer.close()

    port = free_port()
    listening = await asyncio.start_server(abrupt, "127.0.0.1", port)
    await SmtpRoute(SmtpServer("127.0.0.1", port, SENDER, "none"), patience=2.0).send(parcel())
    listening.close()
    assert len(taken) == 1


async def test_a_server_without_encryption_gets_no_mail_unless_the_settings_say_so(
    server: MailServer,
) -> None:
    with pytest.raises(Unreachable, match="STARTTLS"):
        await route(server, tls="starttls").send(parcel())
    assert server.taken == []


async def test_a_certificate_nobody_vouches_for_is_refused() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # made for this test and for nothing else
    context.load_cert_chain(Path(__file__).with_name("self_signed.pem"))
    async with MailServer(tls_context=context) as server:
        with pytest.raises(Unreachable):
            await route(server, tls="starttls").send(parcel())
        assert server.taken == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # the server's own advice; this is loopback
@pytest.mark.parametrize("right", [True, False])
async def test_a_wrong_password_holds_up_the_mail_and_loses_none(*, right: bool) -> None:
    def check(_server, _session, _envelope, _mechanism, data) -> AuthResult:
        assert isinstance(data, LoginPassword)
        return AuthResult(success=data.password == b"fiction", handled=False)

    async with MailServer(authenticator=check, auth_require_tls=False, auth_required=True) as server:
        sending = route(server, user="bureau", password="fiction" if right else "wrong").send(parcel())
        if right:
            await sending
            assert len(server.taken) == 1
        else:
            with pytest.raises(Unreachable, match="Authentication"):
                await sending


def test_a_password_never_shows() -> None:
    assert "hidden" not in repr(SmtpServer("h", 25, SENDER, password="hidden"))


# --- texts -----------------------------------------------------------------------------------


async def test_a_text_is_posted_with_its_key_and_its_token() -> None:
    async with Gateway() as gateway:
        await TextRoute(gateway.url, "fiction").send(parcel("+33639981011"))
    assert gateway.texts == [{"to": "+33639981011", "text": "bonjour", "call": "c1", "client": "lilas"}]
    assert gateway.headers[0]["Authorization"] == "Bearer fiction"
    assert gateway.headers[0]["Idempotency-Key"] == "note-c1-1-to-1"


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (400, Refused),
        (422, Refused),
        (401, Unreachable),
        (429, Unreachable),
        (302, Unreachable),
        (503, Unreachable),
    ],
)
async def test_what_a_gateway_answers_decides_whether_it_is_tried_again(
    status: int, meaning: type[Exception]
) -> None:
    async with Gateway() as gateway:
        gateway.status = status
        with pytest.raises(meaning):
            await TextRoute(gateway.url, None).send(parcel("+33639981011"))


async def test_a_gateway_that_is_away_is_told_of_without_its_address() -> None:
    port = free_port()
    with pytest.raises(Unreachable) as away:
        await TextRoute(f"http://127.0.0.1:{port}/send?key=secret", None).send(parcel("+33639981011"))
    assert "secret" not in str(away.value)


# --- the shelf -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["../x", "voice-c1-1/../../x", "voice-c1-1\n", "", "play-c1-1", "voice-c1-1.wav"]
)
def test_the_shelf_takes_names_of_recordings_and_no_paths(tmp_path: Path, name: str) -> None:
    shelf = VoiceShelf(tmp_path / "voicemail")
    for act in (shelf.path, shelf.has, shelf.erase):
        with pytest.raises(ValueError):
            act(name)
    with pytest.raises(ValueError):
        shelf.put(name, b"x")
    assert list(tmp_path.iterdir()) == []


def test_what_was_half_written_is_not_there(tmp_path: Path) -> None:
    shelf = VoiceShelf(tmp_path / "voicemail")
    shelf.put("voice-c1-1", b"first")
    (shelf.folder / "voice-c1-2.new").write_bytes(b"half")
    assert not shelf.has("voice-c1-2")
    shelf.tidy()
    assert not list(shelf.folder.glob("*.new"))
    shelf.put("voice-c1-1", b"second")
    assert shelf.path("voice-c1-1").read_bytes() == b"second"
    shelf.erase("voice-c1-1")
    shelf.erase("voice-c1-1")
    assert not shelf.has("voice-c1-1")


@pytest.mark.parametrize("written", [True, False])
def test_a_recording_that_asterisk_died_in_is_whole_again_for_players(
    tmp_path: Path, *, written: bool
) -> None:
    path = tones.write_wav(tmp_path / "x.wav", tones.sine(440, 1.5))
    sound = path.read_bytes()
    if not written:
        sound = sound[:4] + bytes(4) + sound[8:40] + bytes(4) + sound[44:]
    path.write_bytes(wav_whole(sound))
    samples, rate = tones.read_wav(path)
    assert len(samples) / rate == pytest.approx(1.5)
    assert wav_seconds(sound) == pytest.approx(1.5)


@pytest.mark.parametrize("other", [b"", b"RIFF", b"ID3" + bytes(80), b"RIFF" + bytes(80)])
def test_what_is_no_recording_of_asterisks_is_left_as_it_is(other: bytes) -> None:
    assert wav_whole(other) == other
