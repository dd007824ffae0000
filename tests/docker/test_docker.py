"""The files of docker/, as far as they can be proven without Docker.

The compose file is held against the compose specification's own schema (Apache-2.0, beside this file) and
against what the files that it names contain; Dockerfiles against a few rules of our own; the units against
systemd itself where the machine has it.
"""

from __future__ import annotations

import configparser
import ipaddress
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from autocom.core.bans import source_of
from autocom.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
DOCKERFILES = sorted(DOCKER.glob("*.Dockerfile"))
UNITS = [
    DOCKER / "autocom.service",
    DOCKER / "asterisk.service.d" / "autocom.conf",
    DOCKER / "autocom-rescue.service",
]


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load((DOCKER / "compose.yaml").read_text())
    return loaded


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    text = re.sub(
        r"\\\n", " ", "\n".join(x for x in dockerfile.read_text().splitlines() if not x.startswith("#"))
    )
    return [
        (word.upper(), rest.strip())
        for word, _, rest in (x.partition(" ") for x in text.splitlines() if x.strip())
    ]


def unit(path: Path) -> dict[str, dict[str, list[str]]]:
    sections: dict[str, dict[str, list[str]]] = {}
    current: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            current.setdefault(key, []).append(value)
    return sections


def test_the_compose_file_obeys_the_compose_specification() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(compose(), schema, cls=jsonschema.Draft7Validator)


def test_the_schema_refuses_a_compose_file_with_a_wrong_key() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    wrong = compose()
    wrong["services"]["autocom"]["netwrok_mode"] = "host"
    with pytest.raises(jsonschema.ValidationError, match="netwrok_mode"):
        jsonschema.validate(wrong, schema, cls=jsonschema.Draft7Validator)


def test_every_volume_and_service_that_is_named_exists() -> None:
    made = compose()
    for service in made["services"].values():
        for other in service.get("depends_on", []):
            assert other in made["services"]
        for context in service.get("build", {}).get("additional_contexts", {}).values():
            assert context.removeprefix("service:") in made["services"]
        for volume in service.get("volumes", []):
            source = volume.rsplit(":", 2)[0] if volume.endswith(":ro") else volume.split(":", 1)[0]
            assert source in made["volumes"] or source.startswith((".", "${"))


def test_every_dockerfile_of_the_compose_file_exists() -> None:
    for service in compose()["services"].values():
        if "build" in service:
            context = (DOCKER / service["build"]["context"]).resolve()
            assert (context / service["build"]["dockerfile"]).is_file()


def test_every_autocom_variable_of_the_compose_file_and_the_unit_is_a_setting() -> None:
    text = (DOCKER / "compose.yaml").read_text() + "".join(x.read_text() for x in (*UNITS, *DOCKERFILES))
    named = set(re.findall(r"\bAUTOCOM_([A-Z_]+[A-Z])\b", text)) - {"BUREAU"}
    assert named
    assert {name.lower() for name in named} - {"ari", "ami"} <= set(Settings.model_fields)


def test_no_password_stands_in_the_compose_file() -> None:
    for service in compose()["services"].values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name:
                assert re.fullmatch(r"\$\{[A-Z_]+:\?[^}]+\}", value), f"{name} has a value or a default"


def test_nothing_but_the_telephone_listens_to_the_outside() -> None:
    services = compose()["services"]
    for service in services.values():
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", []))
    assert services["autocom"]["environment"]["AUTOCOM_HTTP_BIND"].endswith("-127.0.0.1:8080}")


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_a_dockerfile_has_a_chosen_base_and_ends_as_an_ordinary_user(dockerfile: Path) -> None:
    lines = instructions(dockerfile)
    known = {"FROM", "RUN", "ENV", "COPY", "USER", "WORKDIR", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}  # fmt: skip
    assert {word for word, _ in lines} <= known
    for word, rest in lines:
        if word == "FROM":
            base = rest.split()[0]
            assert base == "asterisk" or re.search(r":(?!latest$).+", base), f"{base}: no version chosen"
        if word in {"ENTRYPOINT", "CMD"}:
            assert isinstance(json.loads(rest), list), "a shell would swallow SIGTERM"
        if word == "COPY" and "--from=" not in rest:
            sources = [part for part in rest.split()[:-1] if not part.startswith("--")]
            for source in sources:
                assert (ROOT / source).exists(), f"{source} is not in the repository"
    after_the_last_base = lines[max(i for i, (word, _) in enumerate(lines) if word == "FROM") :]
    assert [rest for word, rest in after_the_last_base if word == "USER"][-1] == "autocom"


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_a_dockerfile_leaves_no_package_lists_and_installs_only_what_it_names(dockerfile: Path) -> None:
    for word, rest in instructions(dockerfile):
        if word == "RUN" and "apt-get install" in rest:
            assert "--no-install-recommends" in rest
            assert (
                rest.index("apt-get update")
                < rest.index("apt-get install")
                < rest.index("rm -rf /var/lib/apt/lists")
            )
        if word == "RUN" and "pip install" in rest:
            assert "--require-hashes" in rest or "--no-deps" in rest


