#include "nfs4.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "compound.h"

enum { READDIR_BYTES = 64 << 10, SYMLINK_MODE = 0777 };

const struct rpc_cred root_cred = {0, 0};

bool nfs_same_fh(const struct nfs_fh *a, const struct nfs_fh *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/* GETFH and GETATTR of the current file handle: how every operation that finds or makes ends. */
static void put_object(struct compound *c)
{
	compound_op(c, OP_GETFH);
	put_getattr(c);
}

static void get_object(struct compound *c, struct nfs_object *object)
{
	get_fh(c, &object->fh);
	get_getattr(c, &object->attr);
}

/* -------------------------------------------------------------------- names and attributes */

int nfs_lookup_export(const char *path, struct nfs_object *root)
{
	char *copy = strdup(path), *rest = NULL;
	struct compound c;
	unsigned depth = 0;

	if (!copy)
		return ENOMEM;
	compound_begin(&c, &root_cred, NULL);
	compound_op(&c, OP_PUTROOTFH);
	for (char *name = strtok_r(copy, "/", &rest); name; name = strtok_r(NULL, "/", &rest)) {
		put_lookup(&c, name);
		depth++;
	}
	free(copy);
	put_object(&c);
	int error = compound_call(&c);
	if (!error) {
		compound_result(&c, OP_PUTROOTFH);
		while (depth--)
			compound_result(&c, OP_LOOKUP);
		get_object(&c, root);
	}
	return compound_end(&c, error);
}

int nfs_lookup(const struct nfs_fh *dir, const char *name, const struct rpc_cred *cred,
	       struct nfs_object *found)
{
	struct compound c;

	compound_begin(&c, cred, dir);
	put_lookup(&c, name);
	put_object(&c);
	int error = compound_call(&c);
	if (!error) {
		compound_result(&c, OP_LOOKUP);
		get_object(&c, found);
	}
	return compound_end(&c, error);
}

int nfs_getattr(const struct nfs_fh *fh, const struct rpc_cred *cred, struct stat *st)
{
	struct compound c;

	compound_begin(&c, cred, fh);
	put_getattr(&c);
	int error = compound_call(&c);
	if (!error)
		get_getattr(&c, st);
	return compound_end(&c, error);
}

int nfs_setattr(const struct nfs_fh *fh, const struct nfs_changes *changes,
		const struct rpc_cred *cred, struct stat *st)
{
	struct compound c;

	compound_begin(&c, cred, fh);
	compound_op(&c, OP_SETATTR);
	put_anonymous_stateid(&c);
	put_changes(&c, changes);
	put_getattr(&c);
	int error = compound_call(&c);
	if (!error) {
		compound_result(&c, OP_SETATTR);
		skip_bitmap(&c);
		get_getattr(&c, st);
	}
	return compound_end(&c, error);
}

int nfs_statfs(const struct nfs_fh *fh, const struct rpc_cred *cred, struct statvfs *st)
{
	struct compound c;

	compound_begin(&c, cred, fh);
	put_statfs(&c);
	int error = compound_call(&c);
	if (!error)
		get_statfs(&c, st);
	return compound_end(&c, error);
}

int nfs_readlink(const struct nfs_fh *fh, const struct rpc_cred *cred, char *target, size_t size)
{
	struct compound c;

	compound_begin(&c, cred, fh);
	compound_op(&c, OP_READLINK);
	int error = compound_call(&c);
	if (!error) {
		uint32_t len;
		compound_result(&c, OP_READLINK);
		const uint8_t *text = xdr_get_opaque(c.res, &len);
		if (text && len < size) {
			memcpy(target, text, len);
			target[len] = '\0';
		} else {
			error = EIO;
		}
	}
	return compound_end(&c, error);
}

/* -------------------------------------------------------------- changing the name space */

static void put_create_type(struct xdr_out *args, mode_t mode, dev_t rdev, const char *target)
{
	switch (mode & S_IFMT) {
	case S_IFLNK:
		xdr_put_u32(args, NF4LNK);
		xdr_put_string(args, target);
		break;
	case S_IFDIR:
		xdr_put_u32(args, NF4DIR);
		break;
	case S_IFIFO:
		xdr_put_u32(args, NF4FIFO);
		break;
	case S_IFSOCK:
		xdr_put_u32(args, NF4SOCK);
		break;
	default:
		xdr_put_u32(args, S_ISBLK(mode) ? NF4BLK : NF4CHR);
		xdr_put_u32(args, major(rdev));
		xdr_put_u32(args, minor(rdev));
	}
}

int nfs_create_other(const struct nfs_fh *dir, const char *name, mode_t mode, dev_t rdev,
		     const char *target, const struct rpc_cred *cred, struct nfs_object *made)
{
	struct nfs_changes attrs = {.which = NFS_SET_MODE, .mode = mode};
	struct compound c;

	if (S_ISLNK(mode))
		attrs.mode = SYMLINK_MODE;
	compound_begin(&c, cred, dir);
	compound_op(&c, OP_CREATE);
	put_create_type(&c.args, mode, rdev, target);
	xdr_put_string(&c.args, name);
	put_changes(&c, &attrs);
	put_object(&c);
	int error = compound_call(&c);
	if (!error) {
		compound_result(&c, OP_CREATE);
		skip_change_info(&c);
		skip_bitmap(&c);
		get_object(&c, made);
	}
	error = compound_end(&c, error);
	/* Sent twice, the second execution found what the first one made. */
	if (error == EEXIST && c.resent)
		error = nfs_lookup(dir, name, cred, made);
	return error;
}

int nfs_link(const struct nfs_fh *fh, const struct nfs_fh *dir, const char *name,
	     const struct rpc_cred *cred)
{
	struct compound c;

	compound_begin(&c, cred, fh);
	compound_op(&c, OP_SAVEFH);
	put_fh(&c, dir);
	compound_op(&c, OP_LINK);
	xdr_put_string(&c.args, name);
	int error = compound_end(&c, compound_call(&c));
	return error == EEXIST && c.resent ? 0 : error;
}

int nfs_remove(const struct nfs_fh *dir, const char *name, const struct rpc_cred *cred)
{
	struct compound c;

	compound_begin(&c, cred, dir);
	compound_op(&c, OP_REMOVE);
	xdr_put_string(&c.args, name);
	int error = compound_end(&c, compound_call(&c));
	return error == ENOENT && c.resent ? 0 : error;
}

int nfs_rename(const struct nfs_fh *from_dir, const char *from, const struct nfs_fh *to_dir,
	       const char *to, const struct rpc_cred *cred)
{
	struct nfs_object there;
	struct compound c;

	compound_begin(&c, cred, from_dir);
	compound_op(&c, OP_SAVEFH);
	put_fh(&c, to_dir);
	compound_op(&c, OP_RENAME);
	xdr_put_string(&c.args, from);
	xdr_put_string(&c.args, to);
	int error = compound_end(&c, compound_call(&c));
	if (error == ENOENT && c.resent && !nfs_lookup(to_dir, to, cred, &there))
		error = 0;
	return error;
}

/* --------------------------------------------------------------------------- file contents */

int nfs_read(const struct nfs_fh *fh, const struct rpc_cred *cred, uint64_t offset, char *to,
	     size_t size, size_t *done, bool *eof_reached)
{
	struct compound c;

	*done = 0;
	compound_begin(&c, cred, fh);
	compound_op(&c, OP_READ);
	put_anonymous_stateid(&c);
	xdr_put_u64(&c.args, offset);
	xdr_put_u32(&c.args, size);
	int error = compound_call(&c);
	if (!error) {
		uint32_t len;
		compound_result(&c, OP_READ);
		*eof_reached = xdr_get_u32(c.res);
		const uint8_t *data = xdr_get_opaque(c.res, &len);
		if (data && len <= size) {
			memcpy(to, data, len);
			*done = len;
		} else {
			error = EIO;
		}
	}
	return compound_end(&c, error);
}

int nfs_write(const struct nfs_fh *fh, const struct rpc_cred *cred, uint64_t offset,
	      const char *data, size_t len, enum stable_how4 how, struct nfs_written *written)
{
	struct compound c;

	compound_begin(&c, cred, fh);
	compound_op(&c, OP_WRITE);
	put_anonymous_stateid(&c);
	xdr_put_u64(&c.args, offset);
	xdr_put_u32(&c.args, how);
	xdr_put_opaque(&c.args, data, len);
	int error = compound_call(&c);
	if (!error) {
		compound_result(&c, OP_WRITE);
		written->len = xdr_get_u32(c.res);
		written->committed = xdr_get_u32(c.res);
		xdr_copy_fixed(c.res, &written->verifier, sizeof written->verifier);
		/* A server may write less or commit more than asked, never the reverse. */
		if (!written->len || written->len > len || written->committed < how)
			error = EIO;
	}
	return compound_end(&c, error);
}

int nfs_commit(const struct nfs_fh *fh, const struct rpc_cred *cred, struct nfs_verifier *verifier)
{
	struct compound c;

	compound_begin(&c, cred, fh);
	compound_op(&c, OP_COMMIT);
	xdr_put_u64(&c.args, 0); /* offset 0, count 0: the whole file */
	xdr_put_u32(&c.args, 0);
	int error = compound_call(&c);
	if (!error) {
		compound_result(&c, OP_COMMIT);
		xdr_copy_fixed(c.res, verifier, sizeof *verifier);
	}
	return compound_end(&c, error);
}

/* ----------------------------------------------------------------------------- directories */

/* Decodes one entry; NAME must have room for NFS4_NAME_MAX + 1 bytes. */
static bool get_dirent(struct compound *c, char *name, struct nfs_dirent *entry)
{
	uint32_t len;

	entry->cookie = xdr_get_u64(c->res);
	const uint8_t *text = xdr_get_opaque(c->res, &len);
	if (!text || len > NFS4_NAME_MAX) {
		c->res->failed = true;
		return false;
	}
	memcpy(name, text, len);
	name[len] = '\0';
	entry->name = name;
	get_dirent_attributes(c, &entry->attr);
	return !c->res->failed;
}

int nfs_readdir(const struct nfs_fh *dir, const struct rpc_cred *cred, uint64_t cookie,
		struct nfs_verifier *verifier,
		bool (*visit)(void *context, const struct nfs_dirent *entry), void *context,
		bool *end_reached)
{
	static const struct nfs_verifier none;
	struct compound c;

	*end_reached = false;
	compound_begin(&c, cred, dir);
	compound_op(&c, OP_READDIR);
	xdr_put_u64(&c.args, cookie);
	xdr_put_fixed(&c.args, cookie ? verifier : &none, sizeof *verifier);
	xdr_put_u32(&c.args, READDIR_BYTES); /* names only, a hint */
	xdr_put_u32(&c.args, READDIR_BYTES); /* the whole reply, a limit */
	put_dirent_attributes(&c);
	int error = compound_call(&c);
	if (!error) {
		char name[NFS4_NAME_MAX + 1];
		struct nfs_dirent entry;
		bool wanted = true, any = false;

		compound_result(&c, OP_READDIR);
		xdr_copy_fixed(c.res, verifier, sizeof *verifier);
		while (wanted && xdr_get_u32(c.res) && get_dirent(&c, name, &entry)) {
			any = true;
			wanted = visit(context, &entry);
		}
		if (wanted)
			*end_reached = xdr_get_u32(c.res);
		if (!any && !*end_reached) /* going on would never end */
			error = EIO;
	}
	return compound_end(&c, error);
}
