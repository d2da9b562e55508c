#include "http_class.h"

#define T HTTP_CLASS_TOKEN
#define V HTTP_CLASS_VALUE
#define G HTTP_CLASS_TARGET
#define H HTTP_CLASS_HOST
#define S HTTP_CLASS_V6
#define X HTTP_CLASS_HEX
#define D HTTP_CLASS_DIGIT
#define VISIBLE (V | G)

static const uint8_t classes[256] = {
        ['\t'] = V,
        [' '] = V,
        ['!'] = VISIBLE | T,
        ['"'] = VISIBLE,
        ['#' ... '\''] = VISIBLE | T,
        ['(' ... ')'] = VISIBLE,
        ['*' ... '+'] = VISIBLE | T,
        [','] = VISIBLE,
        ['-'] = VISIBLE | T | H,
        ['.'] = VISIBLE | T | H | S,
        ['/'] = VISIBLE,
        ['0' ... '9'] = VISIBLE | T | H | S | X | D,
        [':'] = VISIBLE | S,
        [';' ... '@'] = VISIBLE,
        ['A' ... 'F'] = VISIBLE | T | H | S | X,
        ['G' ... 'Z'] = VISIBLE | T | H,
        ['[' ... ']'] = VISIBLE,
        ['^'] = VISIBLE | T,
        ['_'] = VISIBLE | T | H,
        ['`'] = VISIBLE | T,
        ['a' ... 'f'] = VISIBLE | T | H | S | X,
        ['g' ... 'z'] = VISIBLE | T | H,
        ['{'] = VISIBLE,
        ['|'] = VISIBLE | T,
        ['}'] = VISIBLE,
        ['~'] = VISIBLE | T,
        [0x80 ... 0xff] = V,
};

bool http_class_is(uint8_t octet, enum http_class c)
{
	return classes[octet] & c;
}

size_t http_class_span(struct view v, size_t at, enum http_class c)
{
	size_t end = at;
	while (end < v.n && (classes[v.p[end]] & c))
		end++;
	return end - at;
}
