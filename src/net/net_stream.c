/* One stream: socket below, TLS in the middle when there is one, owner's ops above.
 *
 * Out: net_stream_write appends to `plain`; at the end of the turn `plain` (encrypted for TLS) becomes `wire`, which is
 * the one buffer given to libuv; more writes wait in `plain` until it is done. In: what the socket gives goes through
 * TLS into the owner's octets(). The owner may close the stream in any callback, so after each one `closing` is looked
 * at. Freed in the socket's close callback only. */
#include "net_stream.h"

#include "base_check.h"
#include "base_limits.h"
#include "base_pool.h"
#include "net_address.h"
#include "net_internal.h"
#include "net_tls_internal.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/tcp.h>

#define READ_BYTES 65536u

struct stream {
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_getaddrinfo_t resolve;
	uv_write_t write;
	struct loop *loop;
	const struct stream_ops *ops;
	void *ctx;
	SSL *ssl; /* NULL: plain */
	struct tls_context *tls;
	struct buf plain; /* written by the owner, not yet on its way */
	struct buf wire;  /* with libuv */
	struct stream *next_dirty;
	struct net_timer *opening; /* runs until opened */
	struct sockaddr_storage address;
	uint8_t first[TALK_BYTES]; /* from the peer */
	size_t first_n;            /* anew once TLS is opened */
	char host[256];
	char peer[64];
	char reason[160];
	int port;
	bool dirty;
	bool resolving;
	bool accepted;
	bool connected;
	bool opened;
	bool reading;
	bool writing;
	bool closing;
	bool asked; /* the server asked for our certificate */
	bool close_when_flushed;
	bool handle_closed;
};

struct listener {
	uv_tcp_t tcp;
	struct loop *loop;
	struct tls_context *tls;
	net_accept_cb cb;
	void *ctx;
	char address[64];
	bool taken;
};

static void mark_dirty(struct stream *s)
{
	if (s->dirty || s->closing)
		return;
	s->dirty = true;
	s->next_dirty = s->loop->dirty;
	s->loop->dirty = s;
}

static void unmark_dirty(struct stream *s)
{
	for (struct stream **at = &s->loop->dirty; s->dirty && *at; at = &(*at)->next_dirty)
		if (*at == s) {
			*at = s->next_dirty;
			s->dirty = false;
			return;
		}
}

/* Both the handle and a name look-up in a worker thread must be done before the memory may go. */
static void stream_end(struct stream *s)
{
	if (!s->handle_closed || s->resolving)
		return;
	s->ops->closed(s->ctx, s->reason);
	SSL_free(s->ssl);
	net_tls_unref(s->tls);
	buf_free(&s->plain);
	buf_free(&s->wire);
	free(s);
}

static void closed_cb(uv_handle_t *handle)
{
	struct stream *s = handle->data;
	s->handle_closed = true;
	stream_end(s);
}

void net_stream_close(struct stream *s, const char *reason)
{
	if (s->closing)
		return;
	unmark_dirty(s);
	s->closing = true;
	net_timer_free(s->opening);
	s->opening = NULL;
	copy_str(s->reason, sizeof(s->reason), reason);
	if (s->resolving)
		uv_cancel((uv_req_t *)&s->resolve);
	uv_close((uv_handle_t *)&s->tcp, closed_cb);
}

/* Many peers end a connection without a word, so what came before is all there is to tell why. */
static const char *end_reason(const struct stream *s)
{
	if (s->first_n || s->accepted || (s->ssl && s->opened && !s->asked))
		return "peer_closed";
	if (!s->ssl)
		return "closed by the peer before it said anything; does it expect TLS?";
	if (!s->opened)
		return "closed by the peer during the TLS handshake";
	return SSL_get_certificate(s->ssl) ? "closed by the peer once it had seen our client certificate"
	                                   : "closed by the peer, which asked for a client certificate; we have none";
}

static void close_uv(struct stream *s, int error)
{
	net_stream_close(s, error == UV_EOF ? end_reason(s) : uv_strerror(error));
}

enum net_talk net_stream_talk(const struct stream *s)
{
	return net_talk_of(view_of(s->first, s->first_n));
}

