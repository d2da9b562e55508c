#include "net_url.h"

#include "base_limits.h"
#include "net_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#define HOST_BYTES 254 /* RFC 1035 */

struct parts {
	bool plain;
	bool bracketed;
	char host[HOST_BYTES];
};

static bool starts(struct view v, const char *with)
{
	struct view w = view_str(with);
	return v.n >= w.n && view_eq_nocase(view_of(v.p, w.n), w);
}

static struct view behind(struct view v, size_t n)
{
	return view_of(v.p + n, v.n - n);
}

/* Up to the first of the characters, or all. */
static struct view until_any(struct view v, const char *characters)
{
	size_t n = 0;
	while (n < v.n && !strchr(characters, v.p[n]))
		n++;
	return view_of(v.p, n);
}

static bool characters_ok(struct view url)
{
	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] <= 0x20 || url.p[i] >= 0x7f || strchr("\\\"<>^`{|}", url.p[i]))
			return false;
	return true;
}

static bool port_ok(struct view port)
{
	uint64_t n;
	return parse_u64(port, 65535, &n) && n > 0 && port.n <= 5;
}

static bool letter_or_digit(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Letters, digits, hyphens and dots, no empty label; the last label has a letter first, or it all is a dotted quad:
 * libraries read 127.1, 0x7f000001 and 2130706433 as addresses. */
static bool name_ok(const char *host)
{
	struct in_addr four;
	const char *label = host;
	for (const char *c = host; *c; c++) {
		if (*c == '.' && c == label)
			return false;
		if (*c == '.')
			label = c + 1;
		else if (!letter_or_digit((uint8_t)*c) && *c != '-' && *c != '_')
			return false;
	}
	if (*label >= '0' && *label <= '9')
		return inet_pton(AF_INET, host, &four) == 1;
	return *label != 0;
}

static bool host_ok(const struct parts *p)
{
	struct in6_addr six;
	return p->bracketed ? inet_pton(AF_INET6, p->host, &six) == 1 : name_ok(p->host);
}

static enum net_url_fault split_host(struct view authority, struct parts *p)
{
	struct view host = authority, port = {0};
	p->bracketed = authority.n > 0 && authority.p[0] == '[';
	if (p->bracketed) {
		host = until_any(behind(authority, 1), "]");
		if (host.n + 2 > authority.n)
			return NET_URL_HOST;
		port = behind(authority, host.n + 2);
	} else {
		host = until_any(authority, ":");
		port = behind(authority, host.n);
	}
	if (host.n == 0 || !copy_view(p->host, sizeof(p->host), host) || !host_ok(p))
		return NET_URL_HOST;
	if (port.n > 0 && (port.p[0] != ':' || !port_ok(behind(port, 1))))
		return NET_URL_PORT;
	return NET_URL_OK;
}

static enum net_url_fault split(struct view url, struct parts *p)
{
	if (url.n > LIMIT_WEBHOOK_URL_BYTES)
		return NET_URL_TOO_LONG;
	if (!characters_ok(url))
		return NET_URL_CHARACTER;
	p->plain = starts(url, "http://");
	if (!p->plain && !starts(url, "https://"))
		return NET_URL_SCHEME;
	struct view authority = until_any(behind(url, p->plain ? 7 : 8), "/?#");
	if (memchr(authority.p, '@', authority.n))
		return NET_URL_USERINFO;
	if (memchr(url.p, '#', url.n))
		return NET_URL_FRAGMENT;
	return split_host(authority, p);
}

/* The literal address that the host is; false for a name. */
static bool address_of(const struct parts *p, struct sockaddr_storage *to)
{
	struct sockaddr_in *four = (void *)to;
	struct sockaddr_in6 *six = (void *)to;
	*to = (struct sockaddr_storage){.ss_family = p->bracketed ? AF_INET6 : AF_INET};
	if (p->bracketed)
		return inet_pton(AF_INET6, p->host, &six->sin6_addr) == 1;
	return inet_pton(AF_INET, p->host, &four->sin_addr) == 1;
}

static bool is_loopback(const struct parts *p)
{
	struct sockaddr_storage a;
	if (view_eq_nocase(view_str(p->host), VIEW("localhost")))
		return true;
	return address_of(p, &a) && net_address_is_loopback((const struct sockaddr *)&a);
}

enum net_url_fault net_url_check(struct view url, const struct net_url_rules *rules)
{
	struct parts p = {0};
	struct sockaddr_storage a;
	enum net_url_fault fault = split(url, &p);
	if (fault != NET_URL_OK)
		return fault;
	if (is_loopback(&p))
		return rules->loopback_ok ? NET_URL_OK : NET_URL_PRIVATE;
	if (p.plain && !rules->plain_ok)
		return NET_URL_PLAIN;
	if (!address_of(&p, &a))
		return NET_URL_OK;
	const struct sockaddr *address = (const struct sockaddr *)&a;
	bool refused = net_address_is_unspecified(address) || (!rules->private_ok && net_address_is_private(address));
	return refused ? NET_URL_PRIVATE : NET_URL_OK;
}

bool net_url_is_loopback(struct view url)
{
	struct parts p = {0};
	return split(url, &p) == NET_URL_OK && is_loopback(&p);
}

const char *net_url_sentence(enum net_url_fault fault)
{
	static const char *const sentences[] = {
	        [NET_URL_OK] = "It is fine.",
	        [NET_URL_TOO_LONG] = "A URL has at most 1024 octets.",
	        [NET_URL_CHARACTER] = "A URL has visible ASCII characters only; encode others.",
	        [NET_URL_SCHEME] = "The URL must begin with https://.",
	        [NET_URL_PLAIN] = "The URL must begin with https://.",
	        [NET_URL_USERINFO] = "The URL must not have a user name or password; the signature tells who posts.",
	        [NET_URL_HOST] = "The URL needs the name of a host, or an address in full.",
	        [NET_URL_PORT] = "The port must be 1 to 65535.",
	        [NET_URL_PRIVATE] = "The URL must lead to a public address.",
	        [NET_URL_FRAGMENT] = "The URL must not have a fragment.",
	};
	return sentences[fault];
}
