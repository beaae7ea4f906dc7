/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ifd/control.h"

#include "ifd/features.h"
#include "ifd/pinpad.h"

#include <reader.h>
#include <string.h>

/* Codes that pcsc-lite's headers do not name */
enum {
	WINDOWS_GET_FEATURE_REQUEST = 0x00313520, /* as remote desktops pass it on */
	WINDOWS_CCID_ESCAPE = 0x003136B0,
};

#define VENDOR_EXCHANGE SCARD_CTL_CODE(1)
#define CCID_ESCAPE     SCARD_CTL_CODE(3500)
#define NODE_ADDRESS    SCARD_CTL_CODE(3600)
#define USB_PLACE       SCARD_CTL_CODE(3601)

static enum oc_err escape(struct binding *b, const uint8_t *tx, size_t tx_len, uint8_t *rx, size_t *rx_len)
{
	if (driver_escape_permitted(b, tx, tx_len))
		return slot_escape(b->slot, tx, tx_len, rx, rx_len);
	OC_LOG(driver_log(), OC_LOG_CRITICAL,
	       "an application wanted to send an Escape command, which is not permitted; 'escape = allow' in "
	       "a "
	       ".reader file in %s permits it, for this reader or for all under [*]",
	       driver_folder());
	*rx_len = 0;
	return OC_E_UNSUPPORTED;
}

/* German "Secoder" commands: CLA 20, INS 70 to 75, P1 P2 Lind 00; the reader takes them as they are. */
static enum oc_err mct_direct(struct binding *b, const uint8_t *tx, size_t tx_len, uint8_t *rx,
			      size_t *rx_len)
{
	static const uint8_t rest[] = { 0, 0, 0 };
	enum { CLA = 0x20, FIRST = 0x70, LAST = 0x75, HEADER = 5 };

	if (tx_len >= HEADER && tx[0] == CLA && tx[1] >= FIRST && tx[1] <= LAST &&
	    memcmp(tx + 2, rest, sizeof rest) == 0)
		return slot_escape(b->slot, tx, tx_len, rx, rx_len);
	OC_LOG(driver_log(), OC_LOG_CRITICAL,
	       "%zu bytes are no command for MCT_READER_DIRECT: 20 70 00 00 00 to 20 75 00 00 00 are; "
	       "nothing was sent",
	       tx_len);
	*rx_len = 0;
	return OC_E_APDU;
}

static enum oc_err end_pin_entry(struct binding *b, const uint8_t *tx, size_t tx_len, uint8_t *rx,
				 size_t *rx_len)
{
	(void)tx;
	(void)tx_len;
	(void)rx;
	*rx_len = 0;
	slot_pin_abort(b->slot);
	return OC_OK;
}

/* T=1 at TPDU level: no byte asks for the node address, one sets it. */
static enum oc_err node_address(struct binding *b, const uint8_t *tx, size_t tx_len, uint8_t *rx,
				size_t *rx_len)
{
	const size_t cap = *rx_len;
	enum oc_err err;

	*rx_len = 0;
	if (tx_len > 1)
		return OC_E_LENGTH;
	if (tx_len == 1)
		return slot_set_nad(b->slot, tx[0]);
	if (cap < 1)
		return OC_E_SPACE;
	err = slot_get_nad(b->slot, rx);
	*rx_len = err == OC_OK ? 1 : 0;
	return err;
}

static void put_usb_place(struct binding *b, struct wr *w)
{
	char text[USB_PLACE_MAX];

	if (usb_place_of(&b->device->info, text))
		wr_bytes(w, text, strlen(text));
}

/* A control code either tells something, or does something. */
struct control {
	void (*put)(struct binding *b, struct wr *w);
	enum oc_err (*run)(struct binding *b, const uint8_t *tx, size_t tx_len, uint8_t *rx, size_t *rx_len);
};

#define TELLS(put)        \
	{                 \
		put, NULL \
	}
#define DOES(run)         \
	{                 \
		NULL, run \
	}

static const struct {
	unsigned long code;
	struct control control;
} controls[] = {
	{ CM_IOCTL_GET_FEATURE_REQUEST, TELLS(features_put_list) },
	{ WINDOWS_GET_FEATURE_REQUEST, TELLS(features_put_list) },
	{ VENDOR_EXCHANGE, DOES(escape) },
	{ CCID_ESCAPE, DOES(escape) },
	{ WINDOWS_CCID_ESCAPE, DOES(escape) },
	{ NODE_ADDRESS, DOES(node_address) },
	{ USB_PLACE, TELLS(put_usb_place) },
};

/* What stands behind a feature; it can be used where the list has it. */
static const struct {
	uint8_t tag;
	struct control control;
} feature_controls[] = {
	{ FEATURE_VERIFY_PIN_DIRECT, DOES(pinpad_verify) },
	{ FEATURE_MODIFY_PIN_DIRECT, DOES(pinpad_modify) },
	{ FEATURE_MCT_READER_DIRECT, DOES(mct_direct) },
	{ FEATURE_IFD_PIN_PROPERTIES, TELLS(features_put_pin_properties) },
	{ FEATURE_ABORT, DOES(end_pin_entry) },
	{ FEATURE_IFD_DISPLAY_PROPERTIES, TELLS(features_put_display_properties) },
	{ FEATURE_GET_TLV_PROPERTIES, TELLS(features_put_tlv_properties) },
	{ FEATURE_CCID_ESC_COMMAND, DOES(escape) },
};

static const struct control *find_control(struct binding *b, unsigned long code)
{
	for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++)
		if (controls[i].code == code)
			return &controls[i].control;
	for (size_t i = 0; i < sizeof feature_controls / sizeof feature_controls[0]; i++)
		if (code == features_code(feature_controls[i].tag) &&
		    features_has(b, feature_controls[i].tag))
			return &feature_controls[i].control;
	return NULL;
}

static enum oc_err tell(struct binding *b, const struct control *control, uint8_t *rx, size_t *rx_len)
{
	const size_t cap = *rx_len;
	struct wr w = wr_of(rx, cap);

	control->put(b, &w);
	*rx_len = w.overrun ? 0 : cap - w.left;
	return w.overrun ? OC_E_SPACE : OC_OK;
}

enum oc_err control_run(struct binding *binding, unsigned long code, const uint8_t *tx, size_t tx_len,
			uint8_t *rx, size_t *rx_len)
{
	const struct control *control = find_control(binding, code);

	if (control && control->put)
		return tell(binding, control, rx, rx_len);
	if (control)
		return control->run(binding, tx, tx_len, rx, rx_len);
	*rx_len = 0;
	return OC_E_UNSUPPORTED;
}
