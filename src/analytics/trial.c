/* Asking the API about a token, no more often and no longer than is fair. */
#include "analytics/trial.h"

#include <stdbool.h>
#include <string.h>

#include "analytics/wb.h"
#include "core/arena.h"
#include "core/clock.h"
#include "core/conf.h"
#include "core/json.h"
#include "core/log.h"
#include "http/place.h"
#include "http/problem.h"
#include "http/refusal.h"
#include "http/req.h"
#include "http/resp.h"

/* Longer than the API ever asks for silence. */
#define EVER_MS		(7 * 24 * 3600 * INT64_C(1000))

/* What an HTTP header can carry as a token. */
int
trial_read(struct req *r, const struct json *body, struct trial *g)
{
	const char	*text = json_text(json_get(body, "token"));
	size_t		 n = text == NULL ? 0 : strlen(text);

	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~')
			n = 0;
	if (n == 0 || n > TOKEN_MAX)
		return problem_field(r, "token", "token must be the API's "
		    "token, without blanks, of at most %d bytes.", TOKEN_MAX);
	g->text = text;
	token_read(&g->says, r->arena, text);
	if (g->says.expires_s != -1 &&
	    g->says.expires_s * 1000 <= clock_wall_ms())
		return problem_token(r, PROBLEM_TOKEN_EXPIRED, "The token has "
		    "expired; make a new one.");
	return 0;
}

struct bytes
trial_hash(const unsigned char hash[SECRET_HASH_SIZE])
{
	return (struct bytes){ (const char *)hash, SECRET_HASH_SIZE };
}

void
trial_key_of_token(const char *token, unsigned char key[SECRET_HASH_SIZE])
{
	secret_hash("wbtoken", (struct bytes){ token, strlen(token) }, key);
}

void
trial_keys(struct trial *g, struct arena *a, struct bytes user)
{
	const char	*who = g->says.seller;

	if (who != NULL)
		secret_hash("wbseller", (struct bytes){ who, strlen(who) },
		    g->limit_key);
	else
		trial_key_of_token(g->text, g->limit_key);
	secret_login_hash(user, (struct bytes){ g->text, strlen(g->text) },
	    g->hash);
	g->sealed = secret_seal(a, (struct bytes){ g->text,
	    strlen(g->text) }, user);
}

static int
hold(struct req *r, int64_t ms)
{
	problem(r, PROBLEM_PARTNER_LIMITED, "The API's limit for this seller "
	    "leaves no call to try the token with; try again later.");
	resp_header(r, "Retry-After", arena_printf(r->arena, "%lld",
	    (long long)(ms + 999) / 1000));
	return r->status;
}

/*
 * The call to try a token with.  That for figures tells as well how much there
 * will be to do; but where there is one in half an hour the run needs it.
 */
static enum wb_method
method_of(const struct trial *g)
{
	return strcmp(g->says.kind, "base") == 0 ||
	    strcmp(g->says.kind, "unknown") == 0 ? WB_HISTORY : WB_FUNNEL;
}

/*
 * A call that only a good token of this category can make.  Of a product that is
 * nobody's the API may make a bad request, in its own words: it has read the token
 * by then.
 */
static struct wb_answer
try(struct req *r, const struct trial *g, struct upstream_call *call)
{
	enum wb_method	 method = method_of(g);
	struct wb_answer answer;
	char		 today[CLOCK_ISO_SIZE];
	struct wb_period period;

	/* Yesterday at the latest: also where Moscow's day has not begun. */
	clock_iso(clock_wall_ms() - 2 * 24 * 3600 * INT64_C(1000), today);
	today[10] = '\0';
	period = (struct wb_period){ today, today };
	if (method == WB_HISTORY)
		wb_history(call, r->arena, r->conf, g->text, &period);
	else
		wb_funnel(call, r->arena, r->conf, g->text, &period, NULL, 0,
		    WB_FUNNEL_MAX, 0);
	if (call->deadline_ms > r->deadline_ms)
		call->deadline_ms = r->deadline_ms;
	upstream_fanout(r->upstream, call, 1, 1);
	answer = wb_read(call, method, r->arena);
	if (method == WB_HISTORY && answer.says == WB_BAD_REQUEST &&
	    answer.detailed)
		answer.says = WB_OK;
	return answer;
}

