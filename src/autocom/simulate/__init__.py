"""The bureau on a virtual clock: how long callers would wait, and how many secretaries a day needs.

The same floor, rules and hours as in production decide (`core.floor`, `calls.house`); only callers,
phones and secretaries' habits are drawn by lot. `day` runs one day, `arrivals` and `history` say who
calls, `presence` who is at work, `figures` what came of it, `report` and `plot` show it.
Invariant: one seed, one result; the seeds of two configurations are the same callers.
"""
