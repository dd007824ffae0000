from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session")
def calls() -> int:
    """How many calls a gate simulates; `make simulate-validate` asks for many more."""
    return int(os.environ.get("SIMULATE_CALLS", "4000"))
