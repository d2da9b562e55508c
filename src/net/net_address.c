#include "net_address.h"

#include "base_cidr.h"
#include "base_limits.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

bool net_address_split(const char *text, char *host, size_t cap, int *port_r)
{
	const char *colon = strrchr(text, ':');
	uint64_t port;
	if (!colon || !parse_u64(view_str(colon + 1), 65535, &port))
		return false;
	struct view h = view_of(text, (size_t)(colon - text));
	if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
		h = view_of(h.p + 1, h.n - 2);
	*port_r = (int)port;
	return h.n > 0 && copy_view(host, cap, h);
}

void net_address_format(const struct sockaddr *a, char *to, size_t cap)
{
	char host[INET6_ADDRSTRLEN] = "?";
	if (a->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)a;
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(to, cap, "%s:%d", host, ntohs(in->sin_port));
	} else if (a->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)a;
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		snprintf(to, cap, "[%s]:%d", host, ntohs(in6->sin6_port));
	} else {
		copy_str(to, cap, "?");
	}
}

/* The IPv4 address in host order, also of an IPv4-mapped IPv6 one; false for real IPv6. */
static bool ipv4_of(const struct sockaddr *a, uint32_t *ip_r)
{
	if (a->sa_family == AF_INET) {
		*ip_r = ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr);
		return true;
	}
	const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
	if (a->sa_family != AF_INET6 || !(IN6_IS_ADDR_V4MAPPED(six) || IN6_IS_ADDR_V4COMPAT(six)) ||
	    IN6_IS_ADDR_LOOPBACK(six))
		return false;
	memcpy(ip_r, six->s6_addr + 12, 4);
	*ip_r = ntohl(*ip_r);
	return true;
}

bool net_address_is_loopback(const struct sockaddr *a)
{
	uint32_t ip;
	if (ipv4_of(a, &ip))
		return ip >> 24 == 127;
	return a->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
}

bool net_address_is_unspecified(const struct sockaddr *a)
{
	uint32_t ip;
	if (ipv4_of(a, &ip))
		return ip >> 24 == 0;
	return a->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
}

static bool ipv4_private(uint32_t ip)
{
	static const struct {
		uint32_t net;
		int bits;
	} rows[] = {
	        {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16},
	        {0xac100000, 12}, {0xc0000000, 24}, {0xc0a80000, 16}, {0xc6120000, 15}, {0xe0000000, 3},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (ip >> (32 - rows[i].bits) == rows[i].net >> (32 - rows[i].bits))
			return true;
	return false;
}

bool net_address_is_private(const struct sockaddr *a)
{
	uint32_t ip;
	if (ipv4_of(a, &ip))
		return ipv4_private(ip);
	if (a->sa_family != AF_INET6)
		return true;
	const uint8_t *six = ((const struct sockaddr_in6 *)(const void *)a)->sin6_addr.s6_addr;
	bool global = (six[0] & 0xe0) == 0x20; /* 2000::/3 */
	bool tunnel =
	        six[0] == 0x20 && (six[1] == 0x02 || (six[1] == 0x01 && six[2] == 0 && six[3] == 0)); /* 6to4, Teredo */
	bool documentation = six[0] == 0x20 && six[1] == 0x01 && six[2] == 0x0d && six[3] == 0xb8;
	return !global || tunnel || documentation;
}

static bool octets_of(const struct sockaddr *a, uint8_t to[ADDRESS_BYTES])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	if (a->sa_family == AF_INET6) {
		memcpy(to, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, ADDRESS_BYTES);
		return true;
	}
	memcpy(to, mapped, sizeof(mapped));
	if (a->sa_family == AF_INET)
		memcpy(to + sizeof(mapped), &((const struct sockaddr_in *)(const void *)a)->sin_addr, 4);
	return a->sa_family == AF_INET;
}

bool net_address_allowed(const struct sockaddr *a, const char *list)
{
	struct cidr rows[LIMIT_CARRIER_ADDRESSES];
	uint8_t octets[ADDRESS_BYTES];
	size_t at;
	int n = cidr_list_parse(view_str(list), rows, LIMIT_CARRIER_ADDRESSES, &at);
	return n == 0 || (n > 0 && octets_of(a, octets) && cidr_list_has(rows, (unsigned)n, octets));
}
