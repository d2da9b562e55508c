/* The main story, told against the running demonstration: each step does something through a real door (HTTPS, the
 * simulated carrier), waits for what must follow, and shows it from the database. The first thing that is not as told
 * ends the story with false. The rule clock is moved by the gateway's own configuration and SIGHUP. */
#include "app.h"
#include "app_demo.h"

#include "base_check.h"
#include "base_time.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS 15000

static bool failed(const char *what)
{
	printf("\n  FAILED: %s\n", what);
	return false;
}

static void title(int number, const char *text)
{
	printf("\n%d. %s\n", number, text);
	fflush(stdout);
}

/* Prints a query's result, indented by its own table. */
static void show(struct demo *d, const char *sql, const char *parameter)
{
	struct store_table *t = store_client_run(d->db, sql, &parameter, parameter != NULL);
	if (t)
		app_print_table(t, false);
	else
		printf("  %s\n", store_client_error(d->db));
	store_table_free(t);
	fflush(stdout);
}

/* Waits until a query that gives one boolean gives true. */
static bool wait_until(struct demo *d, const char *sql, const char *parameter)
{
	int64_t deadline_ms = time_mono_ms() + WAIT_MS;
	bool yes = false;
	while (!yes && time_mono_ms() < deadline_ms) {
		struct store_table *t = store_client_run(d->db, sql, &parameter, parameter != NULL);
		const char *cell = t && store_table_rows(t) ? store_table_cell(t, 0, 0) : NULL;
		yes = cell && *cell == 't';
		store_table_free(t);
		if (!yes)
			poll(NULL, 0, 25);
	}
	return yes;
}

/* Posts a message; its id goes to id. Returns the HTTP status. */
static int post(struct demo *d, const char *patient, const char *phone, const char *body, const char *more, char id[64])
{
	struct buf request = BUF(4096);
	struct buf answer = BUF(1 << 20);
	buf_printf(&request, "{\"patient\":\"%s\",\"phone\":\"%s\",\"body\":\"%s\"%s}", patient, phone, body, more);
	int status = caller_call(&d->api, "/v1/messages", buf_cstr(&request), &answer);
	const char *at = strstr(buf_cstr(&answer), "\"id\":\"");
	copy_view(id, 64, at ? view_of(at + 6, strcspn(at + 6, "\"")) : (struct view){0});
	printf("   POST /v1/messages -> %d %s\n", status, buf_cstr(&answer));
	buf_free(&request);
	buf_free(&answer);
	return status;
}

static const char timeline[] = "SELECT to_char(at AT TIME ZONE 'America/Chicago', 'Dy HH24:MI:SS') AS chicago, type, "
                               "coalesce(reason, '') AS reason"
                               " FROM smsbridge.event WHERE message_id = $1::uuid ORDER BY xact, id";

static bool has_status(struct demo *d, const char *id, const char *status)
{
	char sql[200];
	snprintf(sql, sizeof(sql), "SELECT status = '%s' FROM smsbridge.message WHERE id = $1::uuid", status);
	if (wait_until(d, sql, id)) {
		show(d, timeline, id);
		return true;
	}
	show(d, timeline, id);
	return failed(status);
}

static bool held_by(struct demo *d, const char *id, const char *reason)
{
	char sql[200];
	snprintf(sql, sizeof(sql),
	         "SELECT status = 'held' AND reason = '%s' FROM smsbridge.message WHERE id = $1::uuid", reason);
	if (!wait_until(d, sql, id))
		return failed(reason);
	show(d,
	     "SELECT m.status, m.reason, to_char(m.due_at AT TIME ZONE 'America/Chicago', 'Dy YYYY-MM-DD HH24:MI:SS')"
	     " AS goes_at_chicago, r.sentence FROM smsbridge.message m JOIN smsbridge.reason r ON r.code = m.reason"
	     " WHERE m.id = $1::uuid",
	     id);
	return true;
}

static bool clock_to(struct demo *d, const char *start)
{
	printf("   (the clock moves to %s)\n", start);
	return demo_set_clock(d, start, 1) || failed("the clock could not be moved");
}

/* --- chapters ------------------------------------------------------------------------------------------------------
 */

#define ANNA "+13125550101"
#define BEN "+13125550102"
#define CARA "+13125550103"
#define REMINDER "Elm Street Clinic: your visit is Tue 9:30, (312) 555-0100. Reply STOP to end."

static bool delivered(struct demo *d)
{
	char id[64];
	title(1, "Monday 10:00 in Chicago. A reminder is accepted by HTTPS, delivered, and its receipt recorded.");
	return (post(d, "anna", ANNA, REMINDER, "", id) == 202 || failed("not accepted")) &&
	       has_status(d, id, "delivered");
}

static bool too_long(struct demo *d)
{
	char id[64], body[162];
	memset(body, 'x', 161);
	body[161] = 0;
	title(2, "One of 161 characters is refused.");
	return post(d, "anna", ANNA, body, "", id) == 422 || failed("it was not refused");
}

static bool second_of_the_day(struct demo *d, char id[64])
{
	title(3, "The second message on a day is held.");
	return (post(d, "anna", ANNA, REMINDER, "", id) == 202 || failed("not accepted")) && held_by(d, id, "cap_day");
}

