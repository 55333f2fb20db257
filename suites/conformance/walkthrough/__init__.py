"""The reference walkthrough, claim by claim: its 18 steps, its two traps, its one mistake."""
