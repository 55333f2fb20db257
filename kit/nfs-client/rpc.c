#include "rpc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

/* RFC 5531 */
enum { RPC_VERSION = 2 };
enum msg_type { CALL = 0, REPLY = 1 };
enum reply_stat { MSG_ACCEPTED = 0, MSG_DENIED = 1 };
enum accept_stat { SUCCESS = 0 };
enum reject_stat { RPC_MISMATCH = 0, AUTH_ERROR = 1 };
enum auth_flavor { AUTH_NONE = 0, AUTH_SYS = 1 };

/* Each record on the wire begins with its length and a bit that says "last fragment". */
#define RECORD_LAST 0x80000000u
enum { RECORD_MARK_SIZE = 4, XID_AT = RECORD_MARK_SIZE };
enum { RECORD_MAX = 4 << 20 }; /* the largest reply asked for is a READ of 1 MiB */

/* Servers may insist on a port only root can bind; this range is the one the kernel client uses. */
enum { RESERVED_PORT_MIN = 665, RESERVED_PORT_MAX = 1023 };

enum {
	CONNECT_TIMEOUT_S = 5,
	KEEPALIVE_S = 5,
	KEEPALIVE_PROBES = 3,
	UNACKNOWLEDGED_MS = 15000, /* after this a silent peer counts as lost */
	BACKOFF_MIN_MS = 100,
	BACKOFF_MAX_MS = 1000,
};

/*
 * A call waiting for its reply. It lives on its caller's stack: the caller returns only when
 * `replied` is set and the resender is not using it.
 */
struct call {
	TAILQ_ENTRY(call) link;
	const struct xdr_out *message;
	uint32_t xid;
	unsigned sent_on; /* generation of the connection it was last sent on, 0 = none */
	bool resent;
	bool resending;
	bool replied;
	uint8_t *record;
	size_t record_len;
	pthread_cond_t changed;
};

static struct {
	const char *host;
	uint16_t port;
	void (*idle)(void);

	/*
	 * `sending` lets one whole record at a time onto the socket, and keeps the socket from
	 * being closed under a sender. It is taken before `lock`, which guards what follows.
	 */
	pthread_mutex_t sending;
	pthread_mutex_t lock;
	int fd;              /* -1 while there is no connection */
	unsigned generation; /* counts connections */
	uint32_t last_xid;
	TAILQ_HEAD(, call) waiting; /* oldest first */
} rpc = {
	.sending = PTHREAD_MUTEX_INITIALIZER,
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.fd = -1,
	.waiting = TAILQ_HEAD_INITIALIZER(rpc.waiting),
};

uint64_t random_u64(void)
{
	uint64_t value;

	if (getrandom(&value, sizeof value, 0) != sizeof value)
		value = (uint64_t)time(NULL) << 32 ^ (uint64_t)getpid() << 16 ^ clock();
	return value;
}

static void sleep_ms(unsigned ms)
{
	struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	nanosleep(&pause, NULL);
}

/* ------------------------------------------------------------------------------ connection */

static void set_option(int fd, int level, int name, int value)
{
	setsockopt(fd, level, name, &value, sizeof value);
}

static void set_send_timeout(int fd, time_t seconds)
{
	struct timeval timeout = {.tv_sec = seconds};

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
}

/* Best effort: without a reserved port a server that does not insist on one still works. */
static void bind_reserved_port(int fd, int family)
{
	unsigned range = RESERVED_PORT_MAX - RESERVED_PORT_MIN + 1;
	unsigned start = random_u64() % range;
	struct sockaddr_in in4 = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	for (unsigned i = 0; i < range; i++) {
		in_port_t port = htons(RESERVED_PORT_MIN + (start + i) % range);
		in4.sin_port = in6.sin6_port = port;
		int failed = family == AF_INET6 ? bind(fd, (struct sockaddr *)&in6, sizeof in6)
						: bind(fd, (struct sockaddr *)&in4, sizeof in4);
		if (!failed || errno != EADDRINUSE)
			return;
	}
}

/* Returns a connected socket, or -1 with errno set. */
static int dial_address(const struct addrinfo *address)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	bind_reserved_port(fd, address->ai_family);
	set_send_timeout(fd, CONNECT_TIMEOUT_S); /* Linux applies it to connect() too */
	if (connect(fd, address->ai_addr, address->ai_addrlen)) {
		int error = errno == EINPROGRESS ? ETIMEDOUT : errno;
		close(fd);
		errno = error;
		return -1;
	}
	set_send_timeout(fd, 0);
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
	set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS);
	return fd;
}

/* The name is resolved every time: a server that comes back may have another address. */
static int dial(void)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *addresses;
	char port[8];
	int fd = -1;

	snprintf(port, sizeof port, "%u", (unsigned)rpc.port);
	int failure = getaddrinfo(rpc.host, port, &hints, &addresses);
	if (failure) {
		errno = failure == EAI_AGAIN ? EAGAIN : EDESTADDRREQ;
		return -1;
	}
	for (struct addrinfo *a = addresses; a && fd < 0; a = a->ai_next)
		fd = dial_address(a);
	int error = errno;
	freeaddrinfo(addresses);
	errno = error;
	return fd;
}

