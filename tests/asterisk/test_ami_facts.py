from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autocom.asterisk.ami_facts import PhoneBook, quality, turned_away
from autocom.core.telephony import CallRefused, LegQuality, PhoneInUse, PhoneRegistered, RawHeaders

URI = "sip:lea@127.0.0.1:39757"


def contact(status: str, endpoint: str = "lea", uri: str = URI) -> dict[str, str]:
    return {
        "Event": "ContactStatus",
        "URI": uri,
        "ContactStatus": status,
        "AOR": "lea",
        "EndpointName": endpoint,
    }


def channel(event: str, name: str = "PJSIP/lea-00000002", unique: str = "1795336843.2") -> dict[str, str]:
    return {"Event": event, "Channel": name, "Uniqueid": unique}


@pytest.fixture
def book() -> PhoneBook:
    made = PhoneBook()
    endpoints = [{"ObjectName": name} for name in ("lea", "lea@web", "zoe", "zoe@web", "trunk-operator")]
    contacts = [{"Endpoint": "zoe", "Uri": "sip:zoe@127.0.0.1:5080;transport=WS", "Status": "Reachable"}]
    made.inventory(endpoints, contacts, [])
    return made


def changes(book: PhoneBook, *events: dict[str, str]) -> list[object]:
    out: list[object] = []
    for event in events:
        secretary = book.on(event)
        if secretary is not None:
            out += book.facts(secretary)
    return out


def test_the_first_inventory_tells_of_every_phone_and_of_no_trunk(book):
    assert book.secretaries() == ["lea", "zoe"]
    assert book.facts("lea") == [PhoneRegistered("lea", reachable=False), PhoneInUse("lea", in_use=False)]
    assert book.facts("zoe") == [PhoneRegistered("zoe", reachable=True), PhoneInUse("zoe", in_use=False)]
    assert book.facts("zoe") == []
    book.forget_told()
    assert len(book.facts("zoe")) == 2


@pytest.mark.parametrize("status", ["Reachable", "NonQualified", "Unknown", "Created", "Updated"])
def test_a_contact_that_was_not_found_absent_can_be_rung(book, status):
    book.facts("lea")
    assert changes(book, contact(status), contact(status)) == [PhoneRegistered("lea", reachable=True)]


def test_a_phone_that_moved_is_told_again_though_it_was_never_away(book):
    elsewhere = "sip:lea@127.0.0.1:40226"
    book.facts("lea")
    assert changes(book, contact("Reachable")) == [PhoneRegistered("lea", reachable=True)]
    moved = (contact("NonQualified", uri=elsewhere), contact("Removed"), contact("Reachable", uri=elsewhere))
    assert changes(book, *moved) == [PhoneRegistered("lea", reachable=True, moved=True)]


def test_a_phone_that_an_inventory_finds_where_it_was_has_not_moved(book):
    book.facts("lea")
    assert changes(book, contact("Reachable")) == [PhoneRegistered("lea", reachable=True)]
    listed = {"Endpoint": "lea", "Uri": URI, "Status": "Reachable"}
    book.inventory([{"ObjectName": "lea"}], [listed], [])
    assert book.facts("lea") == []
    elsewhere = listed | {"Uri": "sip:lea@127.0.0.1:40226"}
    book.inventory([{"ObjectName": "lea"}], [listed, elsewhere], [])
    assert book.facts("lea") == [PhoneRegistered("lea", reachable=True, moved=True)]
    book.inventory([{"ObjectName": "lea"}], [elsewhere], [])
    assert book.facts("lea") == []


@pytest.mark.parametrize("status", ["Unreachable", "Removed", "Unavailable"])
def test_a_contact_that_went_away_cannot(book, status):
    book.facts("lea")
    assert changes(book, contact("Reachable"), contact(status)) == [
        PhoneRegistered("lea", reachable=True),
        PhoneRegistered("lea", reachable=False),
    ]


def test_one_of_two_phones_is_enough_to_be_reached(book):
    book.facts("lea")
    second = "sip:lea@127.0.0.2:5060"
    told = changes(book, contact("Reachable"), contact("Reachable", uri=second), contact("Removed"))
    assert {fact.reachable for fact in told} == {True}


def test_a_phone_in_a_browser_is_the_same_secretary_rung_elsewhere(book):
    assert book.in_browser("zoe")
    assert not book.in_browser("lea")
    assert not book.in_browser("nobody")
    book.facts("lea")
    assert changes(book, channel("Newchannel", "PJSIP/lea@web-0000001a")) == [PhoneInUse("lea", in_use=True)]


def test_her_own_calls_make_her_busy_until_the_last_one_ended(book):
    book.facts("lea")
    first, second = channel("Newchannel"), channel("Newchannel", "PJSIP/lea-00000003", "1795336843.3")
    assert changes(book, first, second, first) == [PhoneInUse("lea", in_use=True)]
    assert changes(book, channel("Hangup")) == []
    assert changes(book, channel("Hangup", "PJSIP/lea-00000003", "1795336843.3")) == [
        PhoneInUse("lea", in_use=False)
    ]
    assert changes(book, channel("Hangup")) == []


