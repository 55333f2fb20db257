#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuse_ops.h"

enum { DEFAULT_RETRY_MINUTES = 2, DEFAULT_CACHE_SECONDS = 1 };

static const char incorrect[] = "an incorrect mount option was specified";
static const char unsupported[] = "Protocol not supported";
static const char no_memory[] = "Cannot allocate memory";

struct option {
	const char *name;
	const char *values; /* see the letters below; NULL: it takes none */
	/* What it does here; NULL: it is accepted, and means nothing to this client. */
	const char *(*apply)(struct mount_options *options, const char *name, const char *value);
};

#define NUMBER "#"
#define ANY "*"

/* Whether VALUE is a word of LIST, as in "all|none". */
static bool is_one_of(const char *value, const char *list)
{
	size_t len = strlen(value);

	for (const char *word = list; *word; word += strspn(word, "|")) {
		size_t word_len = strcspn(word, "|");
		if (word_len == len && !strncmp(word, value, len))
			return true;
		word += word_len;
	}
	return false;
}

static bool is_number(const char *text)
{
	if (!*text)
		return false;
	errno = 0;
	strtoul(text, NULL, 10);
	return text[strspn(text, "0123456789")] == '\0' && errno == 0;
}

static bool value_fits(const struct option *option, const char *value)
{
	if (!option->values || !value)
		return !option->values && !value;
	if (!strcmp(option->values, NUMBER))
		return is_number(value);
	return !strcmp(option->values, ANY) || is_one_of(value, option->values);
}

/* ----------------------------------------------------------------- options with an effect */

static const char *set_port(struct mount_options *options, const char *name, const char *value)
{
	unsigned long port = strtoul(value, NULL, 10);

	(void)name;
	if (port > UINT16_MAX)
		return incorrect;
	options->port = port ? port : NFS4_DEFAULT_PORT;
	return NULL;
}

static const char *set_retry(struct mount_options *options, const char *name, const char *value)
{
	unsigned long minutes = strtoul(value, NULL, 10);

	(void)name;
	if (minutes > UINT16_MAX)
		return incorrect;
	options->retry_minutes = minutes;
	return NULL;
}

static const char *set_caching(struct mount_options *options, const char *name, const char *value)
{
	unsigned long seconds = value ? strtoul(value, NULL, 10) : 0;

	(void)name;
	if (seconds > UINT32_MAX)
		return incorrect;
	options->cache_seconds = seconds;
	return NULL;
}

/* Newer minor versions are accepted and spoken to as 4.0, which every such server knows. */
static const char *set_version(struct mount_options *options, const char *name, const char *value)
{
	(void)options;
	if (!value)
		value = name + strlen("v"); /* "v3" is short for "vers=3" */
	if (is_one_of(value, "4|4.0|4.1|4.2"))
		return NULL;
	return is_one_of(value, "2|3") ? unsupported : incorrect;
}

static const char *set_transport(struct mount_options *options, const char *name,
				 const char *value)
{
	(void)options;
	if (!value)
		value = name; /* "tcp" is short for "proto=tcp" */
	if (is_one_of(value, "tcp|tcp6"))
		return NULL;
	return is_one_of(value, "udp|udp6|rdma|rdma6") ? unsupported : incorrect;
}

static const char *set_security(struct mount_options *options, const char *name, const char *value)
{
	(void)options, (void)name;
	if (!strcmp(value, "sys"))
		return NULL;
	return is_one_of(value, "none|krb5|krb5i|krb5p") ? unsupported : incorrect;
}

static const char *show(struct mount_options *options, const char *name, const char *value)
{
	(void)value;
	return fuse_opt_add_opt(&options->kernel, name) ? no_memory : NULL;
}

static const char *refuse_remount(struct mount_options *options, const char *name,
				  const char *value)
{
	(void)options, (void)name, (void)value;
	return "a mount cannot be changed with remount, only unmounted and mounted anew";
}