static void use_connection(int fd)
{
	pthread_mutex_lock(&rpc.lock);
	rpc.fd = fd;
	rpc.generation++;
	pthread_mutex_unlock(&rpc.lock);
}

static bool send_all(int fd, const uint8_t *data, size_t len)
{
	while (len) {
		ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return false;
		data += sent;
		len -= sent;
	}
	return true;
}

static bool receive_all(int fd, void *to, size_t len)
{
	uint8_t *data = to;

	while (len) {
		ssize_t received = recv(fd, data, len, 0);
		if (received < 0 && errno == EINTR)
			continue;
		if (received <= 0)
			return false;
		data += received;
		len -= received;
	}
	return true;
}

/* ------------------------------------------------------------------------- sending a call */

/* Sends CALL on the present connection unless that has been done, or there is none. */
static void transmit(struct call *call)
{
	pthread_mutex_lock(&rpc.sending);
	pthread_mutex_lock(&rpc.lock);
	int fd = rpc.fd;
	bool due = fd >= 0 && !call->replied && call->sent_on != rpc.generation;
	if (due) {
		call->resent = call->sent_on != 0;
		call->sent_on = rpc.generation;
	}
	pthread_mutex_unlock(&rpc.lock);
	if (due && !send_all(fd, call->message->data, call->message->len))
		shutdown(fd, SHUT_RDWR); /* wakes the receiver, which re-connects */
	pthread_mutex_unlock(&rpc.sending);
}

static struct call *next_to_resend(void)
{
	struct call *call = NULL;

	pthread_mutex_lock(&rpc.lock);
	if (rpc.fd >= 0) {
		TAILQ_FOREACH (call, &rpc.waiting, link)
			if (call->sent_on != rpc.generation)
				break;
	}
	if (call)
		call->resending = true;
	pthread_mutex_unlock(&rpc.lock);
	return call;
}

/*
 * Runs beside the receiver after each re-connection. It is a thread of its own because replies
 * must be taken off the socket meanwhile: otherwise both ends could wait for room to write.
 */
static void *resend_waiting(void *unused)
{
	struct call *call;

	(void)unused;
	while ((call = next_to_resend())) {
		transmit(call);
		pthread_mutex_lock(&rpc.lock);
		call->resending = false;
		pthread_cond_signal(&call->changed);
		pthread_mutex_unlock(&rpc.lock);
	}
	return NULL;
}

/* ---------------------------------------------------------------------- receiving replies */

/* Returns one whole record, or NULL if the connection is lost or the peer talks nonsense. */
static uint8_t *receive_record(int fd, size_t *len)
{
	uint8_t *record = NULL;
	uint32_t mark;

	*len = 0;
	do {
		if (!receive_all(fd, &mark, sizeof mark))
			goto lost;
		mark = ntohl(mark);
		size_t fragment = mark & ~RECORD_LAST;
		if (fragment > RECORD_MAX - *len)
			goto lost;
		/* One byte more, so that an empty fragment is not a realloc() to nothing. */
		uint8_t *larger = realloc(record, *len + fragment + 1);
		if (!larger)
			goto lost;
		record = larger;
		if (!receive_all(fd, record + *len, fragment))
			goto lost;
		*len += fragment;
	} while (!(mark & RECORD_LAST));
	return record;

lost:
	free(record);
	return NULL;
}

/* Hands RECORD to the call it answers, or drops it: a late second reply is nobody's. */
static void deliver(uint8_t *record, size_t len)
{
	struct xdr_in in;
	struct call *call;

	xdr_in_init(&in, record, len);
	uint32_t xid = xdr_get_u32(&in);
	uint32_t type = xdr_get_u32(&in);
	if (in.failed || type != REPLY) {
		free(record);
		return;
	}
	pthread_mutex_lock(&rpc.lock);
	TAILQ_FOREACH (call, &rpc.waiting, link)
		if (call->xid == xid)
			break;
	if (call) {
		TAILQ_REMOVE(&rpc.waiting, call, link);
		call->record = record;
		call->record_len = len;
		call->replied = true;
		pthread_cond_signal(&call->changed);
	}
	pthread_mutex_unlock(&rpc.lock);
	if (!call)
		free(record);
}

/* Delivers replies until the connection breaks. Returns whether there was any. */
static bool receive_replies(int fd)
{
	bool any = false;
	uint8_t *record;
	size_t len;

	while ((record = receive_record(fd, &len))) {
		deliver(record, len);
		any = true;
	}
	return any;
}

static void drop_connection(int fd)
{
	log_debug("connection lost\n");
	shutdown(fd, SHUT_RDWR); /* a sender blocked on it gives up, and with it the lock */
	pthread_mutex_lock(&rpc.sending);
	pthread_mutex_lock(&rpc.lock);
	rpc.fd = -1;
	pthread_mutex_unlock(&rpc.lock);
	pthread_mutex_unlock(&rpc.sending);
}

