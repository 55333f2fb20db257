"""The NFS server, and the view of its export from the server's side."""
