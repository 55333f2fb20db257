"""Survival: what a workload on MySQL lost, and how long it was down, when something broke."""
