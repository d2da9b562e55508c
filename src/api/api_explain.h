/* A message's story in words that a receptionist understands. The command and the API tell it from here, so that both
 * say the same. */
#ifndef API_EXPLAIN_H
#define API_EXPLAIN_H

#include "base_bytes.h"

/* The columns of message_explain.sql. */
enum explain_column {
	EXPLAIN_ID,
	EXPLAIN_PRACTICE,
	EXPLAIN_LAST_FOUR,
	EXPLAIN_CLASS,       /* the class's sentence: "Reminds a patient of ..." */
	EXPLAIN_CLASS_BASIS, /* the least consent that it needs: "NONE", "IMPLIED", ...; "NOTICE": an answer of our own
	                      */
	EXPLAIN_STATUS,
	EXPLAIN_FINAL, /* "true" when the status is the last one */
	EXPLAIN_STATUS_SENTENCE,
	EXPLAIN_REASON,
	EXPLAIN_REASON_SENTENCE,
	EXPLAIN_CITATION,
	EXPLAIN_ZONE,
	EXPLAIN_ACCEPTED, /* "Monday, March 2, 2026 at 9:00 AM" in that zone; so the next ones */
	EXPLAIN_DUE,
	EXPLAIN_EXPIRES,
	EXPLAIN_SENT,
	EXPLAIN_ENDED,
	EXPLAIN_BASIS, /* "none", "implied", "express", "written" */
	EXPLAIN_ATTESTED,
	EXPLAIN_CAPTURED,
	EXPLAIN_METHOD,
	EXPLAIN_PACK,
	EXPLAIN_PACK_CITATION,
	EXPLAIN_NEXT, /* when it is judged again, as the database writes it */
	EXPLAIN_STEP, /* of the plan, when it is the reminder of a visit; so the next ones */
	EXPLAIN_VISIT,
	EXPLAIN_VISIT_AT, /* where the visit is */
	EXPLAIN_COLUMNS
};

/* The text of each column; NULL where the database has none. */
struct explain_facts {
	const char *cell[EXPLAIN_COLUMNS];
};

/* One paragraph: what it is, what became of it and why, by which rule and consent, and when it goes next. */
void explain_paragraph(const struct explain_facts *f, struct buf *to);
/* What the paragraph stands on: of the reason, else of the rule pack; "" when of neither. */
const char *explain_citation(const struct explain_facts *f);
/* {"id":...,"status":...,"reason":...,"explanation":...,"citation":...,"rule_pack":...,"next_at":...}, without the
 * closing brace. */
void explain_json(const struct explain_facts *f, struct buf *to);

#endif
