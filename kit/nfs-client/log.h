/* Debug output; silent unless the program was started with -d. */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stdio.h>

extern bool debug_enabled; /* defined in mount.c */

#define log_debug(...)                                 \
	do {                                           \
		if (debug_enabled)                     \
			fprintf(stderr, __VA_ARGS__);  \
	} while (0)

#endif
