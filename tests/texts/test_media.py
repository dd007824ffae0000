"""Attachments: what is kept, under which name, and where an address may lead."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import Self

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from autocom.core.texts import TextProvider
from autocom.texts.media import NotNow, fetch
from autocom.texts.shelf import LARGEST, AttachmentShelf, Unwanted, kind_of
from tests.support.ports import free_port

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452") + bytes(200)
DAY = 86400.0


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (bytes.fromhex("ffd8ffe000104a46494600010100000100010000") + bytes(100), "image/jpeg"),
        (b"GIF89a" + bytes(50), "image/gif"),
        (b"RIFF\x24\0\0\0WEBPVP8 " + bytes(40), "image/webp"),
        (bytes.fromhex("0000001866747970686569630000000068656963") + bytes(40), "image/heif"),
        (bytes.fromhex("000000206674797069736f6d0000020069736f6d") + bytes(40), "video/mp4"),
        (b"#!AMR\n" + bytes(30), "audio/amr"),
        (b"ID3\x03" + bytes(60), "audio/mpeg"),
        (b"BEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD", "text/vcard"),
        (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj", "application/pdf"),
    ],
)
def test_what_phones_send_is_kept_under_its_sum(tmp_path: Path, content: bytes, kind: str) -> None:
    shelf = AttachmentShelf(tmp_path / "attachments")
    kept = shelf.put(content)
    assert (kept.type, kept.size) == (kind, len(content))
    assert shelf.path(kept.digest).read_bytes() == content
    assert shelf.put(content) == kept
    (path,) = shelf.folder.iterdir()
    assert (path.stat().st_mode & 0o777, shelf.folder.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MZ\x90\0" + bytes(60),
        b"\x7fELF" + bytes(60),
        b"<html><script>alert(1)</script>",
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
        b"PK\x03\x04" + bytes(60),
        b"#!/bin/sh\nrm -rf /\n",
        b"plain words",
        PNG + bytes(LARGEST),
    ],
)
def test_what_a_phone_does_not_send_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Unwanted):
        AttachmentShelf(tmp_path).put(content)
    assert list(tmp_path.iterdir()) == []


@settings(deadline=None)
@given(st.binary(max_size=500))
def test_any_bytes_are_of_a_kind_that_is_kept_or_refused(content: bytes) -> None:
    try:
        assert "/" in kind_of(content)
    except Unwanted:
        return


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "x" * 64, "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_only_sums_are_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError):
        AttachmentShelf(tmp_path).path(name)


def test_what_no_text_has_any_more_is_swept_but_not_what_has_just_come(tmp_path: Path) -> None:
    shelf = AttachmentShelf(tmp_path)
    wanted, old, young = (shelf.put(PNG + bytes([n])) for n in range(3))
    (tmp_path / "notes.txt").write_text("an admin's own")
    half = tmp_path / ("0" * 64 + ".new")
    half.write_bytes(b"half")
    for path in (shelf.path(wanted.digest), shelf.path(old.digest), half, tmp_path / "notes.txt"):
        os.utime(path, (1000.0, 1000.0))
    assert shelf.sweep({wanted.digest}, 2000.0) == 2
    assert {path.name for path in tmp_path.iterdir()} == {wanted.digest, young.digest, "notes.txt"}


# --- addresses -------------------------------------------------------------------------------


class Host:
    """Serves what the test says."""

    def __init__(self) -> None:
        self.port = free_port()
        self.asked: list[str] = []

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/{what}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        what = request.match_info["what"]
        self.asked.append(what)
        if what == "redirect":
            raise web.HTTPFound(f"http://127.0.0.1:{self.port}/secret")
        if what.isdigit():
            return web.Response(status=int(what))
        if what == "endless":
            response = web.StreamResponse()
            await response.prepare(request)
            while True:
                await response.write(bytes(256 * 1024))
        if what == "slow":
            await asyncio.sleep(30)
        return web.Response(body=PNG)

    def provider(self, *hosts: str) -> TextProvider:
        return TextProvider("op", "webhook", media_hosts=hosts or (f"127.0.0.1:{self.port}",))


async def test_what_lies_at_an_allowed_address_is_fetched() -> None:
    async with Host() as host:
        assert await fetch(f"http://127.0.0.1:{host.port}/photo", host.provider()) == PNG


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("redirect", Unwanted), ("404", Unwanted), ("403", Unwanted), ("500", NotNow), ("429", NotNow),
        ("endless", Unwanted), ("slow", NotNow),
    ],
)  # fmt: skip
async def test_what_answers_otherwise_is_refused_or_tried_again(what: str, error: type[Exception]) -> None:
    async with Host() as host:
        with pytest.raises(error):
            await fetch(f"http://127.0.0.1:{host.port}/{what}", host.provider(), patience=2.0)
        assert host.asked == [what]


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]:{port}/photo",
        "http://localhost:{port}/photo",
        "http://127.0.0.1/photo",
        "http://127.0.0.2:{port}/photo",
        "http://user:pw@127.0.0.1:{port}/photo",
        "http://127.0.0.1:{port}@evil.example/photo",
        "ftp://127.0.0.1:{port}/photo",
        "file:///etc/passwd",
        "//127.0.0.1:{port}/photo",
        "http://media.example/photo",
        "https://evil.example/photo",
        "http://127.0.0.1:99999999/",
        "http://[/",
        "",
    ],
)
async def test_an_address_leads_nowhere_else(address: str) -> None:
    async with Host() as host:
        provider = host.provider(f"127.0.0.1:{host.port}", "media.example")
        with pytest.raises(Unwanted):
            await fetch(address.format(port=host.port), provider)
        assert host.asked == []


async def test_a_name_that_leads_into_a_private_network_is_not_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_up: list[str] = []

    def private(host: str, port: int, *_: object, **__: object) -> list[object]:
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", port))]

    monkeypatch.setattr(socket, "getaddrinfo", private)
    with pytest.raises(Unwanted, match="private"):
        await fetch(
            "https://media.example/photo", TextProvider("op", "webhook", media_hosts=("media.example",))
        )
    assert looked_up == ["media.example"]


async def test_without_a_provider_nothing_is_fetched() -> None:
    with pytest.raises(Unwanted):
        await fetch("http://127.0.0.1/photo", None)
