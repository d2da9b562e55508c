#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_lint.h"
#include "seeded.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct policy_lint_facts plain = {
        .category = CATEGORY_appointment_reminder,
        .name = {(const uint8_t *)"Elm Street Clinic", 17},
        .phone = {(const uint8_t *)"(212) 555-0100", 14},
        .url = {(const uint8_t *)"https://www.elm.example/visit", 29},
        .link_domains = {(const uint8_t *)"elm.example portal.example", 26},
};

struct row {
	enum lint_rule rule; /* found, or in a near miss not found */
	const char *hit;
	const char *miss;
};

/* Each rule from both sides: the nearest text that it must find, and the nearest that it must not. */
static const struct row rows[] = {
        /* a reply that opts out, where something else is promised */
        {LINT_stop_word_reply, "Reply CANCEL to cancel", "Reply X if you need to cancel"},
        {LINT_stop_word_reply, "text END", "Class will end at 5. Text us"},
        {LINT_stop_word_reply, "Reply Confirm or Cancel", "Reply Confirm or Move"},
        {LINT_stop_word_reply, "Please reply with cancel.", "Please call to cancel."},
        {LINT_stop_word_reply, "Reply C to confirm, CANCEL to cancel", "Reply C to confirm, R to reschedule or cancel"},
        {LINT_stop_word_reply, "Reply YES to confirm or CANCEL", "Reply YES to confirm or call to cancel"},
        {LINT_stop_word_reply, "C=confirm CANCEL=cancel", "C=confirm X=cancel"},
        {LINT_stop_word_reply, "Reply YES, NO or QUIT", "Reply YES, NO or LATE"},
        {LINT_stop_word_reply, "Reply STOPALL to opt out", "Reply STOP to opt out"},
        {LINT_stop_word_reply, "Reply \"cancel\"", "Reply \"can't\""},
        {LINT_stop_word_reply, "Reply c\xc3\xa1ncel now", "Reply channel now"},
        {LINT_stop_word_reply, "Reply UNSUBSCRIBE", "Reply STOP to unsubscribe"},
        {LINT_stop_word_reply, "REPLY CONFIRM OR CANCEL", "REPLY C TO CONFIRM OR CALL TO CANCEL"},
        {LINT_stop_word_reply, "Responda CANCEL", "Responda C para confirmar"},
        {LINT_stop_word_reply, "Responda ALTO para cambiar", "Responda R para cambiar"},
        {LINT_stop_word_reply, "Conteste NO MAS", "Conteste NO"},
        {LINT_stop_word_reply, "Envie la palabra PARAR", "Envie la palabra VOY"},
        {LINT_stop_word_reply, "Reply to this message with CANCEL.", "Reply to this message to cancel."},
        {LINT_stop_word_reply, "Text back REVOKE", "Text back R"},
        {LINT_stop_word_reply, "Reply e.n.d", "Reply e-mail"},
        {LINT_stop_word_reply, "CONFIRM or CANCEL? Reply now", "Can you come or cancel? Reply C"},
        {LINT_stop_word_reply, "Responda CANCELAR para cambiar", "Llame para cancelar"},
        {LINT_stop_word_reply, "Reply Opt-Out", "Reply STOP to opt-out"},
        /* STOP with another meaning */
        {LINT_stop_as_answer, "Reply STOP to confirm", "Reply STOP to opt out"},
        {LINT_stop_as_answer, "Reply STOP to cancel", "Reply STOP to cancel texts"},
        {LINT_stop_as_answer, "Reply STOP to end your visit", "Reply STOP to end"},
        {LINT_stop_as_answer, "STOP=cannot come", "STOP=end"},
        {LINT_stop_as_answer, "Reply C to confirm, STOP to reschedule", "Reply C to confirm, STOP to end texts"},
        {LINT_stop_as_answer, "Reply STOP if you are late", "Reply STOP if you want no more texts"},
        {LINT_stop_as_answer, "Responda STOP para confirmar", "Responda STOP para no recibir mas mensajes"},
        {LINT_stop_as_answer, "Reply STOP here to confirm", "Reply STOP at any time to opt out"},
        {LINT_stop_as_answer, "Reply STOP to change", "Reply STOP or call to change"},
        {LINT_stop_as_answer, "Txt STOP 2 move", "Txt STOP 2 end"},
        {LINT_no_reply, "Do not reply to this text", "If you do not come, reply N"},
        {LINT_no_reply, "This inbox is unmonitored", "You are monitored"},
        {LINT_no_reply, "No responda a este mensaje", "No, responda C"},
        /* links */
        {LINT_link_shortener, "See https://bit.ly/3xY", "See https://elm.example/bit.ly"},
        {LINT_link_shortener, "See BIT.LY/3xY", "A bit. Lyon"},
        {LINT_link_shortener, "tinyurl.com/a", "We use tiny urls"},
        {LINT_link_shortener, "https://www.tinyurl.com/a", "https://www.elm.example/a"},
        {LINT_link_foreign, "See https://evil.example/a", "See https://elm.example/a"},
        {LINT_link_foreign, "See evil.com today", "See elm.example today"},
        {LINT_link_foreign, "See EVIL.Com", "See ELM.Example"},
        {LINT_link_foreign, "https://elm.example.evil.com/", "https://a.b.elm.example:8443/"},
        {LINT_link_foreign, "https://notelm.example", "https://not.elm.example"},
        {LINT_link_foreign, "Go to evil.me", "It is for you.Me too"},
        {LINT_link_foreign, "visit evil.health/x", "Mind your.Health is all"},
        {LINT_link_foreign, "http://localhost/x", "portal.example/x"},
        {LINT_link_foreign, "(evil.org)", "(elm.example)"},
        {LINT_link_foreign, "a,evil.net,b", "a.m. and p.m. and e.g. this"},
        {LINT_link_foreign, "link:www.evil.zz", "At 10.30. Bring 2.5 l"},
        {LINT_link_disguised, "https://elm.example@evil.com/", "https://elm.example/@evil.com"},
        {LINT_link_disguised, "https://user:pw@elm.example/", "https://elm.example:443/"},
        {LINT_link_disguised, "https://elm.example\\@evil.com", "https://elm.example/a"},
        {LINT_link_disguised, "https://192.0.2.1/a", "https://portal.example/192.0.2.1"},
        {LINT_link_disguised, "See \xd0\xb5lm.example", "See elm.example"},
        {LINT_link_disguised, "https://\xc3\xa9lm.example/", "https://elm.example/\xc3\xa9"},
        {LINT_link_disguised,
         "elm\xef\xbc\x8e"
         "example",
         "elm. example"},
        {LINT_link_disguised, "bit\xe2\x80\x8b.ly/a", "bit ly a"},
        {LINT_link_disguised, "https://xn--lm-bja.example", "https://elm.example/xn--a"},
        {LINT_link_disguised, "ftp://elm.example/a", "HTTPS://elm.example/a"},
        {LINT_link_disguised,
         "Ma\xc3\xb1"
         "ana.com",
         "Ma\xc3\xb1"
         "ana.Llame"},
        /* what is of another class */
        {LINT_promotional, "Get 20% off this week", "Exit 20 off the highway"},
        {LINT_promotional, "Free gift for you", "Feel free to call, or bring a friend"},
        {LINT_promotional, "Special offer!", "We can offer 9:00"},
        {LINT_promotional, "DISCOUNTS", "We discontinued it"},
        {LINT_promotional, "Teeth whitening on sale", "Si sale tarde, llame"},
        {LINT_promotional, "Save $20", "Save the date"},
        {LINT_promotional, "Descuento especial", "Lo que contamos"},
        {LINT_financial, "Please pay your bill", "Hello Bill Payne, Loan Saldana and Ana Pagonis"},
        {LINT_financial, "Your balance is past due", "Your baby is due. Balance is good"},
        {LINT_financial, "Bring $25", "Bring 25 pages"},
        {LINT_financial, "Copay at check-in", "Copy at check-in"},
        {LINT_financial, "Tiene una deuda", "Tiene una duda"},
        {LINT_survey, "Take our survey", "The surveyor comes"},
        {LINT_survey, "How was your visit?", "How is your visit going to be? Ask us"},
        {LINT_survey, "Rate us", "The rate of rain"},
        /* PHI */
        {LINT_phi_diagnosis, "About your diabetes", "About your diary"},
        {LINT_phi_diagnosis, "About your H.I.V. care", "Hi V, about your care"},
        {LINT_phi_diagnosis, "DIAGNOSIS inside", "Diagonal inside"},
        {LINT_phi_diagnosis, "su diagn\xc3\xb3stico", "su dia"},
        {LINT_phi_diagnosis, "Your stroke care", "A keystroke away"},
        {LINT_phi_diagnosis, "Parkinson's group", "Dr. Parkinson and Asma Khan"},
        {LINT_phi_specialty, "with the cardiologist", "with the card"},
        {LINT_phi_specialty, "in Oncology", "in Ontology"},
        {LINT_phi_specialty, "OB/GYN visit", "Object visit"},
        {LINT_phi_test, "Your blood test is Monday", "The contest is Monday"},
        {LINT_phi_test, "Your mammogram is Monday", "Your program is Monday"},
        {LINT_phi_test, "X-ray at 9", "Exit ray at 9"},
        {LINT_phi_test, "MRI at 9", "Mr I at 9"},
        {LINT_phi_test, "Your lab results are in", "Your labels are in"},
        {LINT_phi_birth_date, "DOB 3/4/1961", "Visit 3/4/2027"},
        {LINT_phi_birth_date, "Born 03-04-1961?", "Room 03-04-2026"},
        {LINT_phi_birth_date, "March 4th, 1961", "March 4th, 2027"},
        {LINT_phi_birth_date, "1961-03-04", "2026-03-04"},
        {LINT_phi_birth_date, "on 3/4/61", "on 3/4/26"},
        {LINT_phi_birth_date, "4 de marzo? marzo 4 1961", "marzo 4 a las 19:50"},
        {LINT_phi_phone, "Call 646-555-0100", "Call 212-555-0100"},
        {LINT_phi_phone, "Call (646) 555-0100", "Call +1 (212) 555-0100"},
        {LINT_phi_phone, "Call 16465550100", "Call 12125550100"},
        {LINT_phi_email, "Write to pat@mail.example", "Write to desk@elm.example"},
        {LINT_phi_email, "pat.doe@evil.com", "pat at evil"},
        {LINT_phi_ssn, "Your SSN ends in 6789", "Your sons 6789"},
        {LINT_phi_ssn, "123-45-6789", "123-456-789"},
        {LINT_phi_ssn, "123 45 6789 ok", "1123-45-6789"},
        {LINT_phi_record_number, "MRN 44", "MRS 44"},
        {LINT_phi_record_number, "Chart #44", "Chart of 44"},
        {LINT_phi_record_number, "Your medical record", "Your record is fine"},
        {LINT_phi_plan_number, "Member ID A12", "Bring your member card"},
        {LINT_phi_account, "Account no 7", "On account of rain"},
        {LINT_phi_account, "Card 4111 1111 1111 1111", "Card 4111 1111 1111 1112"},
        {LINT_phi_license, "License number 7", "License to drive"},
        {LINT_phi_vehicle, "Your license plate", "Your plate is ready"},
        {LINT_phi_device, "Serial number 9", "A serial at nine"},
        {LINT_phi_ip, "from 192.0.2.7", "from 192.0.2"},
        {LINT_phi_ip, "at 10.20.30.40", "at 10.20.30.400"},
        {LINT_phi_biometric, "Fingerprint check", "Finger food"},
        {LINT_phi_address, "at your address", "at our address"},
        {LINT_phi_other_number, "Case 123456789", "Code 12345678"},
        {LINT_phi_other_number, "Ref AB123456", "Ref 123456"},
};

