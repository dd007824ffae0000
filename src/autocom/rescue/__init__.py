"""The rescuer: a small process beside the exchange, for the day on which that is frozen, dead or deaf.

It sees that the exchange no longer says that it serves (`beat`), or that ARI no longer answers (`canary`), decides by
`judge` alone, and acts over AMI (`ami`): the gate that sends new callers to the dialplan's fallback, and the callers
who are alone with a service that is away. Conversations are never touched. What it did it writes into a `diary`, which
the exchange reads when it is back. Law: standard library only, nothing of ours from outside this package; it must
run when everything else does not.
"""
