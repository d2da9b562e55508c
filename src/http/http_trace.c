#include "http_trace.h"

#include <stdio.h>
#include <string.h>

static bool hex_part(const char *text, size_t n)
{
	return strspn(text, "0123456789abcdef") >= n;
}

bool http_trace_parse(struct view text, char to[HTTP_TRACE_BYTES])
{
	static const char zeros[] = "00000000000000000000000000000000";
	char t[HTTP_TRACE_BYTES];
	to[0] = 0;
	if (text.n < HTTP_TRACE_BYTES - 1 || !copy_view(t, sizeof(t), view_of(text.p, HTTP_TRACE_BYTES - 1)))
		return false;
	bool later = strncmp(t, "00", 2) != 0;
	bool ends = text.n == HTTP_TRACE_BYTES - 1 || (later && text.p[HTTP_TRACE_BYTES - 1] == '-');
	bool shaped = hex_part(t, 2) && t[2] == '-' && hex_part(t + 3, 32) && t[35] == '-' && hex_part(t + 36, 16) &&
	              t[52] == '-' && hex_part(t + 53, 2);
	if (!ends || !shaped || strncmp(t, "ff", 2) == 0 || strncmp(t + 3, zeros, 32) == 0 ||
	    strncmp(t + 36, zeros, 16) == 0)
		return false;
	snprintf(to, HTTP_TRACE_BYTES, "00%.53s", t + 2);
	return true;
}

void http_trace_make(const uint8_t random[24], char to[HTTP_TRACE_BYTES])
{
	char digits[49];
	hex_encode(random, 24, digits);
	snprintf(to, HTTP_TRACE_BYTES, "00-%.32s-%.16s-00", digits, digits + 32);
}
