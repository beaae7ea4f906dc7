/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A reader: one CCID interface with its slots. What src/ifd, the replay of captures and the tests use.
 *
 * Every slot_*() call may come from any thread. Those that talk to the same slot come one after the other; those to different ones, too,
 * unless caps.busy_slots says that several may work at a time. slot_wait_event() sleeps beside them.
 */
#ifndef OPENCCID_SLOT_READER_H
#define OPENCCID_SLOT_READER_H

#include "base/err.h"
#include "base/log.h"
#include "ccid/descriptor.h"
#include "ccid/message.h"
#include "ccid/pin.h"
#include "ccid/transport.h"
#include "tpdu/atr.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader;
struct slot;

/* Which voltage is tried first where the reader does not choose by itself; bits 4 and 5 of ifdDriverOptions. */
enum voltage_policy { VOLTAGE_5V_FIRST, VOLTAGE_3V_FIRST, VOLTAGE_1V8_FIRST, VOLTAGE_READER_DECIDES };

/* An Escape command to be sent once, when the reader is opened; a refusal is fine. */
struct open_step {
	const uint8_t *bytes;
	size_t len;
	unsigned wait_ms;
	/* Called with the answer, if there was one; may still edit the capabilities. NULL: nobody wants it. */
	void (*answer)(void *arg, struct ccid_caps *caps, const uint8_t *bytes, size_t len);
	void *arg;
};

struct reader_setup {
	struct transport *transport; /* belongs to the reader once reader_open() succeeded */
	const struct oc_log *log;    /* must outlive the reader */
	struct ccid_caps caps;
	uint8_t interface; /* bInterfaceNumber */
	bool interrupt;    /* it has an interrupt endpoint */
	enum voltage_policy voltage;
	unsigned
		patience_ms; /* longest that a command may take when the card asks for time; 0: CCID_EXTENSION_CAP_MS */
	pthread_mutex_t *lock; /* shared by all interfaces of one USB device; NULL: this one is alone */
	const struct open_step *steps; /* not needed any more once reader_open() returned */
	size_t step_count;
};

/**
 * reader_open - make contact
 *
 * One GetSlotStatus for slot 0 shows that the reader is there; a silent one is brought to order once and asked again. Before
 * that, and behind it, comes what caps and setup demand: resync_at_open (which then is the first contact),
 * power_off_at_open, open_pause_ms, and the steps.
 * OC_E_TIMEOUT, OC_E_GONE, OC_E_MEMORY, or another error of ccid_exchange().
 */
enum oc_err reader_open(const struct reader_setup *setup, struct reader **out);

/* Power the cards off, where the device is still there, and close the transport. No other call may be running. */
void reader_close(struct reader *reader);

/* The device is known to be gone: running calls end with OC_E_GONE, later ones begin with it. */
void reader_gone(struct reader *reader);

/* Slot n, or NULL if the reader has fewer. */
struct slot *reader_slot(struct reader *reader, unsigned n);

const struct ccid_caps *reader_caps(const struct reader *reader);

/* ---- one slot ---------------------------------------------------------------------------------------------------- */

/**
 * slot_power_up - power the card and read its answer to reset
 * @atr, @len: at least ATR_MAX bytes; both written only on OC_OK
 *
 * A card that is powered already is reset (CCID knows one message for both). Tries the voltages of the reader one after the
 * other, lets the card rest in between, and starts over once: a card that was pushed in a moment ago may be mute at first.
 *
 * A malformed ATR of up to 33 bytes is handed out as it came; no protocol can be set then.
 * OC_E_NO_CARD, OC_E_MUTE (no voltage brought an ATR), OC_E_ATR (more than 33 bytes came, and no ATR among them), or an
 * error of ccid_exchange().
 */
enum oc_err slot_power_up(struct slot *slot, uint8_t *atr, size_t *len);

/* Power the card off. An empty slot and a card that is off already are fine. */
enum oc_err slot_power_down(struct slot *slot);