static void close_tls(struct stream *s)
{
	struct buf text = BUF(300);
	long verify = SSL_get_verify_result(s->ssl);
	enum net_talk talk = net_stream_talk(s);
	if (!s->opened && talk != NET_TALK_TLS && talk != NET_TALK_UNKNOWN)
		buf_printf(&text, "plain %s where TLS was expected", net_talk_name(talk));
	else if (verify != X509_V_OK)
		buf_printf(&text, "%scertificate not accepted: %s", s->accepted ? "client " : "",
		           X509_verify_cert_error_string(verify));
	else
		net_tls_error(&text);
	ERR_clear_error();
	net_stream_close(s, buf_cstr(&text));
	buf_free(&text);
}

static void written(struct stream *s);

static void write_cb(uv_write_t *request, int status)
{
	struct stream *s = request->data;
	s->writing = false;
	buf_clear(&s->wire);
	if (s->closing)
		return;
	if (status < 0)
		close_uv(s, status);
	else
		written(s);
}

/* Moves what TLS wants to send into `wire`. */
static void take_ciphertext(struct stream *s)
{
	BIO *out = SSL_get_wbio(s->ssl);
	size_t n = BIO_ctrl_pending(out);
	uint8_t *room = n ? buf_room(&s->wire, n) : NULL;
	if (!room)
		return;
	int got = BIO_read(out, room, (int)n);
	check(got == (int)n);
	s->wire.n += n;
}

static void encrypt(struct stream *s)
{
	size_t done = 0;
	while (s->opened && done < s->plain.n) {
		size_t n = 0;
		ERR_clear_error();
		if (SSL_write_ex(s->ssl, s->plain.p + done, s->plain.n - done, &n) != 1)
			break;
		done += n;
	}
	buf_drop(&s->plain, done);
	ERR_clear_error();
	take_ciphertext(s);
}

static void swap_buffers(struct stream *s)
{
	struct buf b = s->wire;
	s->wire = s->plain;
	s->plain = b;
}

static void give_to_kernel(struct stream *s)
{
	uv_buf_t b = uv_buf_init((char *)s->wire.p, (unsigned)s->wire.n);
	int n = uv_try_write((uv_stream_t *)&s->tcp, &b, 1);
	if (n < 0 && n != UV_EAGAIN) {
		close_uv(s, n);
		return;
	}
	size_t done = n > 0 ? (size_t)n : 0;
	if (done == s->wire.n) {
		buf_clear(&s->wire);
		written(s);
		return;
	}
	b = uv_buf_init((char *)s->wire.p + done, (unsigned)(s->wire.n - done));
	s->write.data = s;
	s->writing = true;
	int error = uv_write(&s->write, (uv_stream_t *)&s->tcp, &b, 1, write_cb);
	if (error) {
		s->writing = false;
		close_uv(s, error);
	}
}

static void socket_ready(struct stream *s);

static void flush(struct stream *s)
{
	if (s->accepted && !s->connected && !s->closing)
		socket_ready(s);
	if (s->closing || s->writing || !s->connected)
		return;
	if (s->ssl)
		encrypt(s);
	else if (s->opened && s->plain.n)
		swap_buffers(s);
	if (s->wire.n)
		give_to_kernel(s);
}

static void written(struct stream *s)
{
	if (s->plain.n && s->opened) {
		mark_dirty(s);
		return;
	}
	if (s->close_when_flushed)
		net_stream_close(s, s->reason);
	else if (s->ops->drained && s->opened)
		s->ops->drained(s->ctx);
}

void net_stream_flush_dirty(struct loop *l)
{
	/* A flush may mark streams dirty again (written): those wait in the fresh list for the next pass, at most one
	 * more. */
	for (int pass = 0; pass < 2 && l->dirty; pass++) {
		struct stream *list = l->dirty;
		l->dirty = NULL;
		while (list) {
			struct stream *s = list;
			list = s->next_dirty;
			s->dirty = false;
			s->next_dirty = NULL;
			flush(s);
		}
	}
}

void net_stream_write(struct stream *s, struct view octets)
{
	if (s->closing || s->close_when_flushed)
		return;
	if (!buf_add_view(&s->plain, octets)) {
		net_stream_close(s, "peer_too_slow");
		return;
	}
	mark_dirty(s);
}

size_t net_stream_queued(const struct stream *s)
{
	return s->plain.n + s->wire.n;
}

