/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the first reader and its card say of themselves.
 * cc attributes.c $(pkg-config --cflags --libs libpcsclite) -o attributes
 */
#include <inttypes.h>
#include <reader.h>
#include <stdio.h>
#include <string.h>
#include <winscard.h>

static const struct {
	DWORD tag;
	const char *name;
} numbers[] = {
	{ SCARD_ATTR_DEFAULT_CLK, "default clock, kHz" },
	{ SCARD_ATTR_MAX_DATA_RATE, "fastest data rate, bps" },
	{ SCARD_ATTR_MAX_IFSD, "longest block of T=1" },
	{ SCARD_ATTR_CURRENT_PROTOCOL_TYPE, "protocol in use, 1 for T=0, 2 for T=1" },
	{ SCARD_ATTR_CURRENT_F, "F" },
	{ SCARD_ATTR_CURRENT_D, "D" },
	{ SCARD_ATTR_CURRENT_W, "work waiting time, etu" },
	{ SCARD_ATTR_MAXINPUT, "longest command, bytes" },
};

/* Four bytes in host order, whatever DWORD is here. */
static void show_number(SCARDHANDLE card, DWORD tag, const char *name)
{
	uint32_t number = 0;
	DWORD len = sizeof number;

	if (SCardGetAttrib(card, tag, (LPBYTE)&number, &len) == SCARD_S_SUCCESS && len == sizeof number)
		printf("%s: %" PRIu32 "\n", name, number);
	else
		printf("%s: not known\n", name);
}

/* A value that does not fit is not cut: ask for its length first. */
static void show_text(SCARDHANDLE card, DWORD tag, const char *name)
{
	char text[MAX_BUFFER_SIZE];
	DWORD len = 0;

	if (SCardGetAttrib(card, tag, NULL, &len) == SCARD_S_SUCCESS && len <= sizeof text &&
	    SCardGetAttrib(card, tag, (LPBYTE)text, &len) == SCARD_S_SUCCESS)
		printf("%s: %s\n", name, text);
}

/* Which features of PC/SC part 10 there are: tag, length, and the control code in big endian. */
static void show_features(SCARDHANDLE card)
{
	BYTE tlv[MAX_BUFFER_SIZE];
	DWORD len = 0;

	if (SCardControl(card, CM_IOCTL_GET_FEATURE_REQUEST, NULL, 0, tlv, sizeof tlv, &len) !=
	    SCARD_S_SUCCESS)
		return;
	for (DWORD at = 0; at + 6 <= len; at += 6)
		printf("feature %02X: control code %02X%02X%02X%02X\n", tlv[at], tlv[at + 2], tlv[at + 3],
		       tlv[at + 4], tlv[at + 5]);
}

static int show(SCARDCONTEXT context, const char *reader)
{
	SCARDHANDLE card;
	DWORD protocol;

	if (SCardConnect(context, reader, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &card,
			 &protocol) != SCARD_S_SUCCESS)
		return 1;
	show_text(card, SCARD_ATTR_VENDOR_NAME, "vendor");
	show_text(card, SCARD_ATTR_VENDOR_IFD_TYPE, "type");
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		show_number(card, numbers[i].tag, numbers[i].name);
	show_features(card);
	SCardDisconnect(card, SCARD_LEAVE_CARD);
	return 0;
}

int main(void)
{
	char readers[4096];
	DWORD len = sizeof readers;
	SCARDCONTEXT context;
	int status = 1;

	if (SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context) != SCARD_S_SUCCESS)
		return 1;
	if (SCardListReaders(context, NULL, readers, &len) == SCARD_S_SUCCESS)
		status = show(context, readers);
	SCardReleaseContext(context);
	return status;
}