/* What a caller of slot_set_protocol() asks for, instead of what the driver would choose from the ATR. */
struct pts {
	bool has_pts1, has_pts2, has_pts3;
	uint8_t pts1, pts2, pts3; /* PPS1 (Fi and Di), PPS2, PPS3 of ISO/IEC 7816-3, 9 */
};

/**
 * slot_set_protocol - prepare the reader and the card for a protocol
 * @pts: NULL lets the driver choose
 *
 * What is sent depends on dwFeatures and the ATR: PPS where the host has to do it, SetParameters, the data rate, S(IFS).
 * If the card does not come through at a speed, it is reset, and the next lower one is tried; what worked is remembered.
 * OC_E_PROTOCOL if the ATR, the reader or this driver does not offer it, or the card does not accept what was asked for;
 * OC_E_UNPOWERED; OC_E_MUTE if the card does not answer at any speed.
 */
enum oc_err slot_set_protocol(struct slot *slot, enum ccid_protocol protocol, const struct pts *pts);

/**
 * slot_transmit - one command APDU and its response APDU
 * @rx, *@rx_len: room for the response; *@rx_len is its length on OC_OK and 0 otherwise
 *
 * Where no protocol was set since power-up, the first one that the ATR offers is set up first; but not where the card before
 * was lost: a command may still be on its way that was meant for that one (OC_E_UNPOWERED until a protocol was asked for).
 *
 * OC_E_APDU      @tx is no APDU; nothing was sent
 * OC_E_EXTENDED  it is an extended one, and this reader takes only short ones; nothing was sent
 * OC_E_SPACE     the response does not fit @rx; it is lost, nothing of it is handed out
 * OC_E_UNPOWERED, OC_E_NO_CARD, OC_E_MUTE, OC_E_CARD, OC_E_PROTOCOL, OC_E_TIMEOUT, ... as their texts say
 */
enum oc_err slot_transmit(struct slot *slot, const uint8_t *tx, size_t tx_len, uint8_t *rx, size_t *rx_len);

enum { SLOT_ANY_PROTOCOL = 2 };

/*
 * The same for a caller that knows which protocol the application was told, as pcscd does without always saying so: it is the one that
 * is set up where none was. @protocol: 0, 1 or SLOT_ANY_PROTOCOL; afterwards the one in use, unless OC_E_APDU was returned.
 */
enum oc_err slot_transmit_by(struct slot *slot, unsigned *protocol, const uint8_t *tx, size_t tx_len,
			     uint8_t *rx, size_t *rx_len);

/*
 * The node address byte of T=1 blocks (ISO/IEC 7816-3, 11.3.2.1), 0 unless set; it stays for the next cards. OC_E_UNSUPPORTED
 * unless the host sends the blocks; OC_E_LENGTH for one that is not allowed: source and destination alike but 0, or bits 8 or 4 set.
 */
enum oc_err slot_get_nad(struct slot *slot, uint8_t *nad);
enum oc_err slot_set_nad(struct slot *slot, uint8_t nad);

/* One PC_to_RDR_Escape and its answer; arguments and errors as slot_transmit(). */
enum oc_err slot_escape(struct slot *slot, const uint8_t *tx, size_t tx_len, uint8_t *rx, size_t *rx_len);

/**
 * slot_pin - let the reader ask for a PIN and give it to the card (CCID rev 1.1, 6.1.11)
 * @request: as pin_request_parse() made it for this reader
 * @rx, *@rx_len: room for the response APDU, at least two bytes; *@rx_len is its length on OC_OK and 0 otherwise
 *
 * The response is the card's, or what the reader says instead: 6400 nobody typed in time, 6401 cancelled, 6402 the new PINs differ,
 * 6403 too short or too long, 6B80 the reader does not take the request. It takes as long as a person takes: at most the
 * time-out of the request and 10 seconds, no less than 90 seconds, and what the reader asks for on top.
 *
 * Nothing is repeated. After an error the card may have seen the PIN.
 * OC_E_SPACE for less than two bytes (nothing was sent), OC_E_UNSUPPORTED where it fits no message of the reader, OC_E_LIMIT
 * where it fits no block of the card; OC_E_UNPOWERED, OC_E_NO_CARD, ... as slot_transmit().
 */
