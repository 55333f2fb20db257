"""Loopback: what is reached without a network."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host, given by name or address, is the one that asks."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:  # it is a name
        return host == "localhost"
