"""The stories: what happens to a call, told straight through, one coroutine per stage.

Sees the outside only through `ports.py` (Telephone, Journal, Clock), imports nothing of ours
but `core`. Order everywhere: decide (core), save (journal), act (telephone).
"""
