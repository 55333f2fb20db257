"""What `kind` needs on a host without Docker, kernel NFS or an image registry, built from `kit/`."""
