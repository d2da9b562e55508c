/* Links and email addresses, written in any way that a phone makes one of: with or without https://, in capitals, with
 * look-alike letters. */
#include "policy_lint_internal.h"

#include "base_fold.h"
#include "base_utf8.h"

#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HOST_MAX 254 /* octets, RFC 1035 2.3.4; a longer run is no name */

static const char *const shorteners[] = {
#define SHORTENER(domain) domain,
#include "lint_link.def"
};

static const struct {
	const char *label;
	bool word;
} tlds[] = {
#define TLD(label) {label, false},
#include "lint_link.def"
#define TLD_WORD(label) {label, true},
#include "lint_link.def"
};

/* A run of characters that host names are written with. */
struct run {
	size_t at, end; /* octets of the text */
	char host[HOST_MAX];
	size_t n;
	bool odd;     /* characters that only look like those of a host name */
	bool strange; /* of these, letters of another script */
	bool too_long;
};

static bool is_dot(uint32_t c)
{
	return c == '.' || c == 0x2024 || c == 0x3002 || c == 0xfe52 || c == 0xff0e || c == 0xff61;
}

/* The character as a host name has it; 0 when it ends the run, 1 when it is not there. */
static char host_character(uint32_t c)
{
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.')
		return (char)c;
	if (c >= 'A' && c <= 'Z')
		return (char)(c + 32);
	if (is_dot(c))
		return '.';
	if (c < 0x80)
		return 0;
	char folded = fold_character(c);
	return folded == ' ' ? 0 : folded ? folded : 1;
}

static void run_take(struct run *r, char c, uint32_t raw)
{
	r->odd = r->odd || raw >= 0x80;
	r->strange = r->strange || c == '?';
	if (c == 1)
		return;
	if (r->n + 1 < HOST_MAX)
		r->host[r->n++] = c;
	else
		r->too_long = true;
}

/* The run that begins at octet at; empty when none does. */
static void run_read(struct view text, size_t at, struct run *r)
{
	uint32_t c;
	r->at = r->end = at;
	r->n = 0;
	r->odd = r->strange = r->too_long = false;
	for (size_t n; (n = utf8_get(text, r->end, &c)); r->end += n) {
		char h = host_character(c);
		if (!h)
			break;
		run_take(r, h, c);
	}
	while (r->n && (r->host[r->n - 1] == '.' || r->host[r->n - 1] == '-' || r->host[r->n - 1] == '_'))
		r->n--;
	r->host[r->n] = 0;
}

/* --- what the run is ------------------------------------------------------------------------------------------- */

static bool path_behind(struct view text, size_t at)
{
	return at < text.n &&
	       (text.p[at] == '/' || text.p[at] == '?' || text.p[at] == '#' || text.p[at] == '\\' || text.p[at] == ':');
}

/* "visit.To": a sentence that ends without a blank. */
static bool capitalised_label(struct view text, const struct run *r, size_t label)
{
	size_t end = r->end;
	while (end > r->at && text.p[end - 1] == '.')
		end--;
	return label > 1 && label < end - r->at && text.p[end - label] >= 'A' && text.p[end - label] <= 'Z' &&
	       text.p[end - 1] >= 'a' && text.p[end - 1] <= 'z';
}

static bool ends_in_tld(struct view text, const struct run *r)
{
	const char *dot = strrchr(r->host, '.');
	if (!dot || dot == r->host || !dot[1])
		return false;
	for (size_t i = 0; i < COUNT(tlds); i++)
		if (strcmp(tlds[i].label, dot + 1) == 0)
			return !tlds[i].word || path_behind(text, r->end) ||
			       !capitalised_label(text, r, strlen(dot + 1));
	return false;
}

static bool in_numbers(const char *host)
{
	return strspn(host, "0123456789.") == strlen(host) && strchr(host, '.');
}

/* Letters of two scripts in a dotted name: no language writes so. */
static bool mixed(const struct run *r)
{
	bool latin = false;
	for (size_t i = 0; i < r->n; i++)
		latin = latin || (r->host[i] >= 'a' && r->host[i] <= 'z');
	return r->strange && latin && strchr(r->host, '.');
}

static bool under(struct view host, struct view domain)
{
	if (domain.n == 0 || host.n < domain.n || !memchr(domain.p, '.', domain.n))
		return false;
	struct view tail = view_of(host.p + host.n - domain.n, domain.n);
	return view_eq_nocase(tail, domain) && (host.n == domain.n || host.p[host.n - domain.n - 1] == '.');
}

static bool is_shortener(struct view host)
{
	for (size_t i = 0; i < COUNT(shorteners); i++)
		if (under(host, view_str(shorteners[i])))
			return true;
	return false;
}

/* The host of the practice's own URL. */
static struct view url_host(struct view url)
{
	const uint8_t *slashes = url.n > 3 ? memmem(url.p, url.n, "://", 3) : NULL;
	size_t at = slashes ? (size_t)(slashes - url.p) + 3 : 0;
	size_t end = at;
	while (end < url.n && !strchr("/?#:", url.p[end]))
		end++;
	if (end - at > 4 && strncasecmp((const char *)url.p + at, "www.", 4) == 0)
		at += 4;
	return view_of(url.p + at, end - at);
}

