#!/usr/bin/env python3
"""Lints the hand-written dialplan: what callers write must never be read as dialplan.

    python tools/lint_dialplan.py [FILE …]      default: dialplan/*.conf; exit 1 with `file:line: message`

Asterisk finds most mistakes only when the line runs, in the middle of a call. Checked here: lines
have a known form; every application and function comes from a module that we load; contexts and
labels exist; a call that leaves Stasis goes to the fallback; text that came from outside is used
as the value of a plain `Set`, measured, or filtered, and nowhere else; patterns that match
everything have their `h`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autocom.asterisk.modules import MODULES, PROVIDES

ROOT = Path(__file__).resolve().parents[1]

# What came over the wire, as it is written in the dialplan.
OUTSIDE_VARIABLES = (
    "AUTOCOM_FROM", "AUTOCOM_TO", "AUTOCOM_PAI", "AUTOCOM_PRIVACY", "AUTOCOM_PCPI", "AUTOCOM_DID_VALUE",
    "AUTOCOM_LINE", "AUTOCOM_REQUEST_USER", "AUTOCOM_DIVERSION_", "AUTOCOM_HISTORY_",
    "AUTOCOM_SHOWN", "AUTOCOM_AS_", "AUTOCOM_AS}",
    "CALLERIDNUM", "CALLERIDNAME", "BLINDTRANSFER", "SIPREFERTOHDR",
)  # fmt: skip
OUTSIDE_FUNCTIONS = ("PJSIP_HEADER", "PJSIP_HEADERS", "CALLERID", "REDIRECTING", "CONNECTEDLINE", "CHANNEL")
# … of which these only measure, or let harmless characters through.
TAMED = re.compile(r"\$\{(?:LEN\(\$\{AUTOCOM_LINE\}\)|FILTER\([^,${}]+,\$\{(?:EXTEN|CALLERID\(num\))\}\))\}")
PLAIN_SET = re.compile(
    r"Set\((?P<name>[A-Z_]+(?:\$\{AUTOCOM_(?:DIVERSIONS|HISTORIES)\})?|CONNECTEDLINE\((?:name|num),i\))=(?P<value>.*)\)"
)
DIALS = {
    "Dial",
    "Originate",
    "Page",
    "Queue",
    "Transfer",
    "System",
    "TrySystem",
    "Exec",
    "EAGI",
    "DeadAGI",
    "Log",
    "Verbose",
}
EVERYTHING = "_[!-~]!"
FALLBACK = "Goto(autocom-fallback,s,1)"
# What a phone of the house dialled, filtered to digits, `*`, `#` and `+`; without us colleagues can be called.
DIALLED = "${AUTOCOM_DIALLED}"
ALONE = f"Goto(autocom-alone,{DIALLED},1)"
# While a new version takes over, he is offered once more (`away` and `claim` are labels of that line and of the offer).
ONCE_MORE = frozenset(
    {
        'GotoIf($["${STASISSTATUS}" = "SUCCESS"]?away)',
        "GotoIf($[${EPOCH} >= 0${GLOBAL(AUTOCOM_HANDOVER)}]?away)",
        "Set(AUTOCOM_OFFERS=${MATH(${AUTOCOM_OFFERS}+1,int)})",
        "GotoIf($[${AUTOCOM_OFFERS} >= 20]?away)",
        "Ringing()",
        "Wait(0.1)",
        "Goto(claim)",
    }
)


@dataclass
class Step:
    """One priority."""

    line: int
    extension: str
    priority: str
    label: str | None
    call: str

    @property
    def application(self) -> str:
        """Its name."""
        return self.call.split("(", 1)[0]

    @property
    def arguments(self) -> str:
        """Everything between its parentheses."""
        return self.call.split("(", 1)[1].removesuffix(")") if "(" in self.call else ""


@dataclass
class Context:
    """A named list of steps."""

    name: str
    path: Path
    line: int
    steps: list[Step] = field(default_factory=list)
    includes: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Fault:
    """Something to mend; prints as `file:line: message`."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


EXTEN = re.compile(r"exten => (?P<exten>[^,]+),(?P<priority>\d+|n)(?:\((?P<label>[a-z]+)\))?,(?P<call>.+)")
SAME = re.compile(r" same => (?P<priority>n)(?:\((?P<label>[a-z]+)\))?,(?P<call>.+)")


def parse(path: Path) -> tuple[list[Context], list[Fault]]:
    """The contexts of a file, and the lines that have no known form."""
    contexts: list[Context] = []
    faults: list[Fault] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith(";"):
            continue
        if found := re.fullmatch(r"\[([a-z0-9-]+)\]", line):
            contexts.append(Context(found[1], path, number))
            continue
        if not contexts:
            faults.append(Fault(path, number, "before the first context"))
            continue
        here = contexts[-1]
        if found := re.fullmatch(r"include => ([a-z0-9-]+)", line):
            here.includes.append((number, found[1]))
        elif found := EXTEN.fullmatch(line):
            here.steps.append(Step(number, found["exten"], found["priority"], found["label"], found["call"]))
        elif (found := SAME.fullmatch(line)) and here.steps:
            extension = here.steps[-1].extension
            here.steps.append(Step(number, extension, "n", found["label"], found["call"]))
        else:
            faults.append(Fault(path, number, "not `exten =>`, ` same => n`, `include =>` or a comment"))
    return contexts, faults


