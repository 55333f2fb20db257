/*
 * XDR (RFC 4506): encoding into a growing buffer, decoding from a bounded one.
 *
 * Errors are sticky. An encoder that ran out of memory and a decoder that ran out of bytes set
 * `failed` and carry on harmlessly (decoders return zero or NULL), so a caller encodes or decodes
 * a whole message and checks once, at the end.
 */
#ifndef XDR_H
#define XDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xdr_out {
	uint8_t *data;
	size_t len;
	size_t capacity;
	bool failed;
};

void xdr_put_u32(struct xdr_out *out, uint32_t value);
void xdr_put_u64(struct xdr_out *out, uint64_t value);
void xdr_put_fixed(struct xdr_out *out, const void *data, size_t len);  /* opaque[len] */
void xdr_put_opaque(struct xdr_out *out, const void *data, size_t len); /* opaque<> */
void xdr_put_string(struct xdr_out *out, const char *text);
void xdr_set_u32(struct xdr_out *out, size_t at, uint32_t value); /* overwrites an earlier u32 */
void xdr_out_free(struct xdr_out *out);

struct xdr_in {
	const uint8_t *pos;
	const uint8_t *end;
	bool failed;
};

void xdr_in_init(struct xdr_in *in, const void *data, size_t len);
uint32_t xdr_get_u32(struct xdr_in *in);
uint64_t xdr_get_u64(struct xdr_in *in);

/* Both point into the message; NULL if it is shorter than LEN says. */
const uint8_t *xdr_get_fixed(struct xdr_in *in, size_t len);
const uint8_t *xdr_get_opaque(struct xdr_in *in, uint32_t *len);

/* Copies opaque[len]; zero bytes if the message is too short. */
void xdr_copy_fixed(struct xdr_in *in, void *to, size_t len);

#endif
