/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/pcsc.h"

#include "tool/process.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <winscard.h>

#include <reader.h>

/* The calls that are needed, by their own names. */
struct calls {
	__typeof__(SCardEstablishContext) *establish;
	__typeof__(SCardReleaseContext) *release;
	__typeof__(SCardListReaders) *list;
	__typeof__(SCardGetStatusChange) *status;
	__typeof__(SCardConnect) *connect;
	__typeof__(SCardDisconnect) *disconnect;
	__typeof__(SCardGetAttrib) *attribute;
};

static bool load(struct calls *calls)
{
	const struct {
		const char *name;
		void *at;
	} wanted[] = {
		{ "SCardEstablishContext", &calls->establish },
		{ "SCardReleaseContext", &calls->release },
		{ "SCardListReaders", &calls->list },
		{ "SCardGetStatusChange", &calls->status },
		{ "SCardConnect", &calls->connect },
		{ "SCardDisconnect", &calls->disconnect },
		{ "SCardGetAttrib", &calls->attribute },
	};
	void *library = dlopen("libpcsclite.so.1", RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; library && i < sizeof wanted / sizeof wanted[0]; i++) {
		void *const symbol = dlsym(library, wanted[i].name);
		void *const *bytes = &symbol;

		if (!symbol)
			return false;
		memcpy(wanted[i].at, bytes, sizeof symbol);
	}
	return library != NULL;
}

static enum pcsc_trouble trouble_of(LONG code)
{
	const uint32_t c = (uint32_t)code;

	if (c == SCARD_S_SUCCESS)
		return PCSC_FINE;
	if (c == (uint32_t)SCARD_E_NO_SERVICE || c == (uint32_t)SCARD_E_SERVICE_STOPPED)
		return PCSC_NOT_RUNNING;
	if (c == (uint32_t)SCARD_W_SECURITY_VIOLATION)
		return PCSC_DENIED;
	return PCSC_OTHER;
}

/* A direct connection leaves the card alone. Without one, because somebody has the reader for himself, the place stays unknown. */
static void locate(const struct calls *calls, SCARDCONTEXT context, struct pcsc_slot *slot)
{
	enum { CHANNEL_USB = 0x0020 };
	unsigned char value[4];
	DWORD protocol, len = sizeof value;
	SCARDHANDLE card;
	uint32_t channel;

	if (calls->connect(context, slot->name, SCARD_SHARE_DIRECT, 0, &card, &protocol) != SCARD_S_SUCCESS)
		return;
	if (calls->attribute(card, SCARD_ATTR_CHANNEL_ID, value, &len) == SCARD_S_SUCCESS &&
	    len == sizeof value) {
		memcpy(&channel, value, sizeof channel);
		slot->located = channel >> 16 == CHANNEL_USB;
		slot->bus = channel >> 8 & 0xFF;
		slot->address = channel & 0xFF;
	}
	calls->disconnect(card, SCARD_LEAVE_CARD);
}

static void look_at(const struct calls *calls, SCARDCONTEXT context, struct pcsc_slot *slot)
{
	enum { LOOKS = 3 }; /* pcscd 2.5 says now and then that it does not know a reader that it lists */
	SCARD_READERSTATE state = { .szReader = slot->name, .dwCurrentState = SCARD_STATE_UNAWARE };
	unsigned looks = 0;

	while (calls->status(context, 0, &state, 1) != SCARD_S_SUCCESS)
		if (++looks == LOOKS)
			return;
	slot->present = state.dwEventState & SCARD_STATE_PRESENT;
	slot->mute = state.dwEventState & SCARD_STATE_MUTE;
	slot->in_use = state.dwEventState & SCARD_STATE_INUSE;
	slot->exclusive = state.dwEventState & SCARD_STATE_EXCLUSIVE;
	slot->atr_len = state.cbAtr <= PCSC_ATR ? state.cbAtr : 0;
	memcpy(slot->atr, state.rgbAtr, slot->atr_len);
}

static void look_at_all(const struct calls *calls, SCARDCONTEXT context, struct pcsc_view *view)
{
	char names[PCSC_SLOTS * PCSC_NAME];
	DWORD len = sizeof names;

	if (calls->list(context, NULL, names, &len) != SCARD_S_SUCCESS)
		return;
	for (const char *name = names; *name && view->count < PCSC_SLOTS; name += strlen(name) + 1) {
		struct pcsc_slot *slot = &view->slot[view->count];

		if (strlen(name) >= sizeof slot->name)
			continue;
		strcpy(slot->name, name);
		look_at(calls, context, slot);
		locate(calls, context, slot);
		view->count++;
	}
}

bool pcsc_daemon(uid_t *uid)
{
	const char *socket = getenv("PCSCLITE_CSOCK_NAME");
	struct stat st;

	if (!socket)
		return process_find("pcscd", uid) != 0;
	if (stat(socket, &st) < 0)
		return false;
	*uid = st.st_uid;
	return true;
}

void pcsc_look(struct pcsc_view *view, bool start)
{
	SCARDCONTEXT context;
	struct calls calls;
	uid_t uid;

	memset(view, 0, sizeof *view);
	if (!start && !pcsc_daemon(&uid)) {
		view->trouble = PCSC_NOT_RUNNING;
		return;
	}
	if (!load(&calls)) {
		view->trouble = PCSC_NO_LIBRARY;
		return;
	}
	view->code = calls.establish(SCARD_SCOPE_SYSTEM, NULL, NULL, &context);
	view->trouble = trouble_of(view->code);
	if (view->trouble != PCSC_FINE)
		return;
	look_at_all(&calls, context, view);
	calls.release(context);
}

const struct pcsc_slot *pcsc_slot_of(const struct pcsc_view *view, unsigned bus, unsigned address, unsigned n)
{
	for (size_t i = 0; i < view->count; i++) {
		const struct pcsc_slot *slot = &view->slot[i];

		if (slot->located && slot->bus == (bus & 0xFF) && slot->address == (address & 0xFF) && !n--)
			return slot;
	}
	return NULL;
}

const char *pcsc_trouble_text(enum pcsc_trouble trouble)
{
	static const char *const texts[] = {
		[PCSC_FINE] = "",
		[PCSC_NO_LIBRARY] = "libpcsclite is not installed",
		[PCSC_NOT_RUNNING] = "pcscd does not run",
		[PCSC_DENIED] = "pcscd does not let this user in",
		[PCSC_OTHER] = "pcscd does not answer as it should",
	};

	return texts[trouble];
}
