/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the reader model share. */
#ifndef OPENCCID_SIM_READER_PRIV_H
#define OPENCCID_SIM_READER_PRIV_H

#include "atr.h"
#include "keypad.h"
#include "pin_command.h"
#include "pinpads.h"
#include "reader.h"

enum {
	QUEUE_MAX = 1024,
	FAULTS_MAX = 16,
	VIOLATIONS_MAX = 32,
	TRACE_MAX = 256,
	TRACE_BYTES = 300,
	PARAM_MAX = 7,
	SLOTS_MAX = 256,
};

/* bMessageType, CCID rev 1.1, 6.1 and 6.2 */
enum {
	MSG_SET_PARAMETERS = 0x61,
	MSG_POWER_ON = 0x62,
	MSG_POWER_OFF = 0x63,
	MSG_GET_SLOT_STATUS = 0x65,
	MSG_SECURE = 0x69,
	MSG_T0APDU = 0x6A,
	MSG_ESCAPE = 0x6B,
	MSG_GET_PARAMETERS = 0x6C,
	MSG_RESET_PARAMETERS = 0x6D,
	MSG_ICC_CLOCK = 0x6E,
	MSG_XFR_BLOCK = 0x6F,
	MSG_MECHANICAL = 0x71,
	MSG_ABORT = 0x72,
	MSG_SET_RATE = 0x73,
	MSG_DATA_BLOCK = 0x80,
	MSG_SLOT_STATUS = 0x81,
	MSG_PARAMETERS = 0x82,
	MSG_ESCAPE_ANSWER = 0x83,
	MSG_RATE = 0x84,
};

/* bError, 6.2.6; 01h..7Fh are the offset of the bad field */
enum {
	ERR_UNSUPPORTED = 0x00,
	ERR_LENGTH = 0x01,
	ERR_SLOT = 0x05,
	ERR_BYTE7 = 0x07,
	ERR_BYTE8 = 0x08,
	ERR_DATA = 0x0A,
	ERR_EMV = 0xBB, /* of a vendor: not in this mode */
	ERR_SLOT_BUSY = 0xE0,
	ERR_PIN_CANCELLED = 0xEF,
	ERR_PIN_TIMEOUT = 0xF0,
	ERR_PROCEDURE_BYTE = 0xF4,
	ERR_PROTOCOL = 0xF6,
	ERR_HARDWARE = 0xFB,
	ERR_PARITY = 0xFD,
	ERR_MUTE = 0xFE,
	ERR_ABORTED = 0xFF,
	OK = -1,
};

/* dwFeatures, 5.1 */
enum {
	FEAT_PARAM_ATR = 0x02,
	FEAT_AUTO_VOLTAGE = 0x08,
	FEAT_AUTO_BAUD = 0x20,
	FEAT_NEGOTIATES = 0x40,
	FEAT_AUTO_PPS = 0x80,
	FEAT_CLOCK_STOP = 0x100,
	FEAT_NAD = 0x200,
	FEAT_AUTO_IFSD = 0x400,
	FEAT_LEVELS = 0x70000,
	FEAT_TPDU = 0x10000,
	FEAT_SHORT_APDU = 0x20000,
	FEAT_EXTENDED_APDU = 0x40000,
};

/* The fields of the class descriptor that the model obeys; decoded by reader.c itself. */
struct sim_class {
	unsigned slots;
	uint8_t voltages;
	uint32_t protocols, clock_khz, default_rate, max_rate, features, max_message;
	uint8_t max_ifsd, class_get_response, class_envelope, pin_support, busy_slots;
};

struct params {
	uint8_t protocol;
	uint8_t bytes[PARAM_MAX]; /* as in SetParameters from offset 10 on */
};

enum { PARAM_FIDI, PARAM_TCCKS, PARAM_GUARD, PARAM_WAIT, PARAM_CLOCK_STOP, PARAM_IFSC, PARAM_NAD };

enum slot_power { SLOT_EMPTY = 2, SLOT_INACTIVE = 1, SLOT_ACTIVE = 0 }; /* = bmICCStatus */