static bool has(const struct lint_findings *r, enum lint_rule rule)
{
	for (unsigned i = 0; i < r->count; i++)
		if (r->finding[i].rule == rule)
			return true;
	return false;
}

/* covers: rule content, rule length */
static void each_rule_from_both_sides(void **state)
{
	(void)state;
	unsigned failed = 0;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct lint_findings r;
		policy_lint(&plain, view_str(rows[i].hit), &r);
		if (!has(&r, rows[i].rule) && ++failed)
			print_error("%s not found in: %s\n", policy_lint_code(rows[i].rule), rows[i].hit);
		policy_lint(&plain, view_str(rows[i].miss), &r);
		if (has(&r, rows[i].rule) && ++failed)
			print_error("%s found in: %s\n", policy_lint_code(rows[i].rule), rows[i].miss);
	}
	assert_int_equal(failed, 0);
}

/* A rule without a row in a table here is not tested. */
static void every_rule_has_a_row(void **state)
{
	(void)state;
	static const enum lint_rule elsewhere[] = {LINT_too_long,     LINT_name_missing,   LINT_contact_missing,
	                                           LINT_stop_missing, LINT_sensitive_name, LINT_program_word};
	for (unsigned rule = 0; rule < LINT_COUNT; rule++) {
		bool tested = false;
		for (size_t i = 0; i < COUNT(rows); i++)
			tested = tested || rows[i].rule == rule;
		for (size_t i = 0; i < COUNT(elsewhere); i++)
			tested = tested || elsewhere[i] == rule;
		if (!tested)
			fail_msg("%s has no row", policy_lint_code(rule));
		assert_true(*policy_lint_citation(rule) && *policy_lint_sentence(rule) &&
		            *policy_lint_suggestion(rule));
	}
}

