/* Hashes of passwords: the line, the worker, what is remembered and what happens to a crowd. */
#include "base_limits.h"
#include "net_crypto.h"
#include "net_password.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* RFC 7914 section 12: scrypt("pleaseletmein", "SodiumChloride", 16384, 8, 1), the first 32 of its 64 octets. */
static const char vector_hash[] = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2";

static void vector_line(struct buf *to)
{
	uint8_t hash[32];
	assert_true(hex_decode(view_str(vector_hash), hash, sizeof(hash)));
	buf_add_str(to, "scrypt$16384$8$1$");
	net_base64(VIEW("SodiumChloride"), to);
	buf_add_str(to, "$");
	net_base64(view_of(hash, sizeof(hash)), to);
}

struct seen {
	enum net_password_result result;
	bool done;
	unsigned order;
};

static unsigned answers;

static void seen_cb(void *ctx, enum net_password_result result)
{
	struct seen *s = ctx;
	assert_false(s->done);
	*s = (struct seen){result, true, ++answers};
}

struct fixture {
	struct loop *loop;
	struct net_passwords *p;
	struct buf line;
};

static struct fixture fixture_new(void)
{
	struct fixture f = {.loop = net_loop_new(), .line = BUF(400)};
	f.p = net_passwords_new(f.loop);
	buf_add_str(&f.line, "scrypt$1024$8$1$c2FsdHNhbHQ=$v0p79nYZU6yYxPeqKPzQvqd4dEe1dZyv3j9l79LWM6w="); /* quick */
	answers = 0;
	return f;
}

static void fixture_free(struct fixture *f)
{
	net_passwords_free(f->p);
	net_loop_free(f->loop);
	buf_free(&f->line);
}

static enum net_password_result verify(struct fixture *f, const char *line, struct view password)
{
	struct seen s = {0};
	net_password_verify(f->p, line, password, seen_cb, &s);
	assert_false(s.done); /* never before it returns */
	assert_true(net_loop_run_until(f->loop, &s.done, 10000));
	assert_int_equal(net_passwords_open(f->p), 0);
	return s.result;
}

static void test_known_vector(void **state)
{
	struct fixture f = fixture_new();
	struct buf line = BUF(400);
	(void)state;
	vector_line(&line);
	assert_true(net_password_is_hash(buf_cstr(&line)));
	assert_int_equal(verify(&f, buf_cstr(&line), VIEW("pleaseletmein")), NET_PASSWORD_MATCHES);
	assert_int_equal(verify(&f, buf_cstr(&line), VIEW("pleaseletmeim")), NET_PASSWORD_WRONG);
	buf_free(&line);
	fixture_free(&f);
}

static void test_ours(void **state)
{
	struct fixture f = fixture_new();
	struct buf again = BUF(400);
	(void)state;
	buf_clear(&f.line);
	net_password_hash(VIEW("elm-Street"), &f.line);
	net_password_hash(VIEW("elm-Street"), &again);
	assert_string_not_equal(buf_cstr(&f.line), buf_cstr(&again)); /* a salt of its own */
	assert_int_equal(strncmp(buf_cstr(&f.line), "scrypt$16384$8$1$", 17), 0);
	assert_true(net_password_is_hash(buf_cstr(&f.line)));
	assert_int_equal(verify(&f, buf_cstr(&f.line), VIEW("elm-Street")), NET_PASSWORD_MATCHES);
	assert_int_equal(verify(&f, buf_cstr(&again), VIEW("elm-Street")), NET_PASSWORD_MATCHES);
	assert_int_equal(verify(&f, buf_cstr(&f.line), VIEW("elm-street")), NET_PASSWORD_WRONG);
	assert_int_equal(verify(&f, buf_cstr(&f.line), VIEW("elm-Street ")), NET_PASSWORD_WRONG);
	assert_int_equal(verify(&f, buf_cstr(&f.line), VIEW("")), NET_PASSWORD_WRONG);
	assert_int_equal(verify(&f, buf_cstr(&f.line), view_of("elm-Street\0", 11)), NET_PASSWORD_WRONG);
	buf_free(&again);
	fixture_free(&f);
}

