/*
 * ONC RPC (RFC 5531) over one TCP connection that is re-made for ever.
 *
 * A call ends only when its reply has arrived: this is the "hard" of a hard NFS mount. When the
 * connection is lost, it is dialled again until it stands, and every call without a reply is sent
 * again with its old xid.
 */
#ifndef RPC_H
#define RPC_H

#include <stdbool.h>
#include <stdint.h>

#include "xdr.h"

/* AUTH_SYS credentials. Supplementary groups are not sent: FUSE does not tell them. */
struct rpc_cred {
	uint32_t uid;
	uint32_t gid;
};

struct rpc_reply {
	struct xdr_in results; /* what the procedure returned */
	bool resent;           /* the server may have executed the call twice */
	uint8_t *record;       /* the memory `results` points into */
};

/*
 * Makes the first connection. Returns 0 or an errno; EDESTADDRREQ stands for "this host name does
 * not exist". HOST is kept, not copied.
 */
int rpc_connect(const char *host, uint16_t port);

/*
 * Starts the thread that receives replies and re-connects; to be called after any fork. `idle` is
 * called now and then while there is no connection. Returns 0 or an errno.
 */
int rpc_start(void (*idle)(void));

/* Begins a message with the header of a call; the arguments of the procedure follow. */
void rpc_begin(struct xdr_out *message, const struct rpc_cred *cred, uint32_t program,
	       uint32_t version, uint32_t procedure);

/*
 * Sends MESSAGE and waits for the reply. Returns 0, or an errno if the server refused the call at
 * the RPC level. The message stays the caller's and can be sent again, as a new call.
 */
int rpc_call(struct xdr_out *message, struct rpc_reply *reply);
void rpc_reply_free(struct rpc_reply *reply);

/* Random bits for everything that must differ from other clients and earlier runs. */
uint64_t random_u64(void);

#endif
