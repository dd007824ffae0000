"""The rules: who is called, when they are open, who rings whom, what a call did.

Standard library and frozen values only. Nothing in this package reads a clock, draws a
random number, logs, awaits or touches a file: time is an argument, ids are derived, and what
should happen is *returned* as decisions. That is what lets the same file of facts be decided
again after a crash, in a test, or in `autocom explain`, with the same result.
The stories that carry the decisions out are in `autocom.calls`.
"""
