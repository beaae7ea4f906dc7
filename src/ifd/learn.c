/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ifd/learn.h"

#include "ccid/iccd.h"
#include "ccid/message.h"
#include "tpdu/apdu.h"

enum { CLASS_SMART_CARD = 0x0B, CLASS_VENDOR = 0xFF };

bool learn_is_iccd(const struct usb_info *info)
{
	return !info->bulk && (info->protocol == ICCD_A || info->protocol == ICCD_B);
}

bool learn_is_reader(const struct usb_info *info)
{
	size_t len;

	if (info->class != CLASS_SMART_CARD && info->class != CLASS_VENDOR)
		return false;
	if (info->class == CLASS_VENDOR && !ccid_descriptor_find(info->extra, info->extra_len, &len))
		return false;
	return info->bulk || learn_is_iccd(info);
}

/* A token answers at once to what it is asked, and knows neither parameters nor voltages. */
static void adapt_to_iccd(const struct usb_info *info, struct ccid_caps *caps)
{
	caps->features |= CCID_AUTO_PARAM_NEGOTIATION | CCID_AUTO_VOLTAGE;
	/* Its message length has no header to hold, and any short APDU fits. */
	if (caps->max_message < APDU_SHORT_MAX)
		caps->max_message = APDU_SHORT_MAX;
	caps->max_message += CCID_HEADER_LEN;
	if (info->protocol == ICCD_A) {
		caps->level = CCID_TPDU;
		caps->t0 = true;
		caps->t1 = false;
	}
}

enum oc_err learn_caps(const struct usb_info *info, const char *product,
		       const struct quirk_override *override, struct learned *out)
{
	size_t len;
	const uint8_t *bytes = ccid_descriptor_find(info->extra, info->extra_len, &len);
	enum oc_err err;

	*out = (struct learned){
		.facts = { .bcd_device = info->bcd_device, .interface = info->interface, .product = product },
	};
	err = bytes ? ccid_descriptor_decode(bytes, len, &out->descriptor) : OC_E_DESCRIPTOR;
	if (err == OC_OK)
		err = ccid_caps_derive(&out->descriptor, &out->caps);
	if (err != OC_OK)
		return err;
	out->facts.message = out->descriptor.dwMaxCCIDMessageLength;
	out->facts.level = out->caps.level;
	quirk_override_apply(override, info->vid, info->pid, &out->facts, &out->caps, out->from,
			     sizeof out->from);
	quirk_settle(&out->caps);
	if (learn_is_iccd(info))
		adapt_to_iccd(info, &out->caps);
	return OC_OK;
}
