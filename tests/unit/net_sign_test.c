/* Ed25519: RFC 8032 section 7.1's vectors, key files that openssl reads and writes, and what is no key. */
#include "net_sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static const struct {
	const char *secret, *public_key, *text, *signature;
} vectors[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bb"
         "e2465"
         "5141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302"
         "aeeb0"
         "0d291612bb0c00"},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed"
         "28dc0"
         "27beceea1ec40a"},
};

#define ROWS (sizeof(vectors) / sizeof(*vectors))

struct vector {
	uint8_t secret[SIGN_PRIVATE_BYTES], public_key[SIGN_PUBLIC_BYTES], signature[SIGN_BYTES], text[8];
	size_t n;
};

static struct vector vector_of(size_t i)
{
	struct vector v = {.n = strlen(vectors[i].text) / 2};
	assert_true(hex_decode(view_str(vectors[i].secret), v.secret, sizeof(v.secret)));
	assert_true(hex_decode(view_str(vectors[i].public_key), v.public_key, sizeof(v.public_key)));
	assert_true(hex_decode(view_str(vectors[i].signature), v.signature, sizeof(v.signature)));
	assert_true(hex_decode(view_str(vectors[i].text), v.text, v.n));
	return v;
}

static void rfc_8032(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct vector v = vector_of(i);
		uint8_t public_key[SIGN_PUBLIC_BYTES], signature[SIGN_BYTES];
		struct net_sign_key *key = net_sign_of(v.secret);
		net_sign_public(key, public_key);
		net_sign(key, view_of(v.text, v.n), signature);
		net_sign_free(key);
		assert_memory_equal(public_key, v.public_key, sizeof(public_key));
		assert_memory_equal(signature, v.signature, sizeof(signature));
		assert_true(net_sign_verify(v.public_key, view_of(v.text, v.n), v.signature));
	}
}

/* Every bit of text, signature and public key counts. */
static void one_bit(void **state)
{
	(void)state;
	struct vector v = vector_of(2);
	for (unsigned bit = 0; bit < 8 * SIGN_BYTES; bit++) {
		v.signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(net_sign_verify(v.public_key, view_of(v.text, v.n), v.signature));
		v.signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (unsigned bit = 0; bit < 8 * SIGN_PUBLIC_BYTES; bit++) {
		v.public_key[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(net_sign_verify(v.public_key, view_of(v.text, v.n), v.signature));
		v.public_key[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (unsigned bit = 0; bit < 8 * v.n; bit++) {
		v.text[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(net_sign_verify(v.public_key, view_of(v.text, v.n), v.signature));
		v.text[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_true(net_sign_verify(v.public_key, view_of(v.text, v.n), v.signature));
	assert_false(net_sign_verify(v.public_key, view_of(v.text, v.n - 1), v.signature));
}

struct folder {
	char path[64];
	char file[80];
};

static int make_folder(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));
	snprintf(f->path, sizeof(f->path), "/tmp/net_sign_XXXXXX");
	assert_non_null(mkdtemp(f->path));
	snprintf(f->file, sizeof(f->file), "%s/key.pem", f->path);
	*state = f;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *f = *state;
	unlink(f->file);
	rmdir(f->path);
	free(f);
	return 0;
}

static void saved_and_loaded(void **state)
{
	struct folder *f = *state;
	struct buf error = BUF(512);
	struct stat about;
	uint8_t one[SIGN_PUBLIC_BYTES], other[SIGN_PUBLIC_BYTES];
	struct net_sign_key *key = net_sign_new();
	assert_true(net_sign_save(key, f->file, &error));
	assert_int_equal(stat(f->file, &about), 0);
	assert_int_equal(about.st_mode & 07777, 0600);
	struct net_sign_key *again = net_sign_load(f->file, &error);
	assert_non_null(again);
	net_sign_public(key, one);
	net_sign_public(again, other);
	assert_memory_equal(one, other, sizeof(one));
	assert_false(net_sign_save(key, f->file, &error)); /* a key is never written over */
	assert_non_null(strstr(buf_cstr(&error), "File exists"));
	net_sign_free(key);
	net_sign_free(again);
	buf_free(&error);
}

static void refused(struct folder *f, int mode, const char *content, const char *why)
{
	struct buf error = BUF(512);
	unlink(f->file);
	if (content) {
		FILE *to = fopen(f->file, "w");
		assert_non_null(to);
		fputs(content, to);
		fclose(to);
		assert_int_equal(chmod(f->file, (mode_t)mode), 0);
	}
	assert_null(net_sign_load(f->file, &error));
	assert_non_null(strstr(buf_cstr(&error), why));
	buf_free(&error);
}

/* The key of the first vector as openssl writes it; one of another kind; one with a password. */
static void what_is_no_key(void **state)
{
	struct folder *f = *state;
	static const char good[] =
	        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
	        "-----END PRIVATE KEY-----\n";
	static const char x25519[] =
	        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
	        "-----END PRIVATE KEY-----\n";
	static const char locked[] =
	        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
	        "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg=\n-----END ENCRYPTED PRIVATE KEY-----\n";
	refused(f, 0600, NULL, "No such file");
	refused(f, 0600, "", "not an Ed25519 private key");
	refused(f, 0600, x25519, "not an Ed25519 private key");
	refused(f, 0600, locked, "not an Ed25519 private key");
	refused(f, 0644, good, "everybody may read it");
	refused(f, 0620, good, "its group may write it");
	struct buf error = BUF(512);
	uint8_t public_key[SIGN_PUBLIC_BYTES];
	struct vector v = vector_of(0);
	assert_int_equal(chmod(f->file, 0640), 0);
	struct net_sign_key *key = net_sign_load(f->file, &error);
	assert_non_null(key);
	net_sign_public(key, public_key);
	assert_memory_equal(public_key, v.public_key, sizeof(public_key));
	net_sign_free(key);
	buf_free(&error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(rfc_8032),
	        cmocka_unit_test(one_bit),
	        cmocka_unit_test_setup_teardown(saved_and_loaded, make_folder, remove_folder),
	        cmocka_unit_test_setup_teardown(what_is_no_key, make_folder, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
