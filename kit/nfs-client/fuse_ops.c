#include "fuse_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h> /* RENAME_NOREPLACE */
#include <stdlib.h>
#include <string.h>

#include "node.h"

enum { BACKGROUND_MAX = 64, CONGESTED_AT = 48 };

static struct node *root_node;
static double cache_seconds;

struct open_file {
	struct rpc_cred cred; /* of the opener: pages are written back by nobody in particular */
	bool sync;
};

struct open_dir {
	struct rpc_cred cred;
	struct nfs_verifier verifier;
};

int fuse_ops_init(const struct nfs_fh *root, double attr_timeout)
{
	cache_seconds = attr_timeout;
	root_node = node_get(root);
	return root_node ? 0 : ENOMEM;
}

static struct node *node_of(fuse_ino_t ino)
{
	return ino == FUSE_ROOT_ID ? root_node : (struct node *)ino;
}

static struct open_file *file_of(const struct fuse_file_info *info)
{
	return (struct open_file *)(uintptr_t)info->fh;
}

static struct open_dir *dir_of(const struct fuse_file_info *info)
{
	return (struct open_dir *)(uintptr_t)info->fh;
}

static struct rpc_cred caller(fuse_req_t req)
{
	const struct fuse_ctx *context = fuse_req_ctx(req);

	return (struct rpc_cred){context->uid, context->gid};
}

/* Returns false without memory. The reference the kernel gets is the caller's to drop. */
static bool make_entry(const struct nfs_object *object, struct fuse_entry_param *entry)
{
	struct node *node = node_get(&object->fh);

	*entry = (struct fuse_entry_param){
		.ino = (fuse_ino_t)node,
		.attr = object->attr,
		.attr_timeout = cache_seconds,
		.entry_timeout = cache_seconds,
	};
	return node;
}

static void reply_entry(fuse_req_t req, int error, const struct nfs_object *object)
{
	struct fuse_entry_param entry;

	if (!error && !make_entry(object, &entry))
		error = ENOMEM;
	if (error)
		fuse_reply_err(req, error);
	else if (fuse_reply_entry(req, &entry)) /* interrupted: the kernel counts no lookup */
		node_put(node_of(entry.ino), 1);
}

static void reply_attr(fuse_req_t req, int error, const struct stat *attr)
{
	if (error)
		fuse_reply_err(req, error);
	else
		fuse_reply_attr(req, attr, cache_seconds);
}

static void op_init(void *unused, struct fuse_conn_info *conn)
{
	(void)unused;
	conn->max_write = IO_BYTES_MAX;
	conn->max_read = IO_BYTES_MAX;
	conn->max_readahead = IO_BYTES_MAX;
	conn->max_background = BACKGROUND_MAX;
	conn->congestion_threshold = CONGESTED_AT;
	/* Without it the kernel sends O_TRUNC as a setattr, and open needs no trip to the server. */
	conn->want &= ~FUSE_CAP_ATOMIC_O_TRUNC;
}

/* -------------------------------------------------------------------- names and attributes */

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct rpc_cred cred = caller(req);
	struct nfs_object found;

	int error = nfs_lookup(&node_of(parent)->fh, name, &cred, &found);
	reply_entry(req, error, &found);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
	if (ino != FUSE_ROOT_ID)
		node_put(node_of(ino), lookups);
	fuse_reply_none(req);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	struct rpc_cred cred = info && info->fh ? file_of(info)->cred : caller(req);
	struct stat attr;

	int error = nfs_getattr(&node_of(ino)->fh, &cred, &attr);
	reply_attr(req, error, &attr);
}