void net_stream_close_flushed(struct stream *s, const char *reason)
{
	if (s->closing)
		return;
	if (!s->opened || (s->plain.n == 0 && s->wire.n == 0)) {
		net_stream_close(s, reason);
		return;
	}
	copy_str(s->reason, sizeof(s->reason), reason);
	s->close_when_flushed = true;
	net_stream_read(s, false);
	mark_dirty(s);
}

static void set_opened(struct stream *s)
{
	s->opened = true;
	s->first_n = 0;
	net_timer_free(s->opening);
	s->opening = NULL;
	s->ops->opened(s->ctx);
	if (!s->closing && s->plain.n)
		mark_dirty(s);
}

/* What TLS has to say on its end, as far as the socket takes it at once. */
static void send_alert(struct stream *s)
{
	take_ciphertext(s);
	if (s->writing || s->wire.n == 0)
		return;
	uv_buf_t b = uv_buf_init((char *)s->wire.p, (unsigned)s->wire.n);
	(void)uv_try_write((uv_stream_t *)&s->tcp, &b, 1);
}

static void handshake(struct stream *s)
{
	ERR_clear_error(); /* the queue is the thread's: libcurl leaves its own errors, and SSL_get_error reads them as
	                      ours */
	int result = SSL_do_handshake(s->ssl);
	if (result == 1)
		set_opened(s);
	else if (SSL_get_error(s->ssl, result) == SSL_ERROR_SSL) {
		send_alert(s);
		close_tls(s);
		return;
	}
	mark_dirty(s);
}

static void note_first(struct stream *s, const void *p, size_t n)
{
	size_t room = TALK_BYTES - s->first_n;
	size_t taken = n < room ? n : room;
	memcpy(s->first + s->first_n, p, taken);
	s->first_n += taken;
}

static void decrypt(struct stream *s)
{
	static uint8_t clear[READ_BYTES]; /* one loop, one thread; the view ends with the callback */
	while (!s->closing && s->opened) {
		size_t n = 0;
		ERR_clear_error();
		int result = SSL_read_ex(s->ssl, clear, sizeof(clear), &n);
		if (result == 1) {
			if (s->first_n < TALK_BYTES)
				note_first(s, clear, n);
			s->ops->octets(s->ctx, view_of(clear, n));
			continue;
		}
		int error = SSL_get_error(s->ssl, result);
		if (error == SSL_ERROR_ZERO_RETURN)
			net_stream_close(s, end_reason(s));
		else if (error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL) {
			send_alert(s);
			close_tls(s);
		}
		break;
	}
	if (!s->closing && BIO_ctrl_pending(SSL_get_wbio(s->ssl)))
		mark_dirty(s);
}

static void alloc_cb(uv_handle_t *handle, size_t suggested, uv_buf_t *b)
{
	static char room[READ_BYTES];
	(void)handle;
	(void)suggested;
	*b = uv_buf_init(room, sizeof(room));
}

static void read_cb(uv_stream_t *handle, ssize_t n, const uv_buf_t *b)
{
	struct stream *s = handle->data;
	if (n == 0)
		return;
	if (n < 0) {
		close_uv(s, (int)n);
		return;
	}
	if (s->first_n < TALK_BYTES && !(s->ssl && s->opened))
		note_first(s, b->base, (size_t)n);
	if (!s->ssl) {
		s->ops->octets(s->ctx, view_of(b->base, (size_t)n));
		return;
	}
	check(BIO_write(SSL_get_rbio(s->ssl), b->base, (int)n) == (int)n);
	if (!s->opened)
		handshake(s);
	decrypt(s);
}

void net_stream_read(struct stream *s, bool on)
{
	if (s->closing || s->reading == on || !s->connected)
		return;
	s->reading = on;
	if (on)
		uv_read_start((uv_stream_t *)&s->tcp, alloc_cb, read_cb);
	else
		uv_read_stop((uv_stream_t *)&s->tcp);
}

static int asked_cb(SSL *ssl, void *ctx)
{
	struct stream *s = ctx;
	(void)ssl;
	s->asked = true;
	return 1;
}

