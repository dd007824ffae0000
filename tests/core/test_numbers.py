"""Every spelling of a number becomes one E.164 string, and nothing else becomes one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.core.numbers import FRANCE, NumberingPlan, is_platform, national, normalise

BELGIUM = NumberingPlan("BE", "32", national_lengths=(8, 9))
LUXEMBOURG = NumberingPlan("LU", "352", trunk_prefix="", national_lengths=(6, 8, 9))

fiction = st.builds(
    lambda block, rest: block + rest,
    st.sampled_from(["0199 00", "026191", "03.53.01", "04-65-71", "05 36 49", "063998"]),
    st.from_regex(r"[0-9]{4}", fullmatch=True),
)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("0199001001", "+33199001001"),
        ("01 99 00 10 01", "+33199001001"),
        ("01.99.00.10.01", "+33199001001"),
        ("01-99-00-10-01", "+33199001001"),
        ("01\u202f99\u00a000\u201010\u201301", "+33199001001"),
        ("+33199001001", "+33199001001"),
        ("+33 1 99 00 10 01", "+33199001001"),
        ("+33 (0)1 99 00 10 01", "+33199001001"),
        ("0033199001001", "+33199001001"),
        ("0033 0199001001", "+33199001001"),
        ("33199001001", "+33199001001"),
        ("sip:0199001001@operator.example", "+33199001001"),
        ("sips:+33199001001;npdi@operator.example", "+33199001001"),
        ("SIP:%2B33199001001@operator.example", "+33199001001"),
        ("tel:+33-1-99-00-10-01;phone-context=example", "+33199001001"),
        ("+3523530100", "+3523530100"),
        ("0049301234567", "+49301234567"),
    ],
)
def test_every_spelling_of_a_number_becomes_its_e164_form(written, number):
    assert normalise(written) == number


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("0590123456", "+590590123456"),
        ("0690123456", "+590690123456"),
        ("0594123456", "+594594123456"),
        ("0694123456", "+594694123456"),
        ("0596123456", "+596596123456"),
        ("0262123456", "+262262123456"),
        ("0692123456", "+262692123456"),
        ("0639123456", "+262639123456"),
        # what networks make of it that put +33 before whatever starts with a zero
        ("+33692123456", "+262692123456"),
        ("0033 692123456", "+262692123456"),
        ("+262692123456", "+262692123456"),
        # the fiction range lies inside Mayotte's 0639 and is metropolitan all the same
        ("0639980101", "+33639980101"),
        ("+33639980101", "+33639980101"),
    ],
)
def test_overseas_departments_have_country_codes_of_their_own(written, number):
    assert normalise(written) == number


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "+", "0", "00", "15", "112", "3114", "116117", "anonymous", "s", "Léa", "0199 00 10 0",
        "019900100123", "+33 1 99 00 10", "+3319900100123", "+0199001001", "0199001001x", "*45", "#31#0199001001",
        "٠١٩٩٠٠١٠٠١", "０１９９００１００１", "0199001001\x00", "+1", "+1234567890123456",
        "sip:@operator.example", "tel:", "0199001001,0199001002", "0" * 10_000, " " * 600 + "0199001001", "+" * 600,
    ],
)  # fmt: skip
def test_what_is_no_number_is_none(text):
    assert normalise(text) is None


@given(fiction)
def test_reading_what_was_read_changes_nothing(written):
    number = normalise(written)
    assert number is not None
    assert normalise(number) == number
    assert normalise(national(number)) == number


@given(st.text(max_size=40) | st.text("+0123456789 ()-.", max_size=20))
def test_any_text_gives_an_e164_number_or_none(text):
    number = normalise(text)
    assert number is None or (number[0] == "+" and number[1:].isdigit() and 6 <= len(number) - 1 <= 15)
    assert number is None or normalise(number) == number


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+33199001001", "01 99 00 10 01"),
        ("+33639980101", "06 39 98 01 01"),
        ("+262692123456", "06 92 12 34 56"),
        ("+590590123456", "05 90 12 34 56"),
        ("+41223530100", "+41223530100"),
        ("+3212", "+3212"),
    ],
)
def test_a_number_is_shown_as_people_of_the_country_write_it(number, shown):
    assert national(number) == shown


@pytest.mark.parametrize(
    ("plan", "written", "number"),
    [
        (BELGIUM, "02 353 01 00", "+3223530100"),
        (BELGIUM, "0465 71 12 34", "+32465711234"),
        (BELGIUM, "0199001", None),
        (BELGIUM, "0033199001001", "+33199001001"),
        (LUXEMBOURG, "353010", "+352353010"),
        (LUXEMBOURG, "+352 26 19 12 34", "+35226191234"),
        (FRANCE, "353010", None),
    ],
)
def test_another_country_has_a_numbering_plan_of_its_own(plan, written, number):
    assert normalise(written, plan) == number


@pytest.mark.parametrize(
    ("number", "platform"),
    [
        ("+33162001234", True),
        ("+33163999999", True),
        ("+33270000000", True),
        ("+33948123456", True),
        ("+33947512345", True),
        ("+33947412345", False),
        ("+33199001001", False),
        ("+33639980101", False),
        ("+32162001234", False),
    ],
)
def test_a_number_kept_for_automated_platforms_is_told_by_its_block(number: str, platform: bool) -> None:
    assert is_platform(number) is platform
