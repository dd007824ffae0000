"""The commands, one module for each kind; `cli.py` gathers them."""