static void tls_attach(struct stream *s, struct tls_context *tls)
{
	s->tls = net_tls_ref(tls);
	s->ssl = SSL_new(tls->ssl);
	check(s->ssl);
	SSL_set_bio(s->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	if (tls->server) {
		SSL_set_accept_state(s->ssl);
		return;
	}
	SSL_set_connect_state(s->ssl);
	SSL_set_cert_cb(s->ssl, asked_cb, s);
	const char *name = tls->server_name[0] ? tls->server_name : s->host;
	X509_VERIFY_PARAM *param = SSL_get0_param(s->ssl);
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (X509_VERIFY_PARAM_set1_ip_asc(param, name) != 1) {
		SSL_set_tlsext_host_name(s->ssl, name);
		SSL_set1_host(s->ssl, name);
	}
	ERR_clear_error();
}

static void note_peer(struct stream *s)
{
	int n = sizeof(s->address);
	if (uv_tcp_getpeername(&s->tcp, (struct sockaddr *)&s->address, &n) == 0)
		net_address_format((struct sockaddr *)&s->address, s->peer, sizeof(s->peer));
}

/* The socket stands: keepalive and a user timeout notice a half-open peer even when nobody writes. */
static void socket_ready(struct stream *s)
{
	int fd;
	s->connected = true;
	uv_tcp_nodelay(&s->tcp, 1);
	uv_tcp_keepalive(&s->tcp, 1, 60);
	if (uv_fileno((uv_handle_t *)&s->tcp, &fd) == 0) {
		unsigned timeout_ms = 90000;
		setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms));
	}
	note_peer(s);
	net_stream_read(s, true);
	if (!s->ssl)
		set_opened(s);
	else if (!s->tls->server)
		handshake(s);
}

static void open_late_cb(void *ctx)
{
	struct stream *s = ctx;
	if (!s->connected)
		net_stream_close(s, s->resolving ? "the name was not found in time" : "not connected in time");
	else if (s->first_n)
		net_stream_close(s, "the TLS handshake did not end in time");
	else
		net_stream_close(s, "no TLS handshake came in time; does the peer speak plain SMPP?");
}

void net_stream_open_within(struct stream *s, int64_t timeout_ms)
{
	if (s->opening)
		net_timer_start(s->opening, timeout_ms);
}

static struct stream *stream_new(struct loop *l, const struct stream_ops *ops, void *ctx)
{
	struct stream *s = mem_alloc(sizeof(*s));
	s->loop = l;
	s->ops = ops;
	s->ctx = ctx;
	s->plain = BUF(LIMIT_STREAM_OUT_BYTES);
	s->wire = BUF(LIMIT_STREAM_OUT_BYTES * 2); /* TLS adds about 2 % */
	check(uv_tcp_init(&l->uv, &s->tcp) == 0);
	s->tcp.data = s;
	copy_str(s->reason, sizeof(s->reason), "closed");
	s->opening = net_timer_new(l, open_late_cb, s);
	net_timer_start(s->opening, LIMIT_STREAM_OPEN_MS);
	return s;
}

static void connect_cb(uv_connect_t *request, int status)
{
	struct stream *s = request->data;
	if (s->closing)
		return;
	if (status < 0)
		close_uv(s, status);
	else
		socket_ready(s);
}

static void resolved_cb(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct stream *s = request->data;
	s->resolving = false;
	if (s->closing) {
		uv_freeaddrinfo(list);
		stream_end(s);
		return;
	}
	int error = status;
	if (error == 0) {
		net_address_format(list->ai_addr, s->peer, sizeof(s->peer));
		s->connect.data = s;
		error = uv_tcp_connect(&s->connect, &s->tcp, list->ai_addr, connect_cb);
	}
	uv_freeaddrinfo(list);
	if (error)
		close_uv(s, error);
}

struct stream *net_stream_connect(struct loop *l, const char *host, int port, struct tls_context *tls,
                                  const struct stream_ops *ops, void *ctx)
{
	struct stream *s = stream_new(l, ops, ctx);
	char service[8];
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
	copy_str(s->host, sizeof(s->host), host);
	s->port = port;
	if (tls)
		tls_attach(s, tls);
	snprintf(service, sizeof(service), "%d", port & 0xffff);
	s->resolve.data = s;
	s->resolving = true;
	int error = uv_getaddrinfo(&l->uv, &s->resolve, resolved_cb, host, service, &hints);
	if (error) {
		s->resolving = false;
		close_uv(s, error);
	}
	return s;
}

const char *net_stream_peer(const struct stream *s)
{
	return s->peer;
}

bool net_stream_peer_allowed(const struct stream *s, const char *list)
{
	return net_address_allowed((const struct sockaddr *)&s->address, list);
}

