/* URLs that we post to, judged before anything is connected: what they may look like is less than RFC 3986 allows, so
 * that no two readers can take them for different hosts. Pure. */
#ifndef NET_URL_H
#define NET_URL_H

#include "base_bytes.h"

enum net_url_fault {
	NET_URL_OK,
	NET_URL_TOO_LONG,
	NET_URL_CHARACTER, /* anything but visible ASCII, or one of \ " < > ^ ` { | } */
	NET_URL_SCHEME,    /* neither https:// nor http:// */
	NET_URL_PLAIN,     /* http:// to another host than this one */
	NET_URL_USERINFO,
	NET_URL_HOST,    /* none, a number that is no dotted quad, or no host name */
	NET_URL_PORT,    /* not 1 to 65535 */
	NET_URL_PRIVATE, /* an address that is not public, or this host's own */
	NET_URL_FRAGMENT
};

struct net_url_rules {
	bool plain_ok;    /* http:// off loopback too */
	bool private_ok;  /* private addresses too */
	bool loopback_ok; /* this host, by https:// and http:// */
};

enum net_url_fault net_url_check(struct view url, const struct net_url_rules *rules);
/* A short sentence for a person. */
const char *net_url_sentence(enum net_url_fault fault);
/* Whether its host is localhost or a literal loopback address. False for what is no URL. */
bool net_url_is_loopback(struct view url);

#endif
