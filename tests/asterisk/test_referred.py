"""A REFER as ARI tells of it, as the fact that the stories know: digits or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from autocom.asterisk.ari import generated as ari
from autocom.asterisk.ari.translate import Translator, _Line
from autocom.core.telephony import Fact, TransferAsked


def channel(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "name": f"PJSIP/{name}",
        "state": "Up",
        "protocol_id": "",
        "caller": {"name": "", "number": ""},
        "connected": {"name": "", "number": ""},
        "accountcode": "",
        "dialplan": {
            "context": "",
            "exten": "",
            "priority": 1,
            "app_name": "Stasis",
            "app_data": "autocom,leg",
        },
        "creationtime": "2026-11-22T08:37:23.024+0000",
        "language": "fr",
    }


def told(
    user: str, *, replaces: str | None = None, state: str | None = None, parameters: object = None
) -> list[Fact]:
    requested: dict[str, Any] = {"protocol_id": "", "destination": user}
    if parameters is not None:
        requested["additional_protocol_params"] = parameters
    refer_to: dict[str, Any] = {"requested_destination": requested}
    if replaces is not None:
        refer_to["destination_channel"] = channel(replaces)
    raw: dict[str, Any] = {
        "type": "ChannelTransfer",
        "application": "autocom",
        "timestamp": "2026-11-22T08:37:23.024+0000",
        "refer_to": refer_to,
        "referred_by": {"source_channel": channel("ring-c1-1-lea")},
    }
    if state is not None:
        raw["state"] = state
    translator = Translator()
    translator.lines["ring-c1-1-lea"] = _Line(leg=True, up=True)
    return translator.on(ari.ChannelTransfer.from_json(raw))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("user", "digits"),
    [
        ("201", "201"),
        ("06 39.98-10(21)", "0639981021"),
        ("+33639981021", "+33639981021"),
        ("*5", "*5"),
        ("201;foo=06", ""),
        ("x06y39", ""),
        ("0639981021\r\nX-Evil: 1", ""),
        ("201&202", ""),
        ("\u0660\u0661", ""),
        ("", ""),
        ("1" * 48, "1" * 48),
        ("1" * 49, ""),
    ],
)
def test_its_destination_is_digits_or_nothing(user: str, digits: str) -> None:
    assert told(user) == [TransferAsked("ring-c1-1-lea", digits, None)]


def test_the_other_call_of_hers_is_named_by_its_channel() -> None:
    assert told("201", replaces="phone-1") == [TransferAsked("ring-c1-1-lea", "201", "phone-1")]


def test_a_replaces_of_no_call_is_no_blind_transfer() -> None:
    parameters = [{"parameter_name": "from", "parameter_value": "a"}]
    assert told("201", parameters=parameters) == [TransferAsked("ring-c1-1-lea", "201", "")]


def test_the_echo_of_our_own_word_about_one_is_no_other() -> None:
    assert told("201", state="channel_progress") == []
