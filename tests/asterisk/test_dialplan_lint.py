from __future__ import annotations

import importlib.util
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from autocom.asterisk.conf.dialplan import FILES, TEXTS
from autocom.asterisk.modules import MODULES, PROVIDES
from tests.asterisk.host_support import DIALPLAN, folder

TOOL = Path(__file__).parents[2] / "tools" / "lint_dialplan.py"


@pytest.fixture(scope="module")
def lint():
    spec = importlib.util.spec_from_file_location("lint_dialplan", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["lint_dialplan"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["lint_dialplan"]


FALLBACK = "\n[autocom-fallback]\nexten => s,1,Answer()\n"


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("StasisBroadcast(1000,^autocom$,inbound)", "must be followed by Goto(autocom-fallback,s,1)"),
        (
            "StasisBroadcast(1000,^autocom$,phone)",
            "must be followed by Goto(autocom-alone,${AUTOCOM_DIALLED},1)",
        ),
        ("Goto(autocom-fallback,${AUTOCOM_DIALLED},1)", "autocom-fallback must take whatever was dialled"),
        ("Playback(${AUTOCOM_FROM})", "AUTOCOM_FROM holds a caller's text"),
        ('GotoIf($["${AUTOCOM_PAI}" = "x"]?again)', "AUTOCOM_PAI holds a caller's text"),
        ("Set(X=$[${AUTOCOM_LINE} + 1])", "AUTOCOM_LINE holds a caller's text"),
        ("Set(X=a${AUTOCOM_REQUEST_USER}b)", "AUTOCOM_REQUEST_USER holds a caller's text"),
        ('Set(X=${IF($["${AUTOCOM_FROM}" = "x"]?1:2)})', "AUTOCOM_FROM holds a caller's text"),
        ("Set(X=${AUTOCOM_FROM}${AUTOCOM_TO})", "AUTOCOM_TO holds a caller's text"),
        ("Set(X=${EXTEN})", "lets anything through"),
        ("Set(${AUTOCOM_FROM}=1)", "AUTOCOM_FROM holds a caller's text"),
        ("Goto(${CALLERID(num)},s,1)", "CALLERID() is a caller's text"),
        ("UserEvent(X,Name: ${CALLERID(name)})", "CALLERID() is a caller's text"),
        ('GotoIf($["${PJSIP_HEADER(read,From)}" = ""]?again)', "PJSIP_HEADER() is a caller's text"),
        ("Dial(PJSIP/${EXTEN},20)", "Dial takes its targets from"),
        ("Dial(PJSIP/lea,20)", "Dial takes its targets from"),
        ("Playback(${EXTEN})", "lets anything through"),
        ("Queue(${AUTOCOM_REQUEST_USER})", "AUTOCOM_REQUEST_USER holds a caller's text"),
        ("Queue(general)", "Queue takes its name from"),
        ('GotoIf($["${AUTOCOM_SHOWN}" = "x"]?again)', "AUTOCOM_SHOWN holds a caller's text"),
        ("Dial(${GOSUB_RETVAL},5,f(${AUTOCOM_AS}))", "AUTOCOM_AS} holds a caller's text"),
        ("System(rm)", "System comes from no module"),
        ("ExecIf($[1 = 1]?Answer())", "ExecIf comes from no module"),
        ("Set(X=${SHELL(id)})", "SHELL comes from no module"),
        ("Goto(nowhere,s,1)", "no context nowhere"),
        ("Goto(autocom-fallback,s,2)", "no priority s,2 in autocom-fallback"),
        ("GotoIf($[1 = 1]?missing)", "no label missing"),
        ("Set(X=${LEN(abc)}", "unbalanced ()"),
        ("Answer", "an application is written"),
    ],
)
def test_a_dangerous_or_broken_line_is_found(lint, tmp_path: Path, step: str, says: str):
    file = tmp_path / "x.conf"
    text = f"[x]\nexten => _[!-~]!,1,NoOp()\n same => n(again),{step}\n same => n,Hangup()\nexten => h,1,Hangup()\n"
    file.write_text(text + FALLBACK)
    faults = [str(fault) for fault in lint.lint([file])]
    assert any(each.startswith(f"{file}:3: ") and says in each for each in faults), faults


@pytest.mark.parametrize(
    "step",
    [
        "Set(AUTOCOM_FROM=${PJSIP_HEADER(read,From)})",
        "Set(AUTOCOM_DIVERSION_${AUTOCOM_DIVERSIONS}=${AUTOCOM_LINE})",
        "GotoIf($[${LEN(${AUTOCOM_LINE})} = 0]?again)",
        "Set(X=${FILTER(0-9,${EXTEN})})",
        "Set(CONNECTEDLINE(name,i)=${AUTOCOM_SHOWN})",
        "Queue(${AUTOCOM_WITH},C,,,60)",
    ],
)
def test_the_ways_that_are_safe_are_let_through(lint, tmp_path: Path, step: str):
    file = tmp_path / "x.conf"
    file.write_text(f"[x]\nexten => _[!-~]!,1,NoOp()\n same => n(again),{step}\nexten => h,1,Hangup()\n")
    assert lint.lint([file]) == []


def test_a_pattern_for_everything_without_its_h_and_a_line_of_no_known_form_are_found(lint, tmp_path: Path):
    file = tmp_path / "x.conf"
    file.write_text(
        "exten => 1,1,NoOp()\n[x]\nexten => _!,1,NoOp()\nsame=>n,Hangup()\n#exec id\ninclude => away\n"
    )
    assert [fault.line for fault in lint.lint([file])] == [1, 3, 4, 5, 6]


def test_our_dialplan_is_clean_and_the_command_says_so_by_its_exit():
    assert (
        subprocess.run([sys.executable, str(TOOL)], check=True, capture_output=True, text=True).stdout == ""
    )


def test_a_fault_ends_the_command_with_one(tmp_path: Path):
    file = tmp_path / "x.conf"
    file.write_text("[x]\nexten => 1,1,System(id)\n")
    ended = subprocess.run(
        [sys.executable, str(TOOL), str(file)], check=False, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert f"{file}:2: System" in ended.stdout


async def test_the_modules_named_for_each_application_are_asterisks_own_words():
    async with folder() as place:
        tree = ET.parse(place.home.share / "documentation" / "core-en_US.xml").getroot()  # noqa: S314 - a package's file
    says = {
        each.get("name"): each.get("module", "")
        for kind in ("application", "function")
        for each in tree.iter(kind)
    }
    undocumented = {"EPOCH"}  # a variable of the core
    for module, names in PROVIDES.items():
        assert module in (*MODULES, "core")
        for name in set(names) - undocumented:
            assert says[name] in ((module,) if module != "core" else ("builtin", "")), name


async def test_the_real_asterisk_loads_the_dialplan_without_a_word():
    async with folder() as place:
        asterisk = place.asterisk()
        await asterisk.start(place.bureau())
        text = (asterisk.paths.etc / "extensions.conf").read_text()
        assert [line for line in text.splitlines() if line.startswith("#include")] == [
            f'#include "{DIALPLAN / name}"' for name in (*FILES, TEXTS)
        ]
        assert asterisk.troubles() == []