@pytest.mark.parametrize(
    ("name", "unique"),
    [
        ("PJSIP/lea-00000001", "ring-c1-1-lea"),  # our own offer
        ("PJSIP/trunk-operator-00000000", "1795336840.0"),
        ("Local/600@autocom-phone-00000001;1", "1795336840.7"),
        ("PJSIP/", "1"),
        ("", ""),
    ],
)
def test_other_channels_say_nothing_about_her_phone(book, name, unique):
    assert changes(book, channel("Newchannel", name, unique)) == []


def test_a_secretary_whose_id_has_dashes_is_told_apart_from_the_channels_number(book):
    assert book.on(channel("Newchannel", "PJSIP/anne-marie-00000001")) == "anne-marie"


def test_an_inventory_forgets_what_is_no_more(book):
    changes(book, contact("Reachable"), channel("Newchannel"))
    book.inventory([{"ObjectName": "lea"}], [], [])
    assert book.facts("lea") == [PhoneRegistered("lea", reachable=False), PhoneInUse("lea", in_use=False)]
    assert book.facts("zoe") == [PhoneRegistered("zoe", reachable=False), PhoneInUse("zoe", in_use=False)]


EVENTS = st.sampled_from(
    [
        contact("Reachable"),
        contact("Removed"),
        contact("Unreachable"),
        channel("Newchannel"),
        channel("Hangup"),
    ]
)


@settings(deadline=None)
@given(st.lists(EVENTS, max_size=30), st.integers(0, 30))
def test_events_replayed_behind_an_inventory_end_at_the_truth(events, cut):
    """AMI's list may be younger than an event that is delivered after it."""
    true, late = PhoneBook(), PhoneBook()
    for event in events:
        true.on(event)
    older = PhoneBook()
    for event in events[:cut]:
        older.on(event)
    contacts = [{"Endpoint": "lea", "Uri": URI, "Status": "Reachable"}] if older.reachable("lea") else []
    channels = [channel("CoreShowChannel")] if older._channels.get("lea") else []
    late.inventory([{"ObjectName": "lea"}], contacts, channels)
    for event in events:  # all of them, also those that the list knew
        late.on(event)
    late.facts("nobody")
    assert late.reachable("lea") == true.reachable("lea")
    assert bool(late._channels.get("lea")) == bool(true._channels.get("lea"))


def qos(value: str, variable: str = "RTPAUDIOQOS") -> dict[str, str]:
    return {"Event": "VarSet", "Variable": variable, "Value": value, "Uniqueid": "ring-c1-1-lea"}


def test_the_figures_of_a_leg_are_read_in_milliseconds_and_percent():
    value = "ssrc=1;themssrc=2;lp=5;rxjitter=0.000000;rxcount=95;txjitter=0.000750;txcount=110;rlp=0;rtt=0.021500;rxmes=1"
    assert quality(qos(value)) == LegQuality("ring-c1-1-lea", 110, 95, 5.0, 0.75, 21.5)


def test_a_round_trip_that_went_backwards_is_none():
    value = "lp=0;rxcount=9;txcount=9;txjitter=0.0;rtt=65535.999860"
    assert quality(qos(value)) == LegQuality("ring-c1-1-lea", 9, 9, 0.0, 0.0, None)


def test_what_was_not_measured_is_none():
    value = "lp=0;rxjitter=0.0;rxcount=0;txjitter=0.0;txcount=0;rlp=0;rtt=0.0"
    assert quality(qos(value)) == LegQuality("ring-c1-1-lea", 0, 0, None, 0.0, None)


@pytest.mark.parametrize(
    "event",
    [
        qos(""),
        qos("rxcount=x;lp=0"),
        qos("lp=0;rxcount=1;txcount=1;txjitter=0;rtt=0", "RTPAUDIOQOSBRIDGED"),
        contact("Reachable"),
        {},
    ],
)
def test_other_events_have_no_figures(event):
    assert quality(event) is None


def test_a_caller_whom_asterisk_had_no_room_for_is_told_with_what_asterisk_knows_of_him() -> None:
    event = {
        "Event": "Hangup",
        "Channel": "PJSIP/trunk-operator-nord-0000001a",
        "CallerIDNum": "0639980001",
        "CallerIDName": "<unknown>",
        "Context": "autocom-inbound",
        "Exten": "0199001002",
        "Priority": "1",
        "Uniqueid": "1795392665.783",
        "Linkedid": "1795392665.783",
        "Cause": "42",
    }
    headers = RawHeaders(request_user="0199001002", caller_number="0639980001")
    assert turned_away(event) == CallRefused("1795392665.783", "operator-nord", headers)
    for other in (
        {"Cause": "34"},
        {"Priority": "7"},
        {"Channel": "PJSIP/lea-0000001b"},
        {"Event": "Newchannel"},
        {"Uniqueid": "out-c1-1", "Linkedid": "out-c1-1"},  # dialled by us, and refused by the operator
        {"Linkedid": "1795392665.782"},  # by the fallback, for the caller who has that id
    ):
        assert turned_away(event | other) is None
