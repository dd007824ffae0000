from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from autocom.asterisk.ari import generated
from autocom.asterisk.ari.client import decode
from tests.asterisk.ari_support import channel_json, rest_api

ROOT = Path(__file__).resolve().parents[2]


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_ari", ROOT / "tools/generate_ari.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["generate_ari"] = module
    spec.loader.exec_module(module)
    return module


class Recorder:
    """A transport that notes what it would send."""

    def __init__(self, answer: Any = None) -> None:
        self.sent: list[tuple[str, str, dict[str, Any], Any]] = []
        self.answer = answer

    async def call(self, method: str, path: str, query: Mapping[str, Any], body: object = None) -> Any:
        self.sent.append((method, path, {k: v for k, v in query.items() if v is not None}, body))
        return self.answer

    async def download(self, path: str) -> bytes:
        return path.encode()

    async def upgrade(self, path: str, query: Mapping[str, Any]) -> Any:
        raise AssertionError(f"{path} is not opened here: {query}")


def test_the_checked_in_module_is_what_the_generator_makes_of_asterisks_own_files():
    made = _generator().generate(rest_api(), generated.ASTERISK_VERSION)
    assert made == Path(generated.__file__).read_text("utf-8")


def test_every_operation_of_asterisk_has_its_method():
    text = Path(generated.__file__).read_text("utf-8")
    documented = re.findall(r'^        """((?:GET|POST|PUT|DELETE) /\S+)"""$', text, re.MULTILINE)
    assert len(documented) == len(set(documented)) == 109


def test_every_kind_of_message_can_be_told_apart():
    assert len(generated.MESSAGES) == 46  # 45 events and MissingParams
    assert generated.MESSAGES["StasisStart"] == generated.StasisStart.from_json


async def test_a_path_segment_cannot_become_another_path():
    transport = Recorder()
    channels = generated.Ari(transport).channels
    await channels.answer("a/../b?c#d é")
    assert transport.sent == [("POST", "/channels/a%2F..%2Fb%3Fc%23d%20%C3%A9/answer", {}, None)]


@pytest.mark.parametrize("segment", ["", ".", ".."])
async def test_a_segment_that_would_name_another_operation_is_refused(segment):
    transport = Recorder()
    with pytest.raises(ValueError, match="segment"):
        await generated.Ari(transport).channels.hangup(segment)
    assert transport.sent == []


async def test_a_comma_in_a_media_name_stays_one_media():
    transport = Recorder(
        {"id": "p", "media_uri": "", "target_uri": "", "language": "fr", "state": "queued"},
    )
    played = await generated.Ari(transport).channels.play_with_id("c1", "p", ["sound:/a, b"], offsetms=20)
    assert transport.sent == [("POST", "/channels/c1/play/p", {"offsetms": 20}, {"media": ["sound:/a, b"]})]
    assert played.next_media_uri is None


async def test_variables_travel_in_the_body_under_their_name():
    transport = Recorder(channel_json("x"))
    await generated.Ari(transport).channels.create("PJSIP/lea", "autocom", variables={"A": "1"})
    method, path, query, body = transport.sent[0]
    assert (method, path, body) == ("POST", "/channels/create", {"variables": {"A": "1"}})
    assert query == {"endpoint": "PJSIP/lea", "app": "autocom"}


async def test_the_event_filter_is_the_whole_body():
    application = {
        "name": "autocom", "channel_ids": [], "bridge_ids": [], "endpoint_ids": [], "device_names": [],
        "events_allowed": [], "events_disallowed": [],
    }  # fmt: skip
    transport = Recorder(application)
    await generated.Ari(transport).applications.filter("autocom", filter={"disallowed": []})
    assert transport.sent[0][3] == {"disallowed": []}


def test_unknown_fields_are_ignored_and_missing_optional_ones_are_none():
    raw = {
        "type": "StasisStart",
        "application": "autocom",
        "timestamp": "2026-11-22T08:00:00.000+0000",
        "args": ["inbound"],
        "channel": channel_json("c1", something_new={"a": 1}),
        "another": True,
    }
    message = generated.parse_message(raw)
    assert isinstance(message, generated.StasisStart)
    assert message.channel.id == "c1"
    assert message.channel.caller_rdnis is None
    assert message.replace_channel is None
    assert message.asterisk_id is None


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "SomethingOfAsterisk30", "application": "autocom"}',
        '{"type": "StasisStart"}',
        '{"type": null}',
        "{}",
        "[]",
        "7",
        "null",
        "not json",
        '{"type": "StasisStart", "application": "a", "timestamp": "t", "args": [], "channel": "c1"}',
        "",
        '{"type": ["StasisStart"]}',
    ],
)
def test_what_is_no_known_event_is_nothing(text):
    assert decode(text) is None