/* Whose tries count together: no login has this name (0014_analytics.sql). */
static struct bytes
tries_of(struct req *r)
{
	const char	*name = arena_printf(r->arena, ":wbtry:%s",
			    r->operator);

	return (struct bytes){ name, strlen(name) };
}

static void
hash_try(struct req *r, const struct trial *g,
    unsigned char hash[SECRET_HASH_SIZE])
{
	secret_login_hash(tries_of(r), (struct bytes){ g->text,
	    strlen(g->text) }, hash);
}

static int
refuse(struct req *r, const struct trial *g, const struct wb_answer *answer)
{
	unsigned char	 hash[SECRET_HASH_SIZE];

	log_warn("seller: token not taken", F_STR("why", answer->why));
	if (answer->says != WB_BAD_TOKEN && answer->says != WB_NO_ACCESS)
		return problem(r, wb_problem(answer->says), "The API could "
		    "not be asked about the token: %s.", answer->why);
	hash_try(r, g, hash);
	if (refusal_note(r->db, r->arena, tries_of(r), hash,
	    r->address != NULL ? r->address : "") == -1)
		return problem_database(r);
	if (wb_names_category(answer))
		return problem_token(r, PROBLEM_TOKEN_WRONG_CATEGORY,
		    "The token is not for analytics: %s.", answer->why);
	if (answer->says == WB_NO_ACCESS)
		return problem_token(r, PROBLEM_TOKEN_NO_ACCESS,
		    "The token may not read analytics: %s.", answer->why);
	return problem_token(r, PROBLEM_TOKEN_REFUSED,
	    "The API does not accept the token: %s.", answer->why);
}

/* 0 when the API may be asked about this token by this operator. */
static int
check_refusals(struct req *r, const struct trial *g)
{
	unsigned char	 hash[SECRET_HASH_SIZE];

	hash_try(r, g, hash);
	switch (refusal_look(r, tries_of(r), hash)) {
	case REFUSAL_NONE:
		return 0;
	case REFUSAL_KNOWN:
		return problem_token(r, PROBLEM_TOKEN_JUST_REFUSED,
		    "The API has just refused this token.");
	case REFUSAL_OFTEN:
		return refusal_often(r, "tokens");
	default:
		return problem_database(r);
	}
}

/*
 * A token may say itself whose it is.  Until the API has taken it that may be
 * anybody's, whose budget it must not touch: this operator's tries of it have
 * one of their own.  own: the key of the seller that it is for, or empty.
 */
static void
key_of_try(struct req *r, const struct trial *g, struct bytes own,
    unsigned char key[SECRET_HASH_SIZE])
{
	const char	*who;

	memcpy(key, g->limit_key, SECRET_HASH_SIZE);
	if (g->says.seller == NULL || (own.len == SECRET_HASH_SIZE &&
	    memcmp(own.p, key, own.len) == 0))
		return;
	who = arena_printf(r->arena, "%zu:%s%s", strlen(r->operator),
	    r->operator, g->says.seller);
	secret_hash("wbtry", (struct bytes){ who, strlen(who) }, key);
}

/* 0 when this operator may hold a worker for as long as the API likes. */
static int
take_place(struct req *r)
{
	unsigned char	 hash[SECRET_HASH_SIZE];
	uint64_t	 who;

	secret_hash("operator", (struct bytes){ r->operator,
	    strlen(r->operator) }, hash);
	memcpy(&who, hash, sizeof(who));
	return place_take(r, PLACE_TOKEN, who);
}

/* One call out of the budget of this key: 0, or the status of the answer. */
static int
take_call(struct req *r, const struct trial *g, struct bytes key)
{
	struct budget		 budget = wb_budget(r->conf, method_of(g),
				    g->says.kind, key);
	struct budget_wish	 wish = { .n = 1, .urgent = true };
	struct budget_grant	 grant;

	/* Who pastes another token need not wait; runs never use it. */
	if (method_of(g) == WB_FUNNEL)
		budget.burst = WB_BURST;
	if (budget_take(r->db, r->arena, &budget, &wish, &grant) == -1)
		return problem_database(r);
	return grant.n > 0 ? 0 : hold(r, grant.next_ms);
}

