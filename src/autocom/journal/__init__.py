"""The journal: a local append-only log first, PostgreSQL behind it.

`log` is what the stories write to (the port `Journal`); `shipper` copies it to the `tables` of
PostgreSQL, in order and exactly once; `queries` reads them; `migrate` keeps their shape;
`postgres` runs a private server where none is configured. No call ever waits for PostgreSQL.
"""