static struct nfs_changes changes_of(const struct stat *attr, int to_set)
{
	static const struct {
		int fuse;
		unsigned nfs;
	} table[] = {
		{FUSE_SET_ATTR_SIZE, NFS_SET_SIZE},
		{FUSE_SET_ATTR_MODE, NFS_SET_MODE},
		{FUSE_SET_ATTR_UID, NFS_SET_UID},
		{FUSE_SET_ATTR_GID, NFS_SET_GID},
		{FUSE_SET_ATTR_ATIME, NFS_SET_ATIME},
		{FUSE_SET_ATTR_ATIME_NOW, NFS_SET_ATIME_NOW},
		{FUSE_SET_ATTR_MTIME, NFS_SET_MTIME},
		{FUSE_SET_ATTR_MTIME_NOW, NFS_SET_MTIME_NOW},
	};
	struct nfs_changes changes = {
		.size = attr->st_size,
		.mode = attr->st_mode,
		.uid = attr->st_uid,
		.gid = attr->st_gid,
		.atime = attr->st_atim,
		.mtime = attr->st_mtim,
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (to_set & table[i].fuse)
			changes.which |= table[i].nfs;
	return changes;
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		       struct fuse_file_info *info)
{
	struct node *node = node_of(ino);
	struct nfs_changes changes = changes_of(attr, to_set);
	struct rpc_cred cred = caller(req);
	struct stat now;
	int error = 0;

	if (changes.which & NFS_SET_SIZE) {
		if (info && info->fh) /* ftruncate() asks for what was allowed at open() */
			cred = file_of(info)->cred;
		/* A write sent again later must not undo the truncation. */
		error = unstable_commit(&node->unstable, &node->fh, &cred);
	}
	if (!error && changes.which)
		error = nfs_setattr(&node->fh, &changes, &cred, &now);
	else if (!error)
		error = nfs_getattr(&node->fh, &cred, &now);
	reply_attr(req, error, &now);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct rpc_cred cred = caller(req);
	struct statvfs st;

	int error = nfs_statfs(&node_of(ino)->fh, &cred, &st);
	if (error)
		fuse_reply_err(req, error);
	else
		fuse_reply_statfs(req, &st);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct rpc_cred cred = caller(req);
	char target[PATH_MAX + 1];

	int error = nfs_readlink(&node_of(ino)->fh, &cred, target, sizeof target);
	if (error)
		fuse_reply_err(req, error);
	else
		fuse_reply_readlink(req, target);
}

/* --------------------------------------------------------------- changing the name space */

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	struct rpc_cred cred = caller(req);
	const struct nfs_fh *dir = &node_of(parent)->fh;
	struct nfs_object made;
	int error;

	if (S_ISREG(mode) || !(mode & S_IFMT))
		error = nfs_create_file(dir, name, mode, O_EXCL, &cred, &made);
	else
		error = nfs_create_other(dir, name, mode, rdev, NULL, &cred, &made);
	reply_entry(req, error, &made);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	op_mknod(req, parent, name, S_IFDIR | (mode & ~S_IFMT), 0);
}

static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	struct rpc_cred cred = caller(req);
	struct nfs_object made;

	int error = nfs_create_other(&node_of(parent)->fh, name, S_IFLNK, 0, target, &cred, &made);
	reply_entry(req, error, &made);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	struct rpc_cred cred = caller(req);
	struct nfs_object object = {.fh = node_of(ino)->fh};

	int error = nfs_link(&object.fh, &node_of(parent)->fh, name, &cred);
	if (!error)
		error = nfs_getattr(&object.fh, &cred, &object.attr);
	reply_entry(req, error, &object);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct rpc_cred cred = caller(req);
	const struct nfs_fh *dir = &node_of(parent)->fh;
	bool hidden;

	int error = node_hide_if_open(dir, name, &cred, &hidden);
	if (!error && !hidden)
		error = nfs_remove(dir, name, &cred);
	fuse_reply_err(req, error);
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct rpc_cred cred = caller(req);

	fuse_reply_err(req, nfs_remove(&node_of(parent)->fh, name, &cred));
}

