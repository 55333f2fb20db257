#include "xdr.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { XDR_UNIT = 4, FIRST_CAPACITY = 512 };

static size_t padding(size_t len)
{
	return (XDR_UNIT - len % XDR_UNIT) % XDR_UNIT;
}

/* Returns room for LEN more bytes, already counted in out->len, or NULL. */
static uint8_t *extend(struct xdr_out *out, size_t len)
{
	if (out->failed)
		return NULL;
	if (len > out->capacity - out->len) {
		size_t capacity = out->capacity ? 2 * out->capacity : FIRST_CAPACITY;
		if (capacity < out->len + len)
			capacity = out->len + len;
		uint8_t *data = realloc(out->data, capacity);
		if (!data) {
			out->failed = true;
			return NULL;
		}
		out->data = data;
		out->capacity = capacity;
	}
	uint8_t *room = out->data + out->len;
	out->len += len;
	return room;
}

void xdr_put_u32(struct xdr_out *out, uint32_t value)
{
	uint8_t *room = extend(out, XDR_UNIT);
	value = htonl(value);
	if (room)
		memcpy(room, &value, XDR_UNIT);
}

void xdr_put_u64(struct xdr_out *out, uint64_t value)
{
	xdr_put_u32(out, value >> 32);
	xdr_put_u32(out, (uint32_t)value);
}

void xdr_put_fixed(struct xdr_out *out, const void *data, size_t len)
{
	if (!len)
		return;
	uint8_t *room = extend(out, len + padding(len));
	if (!room)
		return;
	memcpy(room, data, len);
	memset(room + len, 0, padding(len));
}

void xdr_put_opaque(struct xdr_out *out, const void *data, size_t len)
{
	xdr_put_u32(out, len);
	xdr_put_fixed(out, data, len);
}

void xdr_put_string(struct xdr_out *out, const char *text)
{
	xdr_put_opaque(out, text, strlen(text));
}

void xdr_set_u32(struct xdr_out *out, size_t at, uint32_t value)
{
	value = htonl(value);
	if (!out->failed)
		memcpy(out->data + at, &value, XDR_UNIT);
}

void xdr_out_free(struct xdr_out *out)
{
	free(out->data);
	*out = (struct xdr_out){0};
}

void xdr_in_init(struct xdr_in *in, const void *data, size_t len)
{
	in->pos = data;
	in->end = in->pos + len;
	in->failed = false;
}

const uint8_t *xdr_get_fixed(struct xdr_in *in, size_t len)
{
	size_t left = in->end - in->pos;

	/* In this order, because len + padding could wrap around. */
	if (in->failed || len > left || padding(len) > left - len) {
		in->failed = true;
		return NULL;
	}
	const uint8_t *data = in->pos;
	in->pos += len + padding(len);
	return data;
}

uint32_t xdr_get_u32(struct xdr_in *in)
{
	uint32_t value = 0;

	xdr_copy_fixed(in, &value, XDR_UNIT);
	return ntohl(value);
}

uint64_t xdr_get_u64(struct xdr_in *in)
{
	uint64_t high = xdr_get_u32(in);

	return high << 32 | xdr_get_u32(in);
}

const uint8_t *xdr_get_opaque(struct xdr_in *in, uint32_t *len)
{
	*len = xdr_get_u32(in);
	const uint8_t *data = xdr_get_fixed(in, *len);
	if (!data)
		*len = 0;
	return data;
}

void xdr_copy_fixed(struct xdr_in *in, void *to, size_t len)
{
	const uint8_t *data = xdr_get_fixed(in, len);

	if (data)
		memcpy(to, data, len);
	else
		memset(to, 0, len);
}
