"""A folder of YAML files becomes one `Configuration`, or is refused with every fault at once.

The only place that knows all the steps: read, fit to the models, compare with each other, build
the core's values, name the version. Must not know who asks (`check`, the service, a reload) and
keeps nothing between two calls. Invariant: all or nothing. Slow on purpose-built machines too
(seconds for a thousand clients): the service calls it in a thread.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from autocom.config import bureau_build, client_build
from autocom.config import models as written
from autocom.config.alerts_build import check_alerts
from autocom.config.asking import forward_ask, on_call_ask
from autocom.config.audio import PaperShelf, Shelf
from autocom.config.dialling_build import build_dialling
from autocom.config.document import Document, Plain, plain, read
from autocom.config.duty_checks import Member, check_duty, duty_notes
from autocom.config.faults import ConfigurationRefused, Fault, Place, reason, suggestion
from autocom.config.lists_build import expired
from autocom.config.loaded import Loaded
from autocom.config.notes import notes_on_bureau, notes_on_client
from autocom.config.numbering import plan_of
from autocom.config.outside_checks import check_roster_numbers
from autocom.config.scene import Ear, Scene
from autocom.config.set_checks import check_set
from autocom.config.shape import Sheet, fit
from autocom.config.sounds import stock_folder
from autocom.config.staff_checks import check_staff
from autocom.config.steps import Prompt, Step
from autocom.config.stock import all_music, stock_sounds
from autocom.config.texts_build import build_texts, check_client_texts, check_texts
from autocom.config.wording import LANGUAGES, told
from autocom.core.model import Audio, Configuration
from autocom.core.numbers import FRANCE, NumberingPlan
from autocom.core.reach import in_reach, queues

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

YEARS_BACK: Final = 5
YEARS_AHEAD: Final = 15


@dataclass(slots=True)
class _ClientFile:
    sheet: Sheet
    tree: Plain
    model: written.Client | None = None


@dataclass(slots=True)
class _Reading:
    """What has been found so far."""

    folder: Path
    environment: Mapping[str, str]
    faults: list[Fault] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    unread: int = 0  # client files without a tree: their ids are unknown
    language: str = "fr"  # the bureau's, as soon as it is known

    def tree(self, path: Path) -> tuple[Document, Plain] | None:
        """A file's document and values, or None where it has faults (which are noted)."""
        name = str(path)
        content, document, faults = read(path, name)
        self.faults += faults
        self.contents[name] = content
        if document is None:
            return None
        values, faults, used = plain(document, self.environment)
        self.faults += faults
        self.variables.update(used)
        return document, values

    def add_where_silent(self, faults: Sequence[Fault]) -> None:
        """Note those at whose place nothing is wrong yet: a variable that is missing is not also too short."""
        told = {(fault.file, fault.line, fault.column) for fault in self.faults}
        self.faults += [fault for fault in faults if (fault.file, fault.line, fault.column) not in told]


def load(
    folder: Path,
    audio: Shelf | None,
    now_year: int,
    *,
    environment: Mapping[str, str] | None = None,
    language: str | None = None,
    now: float | None = None,
) -> Loaded:
    """The configuration in `folder`, or `ConfigurationRefused` with every fault of every file.

    Without `audio` nothing is converted or spoken, only looked for (`check`). Holidays are computed
    from 5 years before `now_year` to 15 after it. `environment` fills `${NAME}`; default: the process's.
    `language` (`fr`, `en`) of the faults and notes; None: the bureau's, or French where it cannot be read.
    `now` (UTC epoch seconds) is what notes on dates go by; None: there are none.
    """
    reading = _Reading(folder, os.environ if environment is None else environment)
    try:
        loaded = _load(reading, audio, now_year, now)
    except ConfigurationRefused as refused:
        said_in = language or reading.language
        raise ConfigurationRefused(fault.in_language(said_in) for fault in refused.faults) from None
    said_in = language or reading.language
    return replace(loaded, notes=tuple(note.in_language(said_in) for note in loaded.notes))


