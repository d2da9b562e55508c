#include "policy_words.h"

#include "base_fold.h"
#include "base_utf8.h"

/* --- folding --------------------------------------------------------------------------------------------------- */

struct folding {
	struct policy_words *to;
	struct policy_word open; /* the word being written; n is 0 between words */
	uint8_t gap;
	bool small; /* a small letter is in the open word */
	unsigned capitals;
};

static bool is_small(uint32_t c)
{
	return c >= 'a' && c <= 'z';
}

static void end_word(struct folding *f)
{
	struct policy_words *w = f->to;
	if (f->open.n == 0)
		return;
	f->open.capitals = !f->small && f->capitals > 1;
	if (w->count < POLICY_WORDS_MAX)
		w->word[w->count++] = f->open;
	else
		w->too_long = true;
	f->open.n = 0;
	f->gap = 0;
}

static void begin_word(struct folding *f, size_t byte)
{
	f->open = (struct policy_word){.letters = (uint16_t)f->to->used, .byte = (uint16_t)byte, .gap = f->gap};
	f->small = false;
	f->capitals = 0;
}

static void add_letter(struct folding *f, char letter, uint32_t raw, size_t byte, size_t bytes)
{
	struct policy_words *w = f->to;
	if (f->open.n == 0)
		begin_word(f, byte);
	if (w->used == POLICY_WORDS_LETTERS) {
		w->too_long = true;
		return;
	}
	w->letter[w->used++] = letter;
	f->open.n++;
	f->open.bytes = (uint16_t)(byte + bytes - f->open.byte);
	f->capitals += raw >= 'A' && raw <= 'Z';
	f->small = f->small || is_small(raw);
	w->shouting = w->shouting && !is_small(raw);
}

static void add_sign(struct folding *f, const char *word, size_t byte)
{
	end_word(f);
	for (; *word; word++)
		add_letter(f, *word, 0, byte, 1);
	end_word(f);
}

static bool blank_at(struct view text, size_t at)
{
	return at >= text.n || text.p[at] == ' ' || text.p[at] == '\n' || text.p[at] == '"' || text.p[at] == ')';
}

/* What a character that is no letter says about the words on its two sides. */
static uint8_t gap_of(struct view text, size_t at, uint32_t c)
{
	if (c == '\n' || c == ';')
		return GAP_SENTENCE;
	if (c == '.' || c == '!' || c == '?')
		return blank_at(text, at + 1) ? GAP_SENTENCE : 0;
	if (c == ',')
		return GAP_LIST | GAP_COMMA;
	if (c == '/' || c == '|')
		return GAP_LIST;
	if (c == '=' || c == ':' || c == '>' || c == 0x2192)
		return GAP_EQUALS;
	if ((c == '-' && blank_at(text, at + 1)) || (c >= 0x2012 && c <= 0x2015))
		return GAP_EQUALS;
	return c == '"' || c == '(' || c == ')' || c == '[' || c == ']' || (c >= 0x2018 && c <= 0x201f) ? GAP_QUOTE : 0;
}

static void link_firsts(struct policy_words *w)
{
	for (unsigned i = 0; i < POLICY_WORDS_FIRSTS; i++)
		w->first[i] = POLICY_WORDS_NONE;
	for (unsigned i = w->count; i-- > 0;) {
		char c = w->letter[w->word[i].letters];
		unsigned at = c >= 'a' && c <= 'z'   ? (unsigned)(c - 'a')
		              : c >= '0' && c <= '9' ? 26u + (unsigned)(c - '0')
		                                     : 36;
		w->word[i].next = w->first[at];
		w->first[at] = (uint16_t)i;
	}
}

static void fold_one(struct folding *f, uint32_t c, size_t at, size_t bytes)
{
	char letter = fold_character(c);
	if (c == '%' || c == '$') {
		add_sign(f, c == '%' ? "percent" : "dollar", at);
	} else if (letter == ' ') {
		end_word(f);
		f->gap |= gap_of(f->to->text, at, c);
	} else if (letter) {
		add_letter(f, letter, c, at, bytes);
	} else {
		f->gap |= gap_of(f->to->text, at, c);
	}
}

