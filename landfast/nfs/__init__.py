"""The NFS server, and the look at its export from its own side."""
