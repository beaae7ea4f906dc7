/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The entry points that pcscd calls (IFD handler API 3.0). Nothing here decides: it translates. */
#include "ccid/message.h"
#include "ifd/attributes.h"
#include "ifd/control.h"
#include "ifd/driver.h"
#include "ifd/pcsclite.h"
#include "ifd/reader_info.h"

#include <ifdhandler.h>
#include <reader.h>
#include <stdint.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

enum { GONE_MS = 2000 }; /* that pcscd may take to see that a device is gone */

/* No default: a new error does not compile until somebody decides what pcscd should see. */
static RESPONSECODE to_ifd(enum oc_err err)
{
	switch (err) {
	case OC_OK: return IFD_SUCCESS;
	case OC_E_GONE:
	case OC_E_NOT_CCID: return IFD_NO_SUCH_DEVICE;
	case OC_E_TIMEOUT: return IFD_RESPONSE_TIMEOUT;
	case OC_E_NO_CARD: return IFD_ICC_NOT_PRESENT;
	case OC_E_SPACE: return IFD_ERROR_INSUFFICIENT_BUFFER;
	case OC_E_PROTOCOL: return IFD_PROTOCOL_NOT_SUPPORTED;
	case OC_E_UNSUPPORTED:
	case OC_E_EXTENDED: return IFD_NOT_SUPPORTED;
	case OC_E_SHORT:
	case OC_E_LENGTH:
	case OC_E_ANSWER:
	case OC_E_STOPPED:
	case OC_E_RESTARTED:
	case OC_E_STALL:
	case OC_E_IO:
	case OC_E_BUSY:
	case OC_E_ACCESS:
	case OC_E_LEFT: /* pcscd goes on to the next driver, which it does for no other code */
	case OC_E_NAME:
	case OC_E_DESCRIPTOR:
	case OC_E_REFUSED:
	case OC_E_MUTE:
	case OC_E_CARD:
	case OC_E_UNPOWERED:
	case OC_E_ATR:
	case OC_E_APDU:
	case OC_E_LIMIT:
	case OC_E_MEMORY: break;
	}
	return IFD_COMMUNICATION_ERROR;
}

static RESPONSECODE null_pointer(const char *call, DWORD lun)
{
	OC_LOG(driver_log(), OC_LOG_CRITICAL, "%s for Lun %lX was given a null pointer", call, lun);
	return IFD_COMMUNICATION_ERROR;
}

/* Every call but the first names a Lun that must be open. */
static struct binding *binding_of(DWORD lun, const char *call)
{
	struct binding *binding = driver_get(lun);

	if (!binding)
		OC_LOG(driver_log(), OC_LOG_CRITICAL, "%s for Lun %lX, which is not open", call, lun);
	return binding;
}

EXPORT RESPONSECODE IFDHCreateChannelByName(DWORD Lun, LPSTR DeviceName)
{
	if (!DeviceName) {
		OC_LOG(driver_log(), OC_LOG_CRITICAL, "no device name was given for Lun %lX", Lun);
		return IFD_COMMUNICATION_ERROR;
	}
	return to_ifd(driver_open(Lun, DeviceName));
}

/* Called where reader.conf names no device: for serial readers, which this driver is not for. */
EXPORT RESPONSECODE IFDHCreateChannel(DWORD Lun, DWORD Channel)
{
	OC_LOG(driver_log(), OC_LOG_CRITICAL,
	       "Lun %lX: channel %lX is no USB device; this driver is loaded by pcscd itself and needs no "
	       "reader.conf",
	       Lun, Channel);
	return IFD_COMMUNICATION_ERROR;
}

EXPORT RESPONSECODE IFDHCloseChannel(DWORD Lun)
{
	if (driver_close(Lun))
		return IFD_SUCCESS;
	OC_LOG(driver_log(), OC_LOG_CRITICAL, "IFDHCloseChannel for Lun %lX, which is not open", Lun);
	return IFD_COMMUNICATION_ERROR;
}

/* ---- capabilities ------------------------------------------------------------------------------------------------- */

