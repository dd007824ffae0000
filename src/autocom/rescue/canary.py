"""Whether ARI answers: one `GET /applications/autocom`, on a connection of its own.

Asterisk's `/asterisk/ping` answers while ARI is deadlocked (22.10.1, asterisk issue 2170); asking for the application
does not. Any answer at all is life, also 404 (nobody serves) and 401. Must not know what follows from it.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from urllib.parse import urlsplit

WITHIN = 2.0
ALIVE, HUNG, ABSENT = "alive", "hung", "absent"
"""`absent`: nobody listens there: Asterisk is gone, which is no case for a rescue."""


async def look(url: str, user: str, password: str, app: str) -> str:
    """ALIVE, HUNG or ABSENT. `url` as in AUTOCOM_ARI_URL, with or without `/ari` at its end."""
    parts = urlsplit(url)
    host = parts.hostname or "127.0.0.1"
    port = parts.port or (443 if parts.scheme == "https" else 80)
    secure = ssl.create_default_context() if parts.scheme == "https" else None
    path = parts.path.rstrip("/")
    path = path if path.endswith("/ari") else f"{path}/ari"
    who = base64.b64encode(f"{user}:{password}".encode()).decode()
    request = (
        f"GET {path}/applications/{app} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {who}\r\n"
        "Connection: close\r\n\r\n"
    )
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(WITHIN):
            reader, writer = await asyncio.open_connection(host, port, ssl=secure)
            writer.write(request.encode())
            first = await reader.readline()
            return ALIVE if first.startswith(b"HTTP/") else ABSENT
    except TimeoutError:
        return HUNG
    except (OSError, ValueError):  # a line that never ends is no ARI's
        return ABSENT
    finally:
        if writer is not None:
            writer.transport.abort()
