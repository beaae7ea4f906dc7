/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The T=1 engine against the simulated card, over a line that damages, loses, repeats and delays blocks. Whatever the line
 * does:
 *
 *  - an answer that the engine delivers is the one that the application gave to this very command;
 *  - a command reaches the application whole, and at most once;
 *  - every exchange ends within a bound of blocks;
 *  - after an error, a command over a quiet line works, unless the connection is dead: then a reset revives it.
 *
 * A delayed block comes one step late, one at a time, for both directions together: a sequence number of one bit (11.3.2.2)
 * cannot tell more apart, nor does a reader hold back more than the block that came after its time-out.
 *
 * Arguments: number of exchanges, seed.
 */
#include "tpdu/t1.h"
#include "check.h"

#include "card_t1.h"

enum { EXCHANGES = 20000, QUIET = 0, ID_LEN = 4, CANARY = 16 };

/* What the line does to a block. */
enum trouble { NONE, DAMAGE, LOSS, REPEAT, DELAY, TROUBLES };

struct held {
	uint8_t bytes[SIM_T1_BLOCK_MAX + 8];
	size_t len;
};

struct world {
	uint32_t seed;
	struct t1 t1;
	struct sim_t1 card;
	bool crc;
	uint8_t ifsd; /* announced after each reset; 0: not */

	unsigned rate;            /* one block in so many has trouble; QUIET: none */
	struct held before[2];    /* the last block of host and card, to be repeated */
	struct held late;         /* the one that is delayed ... */
	int late_from;            /* ... sent by the host (0), the card (1); -1: none */
	unsigned failed_transfer; /* one block in so many is cut by the reader */

	/* the command that is out */
	uint32_t id;
	uint8_t *command, *given, *got;
	size_t command_len, given_len, cap;
	unsigned runs; /* that reached the application */

	unsigned long done, failed, dead, blocks, troubles[TROUBLES], executed;
};

static struct world w;
static char name[64]; /* of the exchange, for messages */

static uint32_t random_below(uint32_t n)
{
	return check_random(&w.seed) % n;
}

/* ---- the application ----------------------------------------------------------------------------------------------- */

static size_t random_length(size_t most)
{
	switch (random_below(64)) {
	case 0: return 1 + random_below(random_below(8) ? 2000 : (uint32_t)most);
	case 1:
	case 2:
	case 3: return 1 + random_below(600);
	default: return 1 + random_below(40);
	}
}

static void run(void *arg, const uint8_t *apdu, size_t len, struct sim_t1_answer *answer)
{
	(void)arg;
	w.runs++;
	w.executed++;
	CHECK_BYTES(name, apdu, len, w.command, w.command_len);
	CHECK_INT(name, w.runs, 1);
	*answer = (struct sim_t1_answer){
		.data = w.given,
		.len = w.given_len,
		.waits = random_below(8) ? 0 : random_below(4),
	};
}

/* A new command and its answer; both carry its number, so that none looks like another. */
static void new_command(void)
{
	w.id++;
	w.command_len = ID_LEN + random_length(SIM_T1_APDU_MAX - ID_LEN);
	w.given_len = ID_LEN + random_length(SIM_T1_ANSWER_MAX - ID_LEN);
	for (size_t i = ID_LEN; i < w.command_len; i++)
		w.command[i] = (uint8_t)(w.id + i * 7 + (i >> 8));
	for (size_t i = ID_LEN; i < w.given_len; i++)
		w.given[i] = (uint8_t)(w.id + i * 11 + (i >> 8));
	memcpy(w.command, &w.id, ID_LEN);
	memcpy(w.given, &w.id, ID_LEN);
	w.runs = 0;
	w.cap = random_below(50) ? w.given_len + random_below(CANARY) : random_below((uint32_t)w.given_len);
	snprintf(name, sizeof name, "seed %u, command %u", (unsigned)w.seed, (unsigned)w.id);
}

/* ---- the line ------------------------------------------------------------------------------------------------------ */

/* Damage that an EDC must find: one byte changes, bytes are missing, bytes are added; or noise that is no block. */
static void damage(struct held *b)
{
	const uint32_t how = random_below(8);

	if (how == 0) {
		b->len = random_below((uint32_t)b->len);
	} else if (how == 1) {
		b->bytes[b->len++] = (uint8_t)check_random(&w.seed);
	} else if (how == 2) {
		b->len = random_below(12);
		for (size_t i = 0; i < b->len; i++)
			b->bytes[i] = (uint8_t)check_random(&w.seed);
		if (b->len && sim_t1_sealed(b->bytes, b->len, w.crc))
			b->bytes[0] ^= 1;
	} else {
		b->bytes[random_below((uint32_t)b->len)] ^= (uint8_t)(1 + random_below(255));
	}
}

static void late_block(struct held *b, int from)
{
	const struct held now = *b;

	*b = w.late_from == from ? w.late : (struct held){ .len = 0 };
	if (w.late_from < 0)
		w.late_from = from;
	w.late = now;
}

