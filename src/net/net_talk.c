#include "net_talk.h"

#include <string.h>

#define TLS_ALERT 0x15
#define TLS_HANDSHAKE 0x16

/* Type, then legacy_record_version 0x0301 to 0x0304; SSL 3 and its like are long gone. */
static bool is_tls(struct view v)
{
	return v.n >= 3 && (v.p[0] == TLS_ALERT || v.p[0] == TLS_HANDSHAKE) && v.p[1] == 3 && v.p[2] <= 4;
}

static bool is_http(struct view v)
{
	static const char *const words[] = {"GET ",     "POST ",  "PUT ",   "HEAD ",   "DELETE ", "OPTIONS ",
	                                    "CONNECT ", "PATCH ", "TRACE ", "PRI * H", "HTTP/1."};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i]) < TALK_BYTES ? strlen(words[i]) : TALK_BYTES;
		if (v.n >= n && memcmp(v.p, words[i], n) == 0)
			return true;
	}
	return false;
}

/* Every command_id is below 0x200, answers with the top bit. */
static bool is_smpp(struct view v)
{
	struct cursor c = cursor_over(v);
	uint32_t length = cursor_u32(&c);
	uint32_t id = cursor_u32(&c);
	return !c.bad && length >= 16 && length <= 70000 && (id & 0x7ffffe00) == 0;
}

enum net_talk net_talk_of(struct view first)
{
	return is_tls(first)    ? NET_TALK_TLS
	       : is_http(first) ? NET_TALK_HTTP
	       : is_smpp(first) ? NET_TALK_SMPP
	                        : NET_TALK_UNKNOWN;
}

const char *net_talk_name(enum net_talk t)
{
	static const char *const names[] = {"something else", "TLS", "HTTP", "SMPP"};
	return names[t];
}
