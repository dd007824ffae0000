"""The tests; a package so that `tests.support` is never somebody else's."""
