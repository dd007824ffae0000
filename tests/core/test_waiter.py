"""What the floor is told of a caller, from his call, his client and his queue; and of the secretaries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.calls.opening import staff_of
from autocom.core.model import Breather, Enqueue, Play, Quota
from autocom.core.posts import Waiter
from autocom.core.story import Story, in_queue, waiter
from tests.core.test_presentation import CALL
from tests.support.exchange_in_memory import WELCOME, configuration

QUEUE = Enqueue("medical", on_nobody=(Play(WELCOME),), prefer=("lea",), prefer_for=15.0)


def seen(
    *,
    caller: str | None = "+33639980101",
    anonymous: bool = False,
    since: float | None = None,
    **changes: object,
) -> Waiter:
    """A caller who joins at 100, and whose client is changed so."""
    identity = replace(CALL.identity, caller=caller, anonymous=anonymous)
    client = replace(CALL.client, **changes)  # type: ignore[arg-type]
    stage = in_queue((Play(WELCOME), QUEUE), 100.0, since)
    assert stage is not None
    story = Story(replace(CALL, identity=identity, client=client), stage, known="ines")
    return waiter(story, stage)


@pytest.mark.parametrize(
    ("entries", "caller", "anonymous", "advance"),
    [
        (("+33639980101",), "+33639980101", False, 60.0),
        (("+3363998*",), "+33639980101", False, 60.0),
        (("+33639980102", "+33261912*"), "+33639980101", False, 0.0),
        (("+33639980101",), "+33639980101", True, 0.0),
        (("+33639980101",), None, False, 0.0),
        ((), "+33639980101", False, 0.0),
    ],
)
def test_a_vip_is_known_by_number_or_prefix_and_never_where_he_withholds_it(
    entries: tuple[str, ...], caller: str | None, anonymous: bool, advance: float
) -> None:
    assert seen(caller=caller, anonymous=anonymous, vip=entries).advance == advance


def test_languages_countries_preference_and_acquaintance_are_carried_over() -> None:
    his = seen(languages=("de", "fr"), countries=("FR",))
    assert (his.languages, his.countries) == (("de", "fr"), ("FR",))
    assert (his.prefer, his.prefer_until) == (("lea",), 115.0)
    assert his.known == "ines"


def test_what_he_waited_before_counts_for_his_place_and_not_for_his_messages_or_preference() -> None:
    his = seen(since=20.0)
    assert (his.joined, his.entered) == (20.0, 100.0)
    assert his.nobody_from == 100.0 + WELCOME.seconds
    assert his.prefer_until == 115.0


def test_the_staff_knows_languages_sites_rests_and_quotas() -> None:
    made = configuration()
    secretaries = {
        "lea": replace(made.secretaries["lea"], languages=("fr", "de"), country="MA"),
        "ines": made.secretaries["ines"],
    }
    quotas = {"break": Quota(longest=900.0)}
    bureau = replace(made.bureau, breather=Breather(8, 60.0), quotas=quotas)
    staff = staff_of(replace(made, secretaries=secretaries, bureau=bureau))
    assert staff.languages == {"lea": ("fr", "de"), "ines": ("fr",)}
    assert staff.countries == {"lea": "MA", "ines": "FR"}
    assert (staff.breather, staff.quotas, staff.zone) == (Breather(8, 60.0), quotas, "Europe/Paris")