def test_the_shell_script_of_the_image_is_valid() -> None:
    assert subprocess.run(["sh", "-n", DOCKER / "start-asterisk.sh"], check=False).returncode == 0


def test_the_unit_is_watched_and_comes_back() -> None:
    service = unit(UNITS[0])["Service"]
    assert service["Type"] == ["notify"]
    assert service["WatchdogSec"] == ["6"]
    assert service["Restart"] == ["always"]
    assert service["LimitNOFILE"] == ["65536"]
    assert int(service["TimeoutStopSec"][0]) > Settings.model_fields["drain"].default


def test_calls_outlive_autocom_but_autocom_does_not_need_the_database() -> None:
    own = unit(UNITS[0])["Unit"]
    assert not {"Requires", "BindsTo", "PartOf"} & own.keys()
    assert not {"Requires", "BindsTo", "PartOf"} & unit(UNITS[1])["Unit"].keys()


def test_a_unit_file_is_read_by_ordinary_parsers_too() -> None:
    for path in UNITS:
        configparser.RawConfigParser(strict=False).read_string(path.read_text())


@pytest.mark.parametrize("guesser", ["192.0.2.66", "2001:db8:1:2:3::4"])
def test_fail2ban_takes_the_whole_address_that_is_written(guesser: str) -> None:
    source = source_of(guesser)
    assert source is not None
    conf = (DOCKER / "fail2ban" / "filter.d" / "autocom.conf").read_text()
    failregex = re.search(r"^failregex = (.+)$", conf, re.MULTILINE)
    assert failregex is not None
    # what fail2ban understands by its tag: an address, and the bits of its network where they are written
    known = {"<SUBNET>": r"(?P<ip>[0-9.]+|[0-9a-f:]+)(?:/(?P<bits>[0-9]+))?"}
    regex = re.sub("<[A-Z]+>", lambda tag: known[tag[0]], failregex[1])
    found = re.search(
        regex, f'{{"address": "{source}", "event": "sip_login_failed", "level": "warning", "x": 1}}'
    )
    assert found is not None
    seen = ipaddress.ip_network(found["ip"] + (f"/{found['bits']}" if found["bits"] else ""))
    assert seen == ipaddress.ip_network(source)


if shutil.which("systemd-analyze"):

    def test_systemd_finds_no_fault_in_the_units(tmp_path: Path) -> None:
        # what the machine of the tests lacks are the programs, not the directives
        folder = tmp_path / "system"
        shutil.copytree(DOCKER / "asterisk.service.d", folder / "asterisk.service.d")
        (folder / "asterisk.service").write_text("[Service]\nType=notify\nExecStart=/bin/true\n")
        for unit_file in (UNITS[0], UNITS[2]):
            shutil.copy(unit_file, folder)
        for path in (*folder.glob("autocom*.service"), folder / "asterisk.service.d" / "autocom.conf"):
            path.write_text(re.sub(r"(?m)^(Exec\w+=)/(?:opt|usr/sbin)/\S+", r"\1/bin/true", path.read_text()))
        verified = subprocess.run(
            [
                "systemd-analyze",
                "verify",
                "--man=no",
                folder / "autocom.service",
                folder / "autocom-rescue.service",
                folder / "asterisk.service",
            ],
            env={"SYSTEMD_UNIT_PATH": f"{folder}:/usr/lib/systemd/system", "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (verified.returncode, verified.stderr) == (0, "")
