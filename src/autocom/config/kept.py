"""The configuration as it was last read, kept so that a start after a crash need not read it again.

Reading YAML, judging it and looking through sounds takes a second, most of it for loading the libraries that do it;
callers wait meanwhile. What is kept stands under a digest of everything that it came from: the bytes of every file, the
variables in them, the sounds by size and time, the year, the programs that read it. Where anything differs, where it is not ours alone
to write, or where one byte of it is damaged, it is not there. It holds secrets that stand in the files (mode 0600), and none
that the environment alone has: their variables' names stand for them. Invariant: what comes back equals what `load` would
return, without its notes. Whether a YAML file is right is `loader`'s.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog

from autocom.config.loaded import Loaded
from autocom.core.codec import Codec, Undecodable
from autocom.core.model import Audio, Configuration
from autocom.shelf import write_whole

if TYPE_CHECKING:
    from autocom.config.audio import AudioShelf

log = structlog.get_logger()

NAME: Final = "configuration.json"
_VARIABLE: Final = re.compile(rb"\$\{([A-Za-z_][A-Za-z0-9_]*)")
_READERS: Final = ("config", "core")
"""Packages of ours whose code makes a configuration of files: other code, another configuration."""
_LIBRARIES: Final = ("holidays", "phonenumbers", "pydantic", "ruamel.yaml")


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that a configuration is made of, as it was at one moment."""

    files: Mapping[str, bytes]
    variables: Mapping[str, str]
    digest: str


def look(folder: Path, shelf: AudioShelf, year: int, environment: Mapping[str, str]) -> Sources:
    """What is there now. OSError where it cannot be read: then it is `loader`'s to say so."""
    clients = folder / "clients"
    paths = [folder / "bureau.yaml", *(path for path in sorted(clients.iterdir()) if path.suffix == ".yaml")]
    for path in paths:
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(f"{path} is no file")  # a pipe would be waited for
    files = {str(path): path.read_bytes() for path in paths}
    names = sorted({name.decode() for content in files.values() for name in _VARIABLE.findall(content)})
    variables = {name: environment[name] for name in names if environment.get(name)}
    what: list[object] = [
        [str(folder.absolute()), str(folder), year, sys.version, shelf.fingerprint],
        sorted(path.name for path in clients.iterdir()),
        {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        {name: environment.get(name) for name in names},
        [list(_listing(each)) for each in (shelf.finder.config_sounds, shelf.finder.stock_sounds)],
        list(_programs()),
    ]
    return Sources(files, variables, hashlib.sha256(json.dumps(what).encode()).hexdigest())


def keep(path: Path, sources: Sources, loaded: Loaded, shelf: AudioShelf) -> None:
    """Write down what was made of these sources. A disk that refuses is no reason to stop: the next start reads anew."""
    codec = _codec()
    kept = {
        "configuration": codec.dump(loaded.configuration),
        "prompts": codec.dump(loaded.prompts, dict[str, Audio]),
        "sounds": {str(sound): size for sound, size in shelf.given.items()},
    }
    content = json.dumps(_each(kept, _veil(sources.variables))).encode()
    head = f"{sources.digest} {hashlib.sha256(content).hexdigest()}\n".encode()
    try:
        write_whole(path, (head, content))
    except OSError as error:
        log.warning("the configuration is not kept: the next start takes longer", why=str(error))


def recall(path: Path, sources: Sources) -> Loaded | None:
    """What was made of these very sources, where that is still known and all its sounds are still there."""
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
                log.warning("the kept configuration may be written by others: not used", path=str(path))
                return None
            digest, _, seal = file.readline().decode("ascii").strip().partition(" ")
            content = file.read()
        if digest != sources.digest or seal != hashlib.sha256(content).hexdigest():
            return None
        kept = _each(json.loads(content), _unveil(sources.variables))
        if any(Path(sound).stat().st_size != size for sound, size in kept["sounds"].items()):
            return None
        codec = _codec()
        configuration = codec.load(Configuration, kept["configuration"])
        prompts = codec.load(dict[str, Audio], kept["prompts"])
    except (OSError, ValueError, KeyError, AttributeError, Undecodable) as error:
        log.debug("no kept configuration", why=str(error))
        return None
    return Loaded(
        configuration, {name: text.decode("utf-8-sig") for name, text in sources.files.items()}, prompts
    )


_MARK: Final = "\ue000"
"""Before and after a variable's name that stands for its value; a private-use character, doubled where a text has it."""


def _veil(variables: Mapping[str, str]) -> Callable[[str], str]:
    names = {value: name for name, value in variables.items()}
    words = [_MARK, *sorted(names, key=len, reverse=True)]
    pattern = re.compile("|".join(map(re.escape, words)))
    return lambda text: pattern.sub(lambda found: f"{_MARK}{names.get(found[0], '')}{_MARK}", text)


def _unveil(variables: Mapping[str, str]) -> Callable[[str], str]:
    pattern = re.compile(f"{_MARK}([^{_MARK}]*){_MARK}")
    return lambda text: pattern.sub(lambda found: variables[found[1]] if found[1] else _MARK, text)


def _each(value: Any, change: Callable[[str], str]) -> Any:
    """The same JSON with each of its texts changed, keys too."""
    match value:
        case str():
            return change(value)
        case list():
            return [_each(one, change) for one in value]
        case dict():
            return {change(key): _each(one, change) for key, one in value.items()}
        case _:
            return value


def _codec() -> Codec:
    return Codec((Configuration,))


def _listing(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Every file below, by size and instant of its last change."""
    for where, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(where, name)
            with suppress(FileNotFoundError):  # a link that leads nowhere
                found = path.stat()
                yield str(path), found.st_size, found.st_mtime_ns


def _programs() -> Iterator[tuple[str, int, int]]:
    """The code that reads, so that a new version never believes what an older one wrote."""
    home = Path(__file__).parents[1]
    for package in _READERS:
        yield from (row for row in _listing(home / package) if row[0].endswith(".py"))
    for library in _LIBRARIES:
        spec = find_spec(library)
        if spec is not None and spec.origin is not None:
            found = Path(spec.origin).stat()
            yield spec.origin, found.st_size, found.st_mtime_ns