enum oc_err slot_pin(struct slot *slot, const struct pin_request *request, uint8_t *rx, size_t *rx_len);

/* End a running slot_pin() of this slot, from another thread. Without one nothing happens. */
void slot_pin_abort(struct slot *slot);

/**
 * slot_presence - is there a card?
 *
 * A card that lost its power unasked was pulled and put back, or needs a new start: it is reported absent, so that pcscd notices.
 * That is for the thread that watches the slot, the one that calls slot_wait_event(), and until it waits the next time: pcscd asks also
 * before it powers a card up or down, and draws no conclusion from that answer. Any other thread asks for a client that is about to
 * reset the card, which puts everything right; where the loss was noticed by a client, the watcher hears of it a second later.
 *
 * OC_E_GONE: the device is, and the slot empty, but for the watcher, who hears what it knows, from before it waited the last time,
 * until slot_await_stop() has waited for nothing.
 */
enum oc_err slot_presence(struct slot *slot, bool *present);

/* What is in a slot at this moment. */
enum slot_contact {
	SLOT_EMPTY,
	SLOT_CARD,   /* a card without power */
	SLOT_ACTIVE, /* its contacts have power */
};

/* The same for whoever is curious: what slot_presence() has to report stays to be reported. Errors as there. */
enum oc_err slot_look(struct slot *slot, enum slot_contact *contact);

/* Is presence told by an interrupt endpoint? If not, slot_wait_event() ends after 400 ms, and pcscd has to ask. */
bool slot_has_events(const struct slot *slot);

/*
 * Sleep until something happened in this slot, slot_stop_wait() was called, or @ms passed: OC_OK. OC_E_GONE. By one thread for each
 * slot: it is the slot's watcher from then on. An interrupt endpoint that fails is not listened to any more.
 */
enum oc_err slot_wait_event(struct slot *slot, unsigned ms);

/* Sleep until slot_stop_wait() was called, at most @ms; was it? For a device that is gone: if it was not, the slot is empty from then on. */
bool slot_await_stop(struct slot *slot, unsigned ms);

/* End slot_wait_event() or slot_await_stop(): the call that sleeps, or if none does the next one. */
void slot_stop_wait(struct slot *slot);

/* What is known of the card, without asking it. */
struct slot_state {
	uint8_t atr[ATR_MAX];
	size_t atr_len; /* 0 if the card is not powered */
	bool powered;
	bool present; /* as of the last slot_presence() */
	bool protocol_set;
	bool strange; /* the card before it was lost, and no protocol was asked for since */
	enum ccid_protocol protocol;
};

void slot_get_state(struct slot *slot, struct slot_state *out);

/* What reader and card have agreed on, for this card and until its next reset. */
struct slot_link {
	enum ccid_protocol protocol;
	bool known;  /* the parameters are */
	bool blocks; /* T=1: at least ifsc and crc are */
	/* As the reader works with, but for ifsc and crc, which are those that hold where the host makes the blocks */
	struct ccid_parameters active;
	uint8_t ifsd;       /* T=1: what the card was told that we take, or 32; 0: not known */
	uint32_t clock_khz; /* 0: the reader was told none, and so it has its own */
};

/**
 * slot_get_link - what holds between reader and card now
 *
 * Where the host chooses the parameters, it knows them; a reader that has chosen by itself is asked (GetParameters). What it does not
 * tell is not known. OC_E_UNPOWERED where no protocol is set, which is so from a reset of the card to its first use; or an
 * error of ccid_exchange().
 */
enum oc_err slot_get_link(struct slot *slot, struct slot_link *out);

#endif
