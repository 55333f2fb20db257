/* Encoding and decoding of NFSv4 file attributes (fattr4). */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "compound.h"

#define ATTR(number) (1ULL << (number))

#define STAT_ATTRS                                                                            \
	(ATTR(FATTR4_TYPE) | ATTR(FATTR4_SIZE) | ATTR(FATTR4_FILEID) | ATTR(FATTR4_MODE) |    \
	 ATTR(FATTR4_NUMLINKS) | ATTR(FATTR4_OWNER) | ATTR(FATTR4_OWNER_GROUP) |              \
	 ATTR(FATTR4_RAWDEV) | ATTR(FATTR4_SPACE_USED) | ATTR(FATTR4_TIME_ACCESS) |           \
	 ATTR(FATTR4_TIME_METADATA) | ATTR(FATTR4_TIME_MODIFY))

#define STATFS_ATTRS                                                                          \
	(ATTR(FATTR4_FILES_AVAIL) | ATTR(FATTR4_FILES_FREE) | ATTR(FATTR4_FILES_TOTAL) |      \
	 ATTR(FATTR4_SPACE_AVAIL) | ATTR(FATTR4_SPACE_FREE) | ATTR(FATTR4_SPACE_TOTAL))

#define DIRENT_ATTRS (ATTR(FATTR4_TYPE) | ATTR(FATTR4_FILEID))

enum { BLOCK_SIZE = 4096, STAT_BLOCK = 512, NOBODY = 65534, PERMISSION_BITS = 07777 };
enum { ID_TEXT_MAX = 128, PASSWD_BUFFER = 4096 };

static void put_bitmap(struct xdr_out *out, uint64_t attrs)
{
	xdr_put_u32(out, 2);
	xdr_put_u32(out, (uint32_t)attrs);
	xdr_put_u32(out, attrs >> 32);
}

/*
 * Begins to decode a fattr4: returns which attributes follow in VALUES. Attributes have no length
 * of their own and can be told apart only if all are known, so none but those ASKED may be there.
 */
static uint64_t get_fattr(struct xdr_in *in, uint64_t asked, struct xdr_in *values)
{
	uint64_t present = 0;
	uint32_t words = xdr_get_u32(in), len;

	for (uint32_t i = 0; i < words && !in->failed; i++) {
		uint64_t word = xdr_get_u32(in);
		if (i < 2)
			present |= word << 32 * i;
		else if (word)
			in->failed = true;
	}
	const uint8_t *data = xdr_get_opaque(in, &len);
	if (!data || present & ~asked) {
		in->failed = true;
		present = 0;
		len = 0;
	}
	xdr_in_init(values, data ? data : (const uint8_t *)"", len);
	return present;
}

/* --------------------------------------------------------------------------------- owners */

static bool parse_id(const char *text, uint32_t *id)
{
	char *end;
	errno = 0;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || (*end && *end != '@') || errno || value > UINT32_MAX)
		return false;
	*id = value;
	return true;
}

static uint32_t user_id(const char *name)
{
	struct passwd entry, *found;
	char buffer[PASSWD_BUFFER];

	if (getpwnam_r(name, &entry, buffer, sizeof buffer, &found) || !found)
		return NOBODY;
	return found->pw_uid;
}

static uint32_t group_id(const char *name)
{
	struct group entry, *found;
	char buffer[PASSWD_BUFFER];

	if (getgrnam_r(name, &entry, buffer, sizeof buffer, &found) || !found)
		return NOBODY;
	return found->gr_gid;
}

/* Owners are "1000", "name@domain" or "1000@domain"; the domain is not looked at. */
static uint32_t get_owner(struct xdr_in *in, uint32_t (*id_of_name)(const char *))
{
	char text[ID_TEXT_MAX];
	uint32_t len, id;
	const uint8_t *name = xdr_get_opaque(in, &len);

	if (!name || len >= sizeof text)
		return NOBODY;
	memcpy(text, name, len);
	text[len] = '\0';
	if (parse_id(text, &id))
		return id;
	text[strcspn(text, "@")] = '\0';
	return strcmp(text, "root") ? id_of_name(text) : 0;
}

/* ----------------------------------------------------------------------- stat and friends */

static mode_t get_type(struct xdr_in *in)
{
	switch (xdr_get_u32(in)) {
	case NF4DIR:
		return S_IFDIR;
	case NF4BLK:
		return S_IFBLK;
	case NF4CHR:
		return S_IFCHR;
	case NF4LNK:
		return S_IFLNK;
	case NF4SOCK:
		return S_IFSOCK;
	case NF4FIFO:
		return S_IFIFO;
	default:
		return S_IFREG;
	}
}

static struct timespec get_time(struct xdr_in *in)
{
	struct timespec time;

	time.tv_sec = xdr_get_u64(in);
	time.tv_nsec = xdr_get_u32(in);
	return time;
}