static void test_lines_that_are_none(void **state)
{
	static const char *const lines[] = {
	        "",
	        "elm-Street",
	        "scrypt",
	        "scrypt$16384$8$1$c2FsdHNhbHQ=",
	        "scrypt$16384$8$1$c2FsdHNhbHQ=$",
	        "scrypt$16384$8$1$$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",               /* no salt */
	        "scrypt$16384$8$1$c2FsdA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",       /* 4 octets */
	        "scrypt$16384$8$1$c2FsdHNhbHQ=$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",   /* 31 */
	        "scrypt$16384$8$1$c2FsdHNhbHQ=$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=$",  /* one more */
	        "scrypt$16383$8$1$c2FsdHNhbHQ=$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",   /* no power */
	        "scrypt$1$8$1$c2FsdHNhbHQ=$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",       /* too small */
	        "scrypt$1048576$8$1$c2FsdHNhbHQ=$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", /* 1 GiB */
	        "scrypt$65536$8$1$c2FsdHNhbHQ=$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",   /* 64 MiB */
	        "scrypt$16384$0$1$c2FsdHNhbHQ=$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",   /* r */
	        "scrypt$16384$8$0$c2FsdHNhbHQ=$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",   /* p */
	        "scrypt$16384$8$5$c2FsdHNhbHQ=$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",   /* 5 times */
	        "bcrypt$16384$8$1$c2FsdHNhbHQ=$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	};
	struct fixture f = fixture_new();
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (net_password_is_hash(lines[i]))
			fail_msg("%s is taken", lines[i]);
		assert_int_equal(verify(&f, lines[i], VIEW("elm-Street")), NET_PASSWORD_WRONG);
		assert_int_equal(verify(&f, lines[i], view_str(lines[i])), NET_PASSWORD_WRONG);
	}
	assert_true(net_password_is_hash("scrypt$32768$8$4$c2FsdHNhbHQ=$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
	fixture_free(&f);
}

static void test_long_password(void **state)
{
	struct fixture f = fixture_new();
	struct buf line = BUF(400);
	char longest[LIMIT_PASSWORD_BYTES + 1];
	(void)state;
	memset(longest, 'a', sizeof(longest));
	net_password_hash(view_of(longest, LIMIT_PASSWORD_BYTES), &line);
	assert_int_equal(verify(&f, buf_cstr(&line), view_of(longest, LIMIT_PASSWORD_BYTES)), NET_PASSWORD_MATCHES);
	assert_int_equal(verify(&f, buf_cstr(&line), view_of(longest, sizeof(longest))), NET_PASSWORD_WRONG);
	buf_free(&line);
	fixture_free(&f);
}

/* More than may wait: the surplus is told to come later, at once; the rest is answered one after the other. */
static void test_crowd(void **state)
{
	static struct seen seen[LIMIT_PASSWORD_CHECKS + 10];
	struct fixture f = fixture_new();
	unsigned busy = 0;
	(void)state;
	memset(seen, 0, sizeof(seen));
	for (size_t i = 0; i < LIMIT_PASSWORD_CHECKS + 10; i++) {
		char password[16];
		(void)snprintf(password, sizeof(password), "wrong-%zu", i);
		net_password_verify(f.p, buf_cstr(&f.line), view_str(i == 7 ? "elm-Street" : password), seen_cb,
		                    &seen[i]);
	}
	assert_int_equal(net_passwords_open(f.p), LIMIT_PASSWORD_CHECKS);
	assert_true(net_loop_run_until(f.loop, &seen[LIMIT_PASSWORD_CHECKS].done, 10000));
	assert_false(seen[LIMIT_PASSWORD_CHECKS - 1].done); /* who is turned away does not wait for the worker */
	assert_true(net_loop_run_until(f.loop, &seen[LIMIT_PASSWORD_CHECKS - 1].done, 60000));
	for (size_t i = 0; i < LIMIT_PASSWORD_CHECKS + 10; i++) {
		bool waits = i < LIMIT_PASSWORD_CHECKS;
		assert_true(seen[i].done);
		busy += seen[i].result == NET_PASSWORD_BUSY;
		assert_int_equal(seen[i].result, !waits   ? NET_PASSWORD_BUSY
		                                 : i == 7 ? NET_PASSWORD_MATCHES
		                                          : NET_PASSWORD_WRONG);
		assert_true(i == 0 || !waits || seen[i].order > seen[i - 1].order);
	}
	assert_int_equal(busy, 10);
	fixture_free(&f);
}

/* What matched is known again without the worker, also in a crowd; what did not match is not. */
static void test_memory(void **state)
{
	static struct seen crowd[LIMIT_PASSWORD_CHECKS];
	struct seen again = {0};
	struct seen wrong = {0};
	struct fixture f = fixture_new();
	(void)state;
	memset(crowd, 0, sizeof(crowd));
	assert_int_equal(verify(&f, buf_cstr(&f.line), VIEW("elm-Street")), NET_PASSWORD_MATCHES);
	for (size_t i = 0; i < LIMIT_PASSWORD_CHECKS; i++)
		net_password_verify(f.p, buf_cstr(&f.line), VIEW("wrong"), seen_cb, &crowd[i]);
	net_password_verify(f.p, buf_cstr(&f.line), VIEW("elm-Street"), seen_cb, &again);
	net_password_verify(f.p, buf_cstr(&f.line), VIEW("elm-Street!"), seen_cb, &wrong);
	assert_true(net_loop_run_until(f.loop, &wrong.done, 10000));
	assert_true(again.done);
	assert_int_equal(again.result, NET_PASSWORD_MATCHES);
	assert_int_equal(wrong.result, NET_PASSWORD_BUSY);
	assert_false(crowd[LIMIT_PASSWORD_CHECKS - 1].done);
	fixture_free(&f);
}

/* Known is the password with its line: a changed line asks the worker again. */
static void test_memory_is_of_the_line(void **state)
{
	struct fixture f = fixture_new();
	struct buf other = BUF(400);
	(void)state;
	net_password_hash(VIEW("oak-Street"), &other);
	assert_int_equal(verify(&f, buf_cstr(&f.line), VIEW("elm-Street")), NET_PASSWORD_MATCHES);
	assert_int_equal(verify(&f, buf_cstr(&other), VIEW("elm-Street")), NET_PASSWORD_WRONG);
	assert_int_equal(verify(&f, buf_cstr(&other), VIEW("oak-Street")), NET_PASSWORD_MATCHES);
	buf_free(&other);
	fixture_free(&f);
}

/* Cancelled while it runs, while it waits and when it has an answer: never called; the next ones are. */
static void test_cancel(void **state)
{
	struct fixture f = fixture_new();
	struct seen gone[3] = {0};
	struct seen stays = {0};
	struct net_password_check *c[3];
	(void)state;
	c[0] = net_password_verify(f.p, buf_cstr(&f.line), VIEW("a"), seen_cb, &gone[0]);
	c[1] = net_password_verify(f.p, buf_cstr(&f.line), VIEW("b"), seen_cb, &gone[1]);
	c[2] = net_password_verify(f.p, "none", VIEW("c"), seen_cb, &gone[2]);
	net_password_verify(f.p, buf_cstr(&f.line), VIEW("elm-Street"), seen_cb, &stays);
	for (size_t i = 0; i < 3; i++)
		net_password_cancel(c[i]);
	net_password_cancel(NULL);
	assert_int_equal(net_passwords_open(f.p), 2); /* the one that runs keeps the worker */
	assert_true(net_loop_run_until(f.loop, &stays.done, 10000));
	assert_int_equal(stays.result, NET_PASSWORD_MATCHES);
	for (size_t i = 0; i < 3; i++)
		assert_false(gone[i].done);
	assert_int_equal(net_passwords_open(f.p), 0);
	fixture_free(&f);
}

/* Freed with one in the worker, some waiting and one answered: nothing is called, nothing leaks (the sanitizers' word).
 */
static void test_free_while_open(void **state)
{
	struct fixture f = fixture_new();
	struct seen seen[4] = {0};
	(void)state;
	for (size_t i = 0; i < 4; i++)
		net_password_verify(f.p, i == 3 ? "none" : buf_cstr(&f.line), VIEW("x"), seen_cb, &seen[i]);
	fixture_free(&f);
	for (size_t i = 0; i < 4; i++)
		assert_false(seen[i].done);
}

static void free_cb(void *ctx, enum net_password_result result)
{
	struct fixture *f = ctx;
	assert_int_equal(result, NET_PASSWORD_WRONG);
	net_passwords_free(f->p);
	f->p = NULL;
}

/* Freed inside a callback, with another answer due. */
static void test_free_in_callback(void **state)
{
	struct fixture f = fixture_new();
	struct seen seen = {0};
	bool never = false;
	(void)state;
	net_password_verify(f.p, "none", VIEW("x"), free_cb, &f);
	net_password_verify(f.p, "none", VIEW("x"), seen_cb, &seen);
	assert_false(net_loop_run_until(f.loop, &never, 50));
	assert_null(f.p);
	assert_false(seen.done);
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_known_vector),
	        cmocka_unit_test(test_ours),
	        cmocka_unit_test(test_lines_that_are_none),
	        cmocka_unit_test(test_long_password),
	        cmocka_unit_test(test_crowd),
	        cmocka_unit_test(test_memory),
	        cmocka_unit_test(test_memory_is_of_the_line),
	        cmocka_unit_test(test_cancel),
	        cmocka_unit_test(test_free_while_open),
	        cmocka_unit_test(test_free_in_callback),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
