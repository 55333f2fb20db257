/*
 * Creating regular files. NFSv4 has no operation for it but OPEN, and OPEN needs a client id, an
 * open owner and, afterwards, a CLOSE. This is the only state kept on the server. The client id
 * is not renewed: when its lease has run out, the next creation finds that out and gets another.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "compound.h"
#include "log.h"

enum { ATTEMPTS_MAX = 200, RETRY_MS = 100 };
enum { OWNER_TEXT_MAX = 32, CLIENT_TEXT_MAX = 128, HOST_TEXT_MAX = 64 };

/* No delegations are wanted, so the server has nothing to call back for. */
enum { CALLBACK_PROGRAM = 0x40000000, CALLBACK_IDENT = 1 };
#define CALLBACK_NETID "tcp"
#define CALLBACK_ADDRESS "0.0.0.0.0.0"

static struct {
	pthread_mutex_t lock; /* also held while the client id is fetched: one thread does */
	bool established;
	uint64_t id;
	uint64_t last_owner;
	struct nfs_verifier boot; /* tells the server one run of this program from the next */
	char name[CLIENT_TEXT_MAX];
} client = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void random_verifier(struct nfs_verifier *verifier)
{
	uint64_t bits = random_u64();

	memcpy(verifier->data, &bits, sizeof verifier->data);
}

static void name_client(void)
{
	char host[HOST_TEXT_MAX] = "";

	gethostname(host, sizeof host - 1);
	snprintf(client.name, sizeof client.name, "landfast %s %ld %016" PRIx64, host,
		 (long)getpid(), random_u64());
	random_verifier(&client.boot);
}

static int set_client_id(uint64_t *id, struct nfs_verifier *confirm)
{
	struct compound c;

	compound_begin(&c, &root_cred, NULL);
	compound_op(&c, OP_SETCLIENTID);
	xdr_put_fixed(&c.args, &client.boot, sizeof client.boot);
	xdr_put_string(&c.args, client.name);
	xdr_put_u32(&c.args, CALLBACK_PROGRAM);
	xdr_put_string(&c.args, CALLBACK_NETID);
	xdr_put_string(&c.args, CALLBACK_ADDRESS);
	xdr_put_u32(&c.args, CALLBACK_IDENT);
	int error = compound_call(&c);
	if (!error) {
		compound_result(&c, OP_SETCLIENTID);
		*id = xdr_get_u64(c.res);
		xdr_copy_fixed(c.res, confirm, sizeof *confirm);
	}
	return compound_end(&c, error);
}

/* Returns EAGAIN if the server restarted after set_client_id(). */
static int confirm_client_id(uint64_t id, const struct nfs_verifier *confirm)
{
	struct compound c;

	compound_begin(&c, &root_cred, NULL);
	compound_op(&c, OP_SETCLIENTID_CONFIRM);
	xdr_put_u64(&c.args, id);
	xdr_put_fixed(&c.args, confirm, sizeof *confirm);
	int error = compound_end(&c, compound_call(&c));
	return c.status == NFS4ERR_STALE_CLIENTID ? EAGAIN : error;
}

/* Gives the client id, establishing one if need be, and the number of a fresh open owner. */
static int get_client(uint64_t *id, uint64_t *owner)
{
	struct nfs_verifier confirm;
	int error = 0;

	pthread_mutex_lock(&client.lock);
	if (!client.established) {
		if (!client.name[0])
			name_client();
		error = set_client_id(&client.id, &confirm);
		if (!error)
			error = confirm_client_id(client.id, &confirm);
		client.established = !error;
	}
	*id = client.id;
	*owner = ++client.last_owner;
	pthread_mutex_unlock(&client.lock);
	return error;
}

static void forget_client(uint64_t id)
{
	pthread_mutex_lock(&client.lock);
	if (client.id == id)
		client.established = false;
	pthread_mutex_unlock(&client.lock);
}

static bool client_lost(enum nfsstat4 status)
{
	return status == NFS4ERR_STALE_CLIENTID || status == NFS4ERR_EXPIRED ||
	       status == NFS4ERR_STALE_STATEID;
}

struct open_state {
	uint8_t stateid[NFS4_STATEID_SIZE];
	uint32_t seqid; /* of the owner's next operation */
	bool to_confirm;
};

struct create_args {
	const struct nfs_fh *dir;
	const char *name;
	mode_t mode;
	int flags;
	const struct rpc_cred *cred;
	struct nfs_verifier unique; /* by which a repeated exclusive creation is recognised */
};

