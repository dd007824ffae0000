from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.config.yaml import MAX_BYTES, MAX_COMPLAINTS, Mapping, Scalar, parse, too_big

from .conftest import BUREAU, CLIENT


def complaints(text: str | bytes) -> list[tuple[int, int, str]]:
    content = text.encode() if isinstance(text, str) else text
    return [(c.line, c.column, c.message) for c in parse(content).complaints]


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a: 1\non: 2\n", 2, 1, "unquoted `on` is a truth value to YAML: put it in quotes"),
        ("a: yes\n", 1, 4, "unquoted `yes` is a truth value"),
        ("a: No\n", 1, 4, "unquoted `No` is a truth value"),
        ("a: [x, y]\n", 1, 8, "unquoted `y` is a truth value"),
        ("a: 08:00\n", 1, 4, 'unquoted `08:00` is a base-60 number to YAML: put it in quotes ("08:00")'),
        ("a: {b: 12:30:15}\n", 1, 8, "base-60"),
        ("did: +33199001001\n", 1, 6, 'put it in quotes ("+33199001001")'),
        ("did: 0199001001\n", 1, 6, "loses its + or its zeros"),
        ("did: 0033199001001\n", 1, 6, "loses its + or its zeros"),
        ("did: 01 99 00 10 01\n", 1, 6, "loses its + or its zeros"),
        ("k: 1_000\n", 1, 4, "is a number to YAML"),
        ("from: 2026-12-24\n", 1, 7, "is a date to YAML"),
        ("from: 2026-12-24 12:00\n", 1, 7, "is a date to YAML"),
        ("a:\nb: 1\n", 1, 1, "nothing stands here"),
        ("a: ~\n", 1, 4, "nothing stands here"),
        ("a: null\n", 1, 4, "nothing stands here"),
        ("a: &x 1\n", 1, 4, "anchors (&x) are refused"),
        ("a: 1\nb: *x\n", 2, 4, "aliases (*x) are refused"),
        ("<<: {a: 1}\n", 1, 1, "merge keys (<<) are refused"),
        ("a: !!str 1\n", 1, 4, "tags (tag:yaml.org,2002:str) are refused"),
        ("a: !!python/object/apply:os.system [id]\n", 1, 4, "are refused"),
        ("a: 1\nb: 2\na: 3\n", 3, 1, "`a` stands twice; the first is in line 1"),
        ("a: {b: 1, b: 2}\n", 1, 11, "`b` stands twice"),
        ("a:\t1\n", 1, 3, "a tab stands here: indent with spaces"),
        ("a: {b: 1}\n\tc: 2\n", 2, 1, "a tab stands here"),
        ("a: b: c\n", 1, 5, "put the text in quotes"),
        ('a: "x\nb: 1\n', 1, 4, "end of stream"),
        ("a: [1, 2\n", 1, 4, "stream end"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second document"),
        ("%YAML 1.1\n---\na: 1\n", 2, 1, "directives"),
        ("? [a]\n: 1\n", 1, 3, "a key must be a plain word"),
        ("", 1, 1, "the file is empty"),
        ("# nothing but a remark\n", 1, 1, "the file is empty"),
        ("a: é\x07\n", 1, 5, "control character U+0007"),
        ("a: x\x00\n", 1, 5, "control character U+0000"),
        ("a:\u00a0b\nc: 1\n", 1, 3, "a no-break space stands here"),
        ("a: 1\n\u00a0\u00a0b: 2\n", 2, 1, "a no-break space stands here"),
        ("a:\n  -\u202fb\n  - c\n", 2, 3, "a no-break space stands here"),
        ("did: “+33199001001”\n", 1, 6, "typographic quotes are part of the text"),
        ("a: - b\n", 1, 4, "a `- ` where no list can begin"),
        ("a: @b\n", 1, 4, "a text that begins like this needs quotes"),
        ('a: "c:\\dir"\n', 1, 8, "a `\\` in double quotes"),
        ("a: 'it's'\n", 1, 8, "a quote inside quotes"),
    ],
)
def test_what_yaml_would_have_read_otherwise_is_refused_where_it_stands(text, line, column, words):
    found = complaints(text)
    assert found, "nothing was said"
    assert found[0][:2] == (line, column)
    assert words in found[0][2]