void policy_words_fold(struct view text, struct policy_words *to)
{
	struct folding f = {.to = to};
	to->text = text;
	to->count = to->used = 0;
	to->too_long = text.n > UINT16_MAX;
	to->shouting = true;
	to->across = false;
	for (size_t at = 0; at < text.n && !to->too_long;) {
		uint32_t c = ' ';
		size_t n = utf8_get(text, at, &c);
		fold_one(&f, c, at, n ? n : 1);
		at += n ? n : 1;
	}
	end_word(&f);
	link_firsts(to);
}

/* --- matching -------------------------------------------------------------------------------------------------- */

static bool all_digits(const struct policy_words *w, const struct policy_word *word)
{
	for (unsigned k = 0; k < word->n; k++)
		if (w->letter[word->letters + k] < '0' || w->letter[word->letters + k] > '9')
			return false;
	return true;
}

/* Where a phrase stands while it is compared. */
struct match {
	const struct policy_words *w;
	unsigned start;
	unsigned word;
	unsigned at;   /* letters of the word that are compared */
	bool spelling; /* within a word of the phrase, words of the text ended: they must be single letters */
};

static bool parted(const struct match *m, const struct policy_word *word)
{
	return m->word > m->start && !m->w->across && (word->gap & (GAP_SENTENCE | GAP_COMMA));
}

/* Takes one letter of the phrase. */
static bool take(struct match *m, char c)
{
	const struct policy_word *word = &m->w->word[m->word];
	if (m->word >= m->w->count || (m->at == 0 && parted(m, word)))
		return false;
	if (word->masked || (m->spelling && word->n != 1) || m->w->letter[word->letters + m->at] != c)
		return false;
	if (++m->at == word->n) {
		m->spelling = true;
		m->at = 0;
		m->word++;
	}
	return true;
}

/* A word of the phrase goes on: what ended within it must have been a single letter. */
static bool spelled(const struct match *m)
{
	return m->at != 0 || !m->spelling || m->w->word[m->word - 1].n == 1;
}

static bool take_number(struct match *m)
{
	const struct policy_word *word = &m->w->word[m->word];
	if (m->at || m->word >= m->w->count || word->masked || !all_digits(m->w, word))
		return false;
	if (parted(m, word))
		return false;
	m->word++;
	return true;
}

unsigned policy_words_match(const struct policy_words *w, unsigned i, const char *phrase)
{
	struct match m = {.w = w, .start = i, .word = i};
	for (const char *c = phrase; *c; c++) {
		if (*c == '*')
			return m.word - i + (m.at ? 1 : 0);
		if (*c == ' ') {
			m.spelling = false;
			continue;
		}
		if (*c == '#' ? !take_number(&m) : !spelled(&m) || !take(&m, *c))
			return 0;
	}
	return m.at ? 0 : m.word - i;
}

/* The second letter tells most words from the phrase at once: the texts of a claim are looked through for every row. */
static bool may_match(const struct policy_words *w, unsigned i, const char *phrase)
{
	char second = phrase[1];
	return w->word[i].n < 2 || second <= ' ' || second == '*' || w->letter[w->word[i].letters + 1] == second;
}

static unsigned find_from(const struct policy_words *w, const char *phrase, unsigned i)
{
	for (; i != POLICY_WORDS_NONE; i = w->word[i].next)
		if (may_match(w, i, phrase) && policy_words_match(w, i, phrase))
			return i;
	return w->count;
}

static unsigned first_of(const struct policy_words *w, char c)
{
	return w->first[c >= 'a' && c <= 'z' ? c - 'a' : c >= '0' && c <= '9' ? 26 + c - '0' : 36];
}

unsigned policy_words_find(const struct policy_words *w, const char *phrase)
{
	if (*phrase == '#') {
		for (unsigned i = 0; i < w->count; i++)
			if (policy_words_match(w, i, phrase))
				return i;
		return w->count;
	}
	return find_from(w, phrase, first_of(w, *phrase));
}

unsigned policy_words_find_next(const struct policy_words *w, const char *phrase, unsigned i)
{
	if (*phrase != '#')
		return find_from(w, phrase, w->word[i].next);
	while (++i < w->count)
		if (policy_words_match(w, i, phrase))
			return i;
	return w->count;
}
