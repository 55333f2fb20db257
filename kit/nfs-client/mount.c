/*
 * mount.nfs: an NFSv4.0 client in user space.
 *
 * It is installed as /sbin/mount.nfs and /sbin/mount.nfs4 on cluster nodes whose kernel has no
 * NFS client, and called by mount(8) like the program of nfs-utils. It mounts a FUSE file system
 * of type fuse.nfs4 and stays behind as the process that serves it.
 *
 * What it is good for: a hard mount. Operations wait for as long as the server is away; the
 * connection is re-made and calls without a reply are sent again; data the server has not
 * committed is kept and written again if the server restarted.
 *
 * What it is not:
 *   - It speaks NFSv4.0 only, over TCP, with AUTH_SYS. vers=4.1 and 4.2 are accepted and mean 4.0.
 *   - Byte-range locks and flock hold between the processes of one node, not between nodes.
 *   - Supplementary groups are not sent.
 *   - There are no delegations, ACLs, extended attributes, sparse-file operations or recovery of
 *     open state (no file is open on the server except while it is created).
 *   - soft, timeo, retrans, bg and the like are accepted without effect: every mount is hard.
 *   - A process that waits for a server that is away cannot be killed.
 *   - What the kernel shows of the options is what it knows itself (ro, nosuid, noatime, …): FUSE
 *     has no room for the others in /proc/mounts.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuse_ops.h"
#include "log.h"
#include "nfs4.h"
#include "options.h"
#include "rpc.h"

#define VERSION "0.1"

/* mount(8) */
enum exit_code { EX_SUCCESS = 0, EX_USAGE = 1, EX_FAIL = 32 };

enum {
	RETRY_PAUSE_S = 1,
	ANSWER_MIN_S = 15, /* for the server to answer, however short the retry time */
	IDLE_THREADS_MAX = 16,
	MALLOC_MMAP_BYTES = 4 * IO_BYTES_MAX,
	MALLOC_TRIM_BYTES = 8 * IO_BYTES_MAX,
};

bool debug_enabled;

struct mount {
	const char *source; /* SERVER:/PATH */
	const char *dir;
	char *server;
	const char *path;
	struct mount_options options;
	bool fake;
	bool sloppy;
};

static struct fuse_session *session;
static char libfuse_message[256];

static enum exit_code usage(void)
{
	fprintf(stderr, "usage: mount.nfs SERVER:/PATH DIRECTORY [-rwvfnsd] [-o OPTIONS]\n");
	return EX_USAGE;
}

/* -------------------------------------------------------------------------- command line */

/* Splits SERVER:/PATH; an IPv6 address is in square brackets. */
static bool split_source(struct mount *m)
{
	const char *colon = strstr(m->source, ":/");
	const char *start = m->source, *end = colon;

	if (*start == '[') {
		end = strchr(start, ']');
		if (!end || strncmp(end, "]:/", 3))
			return false;
		colon = end + 1;
		start++;
	}
	if (!colon || end == start)
		return false;
	m->server = strndup(start, end - start);
	m->path = colon + 1;
	return m->server;
}

/* Returns an exit code, or -1 if there is something to mount. */
static int parse_command_line(struct mount *m, int argc, char **argv)
{
	static const struct option long_options[] = {
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *texts[argc];
	int count = 0, c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "o:rwvfnsdhVt:N:", long_options, NULL)) != -1) {
		switch (c) {
		case 'o':
			texts[count++] = optarg;
			break;
		case 'r':
			texts[count++] = "ro";
			break;
		case 'w':
			texts[count++] = "rw";
			break;
		case 'f':
			m->fake = true;
			break;
		case 's':
			m->sloppy = true;
			break;
		case 'd':
			debug_enabled = true;
			break;
		case 'v': /* there is nothing more to tell */
		case 'n': /* no mtab is written anyway */
		case 't': /* the type, which the name of the program tells */
		case 'N': /* mount(8) has entered the name space already */
			break;
		case 'V':
			printf("mount.nfs: Landfast userspace NFSv4.0 client " VERSION "\n");
			return EX_SUCCESS;
		default:
			return usage();
		}
	}
	if (argc - optind != 2)
		return usage();
	m->source = argv[optind];
	m->dir = argv[optind + 1];
	if (!split_source(m))
		return usage();

	for (int i = 0; i < count; i++) {
		char *text = strdup(texts[i]);
		const char *error = text ? options_parse(&m->options, text, m->sloppy)
					 : strerror(ENOMEM);
		free(text);
		if (error) {
			fprintf(stderr, "mount.nfs: %s\n", error);
			return EX_FAIL;
		}
	}
	return -1;
}