/* A block goes over the line, from the host (0) or the card (1); len 0 afterwards: nothing arrives. */
static void line(struct held *b, int from)
{
	const struct held sent = *b;
	enum trouble t = NONE;

	if (w.rate != QUIET && random_below(w.rate) == 0)
		t = (enum trouble)(1 + random_below(TROUBLES - 1));
	if (w.late_from == from && t == NONE && random_below(2))
		t = DELAY; /* it stays one step behind for a while */
	if (t == DELAY && w.late_from >= 0 && w.late_from != from)
		t = LOSS;
	w.troubles[t]++;
	if (t == DELAY) {
		late_block(b, from);
	} else {
		if (w.late_from == from)
			w.late_from = -1;
		if (t == DAMAGE && b->len)
			damage(b);
		else if (t == LOSS)
			b->len = 0;
		else if (t == REPEAT)
			*b = w.before[from];
	}
	w.before[from] = sent;
}

static bool cut_by_reader(void)
{
	return w.failed_transfer && random_below(w.failed_transfer) == 0;
}

/* One block there, one back, or none. */
static void exchange_block(const uint8_t *bytes, size_t len)
{
	struct held to = { .len = len }, back = { .len = 0 };
	struct reply reply = { .kind = REPLY_BLOCK };

	if (cut_by_reader() && random_below(2)) { /* the card never sees the block */
		t1_feed(&w.t1, &(const struct reply){ .kind = REPLY_NOT_SENT, .err = OC_E_PROTOCOL });
		return;
	}
	memcpy(to.bytes, bytes, len);
	line(&to, 0);
	if (to.len)
		back.len = sim_t1_block(&w.card, to.bytes, to.len, back.bytes);
	if (back.len || w.late_from == 1)
		line(&back, 1);
	reply.data = back.bytes;
	reply.len = back.len;
	if (back.len == 0)
		reply = (struct reply){ .kind = REPLY_SILENT, .err = OC_E_MUTE };
	else if (w.rate != QUIET && random_below(w.rate * 8) == 0)
		reply = (struct reply){ .kind = REPLY_DAMAGED, .err = OC_E_CARD };
	if (cut_by_reader())
		reply = (struct reply){ .kind = REPLY_FAILED, .err = OC_E_IO };
	t1_feed(&w.t1, &reply);
}

static void forget_blocks(void)
{
	w.late_from = -1;
	w.before[0].len = w.before[1].len = 0;
}

static void quiet_line(void)
{
	w.rate = QUIET;
	w.failed_transfer = 0;
	forget_blocks();
}

/* ---- exchanges ----------------------------------------------------------------------------------------------------- */

/* Blocks that a patient engine may need: each piece some ten times, as the budgets allow. */
static unsigned long most_blocks(void)
{
	size_t take = w.card.options.piece ? w.card.options.piece : 254, give = w.card.options.ifsc;

	if (w.card.options.ifs_every) {
		for (unsigned i = 0; i < 2; i++)
			give = w.card.options.ifs_next[i] < give ? w.card.options.ifs_next[i] : give;
	}
	take = take < 32 ? take : 32;
	take = w.ifsd && w.ifsd < take ? w.ifsd : take;
	return 1000 + 40 * (w.command_len / give + w.given_len / take);
}

/* Run what was begun to its end. */
static enum step run_to_end(void)
{
	const unsigned long most = most_blocks();
	uint8_t out[T1_BLOCK_MAX];
	struct block block;
	enum step step;

	for (unsigned long n = 0; (step = t1_next(&w.t1, out, &block)) == STEP_SEND; n++) {
		if (n > most) {
			CHECK(name, n <= most);
			check_done();
		}
		w.blocks++;
		exchange_block(out, block.len);
	}
	return step;
}

/* A refusal is no error; what else fails leaves a connection that the next command has to find in order. */
static void announce_ifsd(void)
{
	if (w.ifsd == 0 || t1_begin_ifsd(&w.t1, w.ifsd) != OC_OK)
		return;
	w.command_len = w.given_len = w.cap = 0;
	snprintf(name, sizeof name, "seed %u, IFSD %u", (unsigned)w.seed, w.ifsd);
	run_to_end();
}

static void check_canaries(void)
{
	for (size_t i = w.cap; i < w.cap + CANARY; i++)
		if (w.got[i] != 0xEE) {
			CHECK_INT(name, w.got[i], 0xEE);
			return;
		}
}

/* One command; true: it was answered. */
static bool exchange(void)
{
	enum step step;

	if (w.t1.renew_ifsd)
		announce_ifsd();
	new_command();
	memset(w.got + w.cap, 0xEE, CANARY);
	if (t1_begin(&w.t1, w.command, w.command_len, w.got, w.cap) != OC_OK) {
		CHECK(name, w.t1.dead);
		return false;
	}
	step = run_to_end();
	check_canaries();
	if (step != STEP_DONE) {
		CHECK(name, w.t1.err != OC_OK);
		w.failed++;
		return false;
	}
	CHECK_INT(name, w.runs, 1);
	CHECK_BYTES(name, w.got, w.t1.len, w.given, w.given_len);
	w.done++;
	return true;
}

