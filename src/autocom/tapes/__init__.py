"""Recorded conversations at rest: encrypted, kept for as long as the client says, erased in time."""
