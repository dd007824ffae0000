"""ARI, Asterisk's REST interface and its event socket.

`generated.py` has the typed operations and events, `client.py` the connection. Neither knows
what a call is: `asterisk.telephone` turns events into facts. (ari-py cannot be used: its last
release, 0.1.3 of 2014, is Python 2 only and blocking.)
"""
