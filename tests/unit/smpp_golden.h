/* Reads the golden pages: octets behind ```hex FLAGS, the page of them behind ```page, under a title each. */
#ifndef SMPP_GOLDEN_H
#define SMPP_GOLDEN_H

#include "smpp_pdu.h"

#include <dirent.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define GOLDEN_FOLDER TEST_SOURCE_DIR "/tests/golden/smpp"

struct golden {
	const char *file;
	char title[200];
	char flags[40]; /* behind "hex" */
	struct buf octets;
	struct buf page;
};

typedef void golden_fn(const struct golden *g);

static inline void golden_add_hex(struct golden *g, const char *line)
{
	size_t n = strcspn(line, "\n") / 2;
	uint8_t *to = buf_room(&g->octets, n);
	assert_non_null(to);
	assert_true(hex_decode(view_of(line, 2 * n), to, n));
	g->octets.n += n;
}

enum golden_part { GOLDEN_PROSE, GOLDEN_HEX, GOLDEN_PAGE };

/* A line of prose; returns the part that the next line is in. */
static inline enum golden_part golden_prose(struct golden *g, const char *line)
{
	if (strncmp(line, "## ", 3) == 0)
		copy_view(g->title, sizeof g->title, view_of(line + 3, strcspn(line + 3, "\n")));
	if (strncmp(line, "```hex", 6) == 0) {
		copy_str(g->flags, sizeof g->flags, line + 6);
		buf_clear(&g->octets);
		return GOLDEN_HEX;
	}
	if (strncmp(line, "```page", 7) == 0) {
		buf_clear(&g->page);
		return GOLDEN_PAGE;
	}
	return GOLDEN_PROSE;
}

static inline enum golden_part golden_line(struct golden *g, enum golden_part in, const char *line, golden_fn *check_cb)
{
	bool fence = strncmp(line, "```", 3) == 0;
	if (in == GOLDEN_PROSE)
		return golden_prose(g, line);
	if (in == GOLDEN_PAGE && fence)
		check_cb(g);
	if (fence)
		return GOLDEN_PROSE;
	if (in == GOLDEN_HEX)
		golden_add_hex(g, line);
	else
		buf_add_str(&g->page, line);
	return in;
}

static inline void golden_file(const char *name, golden_fn *check_cb)
{
	char path[512];
	char line[4096];
	struct golden g = {.file = name, .octets = BUF(LIMIT_PDU_BYTES), .page = BUF(1 << 20)};
	snprintf(path, sizeof path, "%s/%s", GOLDEN_FOLDER, name);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	enum golden_part in = GOLDEN_PROSE;
	while (fgets(line, sizeof line, file))
		in = golden_line(&g, in, line, check_cb);
	assert_int_equal(in, GOLDEN_PROSE);
	fclose(file);
	buf_free(&g.octets);
	buf_free(&g.page);
}

/* Calls check_cb for every example of every page. */
static inline void golden_each(golden_fn *check_cb)
{
	DIR *folder = opendir(GOLDEN_FOLDER);
	assert_non_null(folder);
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
		if (strstr(entry->d_name, ".md"))
			golden_file(entry->d_name, check_cb);
	closedir(folder);
}

#endif
