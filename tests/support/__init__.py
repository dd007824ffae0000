"""Real callers, real softphones, and a real `autocom up` to try them on."""
