/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inside of a reader and its slots, for the files of this folder only. */
#ifndef OPENCCID_SLOT_SLOT_H
#define OPENCCID_SLOT_SLOT_H

#include "ccid/exchange.h"
#include "ccid/pin.h"
#include "slot/dispatch.h"
#include "slot/reader.h"
#include "slot/speed.h"
#include "tpdu/character.h"
#include "tpdu/engine.h"
#include "tpdu/t0.h"
#include "tpdu/t1.h"
#include "tpdu/timing.h"

#include <pthread.h>

enum {
	USB_MARGIN_MS = 2000, /* on top of what the card may take: the bus, and the reader's own time-out */
	/*
	 * How long a card that lost its power in an application's hands stays on show: whoever saw the error and resets the card has
	 * put everything right, and pcscd tells the other ones. After that it is reported absent.
	 */
	LOSS_GRACE_MS = 1000,
	POLL_MS = 400, /* between two looks at a slot that no event tells of; pcscd's own interval */
};

struct slot {
	struct reader *reader;
	uint8_t number; /* bSlot */

	/* What slot_lock() takes, and the port that it is for: those of the reader where one slot works at a time. */
	pthread_mutex_t *lock, own_lock;
	struct ccid_port *port, own_port;

	/* Under slot_lock() */
	unsigned restarts; /* of the device, that it knows of */
	uint8_t atr_bytes[ATR_MAX];
	size_t atr_len;
	struct atr atr;
	bool atr_valid; /* atr_bytes could be decoded */
	bool powered;
	bool present;
	bool protocol_set;
	enum ccid_protocol protocol;
	struct timing timing;
	struct waits waits; /* that follow from it; see slot_waits() */
	bool agreed;        /* the reader has taken the parameters that we sent; else it has its own */
	uint32_t clock_khz; /* what it made of the clock that it was told; 0: it was told none */
	struct t1 t1;
	uint8_t nad;                     /* of our T=1 blocks */
	struct character character;      /* character level: the TPDU that is being carried, */
	uint8_t block[T1_BLOCK_MAX + 1]; /* and the TPDU or block itself */
	enum ccid_power_select select;   /* what brought the card up */
	struct speed_memory speeds;
	bool looked;         /* GetSlotStatus was answered since the reader was opened or started afresh */
	uint64_t look_again; /* undetected_1: when it is worth trying an empty slot again */
	bool unproven;       /* nothing has come through at the negotiated speed yet */
	bool strange; /* nobody has asked for this card since one was lost: it must not get what was meant for that one */

	/* A PIN that is being typed. Under slot_lock(); running and seq under reader->events.lock. */
	struct {
		const struct pin_request *request;
		uint16_t verdict; /* status word that the reader gave instead of the card's, or 0 */
		uint16_t bare;    /* the same, sent as if it were data */
		bool sent;        /* the reader was asked for it */
		bool running;     /* PC_to_RDR_Secure is out */
		bool aborted;     /* slot_pin_abort() was called meanwhile */
		uint8_t seq;      /* bSeq of PC_to_RDR_Secure */
	} entry;

	/* Under reader->events.lock */
	bool event, stop, removal_seen;
	bool notified;      /* the reader has sent a notification since it was opened */
	bool told_present;  /* what slot_presence() told the watcher last */
	bool noted_present; /* what the first look and then the notifications said */
	bool watched;       /* there is a watcher: */
	pthread_t watcher;  /* pcscd's event thread of this slot, the one that calls slot_wait_event() */
	bool heard_present; /* what it was told before it waited the last time: the rest pcscd forgets */
	bool given_up;      /* the device is gone, and for long nobody has stopped the watcher */
	struct {
		bool pending; /* the card's power went away unasked: the watcher is to be told that it is absent, */
		uint64_t due; /* not before then; */
		bool told;    /* it was. It has taken it in when it waits the next time */
	} loss;
};