def _load(reading: _Reading, audio: Shelf | None, now_year: int, now: float | None) -> Loaded:
    folder = reading.folder
    if not folder.is_dir():
        raise ConfigurationRefused([Place(str(folder)).fault(told("there is no such folder"))])
    shelf = audio or PaperShelf(folder / "sounds", stock_folder())
    shelf.finder.refresh()
    house, document, plan, defaults = _read_bureau(reading)
    files = _read_clients(reading, document, plan, defaults, whole=house is not None)
    fitted = [(file.model, file.sheet) for file in files if file.model]
    clients = [client for client, _ in fitted]
    built = bureau_build.build_bureau(house, document, plan) if house and document else None
    scene = Scene(shelf, first_year=now_year - YEARS_BACK, last_year=now_year + YEARS_AHEAD, plan=plan)
    if house and document and built:
        reading.faults += built.faults
        scene = _scene(scene, house, built, clients)
        reading.faults += check_roster_numbers(house, document, scene.own_numbers)
        reading.faults += check_texts(house, document)
        reading.faults += check_alerts(house, document, [client.id for client in clients])
        reading.faults += check_client_texts(house, fitted)
        _speak_ahead(scene, clients)
    reading.faults += check_set(fitted)
    made = [client_build.build_client(client, sheet, scene) for client, sheet in fitted]
    for one in made:
        reading.faults += one.faults
    members = [(*file, one.client) for file, one in zip(fitted, made, strict=True)]
    reading.faults += _whole(house, built, members) if built else ()
    if house and document:
        reading.faults += _unknown_client(house, document, files, reading)
    stock, prompts = stock_sounds(scene, reading.faults)
    if reading.faults or house is None or built is None or stock is None:
        raise ConfigurationRefused(reading.faults)
    by_id = {one.client.id: one.client for one in made}
    whispers = _whispers(scene, built, members, reading.faults)
    if reading.faults:
        raise ConfigurationRefused(reading.faults)
    configuration = Configuration(
        version=_version(reading, frozenset().union(*(one.sounds for one in made))),
        bureau=replace(built.bureau, outgoing=scene.dialling),
        trunks=built.trunks,
        secretaries=built.secretaries,
        teams=built.teams,
        clients=by_id,
        stock=replace(stock, whispers=whispers),
        music=all_music(by_id, stock),
        rosters=built.rosters,
        blocked=built.blocked,
        texts=build_texts(house),
    )
    texts = {name: content.decode("utf-8-sig") for name, content in reading.contents.items()}
    return Loaded(configuration, texts, prompts, _notes(house, document, built, members, now))


def _read_bureau(
    reading: _Reading,
) -> tuple[written.Bureau | None, Document | None, NumberingPlan, Mapping[str, Plain]]:
    """The house, where it stands, how its numbers are read, and what it gives every client (nothing where the
    house is refused)."""
    found = reading.tree(reading.folder / "bureau.yaml")
    if found is None:
        return None, None, FRANCE, {}
    document, values = found
    plan = FRANCE
    house = values.get("bureau") if isinstance(values, dict) else None
    country = house.get("country") if isinstance(house, dict) else None
    if isinstance(house, dict) and house.get("language") in LANGUAGES:
        reading.language = str(house["language"])
    if isinstance(country, str):
        try:
            plan = plan_of(country)
        except KeyError:
            plan = FRANCE  # the model says what is wrong with it
    sheet = Sheet(document)
    model, faults = fit(written.Bureau, values, sheet, plan)
    reading.add_where_silent(faults)
    defaults = values.get("defaults") if model is not None and isinstance(values, dict) else None
    return model, document, plan, defaults if isinstance(defaults, dict) else {}


def _read_clients(
    reading: _Reading,
    bureau: Document | None,
    plan: NumberingPlan,
    defaults: Mapping[str, Plain],
    *,
    whole: bool,
) -> list[_ClientFile]:
    """`whole`: the house holds, so what a file does not say is known."""
    files: list[_ClientFile] = []
    for path in _client_paths(reading):
        found = reading.tree(path)
        if found is None:
            reading.unread += 1
            continue
        document, values = found
        sheet = Sheet(document, bureau if defaults else None)
        if not whole:
            # what `defaults` would have given is unknown: ask only for what the file itself says
            _, faults = fit(written.ClientDefaults, _without_identity(values), sheet, plan)
            reading.add_where_silent(faults)
            files.append(_ClientFile(sheet, values))
            continue
        merged = {**defaults, **values} if isinstance(values, dict) else values
        model, faults = fit(written.Client, merged, sheet, plan)
        reading.add_where_silent(faults)
        files.append(_ClientFile(sheet, values, model))
    return files


def _client_paths(reading: _Reading) -> Iterator[Path]:
    folder = reading.folder / "clients"
    if not folder.is_dir():
        reading.faults.append(
            Place(str(folder)).fault(told("there is no such folder: one file per client is kept there"))
        )
        return
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        reading.faults.append(Place(str(folder)).fault(told("cannot be read: {why}", why=reason(error))))
        return
    for path in paths:
        if path.name.startswith(".") or path.name.endswith("~"):
            continue  # what editors leave behind
        if path.suffix == ".yaml":
            yield path
        elif path.suffix == ".yml":
            reading.faults.append(Place(str(path)).fault(told("would be ignored: name it .yaml")))


def _without_identity(values: Plain) -> Plain:
    if not isinstance(values, dict):
        return values
    return {key: value for key, value in values.items() if key not in ("id", "name", "numbers")}


