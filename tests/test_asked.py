"""How commands ask the running exchange: what it refuses, and what answers in its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner

from autocom.cli import main
from autocom.state import Card, write_card

PICTURE = {"type": "image/png", "size": 3}
TEXT = {
    "id": "t1",
    "reference": "4F7K2M",
    "at": "2026-11-22T10:00:00.000Z",
    "direction": "in",
    "state": "shown",
    "peer": "+33639980101",
    "sender": None,
    "client": "cab-lilas",
    "number": "+33199001001",
    "body": "Bonjour",
    "failure": None,
    "attachments": [PICTURE, PICTURE],
}
ANSWERS = {
    "/v1/recordings/broken/sound": (500, "text/plain", b"500 Internal Server Error"),
    "/v1/recordings/gone/sound": (404, "application/json", b'{"error": "no recording gone"}'),
    "/v1/recordings/good/sound": (200, "audio/wav", b"RIFF"),
    "/v1/texts/4F7K2M": (200, "application/json", json.dumps(TEXT).encode()),
    "/v1/texts/t1/attachments/1": (200, "image/png", b"PNG"),
    "/v1/texts/t1/attachments/2": (404, "text/plain", b"404: Not Found"),
}


class Exchange(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, kind, body = ANSWERS[self.path.split("?")[0]]
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Exchange)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("AUTOCOM_STATE", str(tmp_path))
    write_card(
        tmp_path, Card(1, f"http://127.0.0.1:{server.server_port}", "token", None, "Europe/Paris", "en")
    )
    yield CliRunner()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("which", "said"), [("broken", "500 Internal Server Error"), ("gone", "no recording gone")]
)
def test_an_error_is_never_written_as_the_sound_that_was_asked_for(
    asked: CliRunner, tmp_path: Path, which: str, said: str
) -> None:
    found = asked.invoke(main, ["recording", which, "--out", str(tmp_path / "x.wav")])
    assert (found.exit_code, (tmp_path / "x.wav").exists()) == (1, False)
    assert said in found.stderr


def test_a_sound_is_written(asked: CliRunner, tmp_path: Path) -> None:
    found = asked.invoke(main, ["recording", "good", "--out", str(tmp_path / "x.wav")])
    assert found.exit_code == 0, found.stderr
    assert (tmp_path / "x.wav").read_bytes() == b"RIFF"


def test_a_text_is_shown_before_its_attachments_are_fetched_and_one_that_is_missing_is_told(
    asked: CliRunner, tmp_path: Path
) -> None:
    found = asked.invoke(main, ["text", "4F7K2M", "--out", str(tmp_path / "out")])
    assert "Bonjour" in found.stdout
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["4F7K2M-1.png"]
    assert "4F7K2M-1.png" in found.stdout
    assert (found.exit_code, "404 Not Found" in found.stderr) == (1, True)
