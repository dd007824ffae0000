"""The pages against the code: links, commands, settings, examples, tables. What is not true fails here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import click
import pytest
from babel.messages.pofile import read_po
from pydantic import BaseModel
from ruamel.yaml import YAML

from autocom import lane, news, versions
from autocom.asterisk.conf import pjsip
from autocom.calls import inspection, promise, quality, searching, voicemail
from autocom.calls.line import FAX_WINDOW
from autocom.cli import main
from autocom.config import ConfigurationRefused, load, models
from autocom.config.shape import keys_at
from autocom.core import estimate, flows, offers, pace, ranking, record, rooms
from autocom.core.journal import KINDS
from autocom.core.record import ABANDON_CAUSES, OUTCOMES, SEGMENT_KINDS
from autocom.core.stages import Stage
from autocom.doctor import bureau as doctor_bureau
from autocom.doctor import rounds
from autocom.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = sorted(DOCS.rglob("*.md"))
ALL = [README, ROOT / "CHANGELOG.md", *PAGES]
PROSE = "\n".join(page.read_text(encoding="utf-8") for page in ALL)

# the contract's commands
COMMANDS = (
    "up", "serve", "upgrade", "check", "explain", "reload", "status", "calls", "call", "secretary", "schema", "demo",
    "db upgrade", "db downgrade", "db current", "db roles", "bans", "token add", "token list", "token remove", "override", "versions", "rollback", "diff", "voicemail", "pauses", "texts", "text",
    "simulate", "phone", "call-out", "list show", "list add", "list import", "list remove", "result", "rooms", "room",
    "recordings", "recording", "alerts", "doctor", "rescue",
)  # fmt: skip
# read from the environment by others than `Settings`
FURTHER_SETTINGS = ("AUTOCOM_HOME", "AUTOCOM_ASTERISK_HOME")

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]\n]+\]\(([^)\s]+)\)")


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


# --- links and navigation --------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """Of the headings, as mkdocs and GitHub make them for the plain words that stand here."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-") for title in headings}


@pytest.mark.parametrize("page", ALL, ids=name_of)
def test_every_link_into_the_repository_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", read(page))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{name_of(page)}: {target}"
        if anchor:
            assert anchor.rstrip("-") in {a.rstrip("-") for a in anchors(read(found))}, target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_links_only_to_pages_since_a_built_site_has_nothing_else(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", read(page))):
        if not re.match(r"[a-z]+:", target):
            found = (page.parent / target.partition("#")[0]).resolve()
            assert found.is_relative_to(DOCS), f"{name_of(page)}: {target}"


def test_every_page_stands_once_in_the_navigation() -> None:
    site = YAML(typ="safe").load(read(ROOT / "mkdocs.yml"))

    def leaves(entry: object) -> Iterator[str]:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, Mapping):
            for inner in entry.values():
                yield from leaves(inner)
        elif isinstance(entry, list):
            for inner in entry:
                yield from leaves(inner)

    assert sorted(leaves(site["nav"])) == sorted(page.relative_to(DOCS).as_posix() for page in PAGES)
    assert (ROOT / site["docs_dir"]) == DOCS


@pytest.mark.parametrize(
    "page",
    [
        *sorted((DOCS / "admins").glob("*.md")),
        DOCS / "secretaries" / "presence.md",
        *(DOCS / f"{who}.md" for who in ("secretaries", "leads", "simulate")),
    ],
    ids=name_of,
)
def test_pages_for_people_of_the_bureau_are_french_first_then_english(page: Path) -> None:
    headings = re.findall(r"^## (.+)$", FENCE.sub("", read(page)), re.MULTILINE)
    assert headings[:2] == ["Français", "English"]


@pytest.mark.parametrize("page", ALL, ids=name_of)
def test_every_code_fence_is_closed(page: Path) -> None:
    fences = [line for line in read(page).splitlines() if line.startswith("```")]
    assert len(fences) % 2 == 0
    assert all(line == "```" for line in fences[1::2]), name_of(page)


# --- commands and settings -------------------------------------------------------------------