/* Extended APDU level: a command until it is complete, an answer until it is fetched. */
struct chain {
	size_t command_len, answer_len, at;
	uint8_t command[SIM_MESSAGE_MAX], answer[SIM_MESSAGE_MAX];
};

struct sim_slot {
	struct sim_card *card;
	enum slot_power power;
	bool changed; /* the interrupt pipe has not said so yet */
	struct sim_atr atr;
	bool used;   /* a command was exchanged since the reset */
	bool deaf;   /* the reader has lost the card over a PIN entry */
	bool rested; /* the contacts were off since the card was powered last */
	bool pps;    /* a PPS was */
	struct params params;
	uint32_t rate; /* bps set by hand, for readers that do not follow Fi/Di themselves */
	uint8_t class_get_response;
	uint8_t wtx;          /* the card asked for so many BWT in its last block */
	uint8_t ns, nr, ifsc; /* of the reader's own T=1 */
	struct chain chain;
	/* ABORT: both halves must name the same bSeq (5.3.1) */
	bool abort_control, abort_bulk;
	uint8_t abort_control_seq, abort_bulk_seq;
};

/* A message for the host. final: the slot is free again when it is ready. */
struct queued {
	uint64_t ready;
	bool final;
	size_t len;
	uint8_t *bytes;
};

struct traced {
	uint64_t at;
	char mark; /* '>' from the host, '<' from the reader, '!' interrupt */
	size_t len;
	uint8_t bytes[TRACE_BYTES];
};

/* A token on the control pipe: what it says next, and when. */
struct iccd {
	uint64_t ready;
	uint8_t status; /* version A */
	uint8_t header[5];
	uint8_t data[256 + 2];
	size_t len;
	size_t answer_len; /* version B */
	uint8_t answer[1 + SIM_MESSAGE_MAX];
};

struct sim_damage {
	unsigned every, blocks;
};

struct sim_reader {
	struct sim_identity id;
	struct sim_class class;
	struct sim_slot *slots;
	uint8_t *in; /* a message while it arrives */
	size_t in_len;
	struct queued queue[QUEUE_MAX]; /* in order of arrival */
	size_t queue_len;
	bool halted_in, halted_out, refuse_abort;
	struct sim_fault faults[FAULTS_MAX];
	size_t faults_len;
	struct sim_damage damage[SIM_DAMAGES];
	struct sim_stats stats;
	char violations[VIOLATIONS_MAX][160];
	struct traced trace[TRACE_MAX];
	size_t trace_next, trace_len;
	uint64_t now;
	struct iccd iccd;
	struct keypad keypad;
	struct secure secure;
	uint64_t answered; /* when the last answer was ready */
	int last_seq;      /* of the last message; -1: there was none */
	uint8_t led;       /* what an Escape command made of it */
	bool announced;    /* an Escape command has said that a bare header comes next */
	bool dead;         /* nothing is answered any more */
	bool emv;          /* cards are refused (BBh) until an Escape command changes the mode */
	bool stubborn;     /* a card comes up only after its contacts were switched off */
	bool out_of_step;  /* commands are ignored until both halves of an ABORT came */
	uint8_t scratch[SIM_MESSAGE_MAX]; /* the data of the reply that is being made */
};

/* One command while it is carried out. */
struct command {
	uint8_t type, slot_number, seq;
	const uint8_t *specific; /* bytes 7..9 */
	const uint8_t *data;
	size_t len;
	struct sim_slot *slot; /* NULL: there is no such slot */
};

/* What its answer will be. */
struct reply {
	uint8_t type;
	int error;     /* OK, or bError */
	uint8_t extra; /* byte 9 */
	size_t len;
	const uint8_t *data; /* must live until the reply is queued */
	unsigned delay_ms;
	unsigned extensions; /* time extensions before it, delay_ms / extensions apart */
	bool none;           /* nothing to send now (first half of an abort) */
};

/* One exchange on the contacts. */
struct line {
	struct sim_card *card;
	uint8_t fidi;
	unsigned delay_ms, nulls;
};