static int rename_object(const struct nfs_fh *from_dir, const char *from,
			 const struct nfs_fh *to_dir, const char *to, bool no_replace,
			 const struct rpc_cred *cred)
{
	struct nfs_object source, target;
	bool hidden;

	if (!nfs_lookup(to_dir, to, cred, &target)) {
		if (no_replace) /* NFS has no such flag: another client can get in between */
			return EEXIST;
		/* Two names of one file: POSIX wants nothing done, and nothing be hidden. */
		if (!nfs_lookup(from_dir, from, cred, &source) &&
		    nfs_same_fh(&source.fh, &target.fh))
			return 0;
		int error = node_hide_if_open(to_dir, to, cred, &hidden);
		if (error)
			return error;
	}
	return nfs_rename(from_dir, from, to_dir, to, cred);
}

static void op_rename(fuse_req_t req, fuse_ino_t from_parent, const char *from,
		      fuse_ino_t to_parent, const char *to, unsigned flags)
{
	struct rpc_cred cred = caller(req);
	int error = EINVAL;

	if (!(flags & ~RENAME_NOREPLACE))
		error = rename_object(&node_of(from_parent)->fh, from, &node_of(to_parent)->fh, to,
				      flags & RENAME_NOREPLACE, &cred);
	fuse_reply_err(req, error);
}

/* ----------------------------------------------------------------------------- open files */

static struct open_file *open_file(struct node *node, const struct rpc_cred *cred,
				   struct fuse_file_info *info)
{
	struct open_file *file = malloc(sizeof *file);

	if (!file)
		return NULL;
	file->cred = *cred;
	file->sync = info->flags & (O_SYNC | O_DSYNC);
	info->fh = (uintptr_t)file;
	node_open(node);
	return file;
}

static void close_file(struct node *node, struct open_file *file)
{
	node_close(node);
	free(file);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	struct rpc_cred cred = caller(req);
	struct open_file *file = open_file(node_of(ino), &cred, info);

	if (!file)
		fuse_reply_err(req, ENOMEM);
	else if (fuse_reply_open(req, info)) /* interrupted: there will be no release */
		close_file(node_of(ino), file);
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		      struct fuse_file_info *info)
{
	struct rpc_cred cred = caller(req);
	struct fuse_entry_param entry;
	struct nfs_object made;

	int error = nfs_create_file(&node_of(parent)->fh, name, mode, info->flags, &cred, &made);
	if (error) {
		fuse_reply_err(req, error);
		return;
	}
	if (!make_entry(&made, &entry)) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	struct node *node = node_of(entry.ino);
	struct open_file *file = open_file(node, &cred, info);
	if (!file) {
		fuse_reply_err(req, ENOMEM);
		node_put(node, 1);
	} else if (fuse_reply_create(req, &entry, info)) {
		close_file(node, file);
		node_put(node, 1);
	}
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		    struct fuse_file_info *info)
{
	char *data = malloc(size);
	size_t total = 0, done = 1;
	bool end = false;
	int error = data ? 0 : ENOMEM;

	/* Less than asked for would mean the end of the file to the kernel. */
	while (!error && !end && done && total < size) {
		error = nfs_read(&node_of(ino)->fh, &file_of(info)->cred, offset + total,
				 data + total, size - total, &done, &end);
		total += done;
	}
	if (error)
		fuse_reply_err(req, error);
	else
		fuse_reply_buf(req, data, total);
	free(data);
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
		     struct fuse_file_info *info)
{
	struct node *node = node_of(ino);
	const struct open_file *file = file_of(info);
	bool sync = file->sync || info->flags & (O_SYNC | O_DSYNC);
	struct nfs_written written;
	size_t total = 0;
	int error = 0;

	while (!error && total < size) {
		error = nfs_write(&node->fh, &file->cred, offset + total, data + total,
				  size - total, sync ? FILE_SYNC4 : UNSTABLE4, &written);
		if (error)
			break;
		error = unstable_note(&node->unstable, &node->fh, &file->cred, offset + total,
				      data + total, &written);
		total += written.len;
	}
	if (error)
		fuse_reply_err(req, error);
	else
		fuse_reply_write(req, total);
}

