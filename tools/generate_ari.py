"""Write `src/autocom/asterisk/ari/generated.py` from the Swagger files that Asterisk ships.

    python tools/generate_ari.py REST_API_DIR --asterisk 22.10.1 > src/autocom/asterisk/ari/generated.py

REST_API_DIR is Asterisk's `rest-api` folder (Debian: /usr/share/asterisk/rest-api). Only names,
types and paths are taken: the prose in those files is Asterisk's (GPL-2) and is not copied.
Two calls with the same files give the same bytes; a test compares the checked-in file.
"""

from __future__ import annotations

import argparse
import json
import keyword
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCALARS = {
    "string": "str",
    "int": "int",
    "long": "int",
    "double": "float",
    "boolean": "bool",
    "Date": "str",
    "object": "Any",
}
CONTAINER = "Mapping[str, object] | Sequence[object]"

HEADER = '''"""ARI's events, models and operations, typed. Made by `tools/generate_ari.py`: do not edit.

From the Swagger files of Asterisk {version} ({operations} operations, {models} models). Unknown event
types and unknown fields are tolerated; an optional field that is missing is None; a required one
that is missing is a KeyError (see `parse_message`). Who sends the requests is `client.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from aiohttp import ClientWebSocketResponse

ASTERISK_VERSION = "{version}"

Query = Mapping[str, str | int | bool | Sequence[str] | None]


class Transport(Protocol):
    """What carries a request to Asterisk: paths are below `/ari`, None in a query is left out."""

    async def call(self, method: str, path: str, query: Query, body: object = None) -> Any:
        """The decoded JSON answer, None where there is none."""
        ...

    async def download(self, path: str) -> bytes:
        """A binary answer."""
        ...

    async def upgrade(self, path: str, query: Query) -> ClientWebSocketResponse:
        """A web socket."""
        ...


def _seg(value: str) -> str:
    # unquoted, `a/../b` would be another path; empty, another operation (DELETE /channels/ + id)
    if value in ("", ".", ".."):
        raise ValueError(f"not a path segment: {{value!r}}")
    return quote(value, safe="")


'''

FOOTER = '''
def parse_message(raw: Any) -> Message | None:
    """The typed message, or None where its type is not known to this version of the file.

    Raises KeyError, TypeError or AttributeError where `raw` is not what Asterisk would send."""
    known = MESSAGES.get(raw["type"])
    return None if known is None else known(raw)
'''


def snake(name: str) -> str:
    """`absorbDTMF` -> `absorb_dtmf`; Python's keywords get an underscore behind."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    return text + "_" if keyword.iskeyword(text) else text


def annotation(kind: str) -> str:
    """The Python type of a Swagger type."""
    if kind.startswith("List["):
        return f"tuple[{annotation(kind[5:-1])}, ...]"
    return SCALARS.get(kind, kind)


def decoder(kind: str, value: str) -> str:
    """The expression that turns the JSON expression `value` into `annotation(kind)`."""
    if kind.startswith("List["):
        inner = kind[5:-1]
        return f"tuple({value})" if inner in SCALARS else f"tuple({inner}.from_json(v) for v in {value})"
    return value if kind in SCALARS else f"{kind}.from_json({value})"


def read_resources(folder: Path) -> dict[str, Any]:
    """Every resource file by its name, in the order of `resources.json`."""
    index = json.loads((folder / "resources.json").read_text("utf-8"))
    names = [re.sub(r".*/|\..*", "", api["path"]) for api in index["apis"]]
    return {name: json.loads((folder / f"{name}.json").read_text("utf-8")) for name in names}


def parents(models: dict[str, Any]) -> dict[str, str]:
    """The base of each model that has one (Swagger 1.1 names the children instead)."""
    return {child: name for name, model in models.items() for child in model.get("subTypes", ())}


def ordered(models: dict[str, Any], base: dict[str, str]) -> list[str]:
    """Bases first, else by name: a class statement needs its base."""

    def depth(name: str) -> int:
        return 1 + depth(base[name]) if name in base else 0

    return sorted(models, key=lambda n: (depth(n), n))


def fields_of(name: str, models: dict[str, Any], base: dict[str, str]) -> dict[str, Any]:
    """All fields, inherited ones first."""
    inherited = fields_of(base[name], models, base) if name in base else {}
    return {**inherited, **models[name]["properties"]}


def model_class(name: str, models: dict[str, Any], base: dict[str, str]) -> Iterator[str]:
    """The lines of one dataclass."""
    yield "@dataclass(frozen=True, slots=True, kw_only=True)"
    yield f"class {name}({base[name]}):" if name in base else f"class {name}:"
    yield f'    """ARI\'s {name}."""\n'
    for field, spec in models[name]["properties"].items():
        optional = "" if spec.get("required") else " | None"
        kind = annotation(spec["type"])
        yield f"    {snake(field)}: {kind}{optional if kind != 'Any' else ''}"
    everything = fields_of(name, models, base)
    yield "\n    @classmethod"
    yield f"    def from_json(cls, raw: Any) -> {name}:"
    yield '        """From decoded JSON."""'
    if not everything:
        yield "        return cls()\n\n"
        return
    yield "        return cls("
    for field, spec in everything.items():
        if spec.get("required"):
            value = decoder(spec["type"], f'raw["{field}"]')
        elif spec["type"] in SCALARS:
            value = f'raw.get("{field}")'
        else:
            value = f'None if (v_ := raw.get("{field}")) is None else {decoder(spec["type"], "v_")}'
        yield f"            {snake(field)}={value},"
    yield "        )\n\n"