def commands(group: click.Group, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def test_the_commands_are_those_of_the_contract_and_each_stands_on_the_operations_page() -> None:
    known = dict(commands(main))
    assert set(known) == set(COMMANDS)
    page = read(DOCS / "operations.md")
    for name in known:
        assert re.search(rf"`autocom {name}\b", page), name


def test_every_command_line_that_the_pages_show_is_understood() -> None:
    known = dict(commands(main))
    shown = re.findall(
        r"(?<![\w/-])autocom ((?:(?:db|list|token) )?[a-z]+)((?: [^`\n|#&]*)?)", "\n".join(quoted())
    )
    assert len(shown) > 40
    for name, rest in shown:
        assert name in known, f"autocom {name}"
        options = {option for parameter in known[name].params for option in parameter.opts}
        for option in re.findall(r"(?<=\s)--[a-z-]+", rest):
            assert option in options, f"autocom {name} {option}"


def quoted() -> Iterator[str]:
    """What the pages set in code: console blocks' commands, and inline code that begins with the command."""
    for kind, body in FENCE.findall(PROSE):
        if kind == "console":
            yield from (line for line in body.splitlines() if line.startswith("$"))
    yield from re.findall(r"`(autocom [^`\n]+)`", FENCE.sub("", PROSE))


def test_every_setting_stands_in_the_operations_table_with_its_default() -> None:
    table = read(DOCS / "operations.md").split("## Settings")[1].split("\n## ")[0]
    rows = {
        name: row
        for row in table.splitlines()
        if row.startswith("| `AUTOCOM_")
        for name in re.findall(r"`(AUTOCOM_[A-Z_]+)`", row.split("|")[1])
    }
    assert set(rows) == {f"AUTOCOM_{name.upper()}" for name in Settings.model_fields} | set(FURTHER_SETTINGS)
    for name, field in Settings.model_fields.items():
        if field.default is None:
            continue
        default = f"{field.default:g}s" if isinstance(field.default, float) else str(field.default)
        assert f"`{default}`" in rows[f"AUTOCOM_{name.upper()}"], name


def test_no_page_names_a_setting_that_nobody_reads() -> None:
    known = {f"AUTOCOM_{name.upper()}" for name in Settings.model_fields} | set(FURTHER_SETTINGS)
    named = set(re.findall(r"\bAUTOCOM_[A-Z]+(?:_[A-Z]+)*\b", PROSE))
    assert named <= known, named - known


def test_every_make_target_that_the_pages_name_exists() -> None:
    makefile = read(ROOT / "Makefile")
    named = set(re.findall(r"(?:`|\$ )make ([a-z-]+)", PROSE))
    assert {"run", "test", "check"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


# --- names of the source ---------------------------------------------------------------------


def defined(path: Path) -> set[str]:
    """Functions, classes, methods and constants of a module, as `Class.method` and `name`."""
    names: set[str] = set()
    for node in ast.parse(read(path)).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {
                f"{node.name}.{inner.name}"
                for inner in node.body
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return names


def test_every_file_and_function_of_the_life_of_a_call_exists() -> None:
    story = read(README).split("## The life of a call")[1].split("\n## ")[0]
    hops = re.findall(r"`([\w/]+\.py)` · `([\w.]+)`", story)
    assert len(hops) >= 18
    for path, function in hops:
        assert function in defined(ROOT / path), f"{path} · {function}"
    for path in re.findall(r"`((?:src|dialplan)/[\w/.]+)`", story):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", ALL, ids=name_of)
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    text = FENCE.sub("", read(page))
    for path in re.findall(
        r"`((?:src|tests|tools|dialplan|docker|config|sounds|migrations)/[\w./-]*)`", text
    ):
        if path == "docker/.env":
            continue  # the operator's own
        # `config/…` and `sounds/…` are also rooms of the source and the admins' own folder
        assert (ROOT / path).exists() or (ROOT / "src/autocom" / path).exists(), path
    for path in re.findall(r"`((?:core|calls|asterisk|journal|web)/[\w/]+\.py)`", text):
        assert (ROOT / "src/autocom" / path).exists(), path


def test_methods_named_in_the_architecture_exist() -> None:
    everything = set().union(*(defined(path) for path in (ROOT / "src/autocom").rglob("*.py")))
    page = read(DOCS / "architecture.md")
    named = re.findall(r"`([A-Z]\w+\.[a-z_]\w*)`", page)
    assert len(named) >= 2
    assert set(named) <= everything, set(named) - everything
    stages = re.findall(r"^\| `([A-Z]\w+)` \| `(\w+)\.(\w+)` \|", page, re.MULTILINE)
    assert [stage for stage, _, _ in stages] == [stage.__name__ for stage in get_args(Stage)]
    for _, module, function in stages:
        assert function in defined(ROOT / f"src/autocom/calls/{module}.py"), f"{module}.{function}"


# what the pages say as a number, and the constant that it is: (page, words, value)
NUMBERS = (
    ("admins/mail.md", "après {} s de silence", voicemail.SILENCE),
    ("admins/mail.md", "after {} s of silence", voicemail.SILENCE),
    ("admins/mail.md", "again after {} s,", news.FIRST),
    ("admins/mail.md", "… {} minutes", lane.MOST / 60),
    ("admins/outside.md", "pendant {} secondes", searching.ACCEPT_WITHIN),
    ("admins/outside.md", "for {} seconds", searching.ACCEPT_WITHIN),
    ("admins/outside.md", "au plus tôt {} secondes", searching.LEAST_ROUND),
    ("admins/outside.md", "at least {} seconds apart", searching.LEAST_ROUND),
    ("admins/outside.md", "toutes les {} secondes", searching.LINE_AGAIN),
    ("admins/reload.md", "les {} dernières", versions.MOST_KEPT),
    ("admins/reload.md", "the last {})", versions.MOST_KEPT),
    ("admins/waiting.md", "en {} secondes", promise.RING_FOR),
    ("admins/waiting.md", "within {} seconds", promise.RING_FOR),
    ("admins/waiting.md", "démarrage, {} secondes", pace.PRIOR_HANDLING),
    ("admins/waiting.md", "each is {} seconds", pace.PRIOR_PATIENCE),
    ("architecture.md", "the phone rests {} s", offers.REST_AFTER_NO_ANSWER),
    ("architecture.md", "refused: {} s", offers.REST_AFTER_REFUSAL),
    ("architecture.md", "after {} s of grace", ranking.NOBODY_GRACE),
    ("asterisk.md", "and for {} s", FAX_WINDOW),
    ("compared.md", "hers rests {} s", offers.REST_AFTER_NO_ANSWER),
    ("compared.md", "from {} s", estimate.LEAST_TOLD),
    ("compared.md", "({} s of grace", ranking.NOBODY_GRACE),
    ("secretaries/conference.md", "bout de {} secondes", rooms.WITHOUT_SECRETARY),
    ("secretaries/conference.md", "go after {} seconds", rooms.WITHOUT_SECRETARY),
    ("secretaries/parking.md", "bout de {} secondes", models.Parking().return_after),
    ("secretaries/parking.md", "after {} seconds", models.Parking().return_after),
    ("leads.md", "dans les {} secondes", record.SHORT_SECONDS),
    ("leads.md", "within {} s of arriving", record.SHORT_SECONDS),
    ("secretaries/presence.md", "dure au moins {} secondes", pjsip.SHORTEST_SUBSCRIPTION),
    ("secretaries/presence.md", "lasts {} seconds at least", pjsip.SHORTEST_SUBSCRIPTION),
    ("doctor.md", "So every {} s (a tenth", inspection.EVERY),
    ("doctor.md", "second look, {} s later", inspection.AGAIN),
    ("doctor.md", "They are read {} s after the two", quality.FIRST),
    ("doctor.md", "{} s later, then every 15 s", flows.LEAST),
    ("doctor.md", "then every {} s: eight requests", quality.EVERY),
    ("doctor.md", "shorter than {} s", doctor_bureau.SHORTEST_MUSIC),
    ("doctor.md", "each within {} s;", rounds.PATIENCE),
    ("asterisk.md", "`sub_min_expiry` is {} s", pjsip.SHORTEST_SUBSCRIPTION),
)


@pytest.mark.parametrize(("page", "words", "value"), NUMBERS)
def test_numbers_that_the_pages_tell_are_those_of_the_code(page: str, words: str, value: float) -> None:
    assert words.format(f"{value:g}") in re.sub(r"\s+", " ", read(DOCS / page))


# --- words of the journal --------------------------------------------------------------------


def rows_after(page: Path, heading: str) -> list[str]:
    """First cells of the tables under a heading."""
    part = read(page).split(heading)[1].split("\n## ")[0]
    return [
        word
        for row in re.findall(r"^\| (.+?) \|", part, re.MULTILINE)
        for word in re.findall(r"`([^`]+)`", row)
    ]


def test_the_table_of_kinds_is_complete_and_in_order() -> None:
    assert rows_after(DOCS / "journal.md", "## Kinds of facts") == list(KINDS)


def test_every_kind_is_described_with_its_fields() -> None:
    part = read(DOCS / "journal.md").split("## Kinds of facts")[1]
    for kind, fields in KINDS.items():
        row = next(line for line in part.splitlines() if line.startswith(f"| `{kind}` |"))
        for field in re.findall(r"^[a-z_]+|(?<=, )[a-z_]+", re.sub(r"\(.*?\)|:.*", "", fields)):
            # computed where it is read, never written
            assert field in row or (kind, field) in {("ended", "cause"), ("adopted", "outage_ms")}, (
                kind,
                field,
            )


@pytest.mark.parametrize("heading", ["### Le journal", "### The journal"])
def test_the_leads_page_explains_every_outcome_and_cause_in_both_languages(heading: str) -> None:
    assert set(OUTCOMES) | set(ABANDON_CAUSES) <= set(rows_after(DOCS / "leads.md", heading))


def test_the_leads_page_explains_every_segment() -> None:
    assert all(f"`{kind}`" in read(DOCS / "leads.md") for kind in SEGMENT_KINDS)


# --- YAML examples ---------------------------------------------------------------------------

BUREAU = """\
bureau: {name: Essai, number: "+33199001000", country: FR, timezone: Europe/Paris, language: fr, holidays: FR, unknown_client: accueil}
secretaries:
  - {id: lea, name: Léa, extension: "201", password: lea-demo, teams: {medical: 1, general: 1}, languages: [fr, de]}
teams:
  medical: {widen: [{after: 20s, to: general}]}
  general: {}
lists: {nuisance: ["+33199006666"]}
trunks:
  - {id: operator, match: ["127.0.0.1"], host: sip.operator.example}
rosters:
  garde: {order: [{name: Docteur Martin, number: "+33639981011"}]}
  medecins: {order: [{name: Docteur Martin, number: "+33639981011"}]}
texts: {providers: [{id: op-sms, kind: webhook, url: "https://sms.operator.example/send"}]}
"""
CLIENT = """\
id: exemple
name: Cabinet exemple
profile: general
numbers: [{did: "+33199001001"}]
hours: {mon-fri: ["08:00-12:00"]}
rules: [{name: open, do: [{queue: {team: medical}}]}]
"""
RECEPTION = CLIENT.replace("exemple", "accueil").replace("+33199001001", "+33199001000")
RECORDINGS = ("lilas-accueil",)


@dataclass(frozen=True)
class Example:
    """A block whose first line names the file it belongs to."""

    page: Path
    number: int
    file: str
    text: str

    def __str__(self) -> str:
        return f"{name_of(self.page)}:{self.number}"


def examples() -> list[Example]:
    found = []
    for page in ALL:
        blocks = [body for kind, body in FENCE.findall(read(page)) if kind == "yaml"]
        for number, body in enumerate(blocks, start=1):
            file, _, text = body.partition("\n")
            found.append(Example(page, number, file.removeprefix("# "), text))
    return found


def top_level(text: str) -> dict[str, str]:
    """The lines of each top-level key."""
    parts: dict[str, str] = {}
    key = ""
    for line in text.splitlines(keepends=True):
        if match := re.match(r"([a-z_]+):", line):
            key = match.group(1)
        if key:
            parts[key] = parts.get(key, "") + line
    return parts


def laid_over(base: str, example: str) -> str:
    return "".join((top_level(base) | top_level(example)).values())


def folder_of(example: Example, folder: Path) -> Path:
    (folder / "clients").mkdir()
    (folder / "sounds").mkdir()
    whole = example.file == "bureau.yaml"
    (folder / "bureau.yaml").write_text(
        laid_over(BUREAU, example.text) if whole else BUREAU, encoding="utf-8"
    )
    (folder / "clients/accueil.yaml").write_text(RECEPTION, encoding="utf-8")
    if not whole:
        (folder / example.file).write_text(laid_over(CLIENT, example.text), encoding="utf-8")
    return folder


@pytest.mark.parametrize("example", [e for e in examples() if "broken" not in e.file], ids=str)
def test_every_yaml_example_is_accepted(example: Example, tmp_path: Path) -> None:
    assert example.file == "bureau.yaml" or re.fullmatch(r"clients/[a-z-]+\.yaml", example.file)
    folder = folder_of(example, tmp_path)
    for recording in RECORDINGS:
        (folder / "sounds" / f"{recording}.wav").write_bytes(b"")
    loaded = load(folder, None, 2026, environment={})
    assert len(loaded.configuration.clients) == (1 if example.file == "bureau.yaml" else 2)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_broken_example_is_refused_in_the_words_of_the_page(
    language: str, tmp_path: Path, monkeypatch
) -> None:
    page = DOCS / "admins/errors.md"
    (example,) = (e for e in examples() if "broken" in e.file)
    both = [body for kind, body in FENCE.findall(read(page)) if kind == "text"]
    said = dict(zip(("fr", "en"), both, strict=True))[language]
    folder = folder_of(Example(example.page, 1, example.file, ""), tmp_path)
    (folder / example.file).write_text(f"# {example.file}\n{example.text}", encoding="utf-8")
    monkeypatch.chdir(folder)
    with pytest.raises(ConfigurationRefused) as refused:
        load(Path(), None, 2026, environment={}, language=language)
    assert "".join(f"{fault}\n" for fault in refused.value.faults) == said


def every_key(model: type[BaseModel]) -> Iterator[str]:
    """All keys that a file of this model may hold, at any depth."""
    seen: set[type[BaseModel]] = set()
    waiting = [model]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        for name, field in current.model_fields.items():
            yield field.alias or name
            waiting += models_inside(field.annotation)


def models_inside(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for inner in getattr(annotation, "__args__", ()) for found in models_inside(inner)]


@pytest.mark.parametrize("model", [models.Bureau, models.Client], ids=lambda m: m.__name__)
def test_the_reference_explains_every_key_in_both_languages_and_shows_it_in_an_example(
    model: type[BaseModel],
) -> None:
    assert keys_at(model, ()), "the models are read as the loader reads them"
    french, english = read(DOCS / "admins/yaml.md").split("\n## English")
    shown = "\n".join(body for kind, body in FENCE.findall(french) if kind == "yaml")
    for key in sorted(set(every_key(model))):
        assert re.search(rf"(?:^|[\s{{\-,]){key}\b", shown, re.MULTILINE), f"no example of {key}"
        assert f"`{key}`" in english, f"{key} is not in the English part"


def test_every_message_that_the_errors_page_quotes_is_one_of_the_loader() -> None:
    """French in the table, English in the list: as `check` says them."""
    with (ROOT / "src/autocom/config/locale/fr/LC_MESSAGES/autocom.po").open("rb") as source:
        words = [(str(m.string), str(m.id)) for m in read_po(source) if m.id]
    french, english = read(DOCS / "admins/errors.md").split("\n## English")
    rows = re.findall(r"^\| (`.+?) \|", french, re.MULTILINE)
    points = re.findall(r"^- (`.+`): ", english, re.MULTILINE)
    for place, which, least in ((rows, 0, 40), (points, 1, 14)):
        quotes = [q.replace("\\`", "`") for row in place for q in re.findall(r"`((?:\\`|[^`])+)`", row)]
        assert len(quotes) >= least
        for quote in quotes:
            assert any(quote in pair[which] for pair in words), quote


# --- what must not be written ----------------------------------------------------------------


@pytest.mark.parametrize("page", ALL, ids=name_of)
def test_pages_use_only_numbers_kept_for_fiction(page: Path) -> None:
    fiction = r"(?:19900|26191|35301|46571|53649|63998)"
    for number in re.findall(r"(?:\+33|(?<![\d.])0)([1-9]\d{8})\b", read(page)):
        assert re.match(fiction, number), number
