"""What `kind` needs on a host without Docker, kernel NFS or image registry, built from `kit/`."""
