/* Lists of addresses and prefixes: "192.0.2.7 198.51.100.0/24 2001:db8::/32". */
#ifndef BASE_CIDR_H
#define BASE_CIDR_H

#include "base_bytes.h"

#define ADDRESS_BYTES 16 /* IPv6; IPv4 as ::ffff:a.b.c.d */

/* The first bits of address; an IPv4 prefix has 96 more. */
struct cidr {
	uint8_t address[ADDRESS_BYTES];
	unsigned bits;
};

/* Parses one address or prefix. False when it is none, or when a bit past the prefix is set (192.0.2.7/24): somebody
 * meant something else. */
bool cidr_parse(struct view text, struct cidr *to);
/* Parses a list with blanks between, at most cap long. Returns how many, or -1 with the place of the item that is
 * wrong, or past cap, in *at_r. */
int cidr_list_parse(struct view text, struct cidr *to, unsigned cap, size_t *at_r);
/* Whether the address, IPv4 ones as ::ffff:a.b.c.d, is within any of n. */
bool cidr_list_has(const struct cidr *list, unsigned n, const uint8_t address[ADDRESS_BYTES]);

#endif