/* The name, answer and limits of a message type; NULL if there is none. */
struct message_rule {
	uint8_t type, answer;
	const char *name;
	size_t min, max; /* dwLength */
	uint8_t rfu;     /* bit n: byte 7 + n must be 0 */
	void (*run)(struct sim_reader *r, const struct command *cmd, struct reply *reply);
};
const struct message_rule *sim_message_rule(uint8_t type);

/* XfrBlock (reader_xfr.c) and the parameters (reader_params.c) */
void sim_run_xfr_block(struct sim_reader *r, const struct command *cmd, struct reply *reply);
void sim_run_get_parameters(struct sim_reader *r, const struct command *cmd, struct reply *reply);
void sim_run_set_parameters(struct sim_reader *r, const struct command *cmd, struct reply *reply);
void sim_run_reset_parameters(struct sim_reader *r, const struct command *cmd, struct reply *reply);
void sim_run_set_rate(struct sim_reader *r, const struct command *cmd, struct reply *reply);
void sim_xfr_block(struct sim_reader *r, const struct command *cmd, struct reply *reply);
void sim_announce_ifsd(struct sim_reader *r, struct sim_slot *slot, struct line *line);
void sim_xfr_chain(struct sim_reader *r, const struct command *cmd, struct reply *reply);
void sim_xfr_apdu(struct sim_reader *r, const struct command *cmd, struct reply *reply);
void sim_run_secure(struct sim_reader *r, const struct command *cmd, struct reply *reply);
void sim_run_escape(struct sim_reader *r, const struct command *cmd, struct reply *reply);
void sim_params_after_reset(struct sim_reader *r, struct sim_slot *slot);

/* The PIN entry that runs: time goes on; when it has something to do; it is ended from outside with this bError. */
void sim_secure_tick(struct sim_reader *r);
uint64_t sim_secure_next(const struct sim_reader *r);
void sim_secure_end(struct sim_reader *r, unsigned slot, int error);
/* The command in the block that the host has begun. */
void sim_secure_block(struct sim_reader *r, const struct command *cmd, const struct secure *secure,
		      const struct pin_command *built, struct reply *reply);
/* "It takes longer": a message of this type that ends nothing. */
void sim_send_extension(struct sim_reader *r, const struct command *cmd, uint8_t type, uint64_t at);
void sim_send_reply(struct sim_reader *r, const struct command *cmd, const struct reply *reply);

struct line sim_line_of(const struct sim_reader *r, const struct sim_slot *slot);
/* T=0 TPDU: header of five bytes, data or NULL. *out_len counts the answer with SW1 SW2. OK or bError. */
int sim_t0_tpdu(struct line *line, const uint8_t header[5], const uint8_t *data, uint8_t out[258],
		size_t *out_len);
/* PPS as given; true if the card answered with a well-formed PPS. */
bool sim_line_pps(struct line *line, const uint8_t *pps, size_t len, uint8_t reply[6], size_t *reply_len);
/* The reader's own PPS for this protocol and Fi/Di; true if the card now has them. */
bool sim_pps_by_reader(struct sim_slot *slot, uint8_t protocol, uint8_t fidi);
/* One APDU by the reader's own T=1. OK or bError. */
int sim_t1_apdu(struct sim_reader *r, struct sim_slot *slot, struct line *line, const uint8_t *apdu,
		size_t len, uint8_t *out, size_t cap, size_t *out_len);
void sim_line_send(struct line *line, const uint8_t *bytes, size_t len);
bool sim_line_recv(struct line *line, uint8_t *byte);

/* Class requests of a token (reader_iccd.c), which has no bulk pipes. */
bool sim_is_iccd(const struct sim_reader *r);
enum sim_io sim_iccd_control(struct sim_reader *r, const uint8_t setup[8], uint8_t *data, size_t *len);

bool sim_slot_active(const struct sim_slot *slot);

void sim_record_message(struct sim_reader *r, char mark, const uint8_t *bytes, size_t len, uint64_t at);
const struct sim_fault *sim_fault_for(struct sim_reader *r, const struct command *cmd);

#endif
