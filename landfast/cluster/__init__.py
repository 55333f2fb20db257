"""Where the cluster comes from: `kind` makes one and throws it away, `existing` is somebody's."""
