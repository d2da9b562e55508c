#include "smpp_status.h"

#include <stdio.h>

struct status_row {
	const char *name;
	uint32_t code;
	enum smpp_class class;
	const char *sentence;
};

static const struct status_row rows[] = {
#define SMPP_STATUS(name, code, class, sentence) {"ESME_" #name, code, SMPP_CLASS_##class, sentence},
#include "smpp_status.def"
#undef SMPP_STATUS
};

static const struct status_row vendor = {"vendor", 0, SMPP_CLASS_TRANSIENT, "A code of the carrier's own."};
static const struct status_row unknown = {"unknown", 0, SMPP_CLASS_TRANSIENT, "A code that no specification has."};

static const struct status_row *row_of(uint32_t status)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].code == status)
			return &rows[i];
	return status >= 0x400 && status <= 0x4ff ? &vendor : &unknown;
}

const char *smpp_status_name(uint32_t status)
{
	return row_of(status)->name;
}

void smpp_status_text(uint32_t status, char *text_r, size_t cap)
{
	const struct status_row *row = row_of(status);
	if (row == &vendor || row == &unknown)
		snprintf(text_r, cap, "%s 0x%08x", row->name, status);
	else
		snprintf(text_r, cap, "%s", row->name);
}

enum smpp_class smpp_status_class(uint32_t status)
{
	return row_of(status)->class;
}

const char *smpp_status_sentence(uint32_t status)
{
	return row_of(status)->sentence;
}

const char *smpp_class_name(enum smpp_class c)
{
	static const char *const names[] = {
	        [SMPP_CLASS_OK] = "ok",
	        [SMPP_CLASS_THROTTLE] = "throttle",
	        [SMPP_CLASS_TRANSIENT] = "transient",
	        [SMPP_CLASS_SESSION] = "session",
	        [SMPP_CLASS_PERMANENT] = "permanent",
	};
	return c < sizeof names / sizeof names[0] ? names[c] : "unknown";
}
