#include "text_language.h"

#include "text_fold.h"

static const struct {
	const char *language;
	const char *word;
} rows[] = {
#define LANGUAGE_WORD(language, word) {language, word},
#include "language.def"
};

static const char *language_of(struct view word)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (view_eq(word, view_str(rows[i].word)))
			return rows[i].language;
	return NULL;
}

const char *text_language(struct view utf8)
{
	struct text_folded f;
	text_fold(utf8, &f);
	for (size_t at = 0, n; at < f.n; at += n + 1) {
		for (n = 0; at + n < f.n && f.text[at + n] != ' '; n++)
			;
		const char *language = language_of(view_of(f.text + at, n));
		if (language)
			return language;
	}
	return "en";
}