static bool is_listed(const struct policy_lint_facts *f, struct view host)
{
	struct view list = f->link_domains;
	for (size_t at = 0, n; at < list.n; at += n + 1) {
		for (n = 0; at + n < list.n && !strchr(" ,\n", list.p[at + n]); n++)
			;
		if (under(host, view_of(list.p + at, n)))
			return true;
	}
	return under(host, url_host(f->url));
}

/* --- judging --------------------------------------------------------------------------------------------------- */

static bool is_blank(uint8_t c)
{
	return c <= ' ' || strchr(",;\"<>()[]{}|", c);
}

static size_t link_end(struct view text, size_t at)
{
	while (at < text.n && !is_blank(text.p[at]))
		at++;
	return at;
}

/* Octets of "https://" in front of at; 0 when there is none. *web_r: it is one of the web's. */
static size_t scheme_before(struct view text, size_t at, bool *web_r)
{
	if (at < 4 || memcmp(text.p + at - 2, "//", 2) != 0 || text.p[at - 3] != ':')
		return 0;
	size_t from = at - 3;
	while (from > 0 && ((text.p[from - 1] | 0x20) >= 'a' && (text.p[from - 1] | 0x20) <= 'z'))
		from--;
	struct view scheme = view_of(text.p + from, at - 3 - from);
	*web_r = view_eq_nocase(scheme, VIEW("https")) || view_eq_nocase(scheme, VIEW("http"));
	return at - from;
}

/* "https://good.example@evil.example": the host is what stands behind the @. */
static bool user_in_front(struct view text, size_t at)
{
	for (; at < text.n && !is_blank(text.p[at]) && !strchr("/?#", text.p[at]); at++)
		if (text.p[at] == '@' || text.p[at] == '\\')
			return true;
	return false;
}

static void mask_words(struct lint *l, size_t at, size_t end)
{
	for (unsigned i = 0; i < l->words.count; i++)
		if (l->words.word[i].byte >= at && l->words.word[i].byte < end)
			l->words.word[i].masked = true;
}

static void keep_span(struct lint *l, size_t at, size_t end)
{
	if (l->links < LINT_LINKS_MAX)
		l->link[l->links++] = (struct lint_span){(unsigned)at, (unsigned)end};
}

static void judge(struct lint *l, const struct run *r, size_t from, size_t end, bool disguised)
{
	struct view host = view_of(r->host, r->n);
	keep_span(l, from, end);
	if (disguised || r->odd || r->too_long || strstr(r->host, "xn--"))
		lint_add(l, LINT_link_disguised, (unsigned)from, (unsigned)(end - from));
	else if (is_shortener(host))
		lint_add(l, LINT_link_shortener, (unsigned)from, (unsigned)(end - from));
	else if (!is_listed(l->facts, host))
		lint_add(l, LINT_link_foreign, (unsigned)from, (unsigned)(end - from));
	else {
		l->contact = true;
		mask_words(l, r->at, r->end);
	}
}

static size_t local_part(struct view text, size_t at)
{
	while (at > 0 && !is_blank(text.p[at - 1]) && text.p[at - 1] != ':')
		at--;
	return at;
}

static void judge_email(struct lint *l, const struct run *r)
{
	size_t from = local_part(l->words.text, r->at - 1);
	keep_span(l, from, r->end);
	if (r->odd || !is_listed(l->facts, view_of(r->host, r->n)))
		lint_add(l, LINT_phi_email, (unsigned)from, (unsigned)(r->end - from));
	else
		mask_words(l, from, r->end);
}

/* Judges one run; returns where to look on. */
static size_t judge_run(struct lint *l, const struct run *r)
{
	struct view text = l->words.text;
	bool web = true;
	size_t scheme = scheme_before(text, r->at, &web);
	size_t end = link_end(text, r->end);
	if (scheme) {
		judge(l, r, r->at - scheme, end, !web || in_numbers(r->host) || user_in_front(text, r->at));
		return end;
	}
	if (r->at > 0 && text.p[r->at - 1] == '@' && strchr(r->host, '.')) {
		judge_email(l, r);
		return r->end;
	}
	if (r->end < text.n && text.p[r->end] == '@')
		return r->end;           /* the local part of an email address */
	if (!memchr(r->host, '.', r->n)) /* most runs are plain words */
		return r->end;
	bool known = ends_in_tld(text, r) || is_shortener(view_of(r->host, r->n));
	if (mixed(r) || known || strncmp(r->host, "www.", 4) == 0) {
		judge(l, r, r->at, end, mixed(r));
		return end;
	}
	return r->end;
}

void lint_links(struct lint *l)
{
	struct view text = l->words.text;
	struct run r;
	for (size_t at = 0; at < text.n;) {
		run_read(text, at, &r);
		if (r.end > r.at)
			at = judge_run(l, &r);
		uint32_t c;
		size_t n = utf8_get(text, at, &c);
		at += n ? n : 1;
	}
}