bool net_stream_peer_verified(const struct stream *s)
{
	return s->ssl && s->opened && SSL_get0_peer_certificate(s->ssl) && SSL_get_verify_result(s->ssl) == X509_V_OK;
}

bool net_stream_peer_name_matches(const struct stream *s, const char *name)
{
	return net_stream_peer_verified(s) && *name &&
	       X509_check_host(SSL_get0_peer_certificate(s->ssl), name, 0, X509_CHECK_FLAG_NO_WILDCARDS, NULL) == 1;
}

bool net_stream_peer_fingerprint(const struct stream *s, uint8_t to[STREAM_FINGERPRINT_BYTES])
{
	unsigned n = STREAM_FINGERPRINT_BYTES;
	return net_stream_peer_verified(s) &&
	       X509_digest(SSL_get0_peer_certificate(s->ssl), EVP_sha256(), to, &n) == 1 &&
	       n == STREAM_FINGERPRINT_BYTES;
}

static void refused_cb(uv_handle_t *handle)
{
	free(handle->data);
}

static void connection_cb(uv_stream_t *handle, int status)
{
	struct listener *l = handle->data;
	if (status < 0)
		return;
	l->taken = false;
	l->cb(l->ctx, l);
	if (!l->taken) {
		static const struct stream_ops none; /* refused: accept and close, nobody listens */
		struct stream *s = stream_new(l->loop, &none, NULL);
		(void)uv_accept(handle, (uv_stream_t *)&s->tcp);
		net_timer_free(s->opening);
		uv_close((uv_handle_t *)&s->tcp, refused_cb);
	}
}

struct stream *net_stream_accept(struct listener *l, const struct stream_ops *ops, void *ctx)
{
	struct stream *s = stream_new(l->loop, ops, ctx);
	l->taken = true;
	int error = uv_accept((uv_stream_t *)&l->tcp, (uv_stream_t *)&s->tcp);
	if (error) {
		close_uv(s, error);
		return s;
	}
	if (l->tls)
		tls_attach(s, l->tls);
	s->accepted = true;
	note_peer(s);
	mark_dirty(s); /* opened() comes at the end of the turn, when the owner has the pointer */
	return s;
}

static int listener_bind(struct listener *l, const char *address)
{
	char host[128];
	int port;
	struct sockaddr_storage a;
	int n = sizeof(a);
	if (!net_address_split(address, host, sizeof(host), &port))
		return UV_EINVAL;
	if (strcmp(host, "localhost") == 0)
		copy_str(host, sizeof(host), "127.0.0.1");
	int error = uv_ip4_addr(host, port, (struct sockaddr_in *)&a);
	if (error)
		error = uv_ip6_addr(host, port, (struct sockaddr_in6 *)&a);
	if (!error)
		error = uv_tcp_bind(&l->tcp, (struct sockaddr *)&a, 0);
	if (!error)
		error = uv_listen((uv_stream_t *)&l->tcp, 511, connection_cb);
	if (!error)
		error = uv_tcp_getsockname(&l->tcp, (struct sockaddr *)&a, &n);
	if (!error)
		net_address_format((struct sockaddr *)&a, l->address, sizeof(l->address));
	return error;
}

static void listener_closed_cb(uv_handle_t *handle)
{
	free(handle->data);
}

struct listener *net_listen(struct loop *loop, const char *address, struct tls_context *tls, net_accept_cb cb,
                            void *ctx, struct buf *error)
{
	struct listener *l = mem_alloc(sizeof(*l));
	l->loop = loop;
	l->tls = net_tls_ref(tls);
	l->cb = cb;
	l->ctx = ctx;
	check(uv_tcp_init(&loop->uv, &l->tcp) == 0);
	l->tcp.data = l;
	int result = listener_bind(l, address);
	if (result == 0)
		return l;
	buf_printf(error, "cannot listen on %s: %s", address, uv_strerror(result));
	net_listener_free(l);
	return NULL;
}

void net_listener_set_tls(struct listener *l, struct tls_context *tls)
{
	net_tls_unref(l->tls);
	l->tls = net_tls_ref(tls);
}

const char *net_listener_address(const struct listener *l)
{
	return l->address;
}

void net_listener_free(struct listener *l)
{
	if (!l)
		return;
	net_tls_unref(l->tls);
	uv_close((uv_handle_t *)&l->tcp, listener_closed_cb);
}