def lint(paths: Iterable[Path]) -> list[Fault]:
    """Every fault of these files, which are read together: contexts of one are known to the others."""
    contexts: list[Context] = []
    faults: list[Fault] = []
    for path in paths:
        found, wrong = parse(path)
        contexts += found
        faults += wrong
    known = {context.name: context for context in contexts}
    for context in contexts:
        for line, name in context.includes:
            if name not in known:
                faults.append(Fault(context.path, line, f"no context {name}"))
        faults += _lint_context(context, known)
    return sorted(faults, key=lambda fault: (str(fault.path), fault.line))


def _lint_context(context: Context, known: dict[str, Context]) -> Iterator[Fault]:
    for number, step in enumerate(context.steps):
        checks = (_balanced, _modules, _outside, _dial)
        for message in (message for check in checks for message in check(step)):
            yield Fault(context.path, step.line, message)
        for message in _targets(step, context, known):
            yield Fault(context.path, step.line, message)
        behind = ALONE if step.arguments.endswith(",phone") else FALLBACK
        following = next((each for each in context.steps[number + 1 :] if each.call not in ONCE_MORE), None)
        if step.application in ("Stasis", "StasisBroadcast") and not (
            following is not None and following.extension == step.extension and following.call == behind
        ):
            yield Fault(context.path, step.line, f"{step.application} must be followed by {behind}")
    everything = [step for step in context.steps if re.fullmatch(r"_(\.|!|\[!-~\][.!])", step.extension)]
    ends = [
        step for step in context.steps if step.extension == "h" and step.application in ("Hangup", "Return")
    ]
    if everything and not ends:
        yield Fault(
            context.path, everything[0].line, "matches `h` as well: the context needs `exten => h,1,Hangup()`"
        )


def _balanced(step: Step) -> Iterator[str]:
    for opening, closing in ("()", "{}", "[]"):
        if step.call.count(opening) != step.call.count(closing):
            yield f"unbalanced {opening}{closing}"
    if not re.fullmatch(r"[A-Za-z]+\(.*\)", step.call):
        yield "an application is written `Name(arguments)`"


def _modules(step: Step) -> Iterator[str]:
    provided = {name: module for module, names in PROVIDES.items() for name in names}
    used = [step.application, *re.findall(r"(?:\$\{|Set\()([A-Z_]+)\(", step.call)]
    for name in used:
        if name not in provided:
            yield f"{name} comes from no module of our list (autocom.asterisk.modules)"
        elif provided[name] not in (*MODULES, "core"):
            yield f"{name} needs {provided[name]}, which is not loaded"


def _outside(step: Step) -> Iterator[str]:
    tamed = call = TAMED.sub("0", step.call)
    found = PLAIN_SET.fullmatch(call)
    if found and (whole := re.fullmatch(r"\$\{(.+)\}", found["value"])):
        # the value's own name is free: Asterisk does not look again at what it put there
        call = whole[1]
    for name in OUTSIDE_VARIABLES:
        if f"${{{name}" in call:
            yield f"{name} holds a caller's text: only as the whole value of Set(NAME=…)"
    for name in OUTSIDE_FUNCTIONS:
        if f"${{{name}(" in call:
            yield f"{name}() is a caller's text: only as the whole value of Set(NAME=…)"
    if "${EXTEN" in tamed and not _digits(step.extension):
        yield f"EXTEN is what was dialled, and {step.extension} lets anything through: FILTER it"


def _digits(extension: str) -> bool:
    return re.fullmatch(r"\*?[0-9]+|_\*?[0-9XZN]+", extension) is not None


def _dial(step: Step) -> Iterator[str]:
    if step.application not in DIALS:
        return
    if step.application == "Queue":
        if not step.arguments.startswith("${AUTOCOM_WITH},"):
            yield "Queue takes its name from the routing script only"
    elif step.application != "Dial":
        yield f"{step.application} is not used here: it runs programs, dials outside or writes logs"
    elif not step.arguments.startswith("${GOSUB_RETVAL},"):
        yield "Dial takes its targets from autocom-free-phones or autocom-phone-of only"


def _targets(step: Step, context: Context, known: dict[str, Context]) -> Iterator[str]:
    labels = {each.label for each in context.steps if each.extension == step.extension}
    if step.application == "GotoIf":
        for label in (part for part in step.arguments.rsplit("?", 1)[-1].split(":") if part):
            if label not in labels:
                yield f"no label {label} in this extension"
    elif step.application == "Goto" and "," not in step.arguments:
        if step.arguments not in labels:
            yield f"no label {step.arguments} in this extension"
    elif step.application in ("Goto", "Gosub") or "hangup_handler_push" in step.call:
        target = step.arguments.split("=", 1)[-1] if step.application == "Set" else step.arguments
        name, extension, priority = [*target.split("(", 1)[0].split(","), "", ""][:3]
        reached = known.get(name)
        if reached is None:
            yield f"no context {name}"
        elif extension == DIALLED:
            if priority != "1" or not _takes_everything(reached, known):
                yield f"{name} must take whatever was dialled"
        elif not any(
            each.extension in (extension, EVERYTHING) and each.priority == priority for each in reached.steps
        ):
            yield f"no priority {extension},{priority} in {name}"


def _takes_everything(context: Context, known: dict[str, Context]) -> bool:
    if any(step.extension == EVERYTHING for step in context.steps):
        return True
    return any(name in known and _takes_everything(known[name], known) for _, name in context.includes)


def main(arguments: list[str]) -> int:
    """Print the faults; 1 where there are any."""
    paths = [Path(each) for each in arguments] or sorted((ROOT / "dialplan").glob("*.conf"))
    faults = lint(paths)
    for fault in faults:
        print(fault)
    if not paths:
        print("no dialplan found", file=sys.stderr)
    return 1 if faults or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
