/* Patients as the practice knows them:
 *   api_patient.c       PUT, and the change of a phone
 *   api_patient_show.c  one with all that stands for and against texts, pages of them, timelines
 *   api_patient_fill.c  what a message leaves out of a patient who is known */
#ifndef API_PATIENT_H
#define API_PATIENT_H

#include "api_internal.h"

#include <jansson.h>

#define PATIENT_REF_BYTES (LIMIT_PATIENT_BYTES + 1)

/* The practice's reference in the path: 1 to 64 octets of printable UTF-8. False with 400 bad_ref answered. */
bool patient_ref_read(struct http_exchange *x, char to[PATIENT_REF_BYTES]);

/* Whether a message (as POST /v1/messages takes it) leaves the phone to the patient's row. */
bool patient_fill_wanted(const json_t *message);
/* read: false when the database did not answer. */
typedef void (*patient_fill_cb)(void *ctx, bool read);
/* Reads the row and puts phone, and what the message lacks of time_zone, zip, state and (with a template's name)
 * language into it. Without a row it stays as it is, and lacks its phone. message must live until cb, which is called
 * once, later; false, without it, when too many requests wait. */
bool patient_fill(struct api *a, struct pool *pool, const struct api_caller *who, json_t *message, patient_fill_cb cb,
                  void *ctx);

#endif