/*
 * While the API is to be left alone by the seller that the token names, the try
 * has to wait as well.  This only looks: whoever makes up a token takes nothing.
 */
static int
check_block(struct req *r, const struct trial *g)
{
	struct budget		 budget = wb_budget(r->conf, method_of(g),
				    g->says.kind, trial_hash(g->limit_key));
	struct budget_wish	 wish = { .n = 1 };
	struct budget_grant	 grant;

	budget.rate = 0;
	if (budget_take(r->db, r->arena, &budget, &wish, &grant) == -1)
		return problem_database(r);
	return grant.n > 0 ? 0 : hold(r, grant.next_ms);
}

/* The try was that seller's call, whether its budget had one left or not. */
static int
count_call(struct req *r, const struct trial *g)
{
	struct budget		 budget = wb_budget(r->conf, method_of(g),
				    g->says.kind, trial_hash(g->limit_key));
	struct budget_wish	 wish = { .n = 1, .wait_max_ms = EVER_MS };
	struct budget_grant	 grant;

	return budget_take(r->db, r->arena, &budget, &wish, &grant) == -1 ?
	    problem_database(r) : 0;
}

/* One that was long on its way holds back the next, as a run's does. */
static int
postpone(struct req *r, const struct trial *g, struct bytes key,
    int64_t asked_ms, const struct upstream_call *call)
{
	struct budget		 budget = wb_budget(r->conf, method_of(g),
				    g->says.kind, key);
	int64_t			 ms = wb_late_ms(&budget, asked_ms, call);

	return ms <= 0 ? 0 : budget_postpone(r->db, r->arena, &budget, ms);
}

/* What the API has said of the token. */
static int
judge(struct req *r, struct trial *g, struct bytes key,
    const struct upstream_call *call, const struct wb_answer *answer)
{
	struct budget		 budget = wb_budget(r->conf, method_of(g),
				    g->says.kind, key);
	int64_t			 ms = 0;

	if (answer->says == WB_OK) {
		g->listed = method_of(g) == WB_FUNNEL ?
		    (int64_t)json_count(answer->rows) : -1;
		return memcmp(key.p, g->limit_key, key.len) == 0 ? 0 :
		    count_call(r, g);
	}
	if (answer->says == WB_LIMITED)
		ms = wb_silence_ms(call, answer->says, 1, budget.per_ms);
	budget.burst = 0;	/* after a 429: exactly when it says */
	if (ms > 0 && budget_block(r->db, r->arena, &budget, ms) == -1)
		return problem_database(r);
	return ms > 0 ? hold(r, ms) : refuse(r, g, answer);
}

/* The seller's budget counts too: its new token is one of the same seller's. */
int
trial_check(struct req *r, struct trial *g, struct bytes own)
{
	unsigned char		 key[SECRET_HASH_SIZE];
	struct upstream_call	 call = { 0 };
	struct wb_answer	 answer;
	int64_t			 asked_ms;
	bool			 two;
	int			 status;

	key_of_try(r, g, own, key);
	two = own.len == sizeof(key) && memcmp(own.p, key, own.len) != 0;
	if ((status = take_place(r)) != 0 ||
	    (status = check_refusals(r, g)) != 0 ||
	    (status = check_block(r, g)) != 0)
		return status;
	asked_ms = clock_mono_ms();
	if ((two && (status = take_call(r, g, own)) != 0) ||
	    (status = take_call(r, g, trial_hash(key))) != 0)
		return status;
	answer = try(r, g, &call);
	/* What the API has said counts, also when this cannot be kept. */
	if ((two && postpone(r, g, own, asked_ms, &call) == -1) ||
	    postpone(r, g, trial_hash(key), asked_ms, &call) == -1)
		log_warn("analytics: late call not reckoned with");
	return judge(r, g, trial_hash(key), &call, &answer);
}