/* Decodes the attributes of ASKED the server knows; all the others are left zero. */
static void get_stat(struct xdr_in *in, uint64_t asked, struct stat *st)
{
	struct xdr_in v;
	uint64_t present = get_fattr(in, asked, &v);

	memset(st, 0, sizeof *st);
	st->st_blksize = BLOCK_SIZE;
	if (present & ATTR(FATTR4_TYPE))
		st->st_mode = get_type(&v);
	if (present & ATTR(FATTR4_SIZE))
		st->st_size = xdr_get_u64(&v);
	if (present & ATTR(FATTR4_FILEID))
		st->st_ino = xdr_get_u64(&v);
	if (present & ATTR(FATTR4_MODE))
		st->st_mode |= xdr_get_u32(&v) & PERMISSION_BITS;
	if (present & ATTR(FATTR4_NUMLINKS))
		st->st_nlink = xdr_get_u32(&v);
	if (present & ATTR(FATTR4_OWNER))
		st->st_uid = get_owner(&v, user_id);
	if (present & ATTR(FATTR4_OWNER_GROUP))
		st->st_gid = get_owner(&v, group_id);
	if (present & ATTR(FATTR4_RAWDEV)) {
		uint32_t major = xdr_get_u32(&v), minor = xdr_get_u32(&v);
		st->st_rdev = makedev(major, minor);
	}
	if (present & ATTR(FATTR4_SPACE_USED)) {
		uint64_t bytes = xdr_get_u64(&v);
		st->st_blocks = bytes / STAT_BLOCK + !!(bytes % STAT_BLOCK);
	}
	if (present & ATTR(FATTR4_TIME_ACCESS))
		st->st_atim = get_time(&v);
	if (present & ATTR(FATTR4_TIME_METADATA))
		st->st_ctim = get_time(&v);
	if (present & ATTR(FATTR4_TIME_MODIFY))
		st->st_mtim = get_time(&v);
	in->failed |= v.failed;
}

void put_getattr(struct compound *c)
{
	compound_op(c, OP_GETATTR);
	put_bitmap(&c->args, STAT_ATTRS);
}

void get_getattr(struct compound *c, struct stat *st)
{
	compound_result(c, OP_GETATTR);
	get_stat(c->res, STAT_ATTRS, st);
}

void put_dirent_attributes(struct compound *c)
{
	put_bitmap(&c->args, DIRENT_ATTRS);
}

void get_dirent_attributes(struct compound *c, struct stat *st)
{
	get_stat(c->res, DIRENT_ATTRS, st);
}

void put_statfs(struct compound *c)
{
	compound_op(c, OP_GETATTR);
	put_bitmap(&c->args, STATFS_ATTRS);
}

void get_statfs(struct compound *c, struct statvfs *st)
{
	struct xdr_in v;

	compound_result(c, OP_GETATTR);
	uint64_t present = get_fattr(c->res, STATFS_ATTRS, &v);

	memset(st, 0, sizeof *st);
	st->f_bsize = st->f_frsize = BLOCK_SIZE;
	st->f_namemax = NFS4_NAME_MAX;
	if (present & ATTR(FATTR4_FILES_AVAIL))
		st->f_favail = xdr_get_u64(&v);
	if (present & ATTR(FATTR4_FILES_FREE))
		st->f_ffree = xdr_get_u64(&v);
	if (present & ATTR(FATTR4_FILES_TOTAL))
		st->f_files = xdr_get_u64(&v);
	if (present & ATTR(FATTR4_SPACE_AVAIL))
		st->f_bavail = xdr_get_u64(&v) / BLOCK_SIZE;
	if (present & ATTR(FATTR4_SPACE_FREE))
		st->f_bfree = xdr_get_u64(&v) / BLOCK_SIZE;
	if (present & ATTR(FATTR4_SPACE_TOTAL))
		st->f_blocks = xdr_get_u64(&v) / BLOCK_SIZE;
	c->res->failed |= v.failed;
}

/* -------------------------------------------------------------------- attributes to be set */

static void put_id(struct xdr_out *out, uint32_t id)
{
	char text[16];

	snprintf(text, sizeof text, "%u", (unsigned)id);
	xdr_put_string(out, text);
}

static void put_time(struct xdr_out *out, bool now, const struct timespec *time)
{
	if (now) {
		xdr_put_u32(out, SET_TO_SERVER_TIME4);
		return;
	}
	xdr_put_u32(out, SET_TO_CLIENT_TIME4);
	xdr_put_u64(out, time->tv_sec);
	xdr_put_u32(out, time->tv_nsec);
}

void put_changes(struct compound *c, const struct nfs_changes *changes)
{
	unsigned which = changes->which;
	uint64_t attrs = 0;
	struct xdr_out v = {0};

	if (which & NFS_SET_SIZE) {
		attrs |= ATTR(FATTR4_SIZE);
		xdr_put_u64(&v, changes->size);
	}
	if (which & NFS_SET_MODE) {
		attrs |= ATTR(FATTR4_MODE);
		xdr_put_u32(&v, changes->mode & PERMISSION_BITS);
	}
	if (which & NFS_SET_UID) {
		attrs |= ATTR(FATTR4_OWNER);
		put_id(&v, changes->uid);
	}
	if (which & NFS_SET_GID) {
		attrs |= ATTR(FATTR4_OWNER_GROUP);
		put_id(&v, changes->gid);
	}
	if (which & (NFS_SET_ATIME | NFS_SET_ATIME_NOW)) {
		attrs |= ATTR(FATTR4_TIME_ACCESS_SET);
		put_time(&v, which & NFS_SET_ATIME_NOW, &changes->atime);
	}
	if (which & (NFS_SET_MTIME | NFS_SET_MTIME_NOW)) {
		attrs |= ATTR(FATTR4_TIME_MODIFY_SET);
		put_time(&v, which & NFS_SET_MTIME_NOW, &changes->mtime);
	}
	put_bitmap(&c->args, attrs);
	xdr_put_opaque(&c->args, v.data, v.len);
	c->args.failed |= v.failed;
	xdr_out_free(&v);
}
