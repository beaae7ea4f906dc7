/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ifd/control.h"

#include <reader.h>

/* PC/SC part 10, 2.2: the list of features; this reader has none to offer, and says so with an empty list. */
static enum oc_err get_features(struct binding *b, const uint8_t *tx, size_t tx_len, uint8_t *rx,
				size_t *rx_len)
{
	(void)b;
	(void)tx;
	(void)tx_len;
	(void)rx;
	*rx_len = 0;
	return OC_OK;
}

static enum oc_err escape(struct binding *b, const uint8_t *tx, size_t tx_len, uint8_t *rx, size_t *rx_len)
{
	if (!driver_escape_permitted(b, tx, tx_len)) {
		OC_LOG(driver_log(), OC_LOG_CRITICAL,
		       "an application wanted to send an Escape command, which is not permitted; 'escape = "
		       "allow' "
		       "in a .reader file in %s permits it, for this reader or for all under [*]",
		       driver_folder());
		*rx_len = 0;
		return OC_E_UNSUPPORTED;
	}
	return slot_escape(b->slot, tx, tx_len, rx, rx_len);
}

static const struct {
	unsigned long code;
	enum oc_err (*run)(struct binding *b, const uint8_t *tx, size_t tx_len, uint8_t *rx, size_t *rx_len);
} controls[] = {
	{ SCARD_CTL_CODE(1), escape }, /* IOCTL_SMARTCARD_VENDOR_IFD_EXCHANGE */
	{ CM_IOCTL_GET_FEATURE_REQUEST, get_features },
};

enum oc_err control_run(struct binding *binding, unsigned long code, const uint8_t *tx, size_t tx_len,
			uint8_t *rx, size_t *rx_len)
{
	for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++)
		if (controls[i].code == code)
			return controls[i].run(binding, tx, tx_len, rx, rx_len);
	*rx_len = 0;
	return OC_E_UNSUPPORTED;
}
