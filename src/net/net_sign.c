#include "net_sign.h"

#include "base_check.h"
#include "base_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct net_sign_key {
	EVP_PKEY *pkey;
};

static struct net_sign_key *wrap(EVP_PKEY *pkey)
{
	struct net_sign_key *key = mem_alloc(sizeof(*key));
	key->pkey = pkey;
	return key;
}

struct net_sign_key *net_sign_new(void)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	check(pkey);
	return wrap(pkey);
}

struct net_sign_key *net_sign_of(const uint8_t octets[SIGN_PRIVATE_BYTES])
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, octets, SIGN_PRIVATE_BYTES);
	check(pkey);
	return wrap(pkey);
}

static int no_password(char *buf, int size, int writing, void *ctx)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1; /* never asks at a terminal */
}

static EVP_PKEY *read_pem(FILE *f)
{
	EVP_PKEY *pkey = PEM_read_PrivateKey_ex(f, NULL, no_password, NULL, NULL, NULL);
	if (pkey && !EVP_PKEY_is_a(pkey, "ED25519")) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	return pkey;
}

struct net_sign_key *net_sign_load(const char *path, struct buf *error)
{
	struct stat about;
	FILE *f = fopen(path, "re");
	if (!f || fstat(fileno(f), &about) != 0) {
		buf_printf(error, "%s: %s", path, strerror(errno));
		if (f)
			fclose(f);
		return NULL;
	}
	EVP_PKEY *pkey = NULL;
	if (about.st_mode & (S_IRWXO | S_IWGRP))
		buf_printf(error, "%s: everybody may read it, or its group may write it; chmod 600", path);
	else if (!(pkey = read_pem(f)))
		buf_printf(error, "%s: not an Ed25519 private key in PEM", path);
	fclose(f);
	return pkey ? wrap(pkey) : NULL;
}

static bool write_pem(const struct net_sign_key *key, int fd)
{
	FILE *f = fdopen(fd, "w");
	check(f);
	bool ok = PEM_write_PKCS8PrivateKey(f, key->pkey, NULL, NULL, 0, NULL, NULL) == 1 && fflush(f) == 0 &&
	          fsync(fd) == 0;
	return fclose(f) == 0 && ok;
}

bool net_sign_save(const struct net_sign_key *key, const char *path, struct buf *error)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || !write_pem(key, fd)) {
		buf_printf(error, "%s: %s", path, strerror(errno));
		return false;
	}
	return true;
}

void net_sign_public(const struct net_sign_key *key, uint8_t to[SIGN_PUBLIC_BYTES])
{
	size_t n = SIGN_PUBLIC_BYTES;
	check(EVP_PKEY_get_raw_public_key(key->pkey, to, &n) == 1 && n == SIGN_PUBLIC_BYTES);
}

void net_sign(const struct net_sign_key *key, struct view text, uint8_t to[SIGN_BYTES])
{
	size_t n = SIGN_BYTES;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	check(ctx && EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, key->pkey, NULL) == 1 &&
	      EVP_DigestSign(ctx, to, &n, text.p, text.n) == 1 && n == SIGN_BYTES);
	EVP_MD_CTX_free(ctx);
}

void net_sign_free(struct net_sign_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

bool net_sign_verify(const uint8_t public_key[SIGN_PUBLIC_BYTES], struct view text, const uint8_t signature[SIGN_BYTES])
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, public_key, SIGN_PUBLIC_BYTES);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	check(ctx);
	bool ok = pkey && EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, pkey, NULL) == 1 &&
	          EVP_DigestVerify(ctx, signature, SIGN_BYTES, text.p, text.n) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ok;
}