struct clean {
	const char *text;
	enum category category;
};

/* Texts that clinics send, and that nothing may be found in. */
static const struct clean clean[] = {
        {"Elm Street Clinic: visit Tue Mar 3 at 2:30 PM. Reply C to confirm, R to reschedule. Questions? (212) "
         "555-0100. "
         "Reply STOP to opt out.",
         CATEGORY_appointment_reminder},
        {"ELM STREET CLINIC: VISIT TUE AT 2:30 PM. REPLY C TO CONFIRM. CALL 212-555-0100. REPLY STOP TO OPT OUT.",
         CATEGORY_appointment_reminder},
        {"Elm Street Clinic: see https://elm.example/prep before Monday. Txt STOP 2 end, HELP 4 help.",
         CATEGORY_appointment_reminder},
        {"Elm Street Clinic: su cita es el lun 2 mar. Responda C para confirmar. Llame al 212-555-0100. Responda STOP "
         "para no recibir mensajes.",
         CATEGORY_appointment_reminder},
        {"Elm Street Clinic: your lab results are ready. Call 212.555.0100. STOP=end", CATEGORY_lab_results},
        {"Elm Street Clinic: your prescription is ready. 1-212-555-0100. Text STOP to unsubscribe.",
         CATEGORY_prescription},
        {"Elm Street Clinic: before your surgery, no food after 10 PM. (212) 555-0100. Reply STOP to stop texts.",
         CATEGORY_pre_operative},
        {"Elm Street Clinic: your balance is ready to pay at https://elm.example/bill. Reply STOP to end texts.",
         CATEGORY_payment},
        {"Elm Street Clinic: how was your visit? Take our survey: elm.example/s. Reply STOP to opt out.",
         CATEGORY_survey},
        {"Elm Street Clinic: 20% off whitening! (212) 555-0100. Reply STOP to opt out.", CATEGORY_promotional},
};

