#include "http_chunk.h"

#include "http_class.h"

enum state {
	SIZE,      /* hexadecimal digits */
	EXTENSION, /* from ";" on */
	SIZE_LF,   /* after the CR of a size line */
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER_START, /* first octet of a trailer line, or CR of the last */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	LAST_LF,
	DONE,
};

void http_chunk_start(struct http_chunk *c, uint64_t max_body)
{
	*c = (struct http_chunk){.state = SIZE, .max = max_body};
}

bool http_chunk_done(const struct http_chunk *c)
{
	return c->state == DONE;
}

static unsigned hex_value(uint8_t c)
{
	return c <= '9' ? c - (unsigned)'0' : (c | 0x20u) - 'a' + 10u;
}

/* 15 digits cannot overflow, and no ceiling of ours needs more. */
static const char *size_octet(struct http_chunk *c, uint8_t o)
{
	if (http_class_is(o, HTTP_CLASS_HEX)) {
		c->left = c->left << 4 | hex_value(o);
		return ++c->digits > 15 ? "bad_chunk" : NULL;
	}
	if (c->digits == 0 || (o != ';' && o != '\r'))
		return "bad_chunk";
	c->state = o == ';' ? EXTENSION : SIZE_LF;
	return NULL;
}

static const char *size_done(struct http_chunk *c)
{
	bool last = c->left == 0;
	if (c->left > c->max - c->total)
		return "body_too_large";
	c->total += c->left;
	c->digits = 0;
	c->line_bytes = 0;
	c->state = last ? TRAILER_START : DATA;
	return NULL;
}

static const char *size_line_octet(struct http_chunk *c, uint8_t o)
{
	if (++c->line_bytes > HTTP_CHUNK_LINE_BYTES)
		return "bad_chunk";
	if (c->state == SIZE)
		return size_octet(c, o);
	if (c->state == SIZE_LF)
		return o == '\n' ? size_done(c) : "bad_chunk";
	if (o == '\r')
		c->state = SIZE_LF;
	else if (!http_class_is(o, HTTP_CLASS_VALUE))
		return "bad_chunk";
	return NULL;
}

static const char *data_end_octet(struct http_chunk *c, uint8_t o)
{
	if (o != (c->state == DATA_CR ? '\r' : '\n'))
		return "bad_chunk";
	c->state = c->state == DATA_CR ? DATA_LF : SIZE;
	return NULL;
}

static const char *trailer_octet(struct http_chunk *c, uint8_t o)
{
	bool token = http_class_is(o, HTTP_CLASS_TOKEN);
	if (++c->line_bytes > HTTP_CHUNK_TRAILER_BYTES)
		return "trailer_too_large";
	if (c->state == TRAILER_START && o == '\r')
		c->state = LAST_LF;
	else if (c->state <= TRAILER_NAME && token)
		c->state = TRAILER_NAME;
	else if (c->state == TRAILER_NAME && o == ':')
		c->state = TRAILER_VALUE;
	else if (c->state == TRAILER_VALUE && o == '\r')
		c->state = TRAILER_LF;
	else if (c->state == TRAILER_LF && o == '\n')
		c->state = TRAILER_START;
	else if (c->state == LAST_LF && o == '\n')
		c->state = DONE;
	else if (c->state != TRAILER_VALUE || !http_class_is(o, HTTP_CLASS_VALUE))
		return "bad_trailer";
	return NULL;
}

static size_t data_octets(struct http_chunk *c, size_t n)
{
	if (n > c->left)
		n = (size_t)c->left;
	c->left -= n;
	if (c->left == 0)
		c->state = DATA_CR;
	return n;
}

static const char *framing_octet(struct http_chunk *c, uint8_t o)
{
	if (c->state <= SIZE_LF)
		return size_line_octet(c, o);
	return c->state <= DATA_LF ? data_end_octet(c, o) : trailer_octet(c, o);
}

const char *http_chunk_check(struct http_chunk *c, struct view octets, size_t *used_r)
{
	const char *code = NULL;
	size_t at = 0;
	while (at < octets.n && c->state != DONE) {
		if (c->state == DATA) {
			at += data_octets(c, octets.n - at);
			continue;
		}
		code = framing_octet(c, octets.p[at]);
		if (code)
			break;
		at++;
	}
	*used_r = at;
	return code;
}
