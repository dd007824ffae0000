"""What the measurements take for a wish: a wrong one must not come out as one that is met."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parents[1] / "bench"


def test_a_trouble_that_is_misspelt_is_no_measurement() -> None:
    command = [sys.executable, str(BENCH / "postgres_away.py"), "--only", "frozn"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "frozn: choose from frozen, locked" in done.stderr