static void op_fsync(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *info)
{
	struct node *node = node_of(ino);

	(void)data_only;
	fuse_reply_err(req, unstable_commit(&node->unstable, &node->fh, &file_of(info)->cred));
}

/* close() reports what fsync() would: the last chance to tell that data did not get there. */
static void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	op_fsync(req, ino, 0, info);
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	struct node *node = node_of(ino);
	struct open_file *file = file_of(info);

	/* Pages a memory mapping dirtied come after flush. Nobody is left to hear of an error. */
	unstable_commit(&node->unstable, &node->fh, &file->cred);
	close_file(node, file);
	fuse_reply_err(req, 0);
}

/* ----------------------------------------------------------------------------- directories */

static void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	struct open_dir *dir = calloc(1, sizeof *dir);

	(void)ino;
	if (!dir) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	dir->cred = caller(req);
	info->fh = (uintptr_t)dir;
	if (fuse_reply_open(req, info))
		free(dir);
}

static void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	(void)ino;
	free(dir_of(info));
	fuse_reply_err(req, 0);
}

/* Changes of directories are stable before the server answers. */
static void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *info)
{
	(void)ino, (void)data_only, (void)info;
	fuse_reply_err(req, 0);
}

struct listing {
	fuse_req_t req;
	char *data;
	size_t len;
	size_t size;
	uint64_t cookie; /* of the last entry added */
	bool full;
};

static bool add_dirent(void *context, const struct nfs_dirent *entry)
{
	struct listing *list = context;
	size_t left = list->size - list->len;
	size_t need = fuse_add_direntry(list->req, list->data + list->len, left, entry->name,
					&entry->attr, entry->cookie);

	list->full = need > left;
	if (list->full)
		return false;
	list->len += need;
	list->cookie = entry->cookie;
	return true;
}

/*
 * The server lists no "." and "..", and leaves the cookies 1 and 2 free for them (RFC 7530,
 * section 16.24.4).
 */
enum { COOKIE_START = 0, COOKIE_DOT = 1, COOKIE_DOT_DOT = 2 };

static void add_dots(struct listing *list)
{
	struct nfs_dirent dot = {.name = ".", .cookie = COOKIE_DOT};
	struct nfs_dirent dot_dot = {.name = "..", .cookie = COOKIE_DOT_DOT};

	dot.attr.st_mode = dot_dot.attr.st_mode = S_IFDIR;
	dot.attr.st_ino = dot_dot.attr.st_ino = FUSE_ROOT_ID;
	if (list->cookie == COOKIE_START)
		add_dirent(list, &dot);
	if (list->cookie == COOKIE_DOT)
		add_dirent(list, &dot_dot);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		       struct fuse_file_info *info)
{
	struct open_dir *dir = dir_of(info);
	struct listing list = {.req = req, .size = size, .cookie = offset};
	int error = 0;

	list.data = malloc(size);
	if (!list.data) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	add_dots(&list);
	if (!list.full) {
		uint64_t from = list.cookie == COOKIE_DOT_DOT ? 0 : list.cookie;
		bool end;
		error = nfs_readdir(&node_of(ino)->fh, &dir->cred, from, &dir->verifier,
				    add_dirent, &list, &end);
	}
	if (error && !list.len)
		fuse_reply_err(req, error);
	else
		fuse_reply_buf(req, list.data, list.len);
	free(list.data);
}

const struct fuse_lowlevel_ops fuse_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.statfs = op_statfs,
	.readlink = op_readlink,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.symlink = op_symlink,
	.link = op_link,
	.unlink = op_unlink,
	.rmdir = op_rmdir,
	.rename = op_rename,
	.open = op_open,
	.create = op_create,
	.read = op_read,
	.write = op_write,
	.flush = op_flush,
	.fsync = op_fsync,
	.release = op_release,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.releasedir = op_releasedir,
	.fsyncdir = op_fsyncdir,
};