static RESPONSECODE wait_for_event(DWORD Lun, int timeout_ms)
{
	struct binding *binding = driver_get(Lun);
	enum oc_err err;

	if (!binding)
		return IFD_NO_SUCH_DEVICE;
	err = slot_wait_event(binding->slot, timeout_ms > 0 ? (unsigned)timeout_ms : 0);
	/*
	 * pcscd learns of the removal by itself, mostly in this moment, and then stops us. An error would make it sleep on it, and with
	 * it the thread that takes the reader away and puts the next one in its place.
	 */
	if (err == OC_E_GONE) {
		slot_await_stop(binding->slot, GONE_MS);
		err = OC_OK;
	}
	driver_put(binding);
	return to_ifd(err);
}

static RESPONSECODE stop_waiting(DWORD Lun)
{
	struct binding *binding = driver_get(Lun);

	if (!binding)
		return IFD_NO_SUCH_DEVICE;
	slot_stop_wait(binding->slot);
	driver_put(binding);
	return IFD_SUCCESS;
}

EXPORT RESPONSECODE IFDHGetCapabilities(DWORD Lun, DWORD Tag, PDWORD Length, PUCHAR Value)
{
	static const struct attribute_hooks hooks = { wait_for_event, stop_waiting };
	struct binding *binding;
	enum oc_err err;
	size_t len;

	if (!Length)
		return null_pointer("IFDHGetCapabilities", Lun);
	binding = binding_of(Lun, "IFDHGetCapabilities");
	if (!binding)
		return IFD_COMMUNICATION_ERROR;
	len = *Length;
	err = attribute_get(binding, &hooks, Tag, Value, &len);
	*Length = len;
	driver_put(binding);
	return err == OC_E_UNSUPPORTED ? IFD_ERROR_TAG : to_ifd(err);
}

EXPORT RESPONSECODE IFDHSetCapabilities(DWORD Lun, DWORD Tag, DWORD Length, PUCHAR Value)
{
	struct binding *binding = binding_of(Lun, "IFDHSetCapabilities");

	(void)Length;
	(void)Value;
	if (!binding)
		return IFD_COMMUNICATION_ERROR;
	/* pcscd has seen the device go: whoever still waits for it is set free. */
	if (Tag == TAG_IFD_DEVICE_REMOVED)
		reader_gone(binding->device->reader);
	driver_put(binding);
	return Tag == TAG_IFD_DEVICE_REMOVED ? IFD_SUCCESS : IFD_ERROR_TAG;
}

/* ---- the card ----------------------------------------------------------------------------------------------------- */

EXPORT RESPONSECODE IFDHSetProtocolParameters(DWORD Lun, DWORD Protocol, UCHAR Flags, UCHAR PTS1, UCHAR PTS2,
					      UCHAR PTS3)
{
	/* pcscd sets no flag: the driver chooses speed and parameters from the ATR. */
	const struct pts pts = {
		.has_pts1 = Flags & IFD_NEGOTIATE_PTS1,
		.has_pts2 = Flags & IFD_NEGOTIATE_PTS2,
		.has_pts3 = Flags & IFD_NEGOTIATE_PTS3,
		.pts1 = PTS1,
		.pts2 = PTS2,
		.pts3 = PTS3,
	};
	struct binding *binding;
	enum oc_err err;

	if (Protocol != SCARD_PROTOCOL_T0 && Protocol != SCARD_PROTOCOL_T1) {
		OC_LOG(driver_log(), OC_LOG_CRITICAL, "Lun %lX: protocol %lu is neither T=0 (1) nor T=1 (2)",
		       Lun, Protocol);
		return IFD_PROTOCOL_NOT_SUPPORTED;
	}
	binding = binding_of(Lun, "IFDHSetProtocolParameters");
	if (!binding)
		return IFD_COMMUNICATION_ERROR;
	err = slot_set_protocol(binding->slot,
				Protocol == SCARD_PROTOCOL_T1 ? CCID_PROTOCOL_T1 : CCID_PROTOCOL_T0, &pts);
	driver_put(binding);
	return err == OC_E_MUTE || err == OC_E_REFUSED ? IFD_ERROR_PTS_FAILURE : to_ifd(err);
}

static RESPONSECODE power_up(struct slot *slot, PUCHAR atr, PDWORD atr_len)
{
	uint8_t bytes[ATR_MAX];
	size_t len;
	const enum oc_err err = slot_power_up(slot, bytes, &len);

	if (err == OC_E_GONE)
		return IFD_NO_SUCH_DEVICE;
	if (err != OC_OK)
		return IFD_ERROR_POWER_ACTION;
	memcpy(atr, bytes, len);
	*atr_len = len;
	return IFD_SUCCESS;
}

