"""The audit of dependencies: what it does of pip-audit's answers; and Asterisk's lowest version against the advisories."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autocom.asterisk.installation import MINIMUM

ROOT = Path(__file__).resolve().parents[1]
CLEAN = {"dependencies": [{"name": "x", "version": "1", "vulns": []}, {"name": "y", "skip_reason": "?"}]}
BAD = {"dependencies": [{"name": "x", "version": "1", "vulns": [{"id": "PYSEC-1"}, {"id": "GHSA-2"}]}]}


def audit(
    folder: Path, answer: object, code: int, *arguments: str, says: str = "ConnectionError: no route to host"
) -> subprocess.CompletedProcess[str]:
    """With a pip-audit that gives this answer (None: that fails to reach anything)."""
    program = folder / "pip-audit"
    text = "" if answer is None else json.dumps(answer)
    program.write_text(
        f"#!{sys.executable}\nimport sys\nfrom pathlib import Path\n"
        f"if {text!r}: Path(sys.argv[sys.argv.index('--output') + 1]).write_text({text!r})\n"
        f"print({says!r}, file=sys.stderr)\nsys.exit({code})\n"
    )
    program.chmod(0o700)
    command = [sys.executable, str(ROOT / "tools" / "audit.py"), "--program", str(program), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_vulnerable_package_fails_and_is_named(tmp_path: Path) -> None:
    done = audit(tmp_path, BAD, 1)
    assert done.returncode == 1
    assert "x 1: PYSEC-1, GHSA-2" in done.stdout


def test_nothing_known_is_no_failure(tmp_path: Path) -> None:
    done = audit(tmp_path, CLEAN, 0)
    assert (done.returncode, "0 vulnerable" in done.stdout) == (0, True)


@pytest.mark.parametrize(("arguments", "code"), [((), 0), (("--required",), 1)])
def test_a_database_that_cannot_be_reached_is_said_and_fails_only_where_it_is_required(
    tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    done = audit(tmp_path, None, 1, *arguments)
    assert done.returncode == code
    assert "was not asked: ConnectionError" in done.stdout
    assert "0 vulnerable" not in done.stdout


def test_a_lock_that_is_refused_is_no_network_that_is_away(tmp_path: Path) -> None:
    says = "ERROR:pip_audit._cli:requirement x==1 does not contain a hash"
    done = audit(tmp_path, None, 1, says=says)
    assert done.returncode == 1
    assert f"pip-audit refuses it: {says}" in done.stdout


def test_no_asterisk_is_taken_that_an_advisory_which_matters_here_speaks_of() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    table = page.split("## Asterisk's advisories")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\d+)\.(\d+)\.(\d+) \| (must|should|history) \|", table, re.MULTILINE)
    assert len(rows) >= 6
    for major, minor, patch, matters in rows:
        assert (int(major), int(minor), int(patch)) <= MINIMUM, (major, minor, patch, matters)


def test_ci_audits_what_is_locked() -> None:
    assert "make audit" in (ROOT / ".ci" / "run").read_text()
    assert "tools/audit.py" in (ROOT / "Makefile").read_text()