/* The rules of the house: a card that takes and gives what it likes within the standard. */
static struct sim_t1_options random_options(void)
{
	static const uint8_t sizes[] = { 1, 2, 3, 16, 31, 32, 33, 127, 128, 253, 254, 254 };
	struct sim_t1_options o = {
		.crc = w.crc,
		.ifsc = random_below(2) ? sizes[random_below(COUNT(sizes))]
					: (uint8_t)(1 + random_below(254)),
		.piece = random_below(3) ? 0 : 1 + random_below(254),
		.empty_last = random_below(8) == 0,
		.wtx_every = random_below(3) ? 0 : 1 + random_below(9),
		.wtx_factor = (uint8_t)(1 + random_below(255)),
		.shy = random_below(4) == 0,
		.refuse_ifs = random_below(8) == 0,
		.refuse_abort = random_below(4) == 0,
		.nad = random_below(4) ? 0 : 0x21,
	};

	/* few enough that the engine's bound of S(IFS request) per APDU is not what ends an exchange */
	if (random_below(3) == 0) {
		o.ifs_every = 5 + random_below(9);
		o.ifs_next[0] = (uint8_t)(1 + random_below(254));
		o.ifs_next[1] = (uint8_t)(1 + random_below(254));
	}
	return o;
}

static void reset_card(void)
{
	sim_t1_reset(&w.card);
	forget_blocks();
	t1_start(&w.t1, w.card.options.ifsc, w.crc, w.card.options.nad);
	announce_ifsd();
}

static void new_card(void)
{
	struct sim_t1_options options;

	w.crc = random_below(2);
	options = random_options();
	sim_t1_init(&w.card, &options, run, NULL);
	w.ifsd = random_below(3) ? (uint8_t)(1 + random_below(254)) : 0;
	reset_card();
}

/* Errors that the line is not to blame for. */
static bool excused(void)
{
	return w.t1.err == OC_E_SPACE || w.t1.err == OC_E_LIMIT;
}

/* After an error: over a quiet line the next command works, or the connection is dead and says so. */
static void check_recovers(void)
{
	quiet_line();
	if (w.t1.dead) {
		w.dead++;
		CHECK_INT(name, t1_begin(&w.t1, w.command, w.command_len, w.got, w.cap), OC_E_UNPOWERED);
		reset_card();
	}
	/* Late and repeated R-blocks look like the refusal of an IFSD that the card has taken: one command finds out. */
	if (w.card.ifsd > w.t1.ifsd && (exchange() || excused()))
		return;
	CHECK(name, exchange() || excused() || w.t1.dead);
}

static void session(unsigned long exchanges)
{
	static const unsigned rates[] = { QUIET, 2, 3, 5, 10, 30, 100, 1000 };
	const unsigned rate = rates[random_below(COUNT(rates))];
	const unsigned cut = random_below(4) ? 0 : 200;

	w.rate = rate;
	w.failed_transfer = cut;
	new_card();
	check_recovers(); /* whatever became of the announcement */
	for (unsigned long i = 0; i < exchanges; i++) {
		bool answered;

		w.rate = rate;
		w.failed_transfer = cut;
		answered = exchange();
		if (rate == QUIET && cut == 0 && !answered)
			CHECK(name, excused());
		if (!answered)
			check_recovers();
	}
}

static unsigned long exchanges_wanted = EXCHANGES;
static uint32_t seed_wanted = 7816;

static void random_line(void **state)
{
	(void)state;
	w.seed = seed_wanted ? seed_wanted : 1;
	w.command = malloc(SIM_T1_APDU_MAX);
	w.given = malloc(SIM_T1_ANSWER_MAX);
	w.got = malloc(SIM_T1_ANSWER_MAX + 2 * CANARY);
	assert_true(w.command && w.given && w.got);
	print_message("seed %u, %lu exchanges\n", (unsigned)w.seed, exchanges_wanted);
	while (w.done + w.failed < exchanges_wanted && check_failures < CHECK_SHOWN)
		session(1 + random_below(30));
	print_message("%lu answered, %lu failed, %lu dead, %lu blocks; damaged %lu, lost %lu, repeated %lu, "
		      "late %lu\n",
		      w.done, w.failed, w.dead, w.blocks, w.troubles[DAMAGE], w.troubles[LOSS],
		      w.troubles[REPEAT], w.troubles[DELAY]);
	CHECK("the line was used", w.done > exchanges_wanted / 4 && w.troubles[DELAY] > 0 && w.dead > 0);
	free(w.command);
	free(w.given);
	free(w.got);
	check_done();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(random_line) };

	if (argc > 1)
		exchanges_wanted = strtoul(argv[1], NULL, 10);
	if (argc > 2)
		seed_wanted = (uint32_t)strtoul(argv[2], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
