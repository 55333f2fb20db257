/*
 * The NFSv4.0 operations this client needs, one function each. All return 0 or an errno and take
 * the credentials to act with.
 */
#ifndef NFS4_H
#define NFS4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "nfs4_proto.h"
#include "rpc.h"

struct nfs_fh {
	uint32_t len;
	uint8_t data[NFS4_FHSIZE];
};

struct nfs_object {
	struct nfs_fh fh;
	struct stat attr;
};

struct nfs_verifier {
	uint8_t data[NFS4_VERIFIER_SIZE];
};

enum {
	NFS_SET_SIZE = 1 << 0,
	NFS_SET_MODE = 1 << 1,
	NFS_SET_UID = 1 << 2,
	NFS_SET_GID = 1 << 3,
	NFS_SET_ATIME = 1 << 4,
	NFS_SET_ATIME_NOW = 1 << 5,
	NFS_SET_MTIME = 1 << 6,
	NFS_SET_MTIME_NOW = 1 << 7,
};

struct nfs_changes {
	unsigned which; /* NFS_SET_... */
	uint64_t size;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	struct timespec atime;
	struct timespec mtime;
};

extern const struct rpc_cred root_cred;

bool nfs_same_fh(const struct nfs_fh *a, const struct nfs_fh *b);

/* Walks from the server's root down to the export. */
int nfs_lookup_export(const char *path, struct nfs_object *root);
int nfs_lookup(const struct nfs_fh *dir, const char *name, const struct rpc_cred *cred,
	       struct nfs_object *found);
int nfs_getattr(const struct nfs_fh *fh, const struct rpc_cred *cred, struct stat *st);
int nfs_setattr(const struct nfs_fh *fh, const struct nfs_changes *changes,
		const struct rpc_cred *cred, struct stat *st);
int nfs_statfs(const struct nfs_fh *fh, const struct rpc_cred *cred, struct statvfs *st);
int nfs_readlink(const struct nfs_fh *fh, const struct rpc_cred *cred, char *target, size_t size);

/*
 * A regular file, in nfs4_create.c. FLAGS are those of open(2); of them O_EXCL and O_TRUNC matter.
 * The file is not left open: all input and output goes without open state on the server.
 */
int nfs_create_file(const struct nfs_fh *dir, const char *name, mode_t mode, int flags,
		    const struct rpc_cred *cred, struct nfs_object *made);

/* Anything else. TARGET is that of a symbolic link. */
int nfs_create_other(const struct nfs_fh *dir, const char *name, mode_t mode, dev_t rdev,
		     const char *target, const struct rpc_cred *cred, struct nfs_object *made);
int nfs_link(const struct nfs_fh *fh, const struct nfs_fh *dir, const char *name,
	     const struct rpc_cred *cred);
int nfs_remove(const struct nfs_fh *dir, const char *name, const struct rpc_cred *cred);
int nfs_rename(const struct nfs_fh *from_dir, const char *from, const struct nfs_fh *to_dir,
	       const char *to, const struct rpc_cred *cred);

/* May read less than SIZE; *EOF_REACHED tells whether the end of the file is the reason. */
int nfs_read(const struct nfs_fh *fh, const struct rpc_cred *cred, uint64_t offset, char *to,
	     size_t size, size_t *done, bool *eof_reached);

struct nfs_written {
	size_t len;                   /* at least 1, at most what was asked */
	enum stable_how4 committed;   /* UNSTABLE4: lost if the server restarts before a COMMIT */
	struct nfs_verifier verifier; /* changes when the server restarts */
};

int nfs_write(const struct nfs_fh *fh, const struct rpc_cred *cred, uint64_t offset,
	      const char *data, size_t len, enum stable_how4 how, struct nfs_written *written);
int nfs_commit(const struct nfs_fh *fh, const struct rpc_cred *cred,
	       struct nfs_verifier *verifier);

struct nfs_dirent {
	const char *name;
	struct stat attr; /* only type and st_ino */
	uint64_t cookie;  /* where the entry after this one is */
};

/*
 * Reads one reply's worth of entries after COOKIE (0 = from the start), giving each to VISIT until
 * that returns false. VERIFIER goes from one call to the next.
 */
int nfs_readdir(const struct nfs_fh *dir, const struct rpc_cred *cred, uint64_t cookie,
		struct nfs_verifier *verifier,
		bool (*visit)(void *context, const struct nfs_dirent *entry), void *context,
		bool *end_reached);

#endif
