/*
 * Written, but not yet on stable storage. A server may lose UNSTABLE writes when it restarts, so
 * their data is kept here until a COMMIT has returned the verifier the writes returned; if it is
 * another one, they are sent again.
 */
#ifndef UNSTABLE_H
#define UNSTABLE_H

#include <pthread.h>
#include <sys/queue.h>

#include "nfs4.h"

struct unstable_write;

/* Those of one file. */
struct unstable {
	pthread_mutex_t lock;
	TAILQ_HEAD(, unstable_write) writes; /* oldest first */
	size_t bytes;
	bool resending; /* some were lost: all that are left must be sent again */
};

void unstable_init(struct unstable *u);
void unstable_destroy(struct unstable *u);

/*
 * Notes that DATA was written at OFFSET with the result WRITTEN. Commits if much has piled up.
 * Returns 0 or an errno.
 */
int unstable_note(struct unstable *u, const struct nfs_fh *fh, const struct rpc_cred *cred,
		  uint64_t offset, const char *data, const struct nfs_written *written);

/* When this has returned 0, all that was noted before is on stable storage. */
int unstable_commit(struct unstable *u, const struct nfs_fh *fh, const struct rpc_cred *cred);

#endif
