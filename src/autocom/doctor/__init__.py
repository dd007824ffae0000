"""`autocom doctor`: is this installation well, and what is to be done where it is not.

One small function for each thing that can be wrong, by topic: each looks at one thing and says what it saw
(`findings`). They run side by side, each with its own time limit, while autocom runs and when it does not
(`rounds`); what all need to know beforehand is the `patient`. Nothing here changes anything.
"""
