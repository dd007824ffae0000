"""A softphone in a browser, to test with."""
