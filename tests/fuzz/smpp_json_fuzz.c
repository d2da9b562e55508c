/* Whatever line `smsbridge pdu --encode` reads, it becomes octets that are framed, or an object that says what is
 * wrong; and octets that decode come back from their own JSON to the octet. */
#include "base_check.h"
#include "smpp_pdu.h"

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* src/app/app_pdu.h: nothing includes app. */
bool app_pdu_from_json(struct view line, struct buf *to);
void app_pdu_to_json(struct view octets, struct buf *to);

static void check_back(struct view octets)
{
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	struct buf json = BUF(LIMIT_PDU_LINE_BYTES), again = BUF(LIMIT_PDU_BYTES);
	check(smpp_frame_length(octets) == octets.n);
	app_pdu_to_json(octets, &json);
	check(json.n > 0 && !json.full);
	if (smpp_pdu_decode(octets, &pdu, &fault))
		check(app_pdu_from_json(buf_view(&json), &again) && view_eq(buf_view(&again), octets));
	buf_free(&json);
	buf_free(&again);
}

static void check_error(struct view json)
{
	json_t *root = json_loadb((const char *)json.p, json.n, JSON_REJECT_DUPLICATES, NULL);
	check(json_is_string(json_object_get(json_object_get(root, "error"), "sentence")));
	json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = BUF(LIMIT_PDU_BYTES);
	if (app_pdu_from_json(view_of(data, size), &out))
		check_back(buf_view(&out));
	else
		check_error(buf_view(&out));
	buf_free(&out);
	return 0;
}
