/* `smsbridge password`: the line that the configuration keeps instead of a peer's password. */
#include "app_commands.h"

#include "base_limits.h"
#include "base_uuid.h"
#include "net_password.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define SPECIFIED_BYTES 8 /* SMPP 3.4 5.2.2: 9 octets with the NUL */

const char password_help[] =
        "Examples:\n"
        "  smsbridge password > /etc/smsbridge/carrier.hash          asks for the password of a carrier that binds to "
        "us\n"
        "  smsbridge password --generate > /etc/smsbridge/carrier.hash\n"
        "  printf %s \"$PASSWORD\" | smsbridge password\n"
        "\n"
        "Prints the line that a carrier's password_hash_file holds: scrypt$N$r$p$salt$hash.\n"
        "  --generate      make a random password and tell it on standard error, this once\n"
        "  --length N      its characters, 8 to 64 (default 8: SMPP 3.4 has room for no more, many systems take more)\n"
        "  --json          {\"hash\":...} on standard output, with --generate {\"hash\":...,\"password\":...}\n";

/* No letters that look alike: somebody may read it out. */
static void generate(char *to, size_t n)
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
	for (size_t i = 0; i < n; i++) {
		uint8_t octet;
		do
			random_bytes(&octet, 1);
		while (octet >= 256 / (sizeof(letters) - 1) * (sizeof(letters) - 1));
		to[i] = letters[octet % (sizeof(letters) - 1)];
	}
	to[n] = 0;
}

/* A line from the terminal without showing it, or all of standard input without one newline at its end. */
static size_t read_password(char *to, size_t cap)
{
	struct termios shown;
	bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &shown) == 0;
	if (terminal) {
		struct termios hidden = shown;
		hidden.c_lflag &= ~(tcflag_t)ECHO;
		fputs("Password: ", stderr);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	}
	size_t n = 0;
	for (int c = getchar(); c != EOF && n < cap && !(terminal && c == '\n'); c = getchar())
		to[n++] = (char)c;
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
		fputc('\n', stderr);
	}
	if (n && to[n - 1] == '\n')
		n -= n > 1 && to[n - 2] == '\r' ? 2 : 1;
	return n;
}

/* What a bind can carry: 1 to 64 octets without controls. */
static const char *problem_of(const char *password, size_t n)
{
	if (n == 0)
		return "there is no password on standard input";
	if (n > LIMIT_PASSWORD_BYTES)
		return "the password has more than 64 octets";
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)password[i] < 0x20 || password[i] == 0x7f)
			return "the password has a control character";
	return NULL;
}

static void print(const char *password, const char *hash, bool generated, bool json)
{
	if (json && generated)
		printf("{\"hash\":\"%s\",\"password\":\"%s\"}\n", hash, password);
	else if (json)
		printf("{\"hash\":\"%s\"}\n", hash);
	else
		printf("%s\n", hash);
	if (generated && !json)
		fprintf(stderr, "password: %s\n", password);
}

static int hash_and_print(char *password, size_t n, bool generated, bool json)
{
	const char *problem = problem_of(password, n);
	struct buf hash = BUF(400);
	if (problem)
		return failure("%s", problem);
	if (n > SPECIFIED_BYTES)
		fprintf(stderr, "smsbridge: %zu octets; a system that keeps to SMPP 3.4 sends no more than 8\n", n);
	password[n] = 0;
	net_password_hash(view_of(password, n), &hash);
	print(password, buf_cstr(&hash), generated, json);
	buf_free(&hash);
	return EXIT_OK;
}

int command_password(int argc, char **argv)
{
	const char *length = NULL;
	bool random = false;
	bool json = false;
	uint64_t n = SPECIFIED_BYTES;
	char password[LIMIT_PASSWORD_BYTES + 4];
	const struct option_row rows[] = {
	        {"generate", NULL, &random}, {"length", &length, NULL}, {"json", NULL, &json}, {0}};
	if (options_parse(argc, argv, rows, NULL, 0) < 0)
		return EXIT_USAGE;
	if (length && (!random || !parse_u64(view_str(length), LIMIT_PASSWORD_BYTES, &n) || n < SPECIFIED_BYTES))
		return usage_error("--length takes 8 to 64, with --generate");
	if (random)
		generate(password, (size_t)n);
	else
		n = read_password(password, sizeof(password) - 1);
	int result = hash_and_print(password, (size_t)n, random, json);
	explicit_bzero(password, sizeof(password));
	return result;
}
