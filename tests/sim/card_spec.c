/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card_spec.h"

#include "atr.h"
#include "hex.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 256 };

struct making {
	struct sim_card_spec spec;
	struct sim_t1_atr atr;
};

static const char usage[] =
	"a card is t0, t1, dual or openpgp, followed by ,ta1=XX ,specific ,pps=declines|ignores|lies and, "
	"for "
	"T=1, ,ifsc=N ,crc ,bwi=N ,wtx=N ,factor=N ,chain=N ,ifs=N; or the bytes of an ATR";

static bool number(const char *word, int base, unsigned long max, unsigned long *value)
{
	char *end;

	*value = strtoul(word, &end, base);
	return end != word && !*end && *value <= max;
}

static void set_ta1(struct making *m, unsigned long v)
{
	m->atr.ta1 = (uint8_t)v;
}

static void set_specific(struct making *m, unsigned long v)
{
	m->atr.specific = v;
}

static void set_ifsc(struct making *m, unsigned long v)
{
	m->atr.ifsc = (uint8_t)v;
}

static void set_crc(struct making *m, unsigned long v)
{
	m->atr.crc = v;
}

static void set_bwi(struct making *m, unsigned long v)
{
	m->atr.bwi = (uint8_t)v;
}

static void set_wtx(struct making *m, unsigned long v)
{
	m->spec.t1.wtx_every = (unsigned)v;
}

static void set_factor(struct making *m, unsigned long v)
{
	m->spec.t1.wtx_factor = (uint8_t)v;
}

static void set_chain(struct making *m, unsigned long v)
{
	m->spec.t1.piece = v;
}

/* The card changes its mind about its IFSC every so many blocks. */
static void set_ifs(struct making *m, unsigned long v)
{
	m->spec.t1.ifs_every = (unsigned)v;
	m->spec.t1.ifs_next[0] = 16;
	m->spec.t1.ifs_next[1] = 254;
}

static const struct word {
	const char *name;
	int base; /* 0: takes no value */
	unsigned long max;
	void (*set)(struct making *m, unsigned long value);
} words[] = {
	{ "ta1", 16, 0xFF, set_ta1 },      { "specific", 0, 0, set_specific }, { "ifsc", 10, 254, set_ifsc },
	{ "crc", 0, 0, set_crc },          { "bwi", 10, 9, set_bwi },          { "wtx", 10, 1000, set_wtx },
	{ "factor", 10, 255, set_factor }, { "chain", 10, 254, set_chain },    { "ifs", 10, 1000, set_ifs },
};

static bool set_mood(struct making *m, const char *name)
{
	static const struct {
		const char *name;
		enum sim_pps_mood mood;
	} moods[] = { { "declines", SIM_PPS_DECLINES },
		      { "ignores", SIM_PPS_IGNORES },
		      { "lies", SIM_PPS_LIES } };

	for (size_t i = 0; i < sizeof moods / sizeof moods[0]; i++) {
		if (strcmp(moods[i].name, name) != 0)
			continue;
		m->spec.pps = moods[i].mood;
		return true;
	}
	return false;
}

static bool take_word(struct making *m, char *text)
{
	char *value = strchr(text, '=');
	unsigned long v = 1;

	if (value)
		*value++ = '\0';
	if (value && strcmp(text, "pps") == 0)
		return set_mood(m, value);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		const struct word *w = &words[i];

		if (strcmp(w->name, text) != 0 || (w->base != 0) != (value != NULL))
			continue;
		if (value && !number(value, w->base, w->max, &v))
			return false;
		w->set(m, v);
		return true;
	}
	return false;
}

/* TA1 before the bytes of the default ATR; TA2 asks for a TD1, which says T=0. */
static size_t t0_atr(const struct sim_t1_atr *what, uint8_t atr[SIM_ATR_MAX])
{
	const uint8_t with_ta1[] = { 0x3B, 0x75, what->ta1, 0, 0, 'O', 'C', 'I', 'D', '1' };
	const uint8_t with_ta2[] = { 0x3B, 0x95, what->ta1, 0x10, 0x00, 'O', 'C', 'I', 'D', '1' };

	if (!what->ta1)
		return 0;
	memcpy(atr, what->specific ? with_ta2 : with_ta1, sizeof with_ta1);
	return sizeof with_ta1;
}

static const struct kind {
	const char *name;
	size_t (*build)(const struct sim_t1_atr *what, uint8_t atr[SIM_ATR_MAX]);
	bool openpgp;
	struct sim_t1_atr atr; /* what the words change */
} kinds[] = {
	{ "t0", t0_atr, false, { .ifsc = 0 } },
	{ "t1", sim_t1_build_atr, false, { .ifsc = 254, .bwi = 4, .cwi = 5, .history = "OCID1" } },
	{ "dual",
	  sim_t1_build_atr,
	  false,
	  { .t0_too = true, .ifsc = 254, .bwi = 4, .cwi = 5, .history = "OCID1" } },
	{ "openpgp",
	  sim_openpgp_build_atr,
	  true,
	  { .ta1 = 0x18, .ifsc = 254, .bwi = 7, .cwi = 5, .classes = 3 } },
};

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; name && i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

static const char *parse_words(char *text, struct sim_card_spec *out)
{
	const struct kind *kind;
	struct making m = { 0 };
	char *save = NULL;

	kind = find_kind(strtok_r(text, ",", &save));
	if (!kind)
		return usage;
	m.atr = kind->atr;
	m.spec.openpgp = kind->openpgp;
	for (char *word = strtok_r(NULL, ",", &save); word; word = strtok_r(NULL, ",", &save))
		if (!take_word(&m, word))
			return usage;
	m.spec.atr_len = kind->build(&m.atr, m.spec.atr);
	*out = m.spec;
	return NULL;
}

const char *sim_card_spec_parse(const char *text, struct sim_card_spec *out)
{
	struct sim_card_spec spec = { 0 };
	char words_of[TEXT_MAX];

	if (hex_parse(text, spec.atr, SIM_ATR_MAX, &spec.atr_len) && spec.atr_len >= 2) {
		*out = spec;
		return NULL;
	}
	if (strlen(text) >= sizeof words_of)
		return usage;
	memcpy(words_of, text, strlen(text) + 1);
	return parse_words(words_of, out);
}

struct sim_card *sim_card_make(const struct sim_card_spec *spec, unsigned supplies)
{
	struct sim_card *card;
	struct sim_atr atr = { 0 };

	if (spec->atr_len)
		sim_atr_parse(spec->atr, spec->atr_len, &atr);
	if (spec->openpgp)
		card = sim_card_openpgp_new(spec->atr, spec->atr_len, &spec->t1, supplies);
	else if (atr.protocols & 2)
		card = sim_card_t1_new(spec->atr, spec->atr_len, &spec->t1, supplies);
	else
		card = sim_card_t0_new(spec->atr_len ? spec->atr : NULL, spec->atr_len, supplies);
	if (card)
		card->pps = spec->pps;
	return spec->script ? sim_card_script_new(card, spec->script) : card;
}
