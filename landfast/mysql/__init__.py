"""MySQL as a client sees it."""