def test_french_quotes_and_no_break_spaces_inside_a_text_are_the_admins_own():
    assert complaints('a: « Bonjour »\nb: "Urgence\u00a0: composez le 15"\n') == []


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        (b"a: 1\nb: \xe9t\xe9\n", 2, 4),
        ("é: ".encode() + b"\xff\n", 1, 4),
        (b"\xef\xbb\xbfa: \xc3\n", 1, 4),
        (b"\xff\xfea\x00:\x00", 1, 1),
        (b"a: \xed\xa0\x80\n", 1, 4),
    ],
)
def test_a_byte_that_is_not_utf8_is_shown_by_line_and_column(content, line, column):
    assert [found[:2] for found in complaints(content)] == [(line, column)]
    assert "is not UTF-8" in complaints(content)[0][2]


def test_a_byte_order_mark_is_tolerated_and_moves_no_column():
    root = parse(b'\xef\xbb\xbfa: "1"\n').root
    assert isinstance(root, Mapping)
    assert root.entries == ((Scalar("a", False, 1, 1), Scalar("1", True, 1, 4)),)


def test_quoting_makes_every_trap_a_text():
    root = parse(b'{"on": "08:00", b: "+33199001001", c: \'no\', d: "2026-12-24", e: "", f: |\n  yes\n}').root
    assert root is None  # a block text cannot stand in a flow mapping
    root = parse(b'"on": "08:00"\nb: "+33199001001"\nc: \'no\'\nd: "2026-12-24"\ne: ""\n').root
    assert isinstance(root, Mapping)
    assert [value.value for _, value in root.entries if isinstance(value, Scalar)] == [
        "08:00", "+33199001001", "no", "2026-12-24", "",
    ]  # fmt: skip


def test_all_traps_of_a_file_are_told_at_once():
    assert [found[:2] for found in complaints("on: yes\nb: 08:00\nc: {d: +33, d: 1}\n")] == [
        (1, 1), (1, 5), (2, 4), (3, 8), (3, 13),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "bomb",
    [
        b"[" * 200_000,
        b"{" * 200_000,
        b"- " * 100_000,
        b"a: &a [x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\n" * 2000,
        b"a: x\n" * 50_000,
        b"'" + b"a" * 250_000,
        b"? " * 100_000,
        b"[a: " * 50_000,
    ],
    ids=["lists", "mappings", "dashes", "aliases", "doubles", "open quote", "keys", "pairs"],
)
def test_a_bomb_is_refused_soon_and_with_few_words(bomb):
    begun = time.process_time()
    found = complaints(bomb)
    assert 0 < len(found) <= MAX_COMPLAINTS + 3
    assert time.process_time() - begun < 10


def test_nesting_beyond_the_limit_is_refused_and_up_to_it_is_not():
    assert complaints(b"[" * 32 + b"]" * 32) == []
    assert complaints(b"[" * 33 + b"]" * 33) == [(1, 33, "nested deeper than 32 levels")]


def test_a_file_of_ten_megabytes_is_too_big_and_one_of_the_limit_is_not():
    assert too_big(MAX_BYTES) is None
    complaint = too_big(10 * 1024 * 1024)
    assert complaint is not None
    assert (complaint.line, complaint.column) == (1, 1)
    assert "10240 KB" in complaint.message


@given(st.binary(max_size=300))
def test_no_bytes_whatever_raise(content):
    parsed = parse(content)
    assert (parsed.root is None) == bool(parsed.complaints)


@given(st.text(alphabet="ab:-[]{}\"'\n #&*!|>%@`,?~0+\t", max_size=80))
def test_no_yaml_like_text_whatever_raises(text):
    parsed = parse(text.encode())
    assert (parsed.root is None) == bool(parsed.complaints)
    for complaint in parsed.complaints:
        assert complaint.line >= 1
        assert complaint.column >= 1


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn", "Co")), max_size=40
    )
)
def test_a_text_in_single_quotes_comes_back_as_it_was_written(text):
    if "\ufeff" in text or "\ufffe" in text or "\uffff" in text:
        return  # YAML forbids them
    root = parse(f"k: '{text.replace(chr(39), chr(39) * 2)}'\n".encode()).root
    assert isinstance(root, Mapping)
    value = root.entries[0][1]
    assert isinstance(value, Scalar)
    assert value.value == text
    assert value.quoted


@pytest.mark.parametrize("whole", [BUREAU, CLIENT], ids=["bureau", "client"])
def test_a_file_cut_off_at_any_byte_is_read_or_refused_but_never_crashes(whole):
    content = whole.encode()
    for length in range(len(content)):
        parsed = parse(content[:length])
        assert (parsed.root is None) == bool(parsed.complaints)
