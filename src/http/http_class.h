/* Classes of octets in HTTP syntax (RFC 9110 section 5.6.2, RFC 9112, RFC 3986), one table look-up each. */
#ifndef HTTP_CLASS_H
#define HTTP_CLASS_H

#include "base_bytes.h"

enum http_class {
	HTTP_CLASS_TOKEN = 1,  /* method, header name */
	HTTP_CLASS_VALUE = 2,  /* header value: tab, blank, visible, 0x80-0xff */
	HTTP_CLASS_TARGET = 4, /* visible ASCII */
	HTTP_CLASS_HOST = 8,   /* letters, digits, "-", ".", "_": no list, no user part, no percent */
	HTTP_CLASS_V6 = 16,    /* inside [] */
	HTTP_CLASS_HEX = 32,
	HTTP_CLASS_DIGIT = 64,
};

bool http_class_is(uint8_t octet, enum http_class c);
/* How many octets from at on are of the class. */
size_t http_class_span(struct view v, size_t at, enum http_class c);

#endif
