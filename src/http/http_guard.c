#include "http_guard.h"

#include "http_class.h"

#include <string.h>

/* What the lines so far told about framing. */
struct head_facts {
	bool http_1_0;
	unsigned hosts;
	unsigned lengths;
	bool chunked;
};

/* The octet at which a scan stopped is why it stopped: the line breakers have names of their own. */
static const char *fault(struct view head, size_t at, const char *otherwise)
{
	if (at >= head.n)
		return otherwise;
	switch (head.p[at]) {
	case 0:
		return "nul";
	case '\n':
		return "bare_lf";
	case '\r':
		return at + 1 < head.n && head.p[at + 1] == '\n' ? otherwise : "bare_cr";
	default:
		return otherwise;
	}
}

static bool crlf_at(struct view head, size_t at)
{
	return head.n - at >= 2 && head.p[at] == '\r' && head.p[at + 1] == '\n';
}

static const char *check_version(struct view head, size_t *at, struct head_facts *facts)
{
	static const char name[] = "HTTP/";
	const size_t n = sizeof(name) - 1 + 3;
	size_t end = *at + http_class_span(head, *at, HTTP_CLASS_TARGET);
	const uint8_t *v = head.p + *at;
	if (!crlf_at(head, end))
		return fault(head, end, "bad_request_line");
	if (end - *at != n || memcmp(v, name, n - 3) != 0 || v[n - 2] != '.')
		return "bad_request_line";
	if (!http_class_is(v[n - 3], HTTP_CLASS_DIGIT) || !http_class_is(v[n - 1], HTTP_CLASS_DIGIT))
		return "bad_request_line";
	if (v[n - 3] != '1' || v[n - 1] > '1')
		return "bad_version";
	facts->http_1_0 = v[n - 1] == '0';
	*at = end + 2;
	return NULL;
}

/* Exactly one blank between the parts: everything else is read differently by somebody on the way. */
static const char *check_request_line(struct view head, size_t *at, struct head_facts *facts)
{
	static const enum http_class part[] = {HTTP_CLASS_TOKEN, HTTP_CLASS_TARGET};
	for (size_t i = 0; i < 2; i++) {
		size_t n = http_class_span(head, *at, part[i]);
		*at += n;
		if (*at >= head.n || head.p[*at] != ' ' || n == 0)
			return fault(head, *at, "bad_request_line");
		++*at;
	}
	return check_version(head, at, facts);
}

static bool host_good(struct view host)
{
	size_t at = 0;
	if (host.n && host.p[0] == '[') {
		size_t n = http_class_span(host, 1, HTTP_CLASS_V6);
		if (n < 2 || n + 1 >= host.n || host.p[n + 1] != ']')
			return false;
		at = n + 2;
	} else {
		at = http_class_span(host, 0, HTTP_CLASS_HOST);
	}
	if (at == 0 || at == host.n)
		return at > 0;
	uint64_t port;
	return host.p[at] == ':' && parse_u64(view_of(host.p + at + 1, host.n - at - 1), 65535, &port);
}

static const char *take_host(struct head_facts *facts, struct view value)
{
	if (facts->hosts++)
		return "host_repeated";
	return host_good(value) ? NULL : "host_bad";
}

static const char *take_length(struct head_facts *facts, struct view value)
{
	uint64_t length;
	if (facts->lengths++)
		return "length_repeated";
	if (facts->chunked)
		return "length_and_chunked";
	return parse_u64(value, INT64_MAX, &length) ? NULL : "bad_length";
}

/* RFC 9112 section 6.1: HTTP/1.0 has no transfer codings; of those of 1.1 only chunked alone is needed here. */
static const char *take_coding(struct head_facts *facts, struct view value)
{
	if (facts->lengths)
		return "length_and_chunked";
	if (facts->chunked || facts->http_1_0 || !view_eq_nocase(value, VIEW("chunked")))
		return "bad_transfer_encoding";
	facts->chunked = true;
	return NULL;
}

static const struct {
	struct view name;
	const char *(*take)(struct head_facts *facts, struct view value);
} watched[] = {
        {{(const uint8_t *)"host", 4}, take_host},
        {{(const uint8_t *)"content-length", 14}, take_length},
        {{(const uint8_t *)"transfer-encoding", 17}, take_coding},
};

static const char *take_header(struct head_facts *facts, struct view name, struct view value)
{
	for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
		if (view_eq_nocase(name, watched[i].name))
			return watched[i].take(facts, view_trim(value));
	return NULL;
}

static const char *check_header(struct view head, size_t *at, struct head_facts *facts)
{
	if (head.p[*at] == ' ' || head.p[*at] == '\t')
		return "folded_header";
	size_t name_n = http_class_span(head, *at, HTTP_CLASS_TOKEN);
	struct view name = view_of(head.p + *at, name_n);
	size_t colon = *at + name_n;
	if (name_n == 0 || colon >= head.n || head.p[colon] != ':')
		return fault(head, colon, "bad_header");
	size_t value_n = http_class_span(head, colon + 1, HTTP_CLASS_VALUE);
	struct view value = view_of(head.p + colon + 1, value_n);
	size_t end = colon + 1 + value_n;
	if (!crlf_at(head, end))
		return fault(head, end, "bad_header");
	*at = end + 2;
	return take_header(facts, name, value);
}

const char *http_guard_check(struct view head)
{
	struct head_facts facts = {0};
	size_t at = 0;
	const char *code = check_request_line(head, &at, &facts);
	while (!code && at < head.n && !crlf_at(head, at))
		code = check_header(head, &at, &facts);
	if (code)
		return code;
	if (at + 2 != head.n)
		return "bad_header";
	/* RFC 9112 section 3.2 lets HTTP/1.0 go without; one rule for both leaves a smuggler nothing to choose. */
	return facts.hosts ? NULL : "host_missing";
}