def _scene(
    scene: Scene, house: written.Bureau, built: bureau_build.Built, clients: Sequence[written.Client]
) -> Scene:
    numbers = {line.did for client in clients for line in client.numbers}
    unknown = house.bureau.unknown_client
    known = any(client.id == unknown for client in clients)
    return replace(
        scene,
        language=house.bureau.language,
        timezone=house.bureau.timezone,
        holidays=house.bureau.holidays,
        unknown_client=unknown if known else None,
        teams=frozenset(house.teams),
        rosters={name: roster.accept for name, roster in house.rosters.items()},
        lists=built.lists,
        blocks=built.blocked is not None,
        own_numbers=frozenset(numbers | {house.bureau.number}),
        dialling=build_dialling(house, clients),
    )


def _speak_ahead(scene: Scene, clients: Sequence[written.Client]) -> None:
    """All texts of all clients in one go: the speech program is started once."""
    texts: list[tuple[str, str]] = []
    for client in clients:
        language = client.language or scene.language
        steps = [step for step, _ in client.every_step]
        prompts: list[Prompt] = [step.play for step in steps if step.play]
        prompts += [step.menu.play for step in steps if step.menu]
        prompts += [step.voicemail.play for step in steps if step.voicemail and step.voicemail.play]
        prompts += [step.queue.on_answer for step in steps if step.queue and step.queue.on_answer]
        announced = [step.queue.announce for step in steps if step.queue and step.queue.announce]
        prompts += [announce.play for announce in announced if announce.play]
        prompts += [absence.play for absence in client.absences if absence.play]
        texts += [(prompt.say, language) for prompt in prompts if prompt.say]
        texts += [(text, language) for text in _asks(client.name, steps, scene, language)]
    scene.shelf.prepare(texts)


def _asks(client: str, steps: Sequence[Step], scene: Scene, language: str) -> Iterator[str]:
    rosters = scene.rosters or {}
    for step in steps:
        if step.forward and step.forward.accept is not None:
            yield forward_ask(client, step.forward.accept, language)
        if step.on_call:
            yield on_call_ask(client, rosters.get(step.on_call.roster, "1"), language)


def _whispers(
    scene: Scene, built: bureau_build.Built, members: Sequence[Member], faults: list[Fault]
) -> Mapping[str, Audio]:
    """The names of the clients whose calls may come to a secretary who wants to hear them, in the bureau's
    language."""
    listening = {person.id for person in built.secretaries.values() if person.whisper}
    wanted = [
        (client, sheet)
        for _, sheet, client in members
        if listening
        and not listening.isdisjoint(in_reach(client, built.teams, built.secretaries, built.bureau))
        and any(queues(client))
    ]
    if not wanted:
        return {}
    scene.shelf.prepare([(client.name, scene.language) for client, _ in wanted])
    return {
        client.id: Ear(scene, sheet, scene.language, faults).spoken(client.name, ("name",))
        for client, sheet in wanted
    }


def _unknown_client(
    house: written.Bureau, document: Document, files: Sequence[_ClientFile], reading: _Reading
) -> Iterator[Fault]:
    wanted = house.bureau.unknown_client
    ids = [file.tree.get("id") for file in files if isinstance(file.tree, dict)]
    if wanted not in ids and not reading.unread:
        near = suggestion(wanted, [word for word in ids if isinstance(word, str)])
        place = document.at(("bureau", "unknown_client"))
        yield place.fault(
            told(
                "there is no client `{wanted}`{near}: it serves unknown and ambiguous numbers",
                wanted=wanted,
                near=near,
            )
        )


def _whole(
    house: written.Bureau | None, built: bureau_build.Built, members: Sequence[Member]
) -> Iterator[Fault]:
    """What only the whole set can tell."""
    if house is None:
        return
    for client, sheet, core in members:
        yield from check_staff(client, sheet, core, built)
    yield from check_duty(house, members)


def _notes(
    house: written.Bureau | None,
    document: Document | None,
    built: bureau_build.Built,
    members: Sequence[Member],
    now: float | None,
) -> tuple[Fault, ...]:
    found: set[Fault] = set()
    if house and document:
        found.update(notes_on_bureau(house, document, built, [core for _, _, core in members]))
        found.update(duty_notes(house, document, members))
        found.update(expired(house.lists, built.bureau.timezone, now, document))
    calls_out = house is None or any(trunk.host for trunk in house.trunks)
    for client, sheet, _ in members:
        found.update(notes_on_client(client, sheet, calls_out=calls_out))
        found.update(expired(client.lists, built.bureau.timezone, now, sheet))
    return tuple(sorted(found))


def _version(reading: _Reading, sounds: frozenset[str]) -> str:
    """Names the content: the files (not where they lie), the variables they used, the sounds."""
    digest = hashlib.sha256()
    for name, content in sorted(reading.contents.items()):
        digest.update(f"{os.path.relpath(name, reading.folder)}\0{len(content)}\0".encode() + content)
    for pair in sorted(reading.variables.items()):
        digest.update("\0".join(pair).encode() + b"\0")
    for sound in sorted(sounds):
        digest.update(sound.encode() + b"\0")
    return digest.hexdigest()[:12]