/* Who wants to work takes one of them, in the order of coming. */
struct seats {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned free, next, serving; /* seats; tickets */
};

struct reader {
	struct transport *transport;
	struct ccid_port port; /* of slot 0, or of all */
	struct ccid_caps caps;
	const struct oc_log *log;
	enum voltage_policy voltage;
	bool interrupt;
	pthread_mutex_t own_lock;
	pthread_mutex_t *lock; /* one slot at a time; shared by the interfaces of a device */

	/* Several slots at a time, caps.busy_slots at most; NULL: one */
	struct dispatch *dispatch;
	struct seats seats;

	/* What was done once for all slots */
	pthread_mutex_t once_lock;
	struct data_rates rates;
	unsigned restarts; /* of the device, after which contact was made again; under the lock of slot 0 */
	bool interrupt_cleared; /* caps.clear_interrupt was done */

	/* Threads that wait for events: one of them listens on the interrupt endpoint for all. */
	struct {
		pthread_mutex_t lock;
		pthread_cond_t changed;
		bool listening;
		unsigned restarts;  /* in a row that ended the listening */
		enum oc_err broken; /* OC_OK, or why nobody listens any more */
	} events;

	unsigned slots;
	struct slot slot[];
};

/*
 * Taken by every call that talks to a slot, for as long as it lasts. Where only one slot works at a time it keeps off the other ones,
 * and the other interfaces of the device.
 * A device that has started afresh since is made contact with again, and the card is lost: whoever was in the middle of something with
 * it has to hear of it.
 */
void slot_lock(struct slot *slot);
void slot_unlock(struct slot *slot);

/* The device was found to be gone: nobody waits for it any more. */
void reader_note_gone(struct reader *reader);

/* What the reader needs before its first command; under the lock of slot 0. */
enum oc_err reader_make_contact(struct reader *reader);

/* The device starts afresh from now on only if restarts() says so again. */
void reader_count_restarts(struct reader *reader);

/* Open the ports of the slots, in one lane each where several of them work at a time; OC_E_MEMORY. */
enum oc_err lanes_open(struct reader *reader, const struct reader_setup *setup);
void lanes_close(struct reader *reader);

/* How often the reader had to be brought back to order, by all ports together. */
void lanes_tell_recoveries(struct reader *reader);

/* Take one of the seats where there are fewer than slots, and leave it. */
void lanes_join(struct reader *reader);
void lanes_leave(struct reader *reader);

/* ccid_exchange() for a slot, under slot_lock(): an exchange that had to be recovered costs the card its power. */
enum oc_err slot_exchange(struct slot *slot, const struct ccid_command *command, unsigned wait_ms,
			  struct ccid_reply *reply);

/* Send a short Escape command whose refusal is fine, if there is one; under slot_lock(). */
enum oc_err slot_send_escape(struct slot *slot, const struct ccid_bytes *bytes);

/* Overwrite what a command and its answer have left behind: only the application may know it. Under slot_lock(). */
void slot_wipe(struct slot *slot);

/* How long its blocks may take. */
static inline const struct waits *slot_waits(struct slot *slot)
{
	waits_update(&slot->waits, &slot->timing);
	return &slot->waits;
}

/* Forget everything about the card; under slot_lock(). */
void slot_forget_card(struct slot *slot);

/* Whoever sleeps in slot_wait_event() looks at what is new; under events.lock. */
void reader_wake_sleepers(struct reader *reader);

/* Make slot_wait_event() return: there is something to look at. */
void slot_raise_event(struct slot *slot);

/* The power went away unasked: tell pcscd by way of the presence; under slot_lock(). */
void slot_lost_card(struct slot *slot);

/* Does the watcher call, or somebody of whom it is not known that he is not? Under reader->events.lock. */
bool slot_is_watcher(const struct slot *slot);

/* Can this slot not tell whether there is a card? Then there is one if it could be powered the last time. */
bool slot_is_undetected(const struct slot *slot);

