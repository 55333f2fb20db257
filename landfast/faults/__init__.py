"""Faults: things that can be broken on purpose, each with proof that it took effect and healed."""
