/* The options of nfs(5), and those of mount(8) that reach a mount helper. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct mount_options {
	uint16_t port;
	unsigned retry_minutes;
	unsigned cache_seconds; /* for attributes and names */
	char *kernel;           /* "ro,noatime": what /proc/mounts is to show; NULL if none */
};

/* Sets every option to its default. */
void options_init(struct mount_options *options);
void options_free(struct mount_options *options);

/*
 * Reads "name=value,name,…" in TEXT, which it tears apart. SLOPPY lets unknown ones pass. Returns
 * NULL, or what is wrong with them, as the end of a sentence that begins "mount.nfs: ".
 */
const char *options_parse(struct mount_options *options, char *text, bool sloppy);

#endif
