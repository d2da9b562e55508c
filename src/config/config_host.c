#include "config_host.h"

#include "base_bytes.h"

#include <arpa/inet.h>
#include <string.h>

bool config_host_split(const char *text, char *host, size_t cap, bool *port_r)
{
	struct view v = view_str(text);
	const uint8_t *colon = v.n ? memchr(v.p, ':', v.n) : NULL;
	bool v6 = v.n && v.p[0] == '[';
	bool several = colon && memchr(colon + 1, ':', v.n - (size_t)(colon + 1 - v.p));
	size_t n = v.n;
	if (v6) {
		const uint8_t *close = memchr(v.p, ']', v.n);
		if (!close)
			return false;
		n = (size_t)(close - v.p) + 1;
	} else if (colon && !several) {
		n = (size_t)(colon - v.p);
	}
	struct view name = v6 ? view_of(v.p + 1, n - 2) : view_of(v.p, n);
	struct view rest = view_of(v.p + n, v.n - n);
	uint64_t port;
	*port_r = rest.n > 0;
	if (rest.n && (rest.p[0] != ':' || !parse_u64(view_of(rest.p + 1, rest.n - 1), 65535, &port)))
		return false;
	return name.n > 0 && copy_view(host, cap, name);
}

bool config_host_is_loopback(const char *host_or_listen)
{
	char host[64];
	bool port;
	struct in_addr v4;
	struct in6_addr v6;
	if (!config_host_split(host_or_listen, host, sizeof(host), &port))
		return false;
	if (view_eq_nocase(view_str(host), VIEW("localhost")))
		return true;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}
