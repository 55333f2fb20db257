/*
 * Building, sending and decoding one NFSv4 COMPOUND: a list of operations the server executes in
 * order until one fails.
 *
 *	struct compound c;
 *	compound_begin(&c, cred, fh);           PUTFH fh
 *	put_getattr(&c);                        GETATTR
 *	int error = compound_call(&c);
 *	if (!error)
 *		get_getattr(&c, &st);           read the results in the same order
 *	return compound_end(&c, error);         EIO if they did not decode
 */
#ifndef COMPOUND_H
#define COMPOUND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "nfs4.h"
#include "nfs4_proto.h"
#include "rpc.h"
#include "xdr.h"

struct compound {
	struct xdr_out args;
	size_t count_at; /* where the number of operations goes */
	uint32_t count;
	bool has_fh;
	struct rpc_reply reply;
	struct xdr_in *res;   /* the results not yet read */
	enum nfsstat4 status; /* of the whole compound */
	bool resent;          /* it may have been executed twice */
};

/* FH becomes the current file handle; NULL if the compound starts with none. */
void compound_begin(struct compound *c, const struct rpc_cred *cred, const struct nfs_fh *fh);
void compound_op(struct compound *c, enum nfs_opnum4 op);

/* Returns 0 or an errno. A server that asks for patience is asked again until it answers. */
int compound_call(struct compound *c);

/* Steps over the head of the next result, which must be that of OP. */
void compound_result(struct compound *c, enum nfs_opnum4 op);

/* Frees C (but for its plain members) and returns ERROR, or EIO if the results did not decode. */
int compound_end(struct compound *c, int error);

/* Operations and data types several compounds use. */
void put_fh(struct compound *c, const struct nfs_fh *fh); /* PUTFH */
void get_fh(struct compound *c, struct nfs_fh *fh);       /* result of GETFH */
void put_getattr(struct compound *c);
void get_getattr(struct compound *c, struct stat *st);
void put_statfs(struct compound *c);
void get_statfs(struct compound *c, struct statvfs *st);
void put_lookup(struct compound *c, const char *name);
void put_anonymous_stateid(struct compound *c);
void put_changes(struct compound *c, const struct nfs_changes *changes); /* fattr4 */
void skip_bitmap(struct compound *c);
void skip_change_info(struct compound *c);

/* The attributes asked of READDIR: only what getdents() reports. */
void put_dirent_attributes(struct compound *c);
void get_dirent_attributes(struct compound *c, struct stat *st);

#endif
