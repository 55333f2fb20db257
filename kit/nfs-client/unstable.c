#include "unstable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

enum { BYTES_MAX = 16 << 20 }; /* per file */

struct unstable_write {
	TAILQ_ENTRY(unstable_write) link;
	struct nfs_verifier verifier;
	uint64_t offset;
	size_t len;
	char data[];
};

void unstable_init(struct unstable *u)
{
	pthread_mutex_init(&u->lock, NULL);
	TAILQ_INIT(&u->writes);
	u->bytes = 0;
	u->resending = false;
}

static void drop(struct unstable *u, struct unstable_write *write)
{
	TAILQ_REMOVE(&u->writes, write, link);
	u->bytes -= write->len;
	free(write);
}

void unstable_destroy(struct unstable *u)
{
	while (!TAILQ_EMPTY(&u->writes))
		drop(u, TAILQ_FIRST(&u->writes));
	pthread_mutex_destroy(&u->lock);
}

static int send_again(const struct unstable_write *write, const struct nfs_fh *fh,
		      const struct rpc_cred *cred)
{
	struct nfs_written written;

	for (size_t done = 0; done < write->len; done += written.len) {
		int error = nfs_write(fh, cred, write->offset + done, write->data + done,
				      write->len - done, FILE_SYNC4, &written);
		if (error)
			return error;
	}
	return 0;
}

/*
 * From the first lost write on, all are sent again, also those the restarted server has: they may
 * overlap the lost one, and must have the last word as they had before.
 */
static int commit_locked(struct unstable *u, const struct nfs_fh *fh, const struct rpc_cred *cred)
{
	struct unstable_write *write;
	struct nfs_verifier now;

	if (TAILQ_EMPTY(&u->writes))
		return 0;
	int error = nfs_commit(fh, cred, &now);
	while (!error && (write = TAILQ_FIRST(&u->writes))) {
		if (!u->resending && memcmp(&write->verifier, &now, sizeof now)) {
			log_debug("the server restarted: sending %zu bytes again\n", u->bytes);
			u->resending = true;
		}
		if (u->resending)
			error = send_again(write, fh, cred);
		if (!error)
			drop(u, write);
	}
	if (!error)
		u->resending = false;
	return error;
}

int unstable_note(struct unstable *u, const struct nfs_fh *fh, const struct rpc_cred *cred,
		  uint64_t offset, const char *data, const struct nfs_written *written)
{
	int error = 0;

	pthread_mutex_lock(&u->lock);
	/* A stable write after unstable ones is noted too: see commit_locked() for the reason. */
	if (written->committed == UNSTABLE4 || !TAILQ_EMPTY(&u->writes)) {
		struct unstable_write *write = malloc(sizeof *write + written->len);
		if (write) {
			write->verifier = written->verifier;
			write->offset = offset;
			write->len = written->len;
			memcpy(write->data, data, written->len);
			TAILQ_INSERT_TAIL(&u->writes, write, link);
			u->bytes += write->len;
		} else {
			error = ENOMEM;
		}
	}
	if (!error && u->bytes > BYTES_MAX)
		error = commit_locked(u, fh, cred);
	pthread_mutex_unlock(&u->lock);
	return error;
}

int unstable_commit(struct unstable *u, const struct nfs_fh *fh, const struct rpc_cred *cred)
{
	pthread_mutex_lock(&u->lock);
	int error = commit_locked(u, fh, cred);
	pthread_mutex_unlock(&u->lock);
	return error;
}