static void a_clean_text_has_no_findings(void **state)
{
	(void)state;
	struct policy_lint_facts f = plain;
	f.require_identity = true;
	for (size_t i = 0; i < COUNT(clean); i++) {
		struct lint_findings r;
		f.category = clean[i].category;
		if (!policy_lint(&f, view_str(clean[i].text), &r) || r.count)
			fail_msg("%s in: %s", policy_lint_code(r.finding[0].rule), clean[i].text);
	}
}

/* What one class may say, another may not. */
static void a_class_may_say_what_it_is_about(void **state)
{
	(void)state;
	struct policy_lint_facts f = plain;
	for (size_t i = 0; i < COUNT(clean); i++) {
		struct lint_findings r;
		f.category = CATEGORY_wellness_checkup;
		bool special = clean[i].category != CATEGORY_appointment_reminder;
		assert_int_equal(policy_lint(&f, view_str(clean[i].text), &r), !special);
	}
}

struct missing {
	const char *text;
	const char *codes; /* exactly these, in their order */
};

static const struct missing missing[] = {
        {"Your visit is Monday.", "name_missing contact_missing stop_missing"},
        {"Elm Street Clinic: Monday.", "contact_missing stop_missing"},
        {"Elm St Clinic: Monday. 212-555-0100. Reply STOP to end.", "name_missing"},
        {"Elm-Street CLINIC, Monday. 212-555-0100. Reply STOP to end.", ""},
        {"Elm Street Clinic, 212-555-0101. Reply STOP to end.", "phi_phone contact_missing"},
        {"Elm Street Clinic, elm.example. We must STOP this bill.", "financial stop_missing"},
        {"Elm Street Clinic, elm.example. Reply stop to end.", "stop_missing"},
        {"Elm Street Clinic, elm.example. Do not reply STOP.", "no_reply stop_missing"},
        {"Elm Street Clinic, www.elm.example (STOP to end)", ""},
        {"Elm Street Clinic, desk@elm.example. Reply STOP.", "contact_missing"},
};