def argument(parameter: dict[str, Any]) -> str:
    """The annotation of an operation's parameter."""
    if parameter["dataType"] == "containers":
        return CONTAINER
    if parameter["dataType"] == "object":
        return "Mapping[str, object]"
    if parameter.get("allowMultiple"):
        return "Sequence[str]"
    return SCALARS[parameter["dataType"]]


def operation(path: str, spec: dict[str, Any]) -> Iterator[str]:
    """The lines of one method. Repeatable parameters of POST and PUT travel in the JSON body: in a
    query Asterisk splits them at commas, which a file name may contain."""
    parameters = spec.get("parameters", [])
    needed = [p for p in parameters if p["paramType"] == "path" or p.get("required")]
    # the path's own order first, as ari-py had it
    needed.sort(key=lambda p: p["paramType"] != "path")
    optional = [p for p in parameters if p not in needed]
    signature = ["self", *(f"{snake(p['name'])}: {argument(p)}" for p in needed)]
    if optional:
        signature += ["*", *(f"{snake(p['name'])}: {argument(p)} | None = None" for p in optional)]
    url = re.sub(r"{(\w+)}", lambda m: "{_seg(" + snake(m[1]) + ")}", path)
    quoted = f'f"{url}"' if "{" in url else f'"{url}"'
    in_body = [
        p for p in parameters if p["paramType"] == "body" or _travels_in_body(p, str(spec["httpMethod"]))
    ]
    in_query = [p for p in parameters if p["paramType"] == "query" and p not in in_body]
    query = "{" + ", ".join(f'"{p["name"]}": {snake(p["name"])}' for p in in_query) + "}"
    call = f'self._transport.call("{spec["httpMethod"]}", {quoted}, {query}'
    whole = next((p for p in in_body if p["dataType"] == "object"), None)
    if whole is not None:
        call += f", {snake(whole['name'])}"
    elif in_body:
        call += ", _body(" + ", ".join(f"{p['name']}={snake(p['name'])}" for p in in_body) + ")"
    yield from _method(spec, path, ", ".join(signature), call + ")", quoted, query)


def _travels_in_body(parameter: dict[str, Any], method: str) -> bool:
    return (
        parameter["paramType"] == "query"
        and bool(parameter.get("allowMultiple"))
        and method in ("POST", "PUT")
    )


def _method(
    spec: dict[str, Any], path: str, signature: str, call: str, quoted: str, query: str
) -> Iterator[str]:
    result = str(spec["responseClass"])
    websocket, binary = spec.get("upgrade") == "websocket", result == "binary"
    returns = "None" if result == "void" else "bytes" if binary else annotation(result)
    yield f"    async def {snake(spec['nickname'])}({signature}) -> " + (
        "ClientWebSocketResponse:" if websocket else f"{returns}:"
    )
    yield f'        """{spec["httpMethod"]} {path}"""'
    if websocket:
        yield f"        return await self._transport.upgrade({quoted}, {query})\n"
    elif binary:
        yield f"        return await self._transport.download({quoted})\n"
    elif result == "void":
        yield f"        await {call}\n"
    else:
        yield f"        raw = await {call}"
        yield f"        return {decoder(result, 'raw')}\n"


BODY = """
def _body(**fields: object) -> dict[str, object]:
    return {
        name: list(value) if isinstance(value, (tuple, list)) else value
        for name, value in fields.items()
        if value is not None
    }


"""


def generate(folder: Path, version: str) -> str:
    """The whole module as text, formatted."""
    resources = read_resources(folder)
    models: dict[str, Any] = {}
    for resource in resources.values():
        models.update(resource.get("models", {}))
    base = parents(models)
    out: list[str] = []
    for name in ordered(models, base):
        out += model_class(name, models, base)
    messages = [n for n in ordered(models, base) if n not in base.values() and _root(n, base) == "Message"]
    out.append("MESSAGES: Mapping[str, Callable[[Any], Message]] = {")
    out += [f'    "{name}": {name}.from_json,' for name in messages]
    out.append("}\n" + FOOTER + BODY)
    count = 0
    for name, resource in resources.items():
        out.append(f"class {name[0].upper()}{name[1:]}:")
        out.append(f'    """The operations below /{name}."""\n')
        out.append("    def __init__(self, transport: Transport) -> None:")
        out.append("        self._transport = transport\n")
        for api in resource["apis"]:
            for spec in api["operations"]:
                out += operation(api["path"], spec)
                count += 1
    out += ["class Ari:", '    """All operations, by resource."""\n']
    out.append("    def __init__(self, transport: Transport) -> None:")
    out += [f"        self.{snake(n)} = {n[0].upper()}{n[1:]}(transport)" for n in resources]
    head = HEADER.format(version=version, operations=count, models=len(models))
    return formatted(head + "\n".join(out) + "\n")


def _root(name: str, base: dict[str, str]) -> str:
    return _root(base[name], base) if name in base else name


def formatted(source: str) -> str:
    """As `ruff format` would have it, so that the checked-in file passes the linter."""
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "110", "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--asterisk", required=True, metavar="VERSION")
    arguments = parser.parse_args()
    sys.stdout.write(generate(arguments.folder, arguments.asterisk))


if __name__ == "__main__":
    main()
