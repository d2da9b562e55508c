#include "text_visit.h"

#include "base_utf8.h"
#include "text_keyword.h"
#include "text_typo.h"

#include <string.h>

#define WORDS_MAX 120 /* when folded: a row and its politeness */
#define MENDED_FROM 6
#define TWO_FROM 10
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum how { EXACT, MENDED, ALONE };

struct row {
	enum text_answer answer;
	enum how how;
	const char *word;
};

static const struct row rows[] = {
#define VISIT_WORD(answer, word, how) {ANSWER_##answer, how, word},
#include "visit_reply.def"
};

static const struct {
	unsigned number;
	const char *word;
} choices[] = {
#define VISIT_CHOICE(number, word) {number, word},
#include "visit_reply.def"
};

static const struct {
	enum text_answer answer;
	uint32_t first;
	uint32_t last;
} signs[] = {
#define VISIT_SIGN(answer, first, last, what) {ANSWER_##answer, first, last},
#include "visit_reply.def"
};

const char *text_answer_name(enum text_answer a)
{
	static const char *const names[] = {"", "confirmed", "reschedule_requested", "declined"};
	return (unsigned)a < COUNT(names) ? names[a] : "";
}

static const struct row *row_find(struct view words)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (text_keyword_is(words, rows[i].word))
			return &rows[i];
	return NULL;
}

static unsigned choice_find(struct view words)
{
	for (size_t i = 0; i < COUNT(choices); i++)
		if (text_keyword_is(words, choices[i].word))
			return choices[i].number;
	return 0;
}

/* One word that is nearly a row's. Each word ends with a blank. */
static const struct row *row_mend(struct view words)
{
	if (words.n <= MENDED_FROM || memchr(words.p, ' ', words.n - 1))
		return NULL;
	struct view word = view_of(words.p, words.n - 1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct view row = view_str(rows[i].word);
		unsigned allowed = row.n >= TWO_FROM ? 2 : 1;
		if (rows[i].how == MENDED && text_typo_distance(word, row) <= allowed)
			return &rows[i];
	}
	return NULL;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* "c 1", "c1", "2 confirm", "x both": an answer and which visit, in either order. */
static bool read_both(struct view words, struct text_visit *to)
{
	for (size_t at = 1; at < words.n; at++) {
		struct view left = view_of(words.p, at);
		struct view right = view_of(words.p + at, words.n - at);
		bool parted = words.p[at - 1] == ' ' || is_digit(words.p[at]);
		const struct row *r = parted ? row_find(left) : NULL;
		unsigned choice = r ? choice_find(right) : 0;
		if (!choice && parted && (r = row_find(right)))
			choice = choice_find(left);
		if (r && choice && r->how != ALONE) {
			*to = (struct text_visit){r->answer, choice};
			return true;
		}
	}
	return false;
}

static bool read_words(struct view words, bool whole, struct text_visit *to)
{
	const struct row *r = row_find(words);
	unsigned choice = r ? 0 : choice_find(words);
	if (r && r->how == ALONE && !whole)
		return false;
	if (r || choice) {
		*to = (struct text_visit){r ? r->answer : ANSWER_NONE, choice};
		return true;
	}
	return read_both(words, to);
}

/* Skin tones, the joiner's kin and blanks say nothing of their own. */
static bool is_silent(uint32_t c)
{
	return c <= ' ' || c == 0xFE0F || (c >= 0x1F3FB && c <= 0x1F3FF);
}

static enum text_answer sign_find(uint32_t c)
{
	for (size_t i = 0; i < COUNT(signs); i++)
		if (c >= signs[i].first && c <= signs[i].last)
			return signs[i].answer;
	return ANSWER_NONE;
}

static enum text_answer read_signs(struct view utf8)
{
	enum text_answer answer = ANSWER_NONE;
	for (size_t at = 0; at < utf8.n;) {
		uint32_t c;
		size_t n = utf8_get(utf8, at, &c);
		enum text_answer one = n ? sign_find(c) : ANSWER_NONE;
		if (n == 0 || (one == ANSWER_NONE && !is_silent(c)) || (one && answer && one != answer))
			return ANSWER_NONE;
		answer = one ? one : answer;
		at += n;
	}
	return answer;
}

struct text_visit text_visit_read(struct view words, struct view utf8)
{
	struct text_visit v = {.answer = ANSWER_NONE};
	const struct row *mended;
	if (words.n == 0)
		return (struct text_visit){.answer = read_signs(utf8)};
	if (words.n > WORDS_MAX)
		return v;
	/* Rows before politeness at each step: "ok" is a row, and politeness before another one. */
	const uint8_t *begin = words.p;
	while (words.n) {
		if (read_words(words, words.p == begin, &v))
			return v;
		if ((mended = row_mend(words)))
			return (struct text_visit){.answer = mended->answer};
		if (!text_keyword_polite(&words))
			break;
	}
	return v;
}
