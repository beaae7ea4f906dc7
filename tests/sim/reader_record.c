/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a test asks the reader for: counts, violations, the last messages; and the faults it arranges. */
#include "reader_priv.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

const struct sim_stats *sim_reader_stats(const struct sim_reader *r)
{
	return &r->stats;
}

void sim_reader_stats_clear(struct sim_reader *r)
{
	r->stats = (struct sim_stats){ 0 };
	r->trace_next = r->trace_len = 0;
}

const char *sim_reader_violation(const struct sim_reader *r, unsigned n)
{
	return n < r->stats.violations && n < VIOLATIONS_MAX ? r->violations[n] : NULL;
}

void sim_reader_violate(struct sim_reader *r, const char *fmt, ...)
{
	va_list args;

	if (r->stats.violations < VIOLATIONS_MAX) {
		char *line = r->violations[r->stats.violations];

		va_start(args, fmt);
		vsnprintf(line, sizeof r->violations[0], fmt, args);
		va_end(args);
	}
	r->stats.violations++;
}

void sim_record_message(struct sim_reader *r, char mark, const uint8_t *bytes, size_t len, uint64_t at)
{
	struct traced *t = &r->trace[r->trace_next];

	r->trace_next = (r->trace_next + 1) % TRACE_MAX;
	if (r->trace_len < TRACE_MAX)
		r->trace_len++;
	t->at = at;
	t->mark = mark;
	t->len = len;
	memcpy(t->bytes, bytes, len < TRACE_BYTES ? len : TRACE_BYTES);
}

static void print_traced(const struct traced *t, uint64_t start, FILE *to)
{
	const char *name = t->mark == '!' ? "interrupt" : t->len ? sim_message_name(t->bytes[0]) : NULL;

	fprintf(to, "%8" PRIu64 " ms %c", t->at - start, t->mark);
	for (size_t i = 0; i < t->len && i < TRACE_BYTES; i++)
		fprintf(to, " %02X", t->bytes[i]);
	fprintf(to, "%s  # %s\n", t->len > TRACE_BYTES ? " ..." : "", name ? name : "unknown");
}

void sim_reader_trace(const struct sim_reader *r, FILE *to)
{
	const size_t first = (r->trace_next + TRACE_MAX - r->trace_len) % TRACE_MAX;

	for (size_t i = 0; i < r->trace_len; i++)
		print_traced(&r->trace[(first + i) % TRACE_MAX], r->trace[first].at, to);
}

unsigned sim_reader_status(const struct sim_reader *r, unsigned first, FILE *to)
{
	static const char *const powers[] = { "card, powered", "card, not powered", "empty" };

	for (unsigned i = 0; i < r->class.slots; i++) {
		const struct sim_slot *slot = &r->slots[i];

		fprintf(to, "slot %u: %s", first + i, powers[slot->power]);
		if (sim_slot_active(slot))
			fprintf(to, ", T=%u, Fi/Di %02X", slot->params.protocol,
				slot->params.bytes[PARAM_FIDI]);
		fprintf(to, "%s\n", slot->abort_control ? ", aborting" : "");
	}
	return r->class.slots;
}

int sim_reader_fault(struct sim_reader *r, const struct sim_fault *fault)
{
	if (r->faults_len == FAULTS_MAX)
		return -1;
	r->faults[r->faults_len++] = *fault;
	return 0;
}

void sim_reader_faults_clear(struct sim_reader *r)
{
	r->faults_len = 0;
	memset(r->damage, 0, sizeof r->damage);
}

void sim_reader_damage(struct sim_reader *r, enum sim_damage_kind kind, unsigned every)
{
	r->damage[kind] = (struct sim_damage){ .every = every };
}

static bool fault_matches(const struct sim_fault *f, const struct command *cmd)
{
	if (f->count == 0 || (f->type >= 0 && f->type != cmd->type))
		return false;
	if (f->ins < 0)
		return true;
	return cmd->type == MSG_XFR_BLOCK && cmd->len >= 2 && cmd->data[1] == f->ins;
}

const struct sim_fault *sim_fault_for(struct sim_reader *r, const struct command *cmd)
{
	for (size_t i = 0; i < r->faults_len; i++) {
		struct sim_fault *f = &r->faults[i];

		if (!fault_matches(f, cmd))
			continue;
		if (f->after) {
			f->after--;
			continue;
		}
		f->count--;
		return f;
	}
	return NULL;
}
