/* Message ids as carriers spell them: which form an id has, how the id of a receipt is that of an answer, and the
 * spelling that one takes in the other. SMPP 3.4 5.2.23 leaves ids to the message centre; trap 27. */
#ifndef SMPP_ID_H
#define SMPP_ID_H

#include "base_bytes.h"

enum smpp_id_form {
	SMPP_ID_NO_FORM, /* empty */
	SMPP_ID_DECIMAL, /* digits */
	SMPP_ID_HEX,     /* hexadecimal digits, a letter among them */
	SMPP_ID_UUID,    /* 8-4-4-4-12 hexadecimal digits */
	SMPP_ID_OPAQUE,  /* anything else */
	SMPP_ID_FORMS
};

enum smpp_id_relation {
	SMPP_ID_SAME,
	SMPP_ID_CASE,    /* but for the case of letters */
	SMPP_ID_ZEROS,   /* but for zeros before it, and case */
	SMPP_ID_DEC_HEX, /* decimal in the receipt, hexadecimal in the answer */
	SMPP_ID_HEX_DEC, /* hexadecimal in the receipt, decimal in the answer */
	SMPP_ID_SIGNED,  /* the receipt prints the answer's 32-bit number with a sign */
	SMPP_ID_OTHER,   /* none of these */
	SMPP_ID_RELATIONS
};

enum smpp_id_form smpp_id_form(struct view id);
const char *smpp_id_form_name(enum smpp_id_form f);         /* "decimal"; "none" when empty */
const char *smpp_id_relation_name(enum smpp_id_relation r); /* "dec_hex" */

/* How the id in a receipt is the one in an answer; the first that holds, in the order of the enum. */
enum smpp_id_relation smpp_id_relation(struct view receipt, struct view answer);

/* The spelling in the answer of the id of a receipt under DEC_HEX (lower case, no zeros before it) or HEX_DEC. False
 * when the id is no such number, or another relation: then the id as it is is the spelling. */
bool smpp_id_spell(enum smpp_id_relation r, struct view receipt, char to[24]);

#endif