static void codes(const struct lint_findings *r, char *to, size_t cap)
{
	*to = 0;
	for (unsigned i = 0; i < r->count; i++)
		snprintf(to + strlen(to), cap - strlen(to), "%s%s", i ? " " : "", policy_lint_code(r->finding[i].rule));
}

static void who_sends_must_be_told(void **state)
{
	(void)state;
	char found[400];
	struct policy_lint_facts f = plain;
	f.require_identity = true;
	for (size_t i = 0; i < COUNT(missing); i++) {
		struct lint_findings r;
		policy_lint(&f, view_str(missing[i].text), &r);
		codes(&r, found, sizeof(found));
		assert_string_equal(found, missing[i].codes);
	}
	struct lint_findings r;
	f.category = CATEGORY_conversational_reply; /* a person's answer within a conversation */
	assert_true(policy_lint(&f, VIEW("Yes, Monday is fine."), &r));
	f.category = CATEGORY_appointment_reminder;
	f.require_identity = false;
	assert_true(policy_lint(&f, VIEW("Your visit is Monday."), &r));
}

static void a_name_of_a_specialty_is_the_practices_own(void **state)
{
	(void)state;
	struct lint_findings r;
	struct policy_lint_facts f = plain;
	f.require_identity = true;
	f.name = VIEW("Dr. Lee's Cardiology & Cancer Center");
	assert_true(
	        policy_lint(&f, VIEW("Dr. Lee's Cardiology & Cancer Center: Monday. 212-555-0100. Reply STOP."), &r));
	assert_int_equal(r.count, 0);
	assert_false(
	        policy_lint(&f, VIEW("Dr. Lee's Cardiology & Cancer Center: cancer. 212-555-0100. Reply STOP."), &r));
	f.phone = VIEW("555-0100");
	assert_true(policy_lint(&f, VIEW("Dr. Lee's Cardiology & Cancer Center: Monday. 555 0100. Reply STOP."), &r));
}

static void a_sensitive_practice_has_a_neutral_name(void **state)
{
	(void)state;
	char found[400];
	struct lint_findings r;
	struct policy_lint_facts f = plain;
	f.sensitive = true;
	f.require_identity = true;
	f.name = VIEW("Hope Recovery Center");
	f.display_name = VIEW("HRC Health");
	assert_true(policy_lint(&f, VIEW("HRC Health: you have a visit Monday. 212-555-0100. Reply STOP."), &r));
	policy_lint(&f, VIEW("Hope Recovery Center: visit Monday. 212-555-0100. Reply STOP."), &r);
	codes(&r, found, sizeof(found));
	assert_string_equal(found, "sensitive_name program_word name_missing");
	policy_lint(&f, VIEW("HRC Health: group session Monday. 212-555-0100. Reply STOP."), &r);
	assert_true(has(&r, LINT_program_word));
	f.sensitive = false;
	policy_lint(&f, VIEW("Recovery room, group session."), &r);
	assert_false(has(&r, LINT_program_word));
}

static void phi_warns_where_the_practice_says_so(void **state)
{
	(void)state;
	struct lint_findings r;
	struct policy_lint_facts f = plain;
	f.phi_warns = true;
	assert_true(policy_lint(&f, VIEW("About your diabetes and SSN"), &r));
	assert_int_equal(r.warnings, 2);
	assert_false(r.finding[0].refuses);
	assert_false(policy_lint(&f, VIEW("About your diabetes: bit.ly/x"), &r));
	assert_int_equal(r.refusals, 1);
	f.phi_warns = false;
	assert_false(policy_lint(&f, VIEW("About your diabetes and SSN"), &r));
	assert_int_equal(r.refusals, 2);
}

static void a_finding_has_its_place(void **state)
{
	(void)state;
	struct lint_findings r;
	policy_lint(&plain, VIEW("Se\xc3\xb1ora: see bit.ly/a, thanks"), &r);
	assert_int_equal(r.count, 1);
	assert_int_equal(r.finding[0].at, 13);
	assert_int_equal(r.finding[0].bytes, 8);
	assert_int_equal(r.finding[0].character, 12);
	assert_int_equal(r.finding[0].characters, 8);
	policy_lint(&plain, VIEW("S\xc3\xad: su diagn\xc3\xb3stico"), &r);
	assert_int_equal(r.finding[0].rule, LINT_phi_diagnosis);
	assert_int_equal(r.finding[0].character, 7);
	assert_int_equal(r.finding[0].characters, 11);
}

