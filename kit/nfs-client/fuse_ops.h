/* The requests of the kernel, answered with NFS operations. */
#ifndef FUSE_OPS_H
#define FUSE_OPS_H

#define FUSE_USE_VERSION 34
#include <fuse3/fuse_lowlevel.h>

#include "nfs4.h"

enum { IO_BYTES_MAX = 1 << 20 }; /* the largest READ and WRITE */

extern const struct fuse_lowlevel_ops fuse_ops;

/* ROOT is what the mount point shows; ATTR_TIMEOUT, in seconds, is how long attributes and names
 * are cached. Returns 0 or an errno. */
int fuse_ops_init(const struct nfs_fh *root, double attr_timeout);

#endif
