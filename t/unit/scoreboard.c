/*
 * The scoreboard as its writers and readers use it, also across a fork and
 * after a kill.
 */
#include "proc/scoreboard.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int
fresh(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < scoreboard_size(); i++) {
		slot_clear(scoreboard_slot(i), 0, (int)i);
		scoreboard_slot(i)->state = SLOT_FREE;
	}
	return 0;
}

static void
a_cleared_slot_has_nothing_in_hand(void **state)
{
	struct slot *s = scoreboard_slot(1);

	(void)state;
	slot_busy(s, "GET /", "r1");
	slot_idle(s);
	slot_clear(s, 2, 7);
	assert_int_equal(s->kind, 2);
	assert_int_equal(s->index, 7);
	assert_int_equal(s->state, SLOT_STARTING);
	assert_int_equal(s->requests, 0);
	assert_int_equal(s->busy_since_ms, 0);
	assert_true(s->beat_ms > 0);
	assert_string_equal(s->what, "");
	assert_string_equal(s->rid, "");
}

static void
busy_says_what_and_since_when(void **state)
{
	struct slot *s = scoreboard_slot(0);

	(void)state;
	slot_busy(s, "GET /api/jobs", "7f3a");
	assert_int_equal(s->state, SLOT_BUSY);
	assert_true(s->busy_since_ms > 0);
	assert_string_equal(s->what, "GET /api/jobs");
	assert_string_equal(s->rid, "7f3a");
}

static void
only_a_finished_request_counts(void **state)
{
	struct slot *s = scoreboard_slot(0);

	(void)state;
	slot_idle(s);
	assert_int_equal(s->requests, 0);
	slot_busy(s, "GET /", "r");
	assert_int_equal(s->requests, 0);
	slot_idle(s);
	slot_idle(s);
	assert_int_equal(s->requests, 1);
}

static void
idle_forgets_the_tenant(void **state)
{
	struct slot *s = scoreboard_slot(0);

	(void)state;
	slot_busy(s, "GET /", "r");
	s->tenant = 5;
	slot_idle(s);
	assert_int_equal(s->tenant, 0);
}

static void
long_texts_are_cut_and_ended(void **state)
{
	struct slot	*s = scoreboard_slot(0);
	char		 text[1000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	slot_busy(s, text, text);
	assert_int_equal(strlen(s->what), SCOREBOARD_WHAT_SIZE - 1);
	assert_int_equal(strlen(s->rid), SCOREBOARD_RID_SIZE - 1);
}

static void
control_bytes_become_question_marks(void **state)
{
	struct slot *s = scoreboard_slot(0);

	(void)state;
	slot_busy(s, "GET /\n\x1b[31m\x7f\xc3\xa4", NULL);
	assert_string_equal(s->what, "GET /??[31m?\xc3\xa4");
	assert_string_equal(s->rid, "");
}

static void
busy_is_counted_by_kind_and_tenant(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		slot_clear(scoreboard_slot(i), i == 3 ? 2 : 1, (int)i);
		slot_busy(scoreboard_slot(i), "GET /", "r");
		scoreboard_slot(i)->tenant = i == 0 ? 8 : 9;
	}
	assert_int_equal(scoreboard_busy_for(1, 9, UINT64_MAX), 2);
	assert_int_equal(scoreboard_busy_for(1, 8, UINT64_MAX), 1);
	assert_int_equal(scoreboard_busy_for(2, 9, UINT64_MAX), 1);
	assert_int_equal(scoreboard_busy_for(1, 7, UINT64_MAX), 0);
	assert_int_equal(scoreboard_busy_for(1, 9, ~UINT64_C(1)), 3);
	slot_idle(scoreboard_slot(1));
	assert_int_equal(scoreboard_busy_for(1, 9, UINT64_MAX), 1);
	assert_int_equal(scoreboard_busy_for(1, 0, 0), 2);	/* nobody's */
}

static void
what_a_killed_worker_had_in_hand_stays(void **state)
{
	struct slot	*s = scoreboard_slot(3);
	pid_t		 pid;
	int		 status;

	(void)state;
	slot_clear(s, 0, 3);
	if ((pid = fork()) == 0) {
		slot_busy(s, "POST /api/x", "dead");
		scoreboard_tally()->status[2]++;
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(s->state, SLOT_BUSY);
	assert_string_equal(s->what, "POST /api/x");
	assert_string_equal(s->rid, "dead");
	assert_int_equal(scoreboard_tally()->status[2], 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_cleared_slot_has_nothing_in_hand,
		    fresh),
		cmocka_unit_test_setup(busy_says_what_and_since_when, fresh),
		cmocka_unit_test_setup(only_a_finished_request_counts, fresh),
		cmocka_unit_test_setup(idle_forgets_the_tenant, fresh),
		cmocka_unit_test_setup(long_texts_are_cut_and_ended, fresh),
		cmocka_unit_test_setup(control_bytes_become_question_marks,
		    fresh),
		cmocka_unit_test_setup(busy_is_counted_by_kind_and_tenant,
		    fresh),
		cmocka_unit_test_setup(what_a_killed_worker_had_in_hand_stays,
		    fresh),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	scoreboard_init(8);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
