"""Machines: containers that carry a whole kernel (User-Mode Linux)."""