static void back_off(unsigned *ms)
{
	if (rpc.idle)
		rpc.idle();
	sleep_ms(*ms);
	*ms = 2 * *ms < BACKOFF_MAX_MS ? 2 * *ms : BACKOFF_MAX_MS;
}

static void *receiver(void *unused)
{
	unsigned backoff = BACKOFF_MIN_MS;
	pthread_t resender;
	bool resending = false;
	int fd = rpc.fd;

	(void)unused;
	for (;;) {
		bool useful = receive_replies(fd);
		drop_connection(fd);
		/* Joined before the close: it must never write to a descriptor used anew. */
		if (resending)
			pthread_join(resender, NULL);
		close(fd);
		/* A server that accepts and hangs up at once must not be dialled in a tight loop. */
		if (useful)
			backoff = BACKOFF_MIN_MS;
		else
			back_off(&backoff);
		while ((fd = dial()) < 0) {
			log_debug("connect to %s: %s\n", rpc.host, strerror(errno));
			back_off(&backoff);
		}
		log_debug("connected again\n");
		use_connection(fd);
		resending = !pthread_create(&resender, NULL, resend_waiting, NULL);
		if (!resending) /* no thread to be had now: try again on a new connection */
			shutdown(fd, SHUT_RDWR);
	}
	return NULL;
}

/* ------------------------------------------------------------------------------ interface */

int rpc_connect(const char *host, uint16_t port)
{
	rpc.host = host;
	rpc.port = port;
	rpc.last_xid = (uint32_t)random_u64();
	int fd = dial();
	if (fd < 0)
		return errno;
	use_connection(fd);
	return 0;
}

int rpc_start(void (*idle)(void))
{
	pthread_t thread;

	rpc.idle = idle;
	int error = pthread_create(&thread, NULL, receiver, NULL);
	if (!error)
		pthread_detach(thread);
	return error;
}

void rpc_begin(struct xdr_out *message, const struct rpc_cred *cred, uint32_t program,
	       uint32_t version, uint32_t procedure)
{
	xdr_put_u32(message, 0); /* record mark and xid: rpc_call() fills them in */
	xdr_put_u32(message, 0);
	xdr_put_u32(message, CALL);
	xdr_put_u32(message, RPC_VERSION);
	xdr_put_u32(message, program);
	xdr_put_u32(message, version);
	xdr_put_u32(message, procedure);

	xdr_put_u32(message, AUTH_SYS);
	size_t length_at = message->len;
	xdr_put_u32(message, 0);
	size_t body_at = message->len;
	xdr_put_u32(message, 0); /* stamp: any number */
	xdr_put_string(message, "landfast");
	xdr_put_u32(message, cred->uid);
	xdr_put_u32(message, cred->gid);
	xdr_put_u32(message, 0); /* number of supplementary groups */
	xdr_set_u32(message, length_at, message->len - body_at);

	xdr_put_u32(message, AUTH_NONE); /* verifier */
	xdr_put_u32(message, 0);
}

/* Reads the header of a reply, up to the results. Returns 0 or an errno. */
static int parse_reply_header(struct xdr_in *in)
{
	uint32_t verifier_len;

	xdr_get_u32(in); /* xid and type, seen by deliver() */
	xdr_get_u32(in);
	if (xdr_get_u32(in) == MSG_DENIED)
		return xdr_get_u32(in) == AUTH_ERROR ? EACCES : EIO;
	xdr_get_u32(in); /* verifier */
	xdr_get_opaque(in, &verifier_len);
	if (xdr_get_u32(in) != SUCCESS || in->failed)
		return EIO;
	return 0;
}

int rpc_call(struct xdr_out *message, struct rpc_reply *reply)
{
	struct call call = {.message = message};

	*reply = (struct rpc_reply){0};
	if (message->failed)
		return ENOMEM;
	pthread_cond_init(&call.changed, NULL);

	pthread_mutex_lock(&rpc.lock);
	call.xid = ++rpc.last_xid;
	xdr_set_u32(message, 0, RECORD_LAST | (uint32_t)(message->len - RECORD_MARK_SIZE));
	xdr_set_u32(message, XID_AT, call.xid);
	TAILQ_INSERT_TAIL(&rpc.waiting, &call, link);
	pthread_mutex_unlock(&rpc.lock);

	transmit(&call);

	pthread_mutex_lock(&rpc.lock);
	while (!call.replied || call.resending)
		pthread_cond_wait(&call.changed, &rpc.lock);
	pthread_mutex_unlock(&rpc.lock);
	pthread_cond_destroy(&call.changed);

	reply->record = call.record;
	reply->resent = call.resent;
	xdr_in_init(&reply->results, call.record, call.record_len);
	return parse_reply_header(&reply->results);
}

void rpc_reply_free(struct rpc_reply *reply)
{
	free(reply->record);
	*reply = (struct rpc_reply){0};
}
