/* "host:port" texts. */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include "base_bytes.h"

#include <sys/socket.h>

/* Splits "127.0.0.1:80", "[::1]:80", "name:80". False when there is no port 0-65535. */
bool net_address_split(const char *text, char *host, size_t cap, int *port_r);
/* "192.0.2.1:80", "[2001:db8::1]:80" */
void net_address_format(const struct sockaddr *a, char *to, size_t cap);
/* Loopback: 127.0.0.0/8, ::1 and their mapped form. */
bool net_address_is_loopback(const struct sockaddr *a);
/* 0.0.0.0/8, :: and their mapped form: nobody's address, by which Linux connects to itself. */
bool net_address_is_unspecified(const struct sockaddr *a);
/* Anything that is not a public unicast address: private, link-local, shared, multicast, unspecified, mapped forms. */
bool net_address_is_private(const struct sockaddr *a);
/* Whether it is in a list of addresses and prefixes (base_cidr.h); an empty list has every one, a faulty one none. */
bool net_address_allowed(const struct sockaddr *a, const char *list);

#endif