/* ----------------------------------------------------------------------------- the mount */

/* libfuse explains a failure before it returns; only our own sentence is to be printed. */
static void keep_message(enum fuse_log_level level, const char *format, va_list args)
{
	(void)level;
	vsnprintf(libfuse_message, sizeof libfuse_message, format, args);
	libfuse_message[strcspn(libfuse_message, "\n")] = '\0';
}

static struct fuse_session *new_session(const struct mount *m)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct fuse_session *made = NULL;
	char *options = NULL, name[2 * strlen(m->source) + sizeof "fsname="], max_read[32];

	snprintf(name, sizeof name, "fsname=%s", m->source);
	snprintf(max_read, sizeof max_read, "max_read=%d", IO_BYTES_MAX);
	/* suid and dev undo libfuse's defaults, which are meant for mounts of ordinary users. */
	if (!fuse_opt_add_opt(&options, "allow_other,default_permissions,subtype=nfs4,suid,dev") &&
	    !fuse_opt_add_opt(&options, max_read) &&
	    (!m->options.kernel || !fuse_opt_add_opt(&options, m->options.kernel)) &&
	    !fuse_opt_add_opt_escaped(&options, name) && !fuse_opt_add_arg(&args, "mount.nfs") &&
	    !fuse_opt_add_arg(&args, "-o") && !fuse_opt_add_arg(&args, options))
		made = fuse_session_new(&args, &fuse_ops, sizeof fuse_ops, NULL);
	free(options);
	fuse_opt_free_args(&args);
	return made;
}

static bool worth_retrying(int error)
{
	return error == ECONNREFUSED || error == ECONNRESET || error == ETIMEDOUT ||
	       error == EHOSTUNREACH || error == EHOSTDOWN || error == ENETUNREACH ||
	       error == EAGAIN;
}

/* Returns 0, or 32 after a message. */
static enum exit_code connect_to_server(const struct mount *m, time_t deadline)
{
	int error;

	while ((error = rpc_connect(m->server, m->options.port))) {
		if (!worth_retrying(error) || time(NULL) >= deadline)
			break;
		sleep(RETRY_PAUSE_S);
	}
	if (error == EDESTADDRREQ)
		fprintf(stderr, "mount.nfs: Failed to resolve server %s\n", m->server);
	else if (error)
		fprintf(stderr, "mount.nfs: mounting %s failed: %s\n", m->source, strerror(error));
	return error ? EX_FAIL : EX_SUCCESS;
}

/*
 * Called while there is no connection. If the file system is gone, nobody waits for an answer, so
 * calls that can end only when the server is back must not keep the process.
 */
static void end_if_unmounted(void)
{
	if (fuse_session_exited(session)) {
		fuse_session_unmount(session);
		_exit(EX_SUCCESS);
	}
}

/* Looks the export up and mounts it. Returns 0, or 32 after a message. */
static enum exit_code mount_export(const struct mount *m)
{
	struct nfs_object root;
	int error = rpc_start(end_if_unmounted);

	if (!error)
		error = nfs_lookup_export(m->path, &root);
	if (!error && !S_ISDIR(root.attr.st_mode))
		error = ENOTDIR;
	if (!error)
		error = fuse_ops_init(&root.fh, m->options.cache_seconds);
	if (error) {
		fprintf(stderr, "mount.nfs: mounting %s failed, reason given by server: %s\n",
			m->source, strerror(error));
		return EX_FAIL;
	}
	if (fuse_session_mount(session, m->dir)) {
		fprintf(stderr, "mount.nfs: mounting %s failed: %s\n", m->source, libfuse_message);
		return EX_FAIL;
	}
	return EX_SUCCESS;
}

