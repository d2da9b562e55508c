/* Every check stands in one list, in the order of asking, until its callback is called. The first without an answer is
 * with the worker; answers are given by the timer, so that no callback comes before verify returns. A cancelled check
 * that runs stays in the list until the worker is done with it: it still keeps the worker busy. */
#include "net_password.h"

#include "base_check.h"
#include "base_limits.h"
#include "base_pool.h"
#include "base_uuid.h"
#include "net_crypto.h"
#include "net_internal.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>

#define SALT_BYTES 16
#define HASH_BYTES 32
#define COST_N 16384
#define COST_R 8
#define COST_P 1

struct scrypt {
	uint64_t n, r, p;
	uint8_t salt[64];
	size_t salt_n;
	uint8_t hash[HASH_BYTES];
};

struct net_password_check {
	uv_work_t work;
	struct net_passwords *owner; /* NULL once the owner is gone */
	struct net_password_check *next;
	struct scrypt scrypt;
	bool is_hash;
	char password[LIMIT_PASSWORD_BYTES + 1];
	size_t password_n;
	uint8_t mac[SHA256_BYTES];
	net_password_cb cb; /* NULL: cancelled */
	void *ctx;
	enum net_password_result result;
	bool answered;
	bool running;
};

struct net_passwords {
	struct loop *loop;
	struct net_timer *timer;
	struct net_password_check *first;
	unsigned open; /* without an answer: wait or run */
	bool working;
	bool answering; /* inside callbacks */
	bool freed;     /* in one of them: goes when it returns */
	uint8_t key[SHA256_BYTES];
	uint8_t known[LIMIT_PASSWORD_MEMORY][SHA256_BYTES]; /* MACs of what matched; the oldest is overwritten */
	unsigned next_known;
};

/* --- the line -------------------------------------------------------------------------------------------------- */

static struct view until_dollar(struct view *rest)
{
	const uint8_t *p = rest->n ? memchr(rest->p, '$', rest->n) : NULL;
	struct view field = p ? view_of(rest->p, (size_t)(p - rest->p)) : *rest;
	size_t used = p ? field.n + 1 : field.n;
	*rest = view_of(rest->p + used, rest->n - used);
	return field;
}

static size_t decode(struct view text, uint8_t *to, size_t cap)
{
	struct buf b = BUF(256);
	bool fits = text.n <= 128 && net_base64_decode(text, &b) && b.n <= cap;
	size_t n = fits ? b.n : 0;
	if (n)
		memcpy(to, b.p, n);
	buf_free(&b);
	return n;
}

/* scrypt holds 128 * N * r octets. */
static bool affordable(const struct scrypt *s)
{
	return s->n >= 2 && (s->n & (s->n - 1)) == 0 && s->r >= 1 && s->p >= 1 && s->p <= 4 &&
	       128 * s->n * s->r <= LIMIT_SCRYPT_BYTES;
}

static bool parse_line(const char *line, struct scrypt *to)
{
	struct view rest = view_str(line);
	if (!view_eq(until_dollar(&rest), VIEW("scrypt")) || !parse_u64(until_dollar(&rest), 1 << 20, &to->n) ||
	    !parse_u64(until_dollar(&rest), 64, &to->r) || !parse_u64(until_dollar(&rest), 64, &to->p))
		return false;
	to->salt_n = decode(until_dollar(&rest), to->salt, sizeof(to->salt));
	return to->salt_n >= 8 && decode(rest, to->hash, HASH_BYTES) == HASH_BYTES && affordable(to);
}

bool net_password_is_hash(const char *line)
{
	struct scrypt s;
	return parse_line(line, &s);
}

static bool derive(const struct scrypt *s, const char *password, size_t n, uint8_t to[HASH_BYTES])
{
	int ok = EVP_PBE_scrypt(password, n, s->salt, s->salt_n, s->n, s->r, s->p, 2 * LIMIT_SCRYPT_BYTES, to,
	                        HASH_BYTES);
	ERR_clear_error();
	return ok == 1;
}

void net_password_hash(struct view password, struct buf *to)
{
	struct scrypt s = {.n = COST_N, .r = COST_R, .p = COST_P, .salt_n = SALT_BYTES};
	random_bytes(s.salt, SALT_BYTES);
	check(derive(&s, (const char *)password.p, password.n, s.hash));
	buf_printf(to, "scrypt$%d$%d$%d$", COST_N, COST_R, COST_P);
	net_base64(view_of(s.salt, SALT_BYTES), to);
	buf_add_str(to, "$");
	net_base64(view_of(s.hash, HASH_BYTES), to);
}

/* --- what matched before --------------------------------------------------------------------------------------- */

static void mac_of(const struct net_passwords *p, const struct scrypt *s, struct view password,
                   uint8_t to[SHA256_BYTES])
{
	struct buf b = BUF(1024);
	buf_add_u64(&b, s->n);
	buf_add_u64(&b, s->r);
	buf_add_u64(&b, s->p);
	buf_add(&b, s->salt, sizeof(s->salt));
	buf_add(&b, s->hash, sizeof(s->hash));
	buf_add_view(&b, password);
	net_hmac_sha256(view_of(p->key, sizeof(p->key)), buf_view(&b), to);
	explicit_bzero(b.p, b.n);
	buf_free(&b);
}

static bool is_known(const struct net_passwords *p, const uint8_t mac[SHA256_BYTES])
{
	bool known = false;
	for (unsigned i = 0; i < LIMIT_PASSWORD_MEMORY; i++)
		known |= net_equal(p->known[i], mac, SHA256_BYTES);
	return known;
}