static const struct option known[] = {
	/* Attribute caching: one time for all, so the single limits have no meaning. */
	{"ac", NULL, NULL},
	{"noac", NULL, set_caching},
	{"actimeo", NUMBER, set_caching},
	{"acregmin", NUMBER, NULL},
	{"acregmax", NUMBER, NULL},
	{"acdirmin", NUMBER, NULL},
	{"acdirmax", NUMBER, NULL},
	{"lookupcache", "all|none|pos|positive", NULL},
	{"cto", NULL, NULL},
	{"nocto", NULL, NULL},

	/* Where the server is and how it is spoken to. */
	{"port", NUMBER, set_port},
	{"proto", ANY, set_transport},
	{"tcp", NULL, set_transport},
	{"udp", NULL, set_transport},
	{"rdma", NULL, set_transport},
	{"nfsvers", ANY, set_version},
	{"vers", ANY, set_version},
	{"v2", NULL, set_version},
	{"v3", NULL, set_version},
	{"v4", NULL, set_version},
	{"v4.0", NULL, set_version},
	{"v4.1", NULL, set_version},
	{"v4.2", NULL, set_version},
	{"minorversion", "0|1|2", NULL},
	{"sec", ANY, set_security},
	{"clientaddr", ANY, NULL},
	{"nconnect", NUMBER, NULL},
	{"max_connect", NUMBER, NULL},
	{"resvport", NULL, NULL},
	{"noresvport", NULL, NULL},
	{"xprtsec", "none", NULL},

	/* When the server does not answer: every mount is hard, and mounts in the foreground. */
	{"retry", NUMBER, set_retry},
	{"hard", NULL, NULL},
	{"soft", NULL, NULL},
	{"softerr", NULL, NULL},
	{"softreval", NULL, NULL},
	{"nosoftreval", NULL, NULL},
	{"timeo", NUMBER, NULL},
	{"retrans", NUMBER, NULL},
	{"intr", NULL, NULL},
	{"nointr", NULL, NULL},
	{"fg", NULL, NULL},
	{"bg", NULL, NULL},

	/* The sizes of requests are the kernel's choice, up to 1 MiB. */
	{"rsize", NUMBER, NULL},
	{"wsize", NUMBER, NULL},
	{"namlen", NUMBER, NULL},
	{"write", "lazy|eager|wait", NULL},
	{"rdirplus", NULL, NULL},
	{"nordirplus", NULL, NULL},

	/* Locks are local to the mount whatever is said. */
	{"lock", NULL, NULL},
	{"nolock", NULL, NULL},
	{"local_lock", "all|flock|posix|none", NULL},

	{"acl", NULL, NULL},
	{"noacl", NULL, NULL},
	{"fsc", NULL, NULL},
	{"nofsc", NULL, NULL},
	{"sharecache", NULL, NULL},
	{"nosharecache", NULL, NULL},
	{"migration", NULL, NULL},
	{"nomigration", NULL, NULL},

	/* NFSv3's mount protocol: mount(8) users carry these along. */
	{"mountport", NUMBER, NULL},
	{"mountproto", ANY, NULL},
	{"mounthost", ANY, NULL},
	{"mountvers", NUMBER, NULL},

	/* Those the kernel honours for every file system, and shows. */
	{"ro", NULL, show},
	{"rw", NULL, show},
	{"suid", NULL, show},
	{"nosuid", NULL, show},
	{"dev", NULL, show},
	{"nodev", NULL, show},
	{"exec", NULL, show},
	{"noexec", NULL, show},
	{"sync", NULL, show},
	{"async", NULL, show},
	{"dirsync", NULL, show},
	{"atime", NULL, show},
	{"noatime", NULL, show},

	/* Those it has by default, or libfuse cannot pass on. */
	{"diratime", NULL, NULL},
	{"nodiratime", NULL, NULL},
	{"relatime", NULL, NULL},
	{"norelatime", NULL, NULL},
	{"strictatime", NULL, NULL},
	{"nostrictatime", NULL, NULL},
	{"lazytime", NULL, NULL},
	{"nolazytime", NULL, NULL},

	/* Those that are for mount(8) and systemd. */
	{"defaults", NULL, NULL},
	{"auto", NULL, NULL},
	{"noauto", NULL, NULL},
	{"user", NULL, NULL},
	{"nouser", NULL, NULL},
	{"users", NULL, NULL},
	{"nousers", NULL, NULL},
	{"owner", NULL, NULL},
	{"noowner", NULL, NULL},
	{"group", NULL, NULL},
	{"nogroup", NULL, NULL},
	{"_netdev", NULL, NULL},
	{"nofail", NULL, NULL},
	{"silent", NULL, NULL},
	{"loud", NULL, NULL},
	{"comment", ANY, NULL},

	{"remount", NULL, refuse_remount},
	{"sloppy", NULL, NULL}, /* looked for before all the others */
};

/* -------------------------------------------------------------------------------- parsing */

static const struct option *find_option(const char *name)
{
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (!strcmp(name, known[i].name))
			return &known[i];
	return NULL;
}

static bool is_private(const char *name)
{
	return tolower((unsigned char)name[0]) == 'x' && name[1] == '-';
}

static bool asks_for_sloppy(const char *text)
{
	const char word[] = "sloppy";

	while (*text) {
		size_t len = strcspn(text, ",");
		if (len == strlen(word) && !strncmp(text, word, len))
			return true;
		text += len + (text[len] == ',');
	}
	return false;
}

static const char *parse_one(struct mount_options *options, char *text, bool sloppy)
{
	char *value = strchr(text, '=');

	if (value)
		*value++ = '\0';
	if (is_private(text))
		return NULL;
	const struct option *option = find_option(text);
	if (!option)
		return sloppy ? NULL : incorrect;
	if (!value_fits(option, value))
		return incorrect;
	return option->apply ? option->apply(options, text, value) : NULL;
}

void options_init(struct mount_options *options)
{
	*options = (struct mount_options){
		.port = NFS4_DEFAULT_PORT,
		.retry_minutes = DEFAULT_RETRY_MINUTES,
		.cache_seconds = DEFAULT_CACHE_SECONDS,
	};
}

void options_free(struct mount_options *options)
{
	free(options->kernel);
	options->kernel = NULL;
}

const char *options_parse(struct mount_options *options, char *text, bool sloppy)
{
	const char *error = NULL;
	char *rest = NULL;

	sloppy = sloppy || asks_for_sloppy(text);
	for (char *one = strtok_r(text, ",", &rest); one && !error;
	     one = strtok_r(NULL, ",", &rest))
		error = parse_one(options, one, sloppy);
	return error;
}
