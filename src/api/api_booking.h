/* An appointment on its way in: what PUT /v1/appointments/{ref} and POST .../status read of a request, the facts that
 * its reminders are planned by, and the reminders. api_appointment.c   the two requests: read, plan, store under the
 * recipients' locks, answer api_booking_read.c  the members of the request api_booking_plan.c  facts and appointment ->
 * reminders api_appointments.c  reading: one, and pages of them */
#ifndef API_BOOKING_H
#define API_BOOKING_H

#include "api_creation.h"
#include "api_etag.h"
#include "api_plan.h"

#define BOOKING_REF_BYTES (LIMIT_PATIENT_BYTES + 1) /* with its NUL */

struct booking {
	struct api *api;
	struct http_exchange *x;
	struct api_caller who;
	struct creation fields;          /* faults, and what a message has too: patient, phone, place, reference */
	struct etag_condition condition; /* of the request */
	char ref[BOOKING_REF_BYTES];
	json_t *request; /* of a PUT */
	json_t *row;     /* columns of smsbridge.appointment, as they shall be */
	bool status_given;
	bool phone_known;     /* the phone is the one that the patient's row had */
	const char *status;   /* POST .../status: what it shall be; NULL for a PUT */
	json_t *facts;        /* of appointment_facts.sql */
	char seen[40];        /* their md5 */
	int64_t now_us;       /* when they were read */
	char other_phone[24]; /* of the appointment as it is, when another; "" else */
	char other_patient[LIMIT_PATIENT_BYTES + 1];
	json_t *reminders;
	char did[16];
	unsigned attempts;
	bool found;
	int64_t version;
	struct buf body; /* the answer */
};

/* The members of b->request into b->row; faults are in b->fields. */
void booking_read(struct booking *b);
/* Whether there is a word of an appointment's status. */
bool booking_status_known(struct view word);

/* When the visit starts, of the row. */
int64_t booking_starts_us(const struct booking *b);
/* Plans the reminders of b->row by b->facts, into b->reminders; sets the row's plan. */
void booking_plan(struct booking *b);

#endif
