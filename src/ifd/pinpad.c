/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ifd/pinpad.h"

#include "base/bytes.h"

static const char *operation_name(enum pin_operation operation)
{
	return operation == PIN_MODIFY ? "MODIFY_PIN_DIRECT" : "VERIFY_PIN_DIRECT";
}

/* PC/SC part 10 has a status word for a structure that makes no sense. */
static enum oc_err refuse(enum pin_operation operation, const char *why, uint8_t *rx, size_t *rx_len)
{
	static const uint8_t refused[] = { 0x6B, 0x80 };

	OC_LOG(driver_log(), OC_LOG_CRITICAL, "%s was refused: %s; nothing was sent",
	       operation_name(operation), why);
	memcpy(rx, refused, sizeof refused);
	*rx_len = sizeof refused;
	return OC_OK;
}

static enum oc_err enter(struct binding *b, enum pin_operation operation, const uint8_t *tx, size_t tx_len,
			 uint8_t *rx, size_t *rx_len)
{
	const size_t cap = *rx_len;
	struct pin_request request;
	const char *why;
	enum oc_err err;

	*rx_len = 0;
	if (cap < 2)
		return OC_E_SPACE;
	if (pin_request_parse(operation, tx, tx_len, reader_caps(b->device->reader), &request, &why) != OC_OK)
		return refuse(operation, why, rx, rx_len);
	*rx_len = cap;
	err = slot_pin(b->slot, &request, rx, rx_len);
	bytes_wipe(&request, sizeof request);
	return err;
}

enum oc_err pinpad_verify(struct binding *b, const uint8_t *tx, size_t tx_len, uint8_t *rx, size_t *rx_len)
{
	return enter(b, PIN_VERIFY, tx, tx_len, rx, rx_len);
}

enum oc_err pinpad_modify(struct binding *b, const uint8_t *tx, size_t tx_len, uint8_t *rx, size_t *rx_len)
{
	return enter(b, PIN_MODIFY, tx, tx_len, rx, rx_len);
}
