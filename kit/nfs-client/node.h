/*
 * Nodes: what the kernel's inode numbers stand for. One node per file handle, counted.
 *
 * A file removed while a process here has it open must stay readable, but the server keeps no
 * open state. So it is renamed to a hidden name ("silly rename", as the kernel's client does) and
 * removed at the last close.
 */
#ifndef NODE_H
#define NODE_H

#include <pthread.h>

#include "nfs4.h"
#include "unstable.h"

struct node {
	struct node *next; /* in its hash chain */
	uint64_t refs;     /* the kernel's lookups, open files, and users in this program */
	struct nfs_fh fh;  /* never changes */
	struct unstable unstable;

	pthread_mutex_t lock; /* guards what follows */
	unsigned opens;
	struct hidden_name *hidden;
};

/* Both add a reference. node_get() makes the node if need be, and returns NULL without memory. */
struct node *node_get(const struct nfs_fh *fh);
struct node *node_find(const struct nfs_fh *fh);
void node_put(struct node *node, uint64_t refs);

/* Counts an open file, which also holds a reference. */
void node_open(struct node *node);
/* Drops both; the last close removes the hidden name. */
void node_close(struct node *node);

/*
 * To be called before NAME in DIR is removed or replaced. If it is open here, and has no other
 * name, it is renamed to a hidden name, and *HIDDEN is set. Returns 0 or an errno.
 */
int node_hide_if_open(const struct nfs_fh *dir, const char *name, const struct rpc_cred *cred,
		      bool *hidden);

#endif