static void put_open_create(struct compound *c, const struct create_args *args, uint64_t client_id,
			    uint64_t owner)
{
	char owner_text[OWNER_TEXT_MAX];

	compound_op(c, OP_OPEN);
	xdr_put_u32(&c->args, 1); /* seqid: the first operation of this owner */
	xdr_put_u32(&c->args, OPEN4_SHARE_ACCESS_BOTH);
	xdr_put_u32(&c->args, OPEN4_SHARE_DENY_NONE);
	xdr_put_u64(&c->args, client_id);
	snprintf(owner_text, sizeof owner_text, "o%" PRIu64, owner);
	xdr_put_string(&c->args, owner_text);
	xdr_put_u32(&c->args, OPEN4_CREATE);
	if (args->flags & O_EXCL) {
		xdr_put_u32(&c->args, EXCLUSIVE4);
		xdr_put_fixed(&c->args, &args->unique, sizeof args->unique);
	} else {
		struct nfs_changes attrs = {.which = NFS_SET_MODE, .mode = args->mode};
		if (args->flags & O_TRUNC) /* another client may have made it meanwhile */
			attrs.which |= NFS_SET_SIZE;
		xdr_put_u32(&c->args, UNCHECKED4);
		put_changes(c, &attrs);
	}
	xdr_put_u32(&c->args, CLAIM_NULL);
	xdr_put_string(&c->args, args->name);
}

static void get_open(struct compound *c, struct open_state *open)
{
	compound_result(c, OP_OPEN);
	xdr_copy_fixed(c->res, open->stateid, sizeof open->stateid);
	skip_change_info(c);
	open->to_confirm = xdr_get_u32(c->res) & OPEN4_RESULT_CONFIRM;
	open->seqid = 2;
	skip_bitmap(c);
	/* A delegation has more fields, and must not be given to a client without callbacks. */
	if (xdr_get_u32(c->res) != OPEN_DELEGATE_NONE)
		c->res->failed = true;
}

/* Returns EAGAIN if the server no longer knows the client id. */
static int open_create(const struct create_args *args, uint64_t client_id, uint64_t owner,
		       struct open_state *open, struct nfs_object *made)
{
	struct compound c;

	compound_begin(&c, args->cred, args->dir);
	put_open_create(&c, args, client_id, owner);
	compound_op(&c, OP_GETFH);
	put_getattr(&c);
	int error = compound_call(&c);
	if (!error) {
		get_open(&c, open);
		get_fh(&c, &made->fh);
		get_getattr(&c, &made->attr);
	}
	error = compound_end(&c, error);
	return client_lost(c.status) ? EAGAIN : error;
}

static int confirm_open(const struct nfs_fh *fh, const struct rpc_cred *cred,
			struct open_state *open)
{
	struct compound c;

	compound_begin(&c, cred, fh);
	compound_op(&c, OP_OPEN_CONFIRM);
	xdr_put_fixed(&c.args, open->stateid, sizeof open->stateid);
	xdr_put_u32(&c.args, open->seqid++);
	int error = compound_call(&c);
	if (!error) {
		compound_result(&c, OP_OPEN_CONFIRM);
		xdr_copy_fixed(c.res, open->stateid, sizeof open->stateid);
	}
	return compound_end(&c, error);
}

/*
 * Gives the open state back. A failure is no concern of the file: the server restarted, and lost
 * the state with everything else, or it drops the state when the lease runs out.
 */
static void close_open(const struct nfs_fh *fh, const struct rpc_cred *cred,
		       struct open_state *open)
{
	struct compound c;
	int error = open->to_confirm ? confirm_open(fh, cred, open) : 0;

	if (!error) {
		compound_begin(&c, cred, fh);
		compound_op(&c, OP_CLOSE);
		xdr_put_u32(&c.args, open->seqid);
		xdr_put_fixed(&c.args, open->stateid, sizeof open->stateid);
		error = compound_end(&c, compound_call(&c));
	}
	if (error)
		log_debug("close after creation: %s\n", strerror(error));
}

int nfs_create_file(const struct nfs_fh *dir, const char *name, mode_t mode, int flags,
		    const struct rpc_cred *cred, struct nfs_object *made)
{
	struct create_args args = {dir, name, mode, flags, cred, .unique = {{0}}};
	int error = EAGAIN;

	random_verifier(&args.unique);
	for (int attempt = 0; error == EAGAIN && attempt < ATTEMPTS_MAX; attempt++) {
		struct timespec pause = {.tv_nsec = RETRY_MS * 1000000L};
		struct open_state open;
		uint64_t client_id, owner;

		if (attempt > 1) /* a lease run out is normal, more than that is not */
			nanosleep(&pause, NULL);
		error = get_client(&client_id, &owner);
		if (error)
			continue;
		error = open_create(&args, client_id, owner, &open, made);
		if (!error)
			close_open(&made->fh, cred, &open);
		else if (error == EAGAIN)
			forget_client(client_id);
	}
	if (error)
		return error == EAGAIN ? EIO : error;
	if (flags & O_EXCL) {
		/* EXCLUSIVE4 takes no attributes, and servers keep the verifier in the times. */
		struct nfs_changes attrs = {
			.which = NFS_SET_MODE | NFS_SET_ATIME_NOW | NFS_SET_MTIME_NOW,
			.mode = mode,
		};
		return nfs_setattr(&made->fh, &attrs, cred, &made->attr);
	}
	return 0;
}
