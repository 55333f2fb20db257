#include "node.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUCKETS = 1 << 16 };
enum { HIDDEN_NAME_MAX = 48 };

struct hidden_name {
	struct nfs_fh dir;
	char name[HIDDEN_NAME_MAX];
	struct rpc_cred cred; /* who removed the file, and so may remove the hidden name */
};

static struct {
	pthread_mutex_t lock; /* also guards the reference counts */
	struct node *bucket[BUCKETS];
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* FNV-1a */
static struct node **bucket_of(const struct nfs_fh *fh)
{
	uint32_t hash = 2166136261u;

	for (uint32_t i = 0; i < fh->len; i++)
		hash = (hash ^ fh->data[i]) * 16777619u;
	return &table.bucket[hash % BUCKETS];
}

static struct node *find_locked(const struct nfs_fh *fh)
{
	struct node *node = *bucket_of(fh);

	while (node && !nfs_same_fh(&node->fh, fh))
		node = node->next;
	if (node)
		node->refs++;
	return node;
}

static struct node *add_locked(const struct nfs_fh *fh)
{
	struct node *node = calloc(1, sizeof *node);

	if (!node)
		return NULL;
	node->refs = 1;
	node->fh = *fh;
	unstable_init(&node->unstable);
	pthread_mutex_init(&node->lock, NULL);
	node->next = *bucket_of(fh);
	*bucket_of(fh) = node;
	return node;
}

struct node *node_get(const struct nfs_fh *fh)
{
	pthread_mutex_lock(&table.lock);
	struct node *node = find_locked(fh);
	if (!node)
		node = add_locked(fh);
	pthread_mutex_unlock(&table.lock);
	return node;
}

struct node *node_find(const struct nfs_fh *fh)
{
	pthread_mutex_lock(&table.lock);
	struct node *node = find_locked(fh);
	pthread_mutex_unlock(&table.lock);
	return node;
}

void node_put(struct node *node, uint64_t refs)
{
	pthread_mutex_lock(&table.lock);
	node->refs -= refs;
	bool unused = node->refs == 0;
	if (unused) {
		struct node **link = bucket_of(&node->fh);
		while (*link != node)
			link = &(*link)->next;
		*link = node->next;
	}
	pthread_mutex_unlock(&table.lock);
	if (unused) {
		unstable_destroy(&node->unstable);
		pthread_mutex_destroy(&node->lock);
		free(node->hidden);
		free(node);
	}
}

void node_open(struct node *node)
{
	pthread_mutex_lock(&table.lock);
	node->refs++;
	pthread_mutex_unlock(&table.lock);
	pthread_mutex_lock(&node->lock);
	node->opens++;
	pthread_mutex_unlock(&node->lock);
}

void node_close(struct node *node)
{
	struct hidden_name *hidden = NULL;

	pthread_mutex_lock(&node->lock);
	if (--node->opens == 0) {
		hidden = node->hidden;
		node->hidden = NULL;
	}
	pthread_mutex_unlock(&node->lock);
	if (hidden)
		nfs_remove(&hidden->dir, hidden->name, &hidden->cred);
	free(hidden);
	node_put(node, 1);
}

/* With the node's lock held, so that the last close cannot slip in between. */
static int hide_locked(struct node *node, const struct stat *attr, const struct nfs_fh *dir,
		       const char *name, const struct rpc_cred *cred)
{
	static atomic_uint count;
	struct hidden_name *hidden = malloc(sizeof *hidden);

	if (!hidden)
		return ENOMEM;
	hidden->dir = *dir;
	hidden->cred = *cred;
	/* The file's own number keeps files apart, the rest the clients that hide the same one. */
	snprintf(hidden->name, sizeof hidden->name, ".nfs%016" PRIx64 "%08x%04x",
		 (uint64_t)attr->st_ino, (unsigned)random_u64(), ++count & 0xffff);
	int error = nfs_rename(dir, name, dir, hidden->name, cred);
	if (error) {
		free(hidden);
		return error;
	}
	free(node->hidden); /* a hidden name was itself removed */
	node->hidden = hidden;
	return 0;
}

int node_hide_if_open(const struct nfs_fh *dir, const char *name, const struct rpc_cred *cred,
		      bool *hidden)
{
	struct nfs_object object;

	*hidden = false;
	int error = nfs_lookup(dir, name, cred, &object);
	if (error) /* nothing there to be hidden */
		return error == ENOENT ? 0 : error;
	struct node *node = node_find(&object.fh);
	if (!node)
		return 0;
	pthread_mutex_lock(&node->lock);
	if (node->opens && object.attr.st_nlink <= 1) {
		error = hide_locked(node, &object.attr, dir, name, cred);
		*hidden = !error;
	}
	pthread_mutex_unlock(&node->lock);
	node_put(node, 1);
	return error;
}