/* For such a slot: is there a card that answers? It is powered off again; under slot_lock(). */
bool slot_card_answers(struct slot *slot);

/* slot_set_protocol() under slot_lock() */
enum oc_err slot_negotiate(struct slot *slot, enum ccid_protocol protocol, const struct pts *pts);

/*
 * Power the card off and on at the voltage that worked, for another try; under slot_lock(). OC_E_UNPOWERED if it answers with
 * another ATR than this.
 */
enum oc_err slot_cold_reset(struct slot *slot, const uint8_t *atr, size_t len);

/* 40h: the reader negotiates when the card is powered. */
bool slot_negotiates_by_itself(const struct slot *slot);

/* TPDU and character level: the host sends blocks, and so has to see to what a block may be. */
bool slot_host_sends_blocks(const struct slot *slot);

/* What SetParameters carries for the card and the protocol in use */
struct ccid_parameters slot_parameters(const struct slot *slot);

/* What the reader works with now; under slot_lock(). */
enum oc_err slot_get_parameters(struct slot *slot, struct ccid_parameters *active);

/* Send the parameters of the protocol in use, for the first time or once more; under slot_lock(). */
enum oc_err slot_set_parameters(struct slot *slot);

/* The first exchange at a negotiated speed, noted before it: what fails may cost the slot all knowledge of the card. */
struct speed_trial {
	bool open; /* the speed has still to be proven */
	uint8_t fi_di;
	uint8_t atr[ATR_MAX];
	size_t atr_len;
};

void slot_try_speed(const struct slot *slot, struct speed_trial *trial);

/* It failed: do not try this speed again with this card; under slot_lock(). */
void slot_blame_speed(struct slot *slot, const struct speed_trial *trial);

/* Announce to a T=1 card what we take; under slot_lock(). A card that refuses is fine. */
enum oc_err slot_announce_ifsd(struct slot *slot);

/* An engine of src/tpdu, and what carries its blocks. */
struct engine {
	void *self;
	enum step (*next)(void *self, uint8_t *out, struct block *block);
	void (*feed)(void *self, const struct reply *reply);
	struct reply (*carry)(struct slot *slot, const struct block *block, unsigned wait_ms);
	unsigned wait_ms;     /* 0: carry() computes it from the block */
	bool uses_parameters; /* the reader refuses blocks (F6h) when it has lost them */
};

/* One XfrBlock whose payload stands in the port already. */
struct reply slot_carry_block(struct slot *slot, const struct block *block, unsigned wait_ms);

/* Does a payload of this length fit the reader's messages? Tells if not. */
bool slot_fits_message(const struct slot *slot, size_t len);

/*
 * Let an engine run to its end, STEP_DONE or STEP_FAIL. OC_E_TIMEOUT when all patience is over, OC_E_UNSUPPORTED when a block does not
 * fit the reader's messages.
 */
enum oc_err slot_run(struct slot *slot, const struct engine *engine, enum step *end);

/* One block of T=1, at TPDU level; the wait follows from the block. */
struct reply slot_carry_t1(struct slot *slot, const struct block *block, unsigned wait_ms);

/* Let a T=0 engine run to its end, as slot_run(), at TPDU or at character level. */
enum oc_err slot_run_t0(struct slot *slot, struct t0 *t0, enum step *end);

/* Let the T=1 engine of the slot run to its end, as slot_run(); the second one with somebody else to carry its blocks. */
enum oc_err slot_run_t1(struct slot *slot, enum step *end);
enum oc_err slot_run_t1_by(struct slot *slot,
			   struct reply (*carry)(struct slot *slot, const struct block *block,
						 unsigned wait_ms),
			   enum step *end);

/* Set up a protocol where none was set: the wanted one, or the first of the ATR for SLOT_ANY_PROTOCOL; OC_E_UNPOWERED. Under slot_lock(). */
enum oc_err slot_ensure_protocol(struct slot *slot, unsigned wanted);

#endif
