/* The converter behind /openapi.json: what comes out, and what is refused rather than guessed. */
#include "config_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static bool convert(struct view yaml, struct buf *json, struct buf *error)
{
	/* Exactly sized, so that the sanitizer sees a read past the end. */
	uint8_t *copy = malloc(yaml.n ? yaml.n : 1);
	memcpy(copy, yaml.p, yaml.n);
	bool ok = config_yaml_to_json(view_of(copy, yaml.n), json, error);
	free(copy);
	return ok;
}

static const struct {
	const char *yaml;
	const char *json;
} good[] = {
        /* scalars */
        {"a: b", "{\"a\":\"b\"}"},
        {"text", "\"text\""},
        {"a:", "{\"a\":null}"},
        {"a: ~\nb: null", "{\"a\":null,\"b\":null}"},
        {"a: true\nb: false", "{\"a\":true,\"b\":false}"},
        {"[0, -0, 7, -12, 3.25, -0.5, 120]", "[0,-0,7,-12,3.25,-0.5,120]"},
        {"a: 3.1.0", "{\"a\":\"3.1.0\"}"},
        {"a: 47 CFR 64.1200", "{\"a\":\"47 CFR 64.1200\"}"},
        {"a: 019caf47-20b5-7001-8f7c-e54e3644af02", "{\"a\":\"019caf47-20b5-7001-8f7c-e54e3644af02\"}"},
        {"[-, ., 1a, 0xg, 1e, e1, '--', nullable, truest]",
         "[\"-\",\".\",\"1a\",\"0xg\",\"1e\",\"e1\",\"--\",\"nullable\",\"truest\"]"},
        /* quoting makes text of everything */
        {"a: '7'\nb: \"true\"\nc: 'null'\nd: ''", "{\"a\":\"7\",\"b\":\"true\",\"c\":\"null\",\"d\":\"\"}"},
        {"['yes', '012', '1e3', '2026-03-02', '~']", "[\"yes\",\"012\",\"1e3\",\"2026-03-02\",\"~\"]"},
        {"a: 'it''s'", "{\"a\":\"it's\"}"},
        {"a: \"q \\\" b \\\\ t \\t n \\n u \\u00e9 z \\0\"",
         "{\"a\":\"q \\\" b \\\\ t \\t n \\n u \xc3\xa9 z \\u0000\"}"},
        {"a: say \"hi\" \\ there", "{\"a\":\"say \\\"hi\\\" \\\\ there\"}"},
        {"a: \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "{\"a\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}"},
        /* keys are text, whatever they look like */
        {"'202': a", "{\"202\":\"a\"}"},
        {"202: a\ntrue: b\nnull: c", "{\"202\":\"a\",\"true\":\"b\",\"null\":\"c\"}"},
        {"/v1/messages/{id}: a", "{\"/v1/messages/{id}\":\"a\"}"},
        {"$ref: '#/components/x'", "{\"$ref\":\"#/components/x\"}"},
        {"'<<': a", "{\"<<\":\"a\"}"},
        /* blocks */
        {"a: |\n  one\n\n  two\nb: |-\n  one\n", "{\"a\":\"one\\n\\ntwo\\n\",\"b\":\"one\"}"},
        {"a: >-\n  one\n  two\n", "{\"a\":\"one two\"}"},
        {"a: |-\n  7\nb: >-\n  null", "{\"a\":\"7\",\"b\":\"null\"}"},
        {"a: one\n  two", "{\"a\":\"one two\"}"},
        {"a: b # a remark\n# another\nc: d", "{\"a\":\"b\",\"c\":\"d\"}"},
        /* nesting */
        {"{}", "{}"},
        {"[]", "[]"},
        {"a: {}\nb: []", "{\"a\":{},\"b\":[]}"},
        {"a:\n  b:\n    - c\n    - d: 1\n      e: [2, {f: 3}]\n  g: h",
         "{\"a\":{\"b\":[\"c\",{\"d\":1,\"e\":[2,{\"f\":3}]}],\"g\":\"h\"}}"},
        {"- - a\n  - b\n- c", "[[\"a\",\"b\"],\"c\"]"},
        {"a: {b: 1}\nc: {b: 1}", "{\"a\":{\"b\":1},\"c\":{\"b\":1}}"},
        {"---\na: b\n...\n", "{\"a\":\"b\"}"},
};

static void converts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct buf json = BUF(4096);
		struct buf error = BUF(400);
		if (!convert(view_str(good[i].yaml), &json, &error))
			fail_msg("%s\nis refused: %s", good[i].yaml, buf_cstr(&error));
		assert_string_equal(buf_cstr(&json), good[i].json);
		assert_int_equal(error.n, 0);
		buf_free(&json);
		buf_free(&error);
	}
}

