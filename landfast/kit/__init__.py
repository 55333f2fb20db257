"""Builds, from `kit/`, what kind needs on a host without Docker, kernel NFS or a registry."""