static void remember(struct net_passwords *p, const uint8_t mac[SHA256_BYTES])
{
	if (is_known(p, mac))
		return;
	memcpy(p->known[p->next_known], mac, SHA256_BYTES);
	p->next_known = (p->next_known + 1) % LIMIT_PASSWORD_MEMORY;
}

/* --- the queue ------------------------------------------------------------------------------------------------- */

static void check_free(struct net_password_check *c)
{
	explicit_bzero(c, sizeof(*c));
	free(c);
}

static void take_out(struct net_passwords *p, struct net_password_check *c)
{
	for (struct net_password_check **at = &p->first; *at; at = &(*at)->next)
		if (*at == c) {
			*at = c->next;
			return;
		}
}

static void answer(struct net_password_check *c, enum net_password_result result)
{
	c->result = result;
	c->answered = true;
	net_timer_start(c->owner->timer, 0);
}

static void work_cb(uv_work_t *request)
{
	struct net_password_check *c = request->data;
	uint8_t hash[HASH_BYTES] = {0};
	bool ok = derive(&c->scrypt, c->password, c->password_n, hash) && net_equal(hash, c->scrypt.hash, HASH_BYTES);
	c->result = ok ? NET_PASSWORD_MATCHES : NET_PASSWORD_WRONG;
	explicit_bzero(hash, sizeof(hash));
}

static void start_work(struct net_passwords *p);

static void worked_cb(uv_work_t *request, int status)
{
	struct net_password_check *c = request->data;
	struct net_passwords *p = c->owner;
	c->running = false;
	if (!p) {
		check_free(c);
		return;
	}
	p->working = false;
	p->open--;
	if (status == 0 && c->result == NET_PASSWORD_MATCHES)
		remember(p, c->mac);
	answer(c, status == 0 ? c->result : NET_PASSWORD_BUSY);
	start_work(p);
}

static void start_work(struct net_passwords *p)
{
	struct net_password_check *c = p->first;
	while (c && c->answered)
		c = c->next;
	if (!c || p->working)
		return;
	c->work.data = c;
	c->running = true;
	p->working = true;
	check(uv_queue_work(&p->loop->uv, &c->work, work_cb, worked_cb) == 0);
}

static struct net_password_check *first_answered(struct net_passwords *p)
{
	struct net_password_check *c = p->first;
	while (c && !c->answered)
		c = c->next;
	return c;
}

static unsigned count_answered(const struct net_passwords *p)
{
	unsigned n = 0;
	for (const struct net_password_check *c = p->first; c; c = c->next)
		n += c->answered;
	return n;
}

static void give_answer(struct net_passwords *p, struct net_password_check *c)
{
	net_password_cb cb = c->cb;
	void *ctx = c->ctx;
	enum net_password_result result = c->result;
	take_out(p, c);
	check_free(c);
	if (cb)
		cb(ctx, result);
}

/* A callback may ask, cancel and free: the list is looked at anew after each. What it asks waits for the next turn. */
static void answer_cb(void *ctx)
{
	struct net_passwords *p = ctx;
	p->answering = true;
	for (unsigned n = count_answered(p); n && !p->freed; n--) {
		struct net_password_check *c = first_answered(p);
		if (c)
			give_answer(p, c);
	}
	p->answering = false;
	if (p->freed)
		net_passwords_free(p);
}

/* --- for others ------------------------------------------------------------------------------------------------ */

struct net_passwords *net_passwords_new(struct loop *l)
{
	struct net_passwords *p = mem_alloc(sizeof(*p));
	p->loop = l;
	p->timer = net_timer_new(l, answer_cb, p);
	random_bytes(p->key, sizeof(p->key));
	return p;
}

static void append(struct net_passwords *p, struct net_password_check *c)
{
	struct net_password_check **at = &p->first;
	while (*at)
		at = &(*at)->next;
	*at = c;
}

/* HMAC pads its key with NULs, so that to scrypt "a" and "a\\0" are one password. */
static bool is_text(struct view password)
{
	return password.n == 0 || !memchr(password.p, 0, password.n);
}

struct net_password_check *net_password_verify(struct net_passwords *p, const char *line, struct view password,
                                               net_password_cb cb, void *ctx)
{
	struct net_password_check *c = mem_alloc(sizeof(*c));
	c->owner = p;
	c->cb = cb;
	c->ctx = ctx;
	c->password_n = password.n;
	append(p, c);
	if (!parse_line(line, &c->scrypt) || !is_text(password) ||
	    !copy_view(c->password, sizeof(c->password), password)) {
		answer(c, NET_PASSWORD_WRONG);
		return c;
	}
	mac_of(p, &c->scrypt, password, c->mac);
	if (is_known(p, c->mac)) {
		answer(c, NET_PASSWORD_MATCHES);
	} else if (p->open >= LIMIT_PASSWORD_CHECKS) {
		answer(c, NET_PASSWORD_BUSY);
	} else {
		p->open++;
		start_work(p);
	}
	return c;
}

void net_password_cancel(struct net_password_check *c)
{
	if (!c)
		return;
	if (c->running) {
		c->cb = NULL;
		return;
	}
	c->owner->open -= !c->answered;
	take_out(c->owner, c);
	check_free(c);
}

unsigned net_passwords_open(const struct net_passwords *p)
{
	return p->open;
}

void net_passwords_free(struct net_passwords *p)
{
	if (!p)
		return;
	while (p->first) {
		struct net_password_check *c = p->first;
		take_out(p, c);
		c->owner = NULL;
		if (!c->running)
			check_free(c);
	}
	p->freed = true;
	if (p->answering)
		return;
	net_timer_free(p->timer);
	explicit_bzero(p, sizeof(*p));
	free(p);
}
