"""How the checks ask: ARI, AMI, PostgreSQL, SIP and ports, each question within two seconds.

An answer, or None where there is none: what that means is the check's to say. No check shares a connection with
another one. Nothing is changed by any question.
"""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import psycopg

from autocom.doctor.patient import Patient
from autocom.journal.database import normalise_url

WITHIN = 2.0
IN_USE = os.strerror(errno.EADDRINUSE)


@dataclass(frozen=True, slots=True)
class Answer:
    """Of ARI: the HTTP status, and the JSON where it is some."""

    status: int
    body: Any


async def ari(
    patient: Patient, method: str, path: str, query: Mapping[str, str] | None = None
) -> Answer | None:
    """Asked of ARI; None where nothing answers."""
    doors = patient.doors
    if doors is None:
        return None
    base = doors.ari_url.rstrip("/").removesuffix("/ari")
    headers = {"Authorization": aiohttp.encode_basic_auth(doors.ari_user, doors.ari_password)}
    try:
        async with (
            aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=WITHIN)) as http,
            http.request(method, f"{base}/ari/{path}", params=query) as reply,
        ):
            text = await reply.text()
            return Answer(reply.status, await reply.json() if text and "json" in reply.content_type else text)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return None


async def ami(patient: Patient, *actions: Mapping[str, str]) -> list[dict[str, list[str]]] | None:
    """What AMI answers to a login and these actions, block by block; None where nothing answers. The last action's
    end is known by `EventList: Complete` or by its response."""
    doors = patient.doors
    if doors is None:
        return None
    login = {"Action": "Login", "Username": doors.ami_user, "Secret": doors.ami_password, "Events": "off"}
    blocks: list[dict[str, list[str]]] = []
    try:
        async with asyncio.timeout(WITHIN):
            reader, writer = await asyncio.open_connection(doors.ami_host, doors.ami_port, limit=1 << 22)
            try:
                await reader.readline()
                for action in (login, *actions):
                    text = "".join(f"{key}: {value}\r\n" for key, value in action.items()) + "\r\n"
                    writer.write(text.encode())
                    blocks += await _blocks(reader)
                    if blocks[-1].get("Response") == ["Error"]:
                        break
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return blocks or None
    return blocks


async def _blocks(reader: asyncio.StreamReader) -> list[dict[str, list[str]]]:
    found: list[dict[str, list[str]]] = []
    while True:
        raw = (await reader.readuntil(b"\r\n\r\n")).decode(errors="replace")
        block: dict[str, list[str]] = {}
        for line in raw.split("\r\n"):
            key, separator, value = line.partition(": ")
            if separator:
                block.setdefault(key, []).append(value)
        found.append(block)
        listing = found[0].get("EventList") == ["start"]
        if not listing or block.get("EventList") == ["Complete"]:
            return found


def postgres(patient: Patient) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection of its own, for a thread. Raises psycopg.Error."""
    url = normalise_url(patient.database or "").replace("postgresql+psycopg://", "postgresql://", 1)
    return psycopg.connect(url, connect_timeout=int(WITHIN), autocommit=True)


async def sip(host: str, port: int) -> str | None:
    """The first line that an OPTIONS over UDP is answered with; None where nothing comes."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes] = loop.create_future()

    class _Asks(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:  # noqa: ARG002
            if not answer.done():
                answer.set_result(data)

        def error_received(self, exc: Exception) -> None:
            if not answer.done():
                answer.set_exception(exc)

    try:
        async with asyncio.timeout(WITHIN):
            transport, _ = await loop.create_datagram_endpoint(_Asks, remote_addr=(host, port))
            try:
                here, mine = transport.get_extra_info("sockname")[:2]
                transport.sendto(_options(host, port, f"[{here}]" if ":" in here else here, mine))
                return (await answer).decode(errors="replace").split("\r\n", 1)[0]
            finally:
                transport.close()
    except (OSError, TimeoutError):
        return None


def _options(host: str, port: int, here: str, mine: int) -> bytes:
    there = f"[{host}]" if ":" in host else host
    tag = secrets.token_hex(8)
    lines = (
        f"OPTIONS sip:{there}:{port} SIP/2.0",
        f"Via: SIP/2.0/UDP {here}:{mine};rport;branch=z9hG4bK{tag}",
        f"From: <sip:doctor@{here}>;tag={tag}",
        f"To: <sip:{there}:{port}>",
        f"Call-ID: {tag}@{here}",
        "CSeq: 1 OPTIONS",
        f"Contact: <sip:doctor@{here}:{mine}>",
        "Max-Forwards: 70",
        "Content-Length: 0",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def listens(host: str, port: int) -> bool:
    """Whether somebody accepts TCP connections there."""
    try:
        async with asyncio.timeout(WITHIN):
            _, writer = await asyncio.open_connection(_reachable(host), port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def can_bind(host: str, port: int, *, udp: bool = False) -> str | None:
    """None where we could listen there, else why not, in the system's words."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as probe:
        if not udp:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return None


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - all addresses: also loopback