EXPORT RESPONSECODE IFDHPowerICC(DWORD Lun, DWORD Action, PUCHAR Atr, PDWORD AtrLength)
{
	struct binding *binding;
	RESPONSECODE code = IFD_NOT_SUPPORTED;

	/* The buffer is defined to be MAX_ATR_SIZE bytes long; *AtrLength need not be set on entry. */
	if (!Atr || !AtrLength)
		return null_pointer("IFDHPowerICC", Lun);
	*AtrLength = 0;
	binding = binding_of(Lun, "IFDHPowerICC");
	if (!binding)
		return IFD_COMMUNICATION_ERROR;
	if (Action == IFD_POWER_UP || Action == IFD_RESET)
		code = power_up(binding->slot, Atr, AtrLength);
	else if (Action == IFD_POWER_DOWN)
		code = to_ifd(slot_power_down(binding->slot));
	else
		OC_LOG(driver_log(), OC_LOG_CRITICAL, "Lun %lX: IFDHPowerICC does not know action %lu", Lun,
		       Action);
	driver_put(binding);
	return code;
}

static enum oc_err transmit(struct binding *binding, unsigned *protocol, const uint8_t *tx, size_t tx_len,
			    uint8_t *rx, size_t *rx_len)
{
	if (tx && reader_info_asked(binding, tx, tx_len))
		return reader_info_answer(binding, tx, rx, rx_len);
	return slot_transmit_by(binding->slot, protocol, tx, tx_len, rx, rx_len);
}

EXPORT RESPONSECODE IFDHTransmitToICC(DWORD Lun, SCARD_IO_HEADER SendPci, PUCHAR TxBuffer, DWORD TxLength,
				      PUCHAR RxBuffer, PDWORD RxLength, PSCARD_IO_HEADER RecvPci)
{
	unsigned protocol = SendPci.Protocol <= 1 ? (unsigned)SendPci.Protocol : SLOT_ANY_PROTOCOL;
	struct binding *binding;
	enum oc_err err;
	size_t len;

	if (!RxLength)
		return null_pointer("IFDHTransmitToICC", Lun);
	len = RxBuffer ? *RxLength : 0;
	*RxLength = 0;
	binding = binding_of(Lun, "IFDHTransmitToICC");
	if (!binding)
		return IFD_COMMUNICATION_ERROR;
	err = transmit(binding, &protocol, TxBuffer, TxBuffer ? TxLength : 0, RxBuffer, &len);
	if (err == OC_OK) {
		*RxLength = len;
		if (RecvPci && SendPci.Protocol <= 1)
			RecvPci->Protocol = protocol;
	}
	driver_put(binding);
	return to_ifd(err);
}

EXPORT RESPONSECODE IFDHControl(DWORD Lun, DWORD dwControlCode, PUCHAR TxBuffer, DWORD TxLength,
				PUCHAR RxBuffer, DWORD RxLength, LPDWORD pdwBytesReturned)
{
	struct binding *binding;
	enum oc_err err;
	size_t len = RxBuffer ? RxLength : 0;

	if (!pdwBytesReturned)
		return null_pointer("IFDHControl", Lun);
	*pdwBytesReturned = 0;
	binding = binding_of(Lun, "IFDHControl");
	if (!binding)
		return IFD_COMMUNICATION_ERROR;
	err = control_run(binding, dwControlCode, TxBuffer, TxBuffer ? TxLength : 0, RxBuffer, &len);
	if (err == OC_OK)
		*pdwBytesReturned = len;
	driver_put(binding);
	return err == OC_E_UNSUPPORTED ? IFD_ERROR_NOT_SUPPORTED : to_ifd(err);
}

EXPORT RESPONSECODE IFDHICCPresence(DWORD Lun)
{
	struct binding *binding = binding_of(Lun, "IFDHICCPresence");
	bool present = false;
	enum oc_err err;

	if (!binding)
		return IFD_COMMUNICATION_ERROR;
	err = slot_presence(binding->slot, &present);
	driver_put(binding);
	/* pcscd learns by itself that a device is gone, and would sleep on an error. */
	if (err != OC_OK && err != OC_E_GONE)
		return to_ifd(err);
	return present ? IFD_ICC_PRESENT : IFD_ICC_NOT_PRESENT;
}
