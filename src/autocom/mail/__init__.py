"""The way out: mails and texts that were decided on are sent, and recorded messages are kept.

`courier` empties the outbox: a `lane` for each of the two routes (`smtp`, `text`), a `keeper` who puts
recordings on the `shelf`; `words` says what stands in a mail. Knows the core and the ports, no other room.
"""
