"""Texts in and out: providers' protocols, secretaries' softphones, and the ledger between them.

`ledger` has the texts; `reception` and `despatch` decide by `core.texting`; a `lane` for each provider sends
(`webhook`, `smpp`, `trunk`), `display` shows what came, `media` fetches what came with it, `archive` hands everything
to PostgreSQL; `room` runs them. Knows the core and the ports, no other room.
"""
