"""Known vulnerabilities of what is locked: `make audit`, in CI too.

pip-audit asks the advisory database of PyPI for each locked package. Where it cannot be reached nothing is known, which
is said and is no failure (`--required` makes it one): a build must not depend on somebody else's server. What is found
fails, and so does a lock that pip-audit refuses. Asterisk is not a package: its advisories stand in docs/security.md, and the lowest version that is taken in
`asterisk/installation.py`.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WITHIN = 300.0
_AWAY = re.compile(
    r"ConnectionError|TimeoutExpired|Timeout\b|SSLError|ProxyError|HTTPError|ServiceError|network may be blocking"
)
"""Pip-audit tells a network's or a server's trouble by these, most of them in a traceback of requests'."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0: nothing is known, or nothing could be asked; 1: vulnerable, refused, or (`--required`) not asked."""
    parser = argparse.ArgumentParser(description="Known vulnerabilities of what is locked.")
    parser.add_argument("--required", action="store_true", help="fail where the database cannot be reached")
    parser.add_argument("--program", type=Path, default=Path(sys.executable).with_name("pip-audit"))
    parser.add_argument("locks", nargs="*", type=Path, default=[ROOT / "requirements" / "run.txt"])
    chosen = parser.parse_args(arguments)
    bad = 0
    for lock in chosen.locks:
        found, why = ask(chosen.program, lock)
        if found is None:
            away = _AWAY.search(why) is not None
            what = "the advisory database was not asked" if away else "pip-audit refuses it"
            print(f"audit: {lock.name}: {what}: {_last(why)}")
            bad |= chosen.required or not away
            continue
        for name, version, ids in found:
            print(f"audit: {lock.name}: {name} {version}: {', '.join(ids)}")
        print(f"audit: {lock.name}: {len(found)} vulnerable")
        bad |= bool(found)
    return int(bad)


def ask(program: Path, lock: Path) -> tuple[list[tuple[str, str, list[str]]] | None, str]:
    """Name, version and advisories of each vulnerable package; None and why where nothing was answered."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        command = [
            str(program),
            "--require-hashes",
            "--disable-pip",
            "--progress-spinner",
            "off",
            "-r",
            str(lock),
        ]
        command += ["--format", "json", "--output", str(answer)]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WITHIN, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return None, f"{type(error).__name__}: {error}"
        try:
            packages = json.loads(answer.read_text())["dependencies"]
        except (OSError, ValueError, KeyError, TypeError):
            return None, done.stderr.strip() or f"pip-audit ended with {done.returncode}"
    return [
        (package["name"], package.get("version", "?"), [each["id"] for each in package["vulns"]])
        for package in packages
        if package.get("vulns")
    ], ""


def _last(text: str) -> str:
    return text.splitlines()[-1][:300]


if __name__ == "__main__":
    raise SystemExit(main())
