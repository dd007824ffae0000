"""Real callers, real softphones, and a real `autocom up` to try them on."""

PATIENCE = 20.0
"""Seconds that a test waits for what must come, where how soon is not its subject: a starved machine takes its time,
and a wait that is fulfilled costs nothing."""
