#include "compound.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "log.h"

enum { RETRY_MIN_MS = 50, RETRY_MAX_MS = 400 };
enum { BITMAP_WORDS_MAX = 8 }; /* NFSv4.2 needs three */

void compound_begin(struct compound *c, const struct rpc_cred *cred, const struct nfs_fh *fh)
{
	*c = (struct compound){0};
	rpc_begin(&c->args, cred, NFS4_PROGRAM, NFS_V4, NFSPROC4_COMPOUND);
	xdr_put_string(&c->args, ""); /* tag */
	xdr_put_u32(&c->args, NFS4_MINOR_VERSION);
	c->count_at = c->args.len;
	xdr_put_u32(&c->args, 0);
	if (fh) {
		put_fh(c, fh);
		c->has_fh = true;
	}
}

void compound_op(struct compound *c, enum nfs_opnum4 op)
{
	xdr_put_u32(&c->args, op);
	c->count++;
}

static int errno_of(enum nfsstat4 status)
{
	switch (status) {
	case NFS4_OK:
		return 0;
	case NFS4ERR_PERM:
		return EPERM;
	case NFS4ERR_NOENT:
		return ENOENT;
	case NFS4ERR_IO:
		return EIO;
	case NFS4ERR_NXIO:
		return ENXIO;
	case NFS4ERR_ACCESS:
		return EACCES;
	case NFS4ERR_EXIST:
		return EEXIST;
	case NFS4ERR_XDEV:
		return EXDEV;
	case NFS4ERR_NOTDIR:
		return ENOTDIR;
	case NFS4ERR_ISDIR:
		return EISDIR;
	case NFS4ERR_FBIG:
		return EFBIG;
	case NFS4ERR_NOSPC:
		return ENOSPC;
	case NFS4ERR_ROFS:
		return EROFS;
	case NFS4ERR_MLINK:
		return EMLINK;
	case NFS4ERR_NAMETOOLONG:
		return ENAMETOOLONG;
	case NFS4ERR_NOTEMPTY:
		return ENOTEMPTY;
	case NFS4ERR_DQUOT:
		return EDQUOT;
	case NFS4ERR_STALE:
	case NFS4ERR_BADHANDLE:
	case NFS4ERR_FHEXPIRED:
		return ESTALE;
	case NFS4ERR_NOTSUPP:
	case NFS4ERR_ATTRNOTSUPP:
		return ENOTSUP;
	case NFS4ERR_INVAL:
	case NFS4ERR_BAD_COOKIE:
	case NFS4ERR_BADTYPE:
	case NFS4ERR_BADOWNER:
	case NFS4ERR_BADCHAR:
	case NFS4ERR_BADNAME:
	case NFS4ERR_OP_ILLEGAL:
		return EINVAL;
	case NFS4ERR_SYMLINK:
		return ELOOP;
	case NFS4ERR_WRONGSEC:
		return EACCES;
	case NFS4ERR_FILE_OPEN:
		return EBUSY;
	default:
		log_debug("NFS status %u becomes EIO\n", (unsigned)status);
		return EIO;
	}
}

static bool asks_for_patience(enum nfsstat4 status)
{
	return status == NFS4ERR_DELAY || status == NFS4ERR_GRACE || status == NFS4ERR_RESOURCE;
}

static void pause_ms(unsigned ms)
{
	struct timespec pause = {.tv_nsec = ms * 1000000L};

	nanosleep(&pause, NULL);
}

int compound_call(struct compound *c)
{
	xdr_set_u32(&c->args, c->count_at, c->count);
	for (unsigned wait = RETRY_MIN_MS;; wait = wait < RETRY_MAX_MS ? 2 * wait : wait) {
		int error = rpc_call(&c->args, &c->reply);
		c->resent |= c->reply.resent;
		c->res = &c->reply.results;
		c->status = NFS4ERR_SERVERFAULT;
		if (error)
			return error;

		uint32_t tag_len;
		c->status = xdr_get_u32(c->res);
		xdr_get_opaque(c->res, &tag_len);
		xdr_get_u32(c->res); /* number of results: compound_result() sees what there is */
		if (c->res->failed) {
			c->status = NFS4ERR_SERVERFAULT;
			return EIO;
		}
		if (!asks_for_patience(c->status))
			break;
		log_debug("NFS status %u, trying again\n", (unsigned)c->status);
		rpc_reply_free(&c->reply);
		pause_ms(wait);
	}
	int error = errno_of(c->status);
	if (!error && c->has_fh)
		compound_result(c, OP_PUTFH);
	return error;
}

void compound_result(struct compound *c, enum nfs_opnum4 op)
{
	uint32_t got = xdr_get_u32(c->res);
	uint32_t status = xdr_get_u32(c->res);

	if (got != op || status != NFS4_OK)
		c->res->failed = true;
}

int compound_end(struct compound *c, int error)
{
	if (!error && c->res->failed)
		error = EIO;
	rpc_reply_free(&c->reply);
	xdr_out_free(&c->args);
	return error;
}

/* ------------------------------------------------------------------- operations in common */

void put_fh(struct compound *c, const struct nfs_fh *fh)
{
	compound_op(c, OP_PUTFH);
	xdr_put_opaque(&c->args, fh->data, fh->len);
}

void get_fh(struct compound *c, struct nfs_fh *fh)
{
	compound_result(c, OP_GETFH);
	const uint8_t *data = xdr_get_opaque(c->res, &fh->len);
	if (!data || fh->len > NFS4_FHSIZE) {
		c->res->failed = true;
		fh->len = 0;
		return;
	}
	memcpy(fh->data, data, fh->len);
}

void put_lookup(struct compound *c, const char *name)
{
	compound_op(c, OP_LOOKUP);
	xdr_put_string(&c->args, name);
}

/*
 * The stateid of all zero bits: READ, WRITE and SETATTR need no OPEN with it, so that a restarted
 * server has nothing to be told about.
 */
void put_anonymous_stateid(struct compound *c)
{
	static const uint8_t anonymous[NFS4_STATEID_SIZE];

	xdr_put_fixed(&c->args, anonymous, sizeof anonymous);
}

void skip_bitmap(struct compound *c)
{
	uint32_t words = xdr_get_u32(c->res);

	if (words > BITMAP_WORDS_MAX)
		c->res->failed = true;
	else
		xdr_get_fixed(c->res, words * sizeof(uint32_t));
}

void skip_change_info(struct compound *c)
{
	xdr_get_u32(c->res); /* atomic */
	xdr_get_u64(c->res); /* before */
	xdr_get_u64(c->res); /* after */
}
