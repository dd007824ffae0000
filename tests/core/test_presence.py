"""What the lamps show, from every floor: total, stable until it says otherwise, and never more than is so."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given

from autocom.core.letters import CODEC, Voice
from autocom.core.model import (
    Configuration,
    Enqueue,
    Hangup,
    Menu,
    Play,
    Rule,
    Team,
    Voicemail,
    When,
    Widening,
)
from autocom.core.posts import Floor, Idle, InTalk, Offered, Pause, Post, Staff, Waiter, WrapUp
from autocom.core.presence import (
    Box,
    Lamp,
    box_lamp,
    boxed,
    boxes_of,
    client_lamp,
    count,
    lamps,
    next_change,
    panel_of,
    post_lamp,
    team_lamp,
)
from tests.support.exchange_in_memory import WELCOME, client, configuration

NOW = 1_790_000_000.0
HOUR = 3600.0

OFFERED = Offered("c1", "ring-c1-1-lea", 1, NOW, NOW + 12)
TALKING = InTalk("c1", "ring-c1-1-lea", 1, "lilas", NOW)
WRAPPING = WrapUp("c1", NOW, NOW, NOW + 20)
LUNCH = Pause("lunch", NOW)
AT_WORK = Post("lea", registered=True, logged_in=True)


def bureau() -> Configuration:
    """lilas is served by medical, which widens to general; roses by general alone, and takes messages."""
    lilas = client("lilas", "+33199001001", Enqueue("medical"), Voicemail())
    roses = client("roses", "+33199001002", Enqueue("general"))
    made = configuration(
        lilas, roses, lea={"medical": 1, "general": 2}, ines={"medical": 2}, marc={"general": 1}, chef={}
    )
    teams = {"medical": Team("medical", (Widening(20.0, "general"),)), "general": Team("general")}
    return replace(made, teams=teams)


PANEL = panel_of(bureau())


def floor(*posts: Post, waiters: tuple[Waiter, ...] = ()) -> Floor:
    return Floor(Staff({}, {}), {p.secretary: p for p in posts}, {w.call: w for w in waiters})


def waiter(call: str = "c1", team: str = "medical", client: str = "lilas", **changes: object) -> Waiter:
    return Waiter(call, client, team, NOW, **changes)  # type: ignore[arg-type]


def shown(at: Floor, now: float = NOW, boxes: dict[str, Box] | None = None) -> dict[str, Lamp]:
    return lamps(PANEL, at, boxes or {}, now)


@pytest.mark.parametrize(
    ("post", "lamp"),
    [
        (None, Lamp.SILENT),
        (Post("lea"), Lamp.SILENT),
        (Post("lea", logged_in=True), Lamp.SILENT),
        (Post("lea", registered=True), Lamp.HELD),
        (AT_WORK, Lamp.SILENT),
        (replace(AT_WORK, pause=LUNCH), Lamp.HELD),
        (replace(AT_WORK, engaged=WRAPPING), Lamp.BUSY),
        (replace(AT_WORK, engaged=WRAPPING, pause=LUNCH), Lamp.BUSY),
        # her phone says it: nothing is sent while a call is set up, and nothing while she talks
        (replace(AT_WORK, engaged=OFFERED), Lamp.SILENT),
        (replace(AT_WORK, engaged=TALKING), Lamp.SILENT),
        (replace(AT_WORK, own_call=True), Lamp.SILENT),
    ],
)
def test_a_secretarys_lamp_is_what_her_phone_cannot_say(post: Post | None, lamp: Lamp):
    at = floor() if post is None else floor(post)
    assert shown(at)[post_lamp("lea")] is lamp


def test_a_secretary_who_will_wrap_up_is_busy_before_her_phone_is_idle_again():
    staff = Staff({}, {}, wrap_up={"lilas": (0.0, 20.0), "roses": (0.0, 0.0)})
    for whose, lamp in (("lilas", Lamp.BUSY), ("roses", Lamp.SILENT), ("gone", Lamp.SILENT)):
        at = floor(replace(AT_WORK, engaged=replace(TALKING, client=whose)))
        assert shown(replace(at, staff=staff))[post_lamp("lea")] is lamp


def test_who_is_in_no_team_has_nothing_to_log_in_to():
    assert shown(floor(Post("chef", registered=True)))[post_lamp("chef")] is Lamp.SILENT


def test_a_queue_is_idle_while_nobody_waits_and_rings_while_somebody_does():
    assert shown(floor(AT_WORK))[team_lamp("medical")] is Lamp.IDLE
    found = shown(floor(AT_WORK, waiters=(waiter(),)))
    assert found[team_lamp("medical")] is found[client_lamp("lilas")] is Lamp.RINGING
    assert found[team_lamp("general")] is found[client_lamp("roses")] is Lamp.IDLE


def test_a_queue_is_busy_from_the_instant_at_which_a_caller_has_waited_for_his_target():
    at = floor(AT_WORK, waiters=(waiter(target=20.0), waiter("c2", target=90.0)))
    assert next_change(at, NOW) == NOW + 20
    assert shown(at, NOW + 19.9)[team_lamp("medical")] is Lamp.RINGING
    assert shown(at, NOW + 20)[team_lamp("medical")] is Lamp.BUSY
    assert shown(at, NOW + 20)[client_lamp("lilas")] is Lamp.BUSY
    assert next_change(at, NOW + 20) == NOW + 90
    assert next_change(at, NOW + 90) is None


def test_a_caller_whom_somebody_picked_up_waits_no_more():
    at = floor(replace(AT_WORK, engaged=TALKING), waiters=(waiter(held="lea"),))
    assert shown(at, NOW + HOUR)[team_lamp("medical")] is Lamp.IDLE
    assert next_change(at, NOW) is None


def test_a_queue_that_nobody_is_at_work_for_is_busy_unless_it_widens_to_somebody():
    assert shown(floor())[team_lamp("medical")] is Lamp.BUSY
    marc = Post("marc", registered=True, logged_in=True)
    found = shown(floor(marc))
    assert found[team_lamp("medical")] is Lamp.IDLE
    ines = Post("ines", registered=True, logged_in=True, pause=LUNCH)
    found = shown(floor(ines))
    assert found[team_lamp("medical")] is Lamp.IDLE, "paused, she is at work"
    assert found[team_lamp("general")] is Lamp.BUSY
    assert found[client_lamp("lilas")] is Lamp.IDLE


def test_a_caller_of_a_client_or_team_that_is_gone_lights_nothing():
    stranger = waiter(team="legal", client="tulipes")
    assert shown(floor(AT_WORK, waiters=(stranger,))) == shown(floor(AT_WORK))


def test_a_box_is_lit_by_new_messages_only():
    assert shown(floor())[box_lamp("lilas")] is Lamp.IDLE
    assert shown(floor(), boxes={"lilas": Box(0, 4)})[box_lamp("lilas")] is Lamp.IDLE
    assert shown(floor(), boxes={"lilas": Box(1, 0)})[box_lamp("lilas")] is Lamp.BUSY
    assert box_lamp("roses") not in shown(floor(), boxes={"roses": Box(1, 0)}), "its rules take no message"


@pytest.mark.parametrize(
    "steps",
    [
        (Voicemail(),),
        (Enqueue("medical", on_timeout=(Voicemail(),)),),
        (Enqueue("medical", keys={"1": (Voicemail(),)}),),
        (Menu(WELCOME, {"2": (Menu(WELCOME, {}, otherwise=(Voicemail(),)),)}),),
    ],
)
def test_a_client_has_a_box_however_deep_its_rules_take_a_message(steps: tuple[object, ...]):
    assert boxed(configuration(client("lilas", "+33199001001", *steps))) == ("lilas",)


def test_a_box_may_also_come_of_a_full_house_or_of_a_fax():
    full = client("lilas", "+33199001001", on_full=(Voicemail(),))
    fax = client("roses", "+33199001002", on_fax=(Voicemail(),))
    none = client("tulipes", "+33199001003", Play(WELCOME), Hangup())
    assert boxed(configuration(full, fax, none)) == ("lilas", "roses")


def test_messages_light_the_phones_of_those_who_know_the_client_well():
    assert boxes_of(bureau()) == {"lea": ("lilas",), "ines": (), "marc": (), "chef": ()}


def test_every_queue_of_a_client_counts_for_its_box():
    night = Rule("night", When(open=False), (Enqueue("general"), Voicemail()))
    day = Rule("day", None, (Enqueue("medical"),))
    made = configuration(
        client("lilas", "+33199001001", rules=(night, day)), lea={"medical": 1}, marc={"general": 1}
    )
    assert boxes_of(made) == {"lea": ("lilas",), "marc": ("lilas",)}


def voice(recording: str, client: str, heard: float | None = None) -> Voice:
    return Voice(recording, "c1", client, NOW, NOW + HOUR, heard=heard)


def test_messages_are_counted_by_client_and_by_whether_somebody_listened():
    left = [
        voice("voice-c1-1", "lilas"),
        voice("voice-c2-1", "lilas", NOW),
        voice("voice-c3-1", "roses", NOW),
    ]
    assert count(left) == {"lilas": Box(1, 1), "roses": Box(0, 1)}
    assert count([]) == {}


def test_a_message_kept_by_an_older_version_is_new():
    row = CODEC.dump(voice("voice-c1-1", "lilas"))
    assert isinstance(row, dict)
    del row["heard"]
    assert CODEC.load(Voice, row).heard is None


# --- laws ------------------------------------------------------------------------------------

NAMES = ("lea", "ines", "marc", "chef", "gone")
POSTS = st.builds(
    Post,
    st.sampled_from(NAMES),
    registered=st.booleans(),
    logged_in=st.booleans(),
    pause=st.sampled_from([None, LUNCH]),
    engaged=st.sampled_from([Idle(), OFFERED, TALKING, WRAPPING]),
    own_call=st.booleans(),
)
WAITERS = st.builds(
    Waiter,
    st.sampled_from(["c1", "c2", "c3"]),
    st.sampled_from(["lilas", "roses", "gone"]),
    st.sampled_from(["medical", "general", "gone"]),
    st.floats(NOW - 100, NOW + 100),
    target=st.floats(0, 100),
    held=st.sampled_from([None, "lea"]),
)
FLOORS = st.builds(
    lambda posts, waiters: floor(*posts, waiters=tuple(waiters)),
    st.lists(POSTS, max_size=5),
    st.lists(WAITERS, max_size=3),
)
BOXES = st.dictionaries(st.sampled_from(["lilas", "roses", "gone"]), st.builds(Box, st.integers(0, 3)))


@given(FLOORS, BOXES, st.floats(NOW - 200, NOW + 200))
def test_every_name_has_a_lamp_and_no_other_has(at: Floor, boxes: dict[str, Box], now: float):
    assert shown(at, now, boxes).keys() == shown(floor()).keys()


@given(FLOORS, BOXES, st.floats(NOW - 200, NOW + 200), st.floats(0, 1))
def test_between_two_facts_nothing_changes_before_it_says_so(
    at: Floor, boxes: dict[str, Box], now: float, part: float
):
    change = next_change(at, now)
    later = now + HOUR if change is None else now + (change - now) * part * 0.999
    assert change is None or change > now
    assert shown(at, later, boxes) == shown(at, now, boxes)


@given(FLOORS, st.floats(NOW - 200, NOW + 200))
def test_lamps_do_not_depend_on_the_order_of_callers(at: Floor, now: float):
    turned = replace(at, waiters=dict(reversed(at.waiters.items())))
    assert shown(turned, now) == shown(at, now)


@given(FLOORS, st.floats(NOW - 200, NOW + 200))
def test_a_queue_lamp_is_idle_only_where_nobody_waits_for_that_team(at: Floor, now: float):
    found = shown(at, now)
    waiting = {w.team for w in at.waiters.values() if w.held is None}
    for team in ("medical", "general"):
        if found[team_lamp(team)] is Lamp.IDLE:
            assert team not in waiting
        if found[team_lamp(team)] is Lamp.RINGING:
            assert team in waiting
