/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/doctor.h"

#include "tpdu/atr.h"

#include <stdio.h>
#include <string.h>

enum verdict doctor_answers(struct patient *p, struct finding *f)
{
	if (p->slot)
		return DOCTOR_FINE;
	if (!p->asked)
		return DOCTOR_NOT_ASKED;
	if (p->answer.err == OC_OK)
		return DOCTOR_FINE;
	snprintf(f->cause, sizeof f->cause, "The reader does not answer: %s.", oc_strerr(p->answer.err));
	snprintf(f->cure, sizeof f->cure,
		 "Unplug it and plug it in again, without a hub if there is one; if it is still silent, the "
		 "reader or its cable is "
		 "broken.");
	return DOCTOR_ILL;
}

/* The card in its first occupied slot, by pcscd or by ourselves. */
static bool card_of(const struct patient *p, const uint8_t **atr, size_t *len)
{
	if (p->slot && p->slot->present) {
		*atr = p->slot->atr;
		*len = p->slot->atr_len;
		return true;
	}
	if (!p->asked || p->answer.err != OC_OK || p->answer.slot >= p->answer.slots ||
	    p->answer.card == OC_E_NO_CARD)
		return false;
	*atr = p->answer.atr;
	*len = p->answer.atr_len;
	return true;
}

static void cure_mute(struct finding *f)
{
	snprintf(f->cause, sizeof f->cause, "There is a card in the reader, but it does not answer.");
	snprintf(f->cure, sizeof f->cure,
		 "Turn the card around: the contacts go in first, mostly facing up. Clean the contacts with "
		 "a dry cloth. Try another "
		 "card: if that one works, this one is broken, or is no smart card with contacts.");
}

enum verdict doctor_card(struct patient *p, struct finding *f)
{
	const bool direct = !p->slot && p->asked && p->with_card && p->answer.err == OC_OK;

	if ((p->slot && p->slot->present && p->slot->mute) ||
	    (direct && (p->answer.card == OC_E_MUTE || p->answer.card == OC_E_ATR))) {
		cure_mute(f);
		return DOCTOR_ILL;
	}
	if (p->slot || direct) {
		const uint8_t *atr;
		size_t len;

		snprintf(f->cause, sizeof f->cause, "%s",
			 card_of(p, &atr, &len) ? "a card is in, and answers" : "there is no card in it");
		return DOCTOR_FINE;
	}
	return DOCTOR_NOT_ASKED;
}

/* Protocols of asynchronous cards are T=0 and T=1; all others of the ATR are none that a PC reader speaks. */
enum verdict doctor_protocol(struct patient *p, struct finding *f)
{
	const struct ccid_caps *caps = &p->view->learned.caps;
	const unsigned reader = (caps->t0 ? 1u : 0u) | (caps->t1 ? 2u : 0u);
	const uint8_t *bytes;
	struct atr atr;
	size_t len;

	if (!card_of(p, &bytes, &len) || atr_decode(bytes, len, &atr) != OC_OK)
		return DOCTOR_NOT_ASKED;
	if (atr.classes && !(atr.classes & caps->voltages)) {
		snprintf(f->cause, sizeof f->cause, "The card needs another voltage than this reader has.");
		snprintf(f->cure, sizeof f->cure,
			 "Use another reader, one that says it is for this kind of card.");
		return DOCTOR_ILL;
	}
	if (atr.protocols & reader) {
		if (p->asked && p->with_card && p->answer.card != OC_OK && p->answer.card != OC_E_NO_CARD) {
			snprintf(f->cause, sizeof f->cause, "Card and reader do not come to terms: %s.",
				 oc_strerr(p->answer.card));
			snprintf(f->cure, sizeof f->cure,
				 "Try the card in another reader. If it works there, please report it with "
				 "\"openccid describe\" and "
				 "pcscd's log.");
			return DOCTOR_ILL;
		}
		return DOCTOR_FINE;
	}
	snprintf(f->cause, sizeof f->cause,
		 "The card speaks only the protocol T=%u, which this reader cannot.",
		 (unsigned)__builtin_ctz(atr.protocols));
	snprintf(f->cure, sizeof f->cure, "Use another reader: one that can do T=0 and T=1, as most can.");
	return DOCTOR_ILL;
}