static void serve(void)
{
	struct fuse_loop_config config = {.clone_fd = 0, .max_idle_threads = IDLE_THREADS_MAX};

	/* Buffers of up to 1 MiB come and go: fetching fresh pages for each costs more than copying. */
	mallopt(M_MMAP_THRESHOLD, MALLOC_MMAP_BYTES);
	mallopt(M_TRIM_THRESHOLD, MALLOC_TRIM_BYTES);
	fuse_set_signal_handlers(session);
	fuse_session_loop_mt(session, &config);
	fuse_remove_signal_handlers(session);
	fuse_session_unmount(session);
}

/* --------------------------------------------------------------------- becoming a daemon */

static void detach_from_terminal(void)
{
	int null = open("/dev/null", O_RDWR);

	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		if (null > STDERR_FILENO)
			close(null);
	}
	if (chdir("/")) /* it always exists */
		_exit(EX_FAIL);
}

/* Waits for the exit code the daemon sends once it has mounted, or failed to. */
static enum exit_code await_daemon(const struct mount *m, pid_t daemon, int from, time_t deadline)
{
	time_t left = deadline - time(NULL);
	struct pollfd poll_from = {.fd = from, .events = POLLIN};
	unsigned char code = EX_FAIL;

	if (left < ANSWER_MIN_S)
		left = ANSWER_MIN_S;
	if (left > INT_MAX / 1000)
		left = INT_MAX / 1000;
	if (poll(&poll_from, 1, (int)left * 1000) == 0) {
		kill(daemon, SIGKILL);
		waitpid(daemon, NULL, 0);
		fprintf(stderr, "mount.nfs: mounting %s failed: %s\n", m->source,
			strerror(ETIMEDOUT));
		return EX_FAIL;
	}
	if (read(from, &code, sizeof code) != sizeof code)
		code = EX_FAIL;
	return code;
}

/* Mounts and serves in a child process; returns in the parent as soon as that is mounted. */
static enum exit_code run_as_daemon(const struct mount *m, time_t deadline)
{
	int pipe_fds[2];
	pid_t daemon = pipe(pipe_fds) ? -1 : fork();

	if (daemon < 0) {
		fprintf(stderr, "mount.nfs: %s\n", strerror(errno));
		return EX_FAIL;
	}
	if (daemon > 0) {
		close(pipe_fds[1]);
		return await_daemon(m, daemon, pipe_fds[0], deadline);
	}
	close(pipe_fds[0]);
	setsid();
	unsigned char code = mount_export(m);
	if (code == EX_SUCCESS)
		detach_from_terminal();
	if (write(pipe_fds[1], &code, sizeof code) != sizeof code)
		log_debug("the parent process has gone\n");
	close(pipe_fds[1]);
	if (code == EX_SUCCESS)
		serve();
	return code;
}

static enum exit_code run_in_foreground(const struct mount *m)
{
	enum exit_code code = mount_export(m);

	if (code == EX_SUCCESS)
		serve();
	return code;
}

static enum exit_code mount_nfs(const struct mount *m)
{
	time_t deadline = time(NULL) + m->options.retry_minutes * 60;
	struct stat st;

	if (stat(m->dir, &st)) {
		fprintf(stderr, "mount.nfs: mount point %s does not exist\n", m->dir);
		return EX_FAIL;
	}
	if (!S_ISDIR(st.st_mode)) {
		fprintf(stderr, "mount.nfs: mount point %s is not a directory\n", m->dir);
		return EX_FAIL;
	}
	if (m->fake)
		return EX_SUCCESS;
	fuse_set_log_func(keep_message);
	session = new_session(m);
	if (!session) {
		fprintf(stderr, "mount.nfs: %s\n", libfuse_message);
		return EX_FAIL;
	}
	enum exit_code code = connect_to_server(m, deadline);
	if (code == EX_SUCCESS)
		code = debug_enabled ? run_in_foreground(m) : run_as_daemon(m, deadline);
	fuse_session_destroy(session);
	return code;
}

int main(int argc, char **argv)
{
	struct mount m = {0};

	options_init(&m.options);
	int code = parse_command_line(&m, argc, argv);
	if (code < 0)
		code = mount_nfs(&m);
	/* m.server stays: the receiving thread dials it until the very end. */
	options_free(&m.options);
	return code;
}