static const struct {
	const char *yaml;
	const char *error;
} bad[] = {
        {"", "the document is empty"},
        {"# only a remark\n", "the document is empty"},
        {"a: [1, 2\n", "line 2: did not find expected ',' or ']'"},
        {"a: b: c", "line 1: mapping values are not allowed in this context"},
        {"a: \"open", "line 1: found unexpected end of stream"},
        {"a:\n\t- b", "line 2: found character that cannot start any token"},
        {"a: \xff", "line 1: invalid leading UTF-8 octet"},
        {"a: 1\nb: \xff", "line 2: invalid leading UTF-8 octet"},
        /* nothing is followed or merged */
        {"a: &x b", "line 1: anchors are not taken"},
        {"a: 1\nb: &x {c: d}", "line 2: anchors are not taken"},
        {"a:\n  - &x [1]\n", "line 2: anchors are not taken"},
        {"&x a: b", "line 1: anchors are not taken"},
        {"a: *x", "line 1: aliases are not taken"},
        {"a: b\n*x : c", "line 2: aliases are not taken"},
        {"- 1\n- *x\n", "line 2: aliases are not taken"},
        {"a: &x [*x]", "line 1: anchors are not taken"},
        {"a: {b: 1}\nc:\n  <<: {d: 1}", "line 3: merge keys are not taken"},
        /* nothing is retyped */
        {"a: !!str 7", "line 1: tags are not taken"},
        {"a: !x b", "line 1: tags are not taken"},
        {"a: !!binary aGk=", "line 1: tags are not taken"},
        {"a: !!map {b: c}", "line 1: tags are not taken"},
        {"a: !!seq [b]", "line 1: tags are not taken"},
        /* keys */
        {"[a]: b", "line 1: a key is not text"},
        {"x: 1\n? {a: b}\n: c", "line 2: a key is not text"},
        {"a: 1\nb: 2\na: 3", "line 3: a key stands there twice"},
        {"a: 1\n'a': 2", "line 2: a key stands there twice"},
        {"x:\n  a: {b: 1, b: 2}", "line 2: a key stands there twice"},
        /* one document */
        {"a: b\n---\nc: d", "line 2: a second document begins"},
        {"a: b\n---\n", "line 2: a second document begins"},
        /* what readers read differently */
        {"a: yes", "line 1: quote yes, which is read in more than one way"},
        {"a: 1\nb: NO", "line 2: quote NO, which is read in more than one way"},
        {"a: Null", "line 1: quote Null, which is read in more than one way"},
        {"a: TRUE", "line 1: quote TRUE, which is read in more than one way"},
        {"[off]", "line 1: quote off, which is read in more than one way"},
        {"a: .inf", "line 1: quote .inf, which is read in more than one way"},
        {"a: 012", "line 1: quote 012, which is read in more than one way"},
        {"a: -00", "line 1: quote -00, which is read in more than one way"},
        {"a: +1", "line 1: quote +1, which is read in more than one way"},
        {"a: +12125550101", "line 1: quote +12125550101, which is read in more than one way"},
        {"a: 1.", "line 1: quote 1., which is read in more than one way"},
        {"a: .5", "line 1: quote .5, which is read in more than one way"},
        {"a: 1e3", "line 1: quote 1e3, which is read in more than one way"},
        {"a: 1.5E-3", "line 1: quote 1.5E-3, which is read in more than one way"},
        {"a: 0x1F", "line 1: quote 0x1F, which is read in more than one way"},
        {"a: 0o17", "line 1: quote 0o17, which is read in more than one way"},
        {"a: 2026-03-02", "line 1: quote 2026-03-02, which is read in more than one way"},
        {"a: 2026-03-02T10:00:00Z", "line 1: quote 2026-03-02T10:00:00Z, which is read in more than one way"},
};

static void refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct buf json = BUF(4096);
		struct buf error = BUF(400);
		if (convert(view_str(bad[i].yaml), &json, &error))
			fail_msg("%s\nis taken: %s", bad[i].yaml, buf_cstr(&json));
		assert_string_equal(buf_cstr(&error), bad[i].error);
		buf_free(&json);
		buf_free(&error);
	}
}

static void write_nested(struct buf *yaml, unsigned depth)
{
	buf_clear(yaml);
	for (unsigned i = 0; i < depth; i++)
		buf_add_u8(yaml, '[');
	buf_add_u8(yaml, '1');
	for (unsigned i = 0; i < depth; i++)
		buf_add_u8(yaml, ']');
}

static void depth_has_an_end(void **state)
{
	struct buf yaml = BUF(1024);
	struct buf json = BUF(4096);
	struct buf error = BUF(400);
	(void)state;
	write_nested(&yaml, 64);
	assert_true(convert(buf_view(&yaml), &json, &error));
	assert_string_equal(buf_cstr(&json), buf_cstr(&yaml));
	write_nested(&yaml, 65);
	assert_false(convert(buf_view(&yaml), &json, &error));
	assert_string_equal(buf_cstr(&error), "line 1: nested too deeply");
	buf_free(&yaml);
	buf_free(&json);
	buf_free(&error);
}

static void ceiling_is_kept(void **state)
{
	struct buf json = BUF(8);
	struct buf error = BUF(400);
	(void)state;
	assert_false(convert(VIEW("a: a long text"), &json, &error));
	assert_string_equal(buf_cstr(&error), "the document is too large");
	buf_free(&json);
	buf_free(&error);
}

/* The contract that is served converts, and begins as it should. */
static void contract_converts(void **state)
{
	static const char begins[] = "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"smsbridge\"";
	struct buf yaml = BUF(1 << 20);
	struct buf json = BUF(1 << 22);
	struct buf error = BUF(400);
	char piece[4096];
	size_t n;
	(void)state;
	FILE *f = fopen(TEST_SOURCE_DIR "/proto/openapi.yaml", "r");
	assert_non_null(f);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		assert_true(buf_add(&yaml, piece, n));
	fclose(f);
	if (!convert(buf_view(&yaml), &json, &error))
		fail_msg("proto/openapi.yaml: %s", buf_cstr(&error));
	assert_true(json.n > 10000);
	assert_memory_equal(json.p, begins, sizeof(begins) - 1);
	assert_non_null(strstr(buf_cstr(&json), "\"/v1/messages/{id}/cancel\":{"));
	buf_free(&yaml);
	buf_free(&json);
	buf_free(&error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(converts),          cmocka_unit_test(refuses),
	        cmocka_unit_test(depth_has_an_end),  cmocka_unit_test(ceiling_is_kept),
	        cmocka_unit_test(contract_converts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