static void nothing_is_passed_over_in_a_long_text(void **state)
{
	(void)state;
	static char text[8192];
	struct lint_findings r;
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "a ", 2);
	text[2 * 256] = 0;
	assert_true(policy_lint(&plain, view_str(text), &r));
	text[2 * 256] = 'a';
	assert_false(policy_lint(&plain, view_str(text), &r));
	assert_true(has(&r, LINT_too_long));
	memset(text, 'a', 2048);
	text[2048] = 0;
	assert_true(policy_lint(&plain, view_str(text), &r));
	text[2048] = 'a';
	assert_false(policy_lint(&plain, view_str(text), &r));
	memset(text, 0, sizeof(text));
	for (unsigned i = 0; i < 40; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "bit.ly/a ");
	policy_lint(&plain, view_str(text), &r);
	assert_int_equal(r.count, LINT_FINDINGS_MAX);
	assert_int_equal(r.refusals, 40);
}

static const char *const pieces[] = {"Reply ", "STOP ",     "to ",       "CANCEL",      "bit.ly",   "://",
                                     "@",      ".",         "555-0100 ", "123-45-6789", "\xc3\xa9", "\xd0\xb5",
                                     "%",      "$",         "1961",      "march ",      "4 ",       "\xff",
                                     "\n",     "or ",       "www.",      "elm.example", "H.I.V.",   "Elm Street Clinic",
                                     "diabet", "192.0.2.1", "(212)",     "=",           ", "};

/* Any text is safe, places lie in it, and letters' case changes nothing but whether STOP is literal. */
static void random_texts_are_judged(void **state)
{
	(void)state;
	seeded_start("random_texts_are_judged");
	for (unsigned n = 0; n < 20000; n++) {
		char text[600] = "";
		for (int64_t k = seeded_between(0, 20); k > 0; k--)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s",
			         pieces[seeded_between(0, (int64_t)COUNT(pieces) - 1)]);
		struct lint_findings r;
		struct policy_lint_facts f = plain;
		f.require_identity = seeded_between(0, 1);
		f.sensitive = seeded_between(0, 1);
		bool ok = policy_lint(&f, view_str(text), &r);
		assert_int_equal(ok, r.refusals == 0);
		assert_true(r.count <= LINT_FINDINGS_MAX && r.count <= r.refusals + r.warnings);
		for (unsigned i = 0; i < r.count; i++)
			assert_true(r.finding[i].at + r.finding[i].bytes <= strlen(text) &&
			            r.finding[i].characters <= r.finding[i].bytes);
	}
}

/* Prints what a text costs; the claim calls this for each message. */
static void the_cost_of_a_text(void **state)
{
	(void)state;
	struct timespec a, b;
	struct lint_findings r;
	struct policy_lint_facts f = plain;
	const unsigned rounds = 2000;
	f.require_identity = true;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (unsigned i = 0; i < rounds; i++)
		assert_true(policy_lint(&f, view_str(clean[0].text), &r));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	int64_t ns = (b.tv_sec - a.tv_sec) * 1000000000LL + b.tv_nsec - a.tv_nsec;
	print_message("policy_lint: %lld ns a text of %zu octets\n", (long long)(ns / rounds), strlen(clean[0].text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_rule_from_both_sides),
	        cmocka_unit_test(every_rule_has_a_row),
	        cmocka_unit_test(a_clean_text_has_no_findings),
	        cmocka_unit_test(a_class_may_say_what_it_is_about),
	        cmocka_unit_test(who_sends_must_be_told),
	        cmocka_unit_test(a_name_of_a_specialty_is_the_practices_own),
	        cmocka_unit_test(a_sensitive_practice_has_a_neutral_name),
	        cmocka_unit_test(phi_warns_where_the_practice_says_so),
	        cmocka_unit_test(a_finding_has_its_place),
	        cmocka_unit_test(nothing_is_passed_over_in_a_long_text),
	        cmocka_unit_test(random_texts_are_judged),
	        cmocka_unit_test(the_cost_of_a_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
