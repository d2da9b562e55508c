#include "net_tls_internal.h"

#include "base_check.h"
#include "base_pool.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

void net_tls_error(struct buf *to)
{
	char text[256];
	unsigned long code = ERR_get_error();
	ERR_error_string_n(code, text, sizeof(text));
	buf_add_str(to, code ? text : "unknown TLS error");
	ERR_clear_error();
}

/* A key with a passphrase fails instead of asking the terminal for it. */
static int no_passphrase(char *to, int cap, int writing, void *ctx)
{
	(void)to;
	(void)cap;
	(void)writing;
	(void)ctx;
	return -1;
}

static struct tls_context *context_new(bool server)
{
	struct tls_context *c = mem_alloc(sizeof(*c));
	c->server = server;
	c->refs = 1;
	c->ssl = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	check(c->ssl);
	check(SSL_CTX_set_min_proto_version(c->ssl, TLS1_2_VERSION) == 1);
	SSL_CTX_set_default_passwd_cb(c->ssl, no_passphrase);
	SSL_CTX_set_mode(c->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
	                                 SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(c->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	return c;
}

static bool failed(const char *file, struct buf *error)
{
	buf_printf(error, "%s: ", file);
	net_tls_error(error);
	return false;
}

static bool load_pair(struct tls_context *c, const char *certificate, const char *key, struct buf *error)
{
	if (SSL_CTX_use_certificate_chain_file(c->ssl, certificate) != 1)
		return failed(certificate, error);
	if (SSL_CTX_use_PrivateKey_file(c->ssl, key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(c->ssl) != 1)
		return failed(key, error);
	return true;
}

struct tls_context *net_tls_server(const char *certificate, const char *key, struct buf *error)
{
	struct tls_context *c = context_new(true);
	if (load_pair(c, certificate, key, error))
		return c;
	net_tls_unref(c);
	return NULL;
}

bool net_tls_ask_clients(struct tls_context *c, const char *ca_file, struct buf *error)
{
	STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(ca_file);
	if (!names || SSL_CTX_load_verify_locations(c->ssl, ca_file, NULL) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return failed(ca_file, error);
	}
	SSL_CTX_set_client_CA_list(c->ssl, names);
	SSL_CTX_set_verify(c->ssl, SSL_VERIFY_PEER, NULL);
	/* Binds last for days: each shows its certificate anew, to the authorities of the day. */
	SSL_CTX_set_session_cache_mode(c->ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(c->ssl, 0);
	SSL_CTX_set_options(c->ssl, SSL_OP_NO_TICKET);
	return true;
}

void net_tls_need_clients(struct tls_context *c)
{
	SSL_CTX_set_verify(c->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

struct tls_context *net_tls_client(const char *ca_file, struct buf *error)
{
	struct tls_context *c = context_new(false);
	SSL_CTX_set_verify(c->ssl, SSL_VERIFY_PEER, NULL);
	int ok = *ca_file ? SSL_CTX_load_verify_locations(c->ssl, ca_file, NULL)
	                  : SSL_CTX_set_default_verify_paths(c->ssl);
	if (ok == 1)
		return c;
	failed(*ca_file ? ca_file : "the system's authorities", error);
	net_tls_unref(c);
	return NULL;
}

bool net_tls_identify(struct tls_context *c, const char *certificate, const char *key, struct buf *error)
{
	return load_pair(c, certificate, key, error);
}

void net_tls_set_server_name(struct tls_context *c, const char *name)
{
	copy_str(c->server_name, sizeof(c->server_name), name);
}

int64_t net_tls_expiry_us(const struct tls_context *c)
{
	const X509 *own = SSL_CTX_get0_certificate(c->ssl);
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0;
	int seconds = 0;
	bool known = own && epoch && ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(own)) == 1;
	ASN1_TIME_free(epoch);
	return known ? ((int64_t)days * 86400 + seconds) * 1000000 : 0;
}

struct tls_context *net_tls_ref(struct tls_context *c)
{
	if (c)
		c->refs++;
	return c;
}

void net_tls_unref(struct tls_context *c)
{
	if (!c || --c->refs)
		return;
	SSL_CTX_free(c->ssl);
	free(c);
}

static bool add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	bool ok = e && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

static bool certificate_fill(X509 *x, EVP_PKEY *key, int days)
{
	X509_NAME *name = X509_get_subject_name(x);
	return X509_set_version(x, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1 &&
	       X509_gmtime_adj(X509_getm_notBefore(x), -3600) &&
	       X509_gmtime_adj(X509_getm_notAfter(x), days * 86400L) && X509_set_pubkey(x, key) == 1 &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0) ==
	               1 &&
	       X509_set_issuer_name(x, name) == 1 && add_extension(x, NID_basic_constraints, "critical,CA:TRUE") &&
	       add_extension(x, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
	       X509_sign(x, key, EVP_sha256()) > 0;
}

static bool write_pem(const char *path, mode_t mode, X509 *x, EVP_PKEY *key)
{
	mode_t before = umask(mode == 0600 ? 077 : 022);
	FILE *f = fopen(path, "w");
	umask(before);
	if (!f)
		return false;
	bool ok = x ? PEM_write_X509(f, x) == 1 : PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1;
	return fclose(f) == 0 && ok;
}

bool net_tls_selfsign(const char *certificate, const char *key_path, int days)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	bool ok = key && x && certificate_fill(x, key, days) && write_pem(key_path, 0600, NULL, key) &&
	          write_pem(certificate, 0644, x, NULL);
	X509_free(x);
	EVP_PKEY_free(key);
	return ok;
}