static bool at_night(struct demo *d)
{
	char id[64];
	title(4, "21:30 in Chicago. A reminder is held to 08:00, and goes then.");
	return clock_to(d, "2026-03-02T21:30:00-06:00") &&
	       (post(d, "ben", BEN, REMINDER, "", id) == 202 || failed("not accepted")) &&
	       held_by(d, id, "quiet_hours") && clock_to(d, "2026-03-03T07:59:58-06:00") &&
	       has_status(d, id, "delivered");
}

static bool fourth_of_the_week(struct demo *d, const char *second)
{
	char id[64];
	title(5, "Tuesday: Anna's held one goes. Wednesday: a third. Thursday: the fourth in a week is held.");
	return clock_to(d, "2026-03-03T10:00:05-06:00") && has_status(d, second, "delivered") &&
	       clock_to(d, "2026-03-04T11:00:00-06:00") && post(d, "anna", ANNA, REMINDER, "", id) == 202 &&
	       has_status(d, id, "delivered") && clock_to(d, "2026-03-05T12:00:00-06:00") &&
	       post(d, "anna", ANNA, REMINDER, "", id) == 202 && held_by(d, id, "cap_week");
}

static bool stop_wins(struct demo *d)
{
	char first[64], waits[64], next[64];
	title(6, "Cara gets a reminder; another waits for tomorrow. She texts \"Stop. Thank you!\".");
	if (post(d, "cara", CARA, REMINDER, "", first) != 202 || !has_status(d, first, "delivered") ||
	    post(d, "cara", CARA, REMINDER, ",\"send_at\":\"2026-03-06T09:00:00-06:00\"", waits) != 202)
		return failed("not accepted");
	demo_patient_texts(d, CARA, "Stop. Thank you!");
	if (!has_status(d, waits, "canceled"))
		return false;
	if (!wait_until(d,
	                "SELECT count(*) = 1 FROM smsbridge.message WHERE category = 'opt_out_confirmation' AND status "
	                "= 'delivered'",
	                NULL))
		return failed("the STOP was not answered");
	printf("   The one confirmation, and then the next send is blocked:\n");
	show(d, "SELECT body FROM smsbridge.message WHERE category = 'opt_out_confirmation'", NULL);
	return post(d, "cara", CARA, REMINDER, "", next) == 202 && has_status(d, next, "blocked");
}

static bool start_resumes(struct demo *d)
{
	char id[64];
	title(7, "She texts START; the next day a reminder goes again.");
	demo_patient_texts(d, CARA, "START");
	if (!wait_until(d,
	                "SELECT count(*) = 1 FROM smsbridge.message WHERE category = 'resume_confirmation' AND status "
	                "= 'delivered'",
	                NULL))
		return failed("START was not answered");
	return clock_to(d, "2026-03-06T13:00:00-06:00") && post(d, "cara", CARA, REMINDER, "", id) == 202 &&
	       has_status(d, id, "delivered");
}

static bool clinic_log_has(const struct demo *d, const char *text)
{
	char path[256];
	size_t n;
	int64_t deadline_ms = time_mono_ms() + WAIT_MS;
	bool found = false;
	snprintf(path, sizeof(path), "%s/clinic.log", d->dir);
	while (!found && time_mono_ms() < deadline_ms) {
		char *log = app_read_file(path, 1 << 20, &n);
		char *at = log ? strstr(log, text) : NULL;
		if (at) {
			char *from = at;
			while (from > log && from[-1] != '\n')
				from--;
			found = strncmp(from, "signature good:", 15) == 0;
			printf("   clinic.log: %.*s\n", (int)strcspn(from, "\n"), from);
		}
		free(log);
		if (!found)
			poll(NULL, 0, 50);
	}
	return found;
}

static bool question(struct demo *d)
{
	title(8, "A patient asks a question; it reaches the clinic's backend by signed webhook.");
	demo_patient_texts(d, BEN, "Can I bring my dog?");
	return clinic_log_has(d, "reply.received") || failed("no webhook with a good signature came");
}

static bool open_as_compliance(struct demo *d)
{
	char conninfo[300];
	struct buf error = BUF(1024);
	snprintf(conninfo, sizeof(conninfo), "host=%s user=smsbridge_compliance dbname=smsbridge", d->dir);
	store_client_close(d->db);
	d->db = store_client_open(conninfo, &error);
	bool ok = (d->db && store_client_script(d->db, "SET TimeZone = 'UTC'")) || failed(buf_cstr(&error));
	buf_free(&error);
	return ok;
}

static bool report(struct demo *d)
{
	title(9, "What compliance staff read (role smsbridge_compliance, schema report).");
	if (!open_as_compliance(d))
		return false;
	show(d,
	     "SELECT patient, status, coalesce(reason, '') AS reason, category, sent_at FROM report.messages ORDER BY "
	     "created_at, id",
	     NULL);
	show(d,
	     "SELECT day, accepted, held, blocked, sent, delivered, canceled, opt_outs, replies FROM report.daily "
	     "ORDER BY day",
	     NULL);
	printf("violations:\n");
	show(d, "SELECT * FROM report.violations", NULL);
	return wait_until(d, "SELECT count(*) = 0 FROM report.violations", NULL) || failed("there are violations");
}

bool story_play(struct demo *d)
{
	char second[64];
	bool ok = delivered(d) && too_long(d) && second_of_the_day(d, second) && at_night(d) &&
	          fourth_of_the_week(d, second) && stop_wins(d) && start_resumes(d) && question(d) && report(d);
	if (ok)
		printf("\nThe story is told: every step was as the rules say, and no rule was broken.\n");
	return ok;
}
