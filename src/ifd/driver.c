/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ifd/driver.h"

#include "ccid/descriptor.h"
#include "ifd/bundle.h"
#include "ifd/pcscd_log.h"
#include "quirk/quirk.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEFAULT_LOG = OC_LOG_CRITICAL | OC_LOG_INFO,
	CLASS_SMART_CARD = 0x0B,
	SLOT_MASK = 0xFFFF,
};

static struct {
	pthread_once_t once;
	struct oc_log log; /* constant after once */
	unsigned options;  /* constant after once */

	pthread_mutex_t lock;
	pthread_cond_t left;       /* a call has left a binding that is closing */
	struct binding **bindings; /* NULL where free */
	size_t count;
} table = {
	.once = PTHREAD_ONCE_INIT,
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.left = PTHREAD_COND_INITIALIZER,
};

static void configure(void)
{
	struct bundle_keys keys = { .log_level = DEFAULT_LOG };
	const char *secrets = secure_getenv("OPENCCID_LOG_SECRETS");

	bundle_read_own(&keys);
	table.log = (struct oc_log){
		.mask = pcscd_log_mask(secure_getenv("OPENCCID_LOG"), keys.log_level),
		.secrets = secrets && strcmp(secrets, "yes") == 0,
		.write = pcscd_log_write,
	};
	table.options = keys.driver_options;
}

const struct oc_log *driver_log(void)
{
	pthread_once(&table.once, configure);
	return &table.log;
}

unsigned driver_options(void)
{
	pthread_once(&table.once, configure);
	return table.options;
}

/* ---- opening a device --------------------------------------------------------------------------------------------- */

/* What the reader says of itself, made plausible, then corrected by what is known of it. */
static enum oc_err learn_caps(const struct usb_info *info, const struct quirk_reader *known,
			      struct ccid_caps *caps)
{
	struct ccid_descriptor descriptor;
	size_t len;
	const uint8_t *bytes = ccid_descriptor_find(info->extra, info->extra_len, &len);
	enum oc_err err;

	/* Vendor-class interfaces are readers only if they bring the descriptor of one. */
	if (!bytes)
		return info->class == CLASS_SMART_CARD ? OC_E_DESCRIPTOR : OC_E_NOT_CCID;
	err = ccid_descriptor_decode(bytes, len, &descriptor);
	if (err == OC_OK)
		err = ccid_caps_derive(&descriptor, caps);
	if (err == OC_OK && known)
		quirk_apply(known, &descriptor, info->bcd_device, caps);
	return err;
}

static void tell_opened(const struct usb_info *info, const struct quirk_reader *known,
			const struct ccid_caps *caps)
{
	static const char *const levels[] = { "character", "TPDU", "short APDU", "extended APDU" };

	OC_LOG(&table.log, OC_LOG_INFO,
	       "opened %s (%04x:%04x, firmware %x.%02x, interface %u): %s level, %u slot%s, presence by %s",
	       known ? quirk_name(known) : "a reader that is not in the list", info->vid, info->pid,
	       info->bcd_device >> 8, info->bcd_device & 0xFF, info->interface, levels[caps->level],
	       caps->slots, caps->slots == 1 ? "" : "s", info->interrupt ? "interrupt" : "asking");
}

static void tell_refused(const struct usb_info *info, enum oc_err err)
{
	if (err == OC_E_NOT_CCID && info->class == CLASS_SMART_CARD)
		OC_LOG(&table.log, OC_LOG_CRITICAL,
		       "%04x:%04x interface %u has no bulk endpoints: it is a token that speaks ICCD over "
		       "the control "
		       "pipe, which this driver does not",
		       info->vid, info->pid, info->interface);
	else if (err == OC_E_DESCRIPTOR)
		OC_LOG(&table.log, OC_LOG_CRITICAL,
		       "%04x:%04x interface %u cannot be used: its class descriptor is missing or makes no "
		       "sense",
		       info->vid, info->pid, info->interface);
	else if (err == OC_E_TIMEOUT || err == OC_E_STALL || err == OC_E_IO)
		OC_LOG(&table.log, OC_LOG_CRITICAL,
		       "%04x:%04x interface %u does not answer; unplug the reader and plug it in again",
		       info->vid, info->pid, info->interface);
}

static enum oc_err open_reader(const char *name, struct device *device)
{
	const struct oc_log *log = driver_log();
	struct reader_setup setup = { .log = log };
	const struct quirk_reader *known = NULL;
	enum oc_err err = usb_open(name, log, &device->info, &setup.transport);

	if (err == OC_OK) {
		known = quirk_find(device->info.vid, device->info.pid);
		err = learn_caps(&device->info, known, &setup.caps);
	}
	if (err == OC_OK) {
		setup.interface = device->info.interface;
		setup.interrupt = device->info.interrupt;
		setup.voltage = (enum voltage_policy)((driver_options() & OPTION_VOLTAGE_MASK) >>
						      OPTION_VOLTAGE_SHIFT);
		err = reader_open(&setup, &device->reader);
	}
	if (err == OC_OK) {
		tell_opened(&device->info, known, &setup.caps);
		return OC_OK;
	}
	tell_refused(&device->info, err);
	if (setup.transport)
		setup.transport->ops->close(setup.transport);
	return err;
}

static enum oc_err open_device(const char *name, struct device **out)
{
	struct device *device = calloc(1, sizeof *device);
	enum oc_err err = device ? open_reader(name, device) : OC_E_MEMORY;

	if (err == OC_OK)
		*out = device;
	else
		free(device);
	return err;
}

/* ---- the table; its lock is held ---------------------------------------------------------------------------------- */

static struct binding **find(unsigned long lun)
{
	for (size_t i = 0; i < table.count; i++)
		if (table.bindings[i] && table.bindings[i]->lun == lun)
			return &table.bindings[i];
	return NULL;
}

static struct binding **free_place(void)
{
	struct binding **grown;

	for (size_t i = 0; i < table.count; i++)
		if (!table.bindings[i])
			return &table.bindings[i];
	grown = realloc(table.bindings, (table.count + 1) * sizeof *grown);
	if (!grown)
		return NULL;
	table.bindings = grown;
	table.bindings[table.count] = NULL;
	return &table.bindings[table.count++];
}

static enum oc_err bind_lun(unsigned long lun, struct device *device)
{
	struct slot *slot = reader_slot(device->reader, (unsigned)(lun & SLOT_MASK));
	struct binding **place = slot && !find(lun) ? free_place() : NULL;
	struct binding *binding = place ? calloc(1, sizeof *binding) : NULL;

	if (!slot || (!place && find(lun)))
		return OC_E_NAME;
	if (!binding)
		return OC_E_MEMORY;
	*binding = (struct binding){ .lun = lun, .device = device, .slot = slot };
	device->luns++;
	*place = binding;
	return OC_OK;
}

static void unbind(const struct binding *binding)
{
	for (size_t i = 0; i < table.count; i++)
		if (table.bindings[i] == binding)
			table.bindings[i] = NULL;
}

/* ---- the calls ---------------------------------------------------------------------------------------------------- */

/* Slots 1 and up join the device that slot 0 has opened. */
static enum oc_err join(unsigned long lun)
{
	struct binding **first;
	enum oc_err err;

	pthread_mutex_lock(&table.lock);
	first = find(lun & ~(unsigned long)SLOT_MASK);
	err = first && !(*first)->closing ? bind_lun(lun, (*first)->device) : OC_E_NAME;
	pthread_mutex_unlock(&table.lock);
	if (err == OC_E_NAME)
		OC_LOG(&table.log, OC_LOG_CRITICAL,
		       "Lun %lX cannot be opened: its reader is not open, or has no slot %lu", lun,
		       lun & SLOT_MASK);
	return err;
}

static bool is_bound(unsigned long lun)
{
	bool bound;

	pthread_mutex_lock(&table.lock);
	bound = find(lun) != NULL;
	pthread_mutex_unlock(&table.lock);
	return bound;
}

static void close_device(struct device *device)
{
	reader_close(device->reader);
	free(device);
}

enum oc_err driver_open(unsigned long lun, const char *name)
{
	struct device *device;
	enum oc_err err;

	driver_log();
	if (is_bound(lun)) {
		OC_LOG(&table.log, OC_LOG_CRITICAL, "Lun %lX is open already", lun);
		return OC_E_NAME;
	}
	if (lun & SLOT_MASK)
		return join(lun);
	err = open_device(name, &device);
	if (err != OC_OK)
		return err;
	pthread_mutex_lock(&table.lock);
	err = bind_lun(lun, device);
	pthread_mutex_unlock(&table.lock);
	if (err != OC_OK)
		close_device(device);
	return err;
}

struct binding *driver_get(unsigned long lun)
{
	struct binding **place, *binding = NULL;

	pthread_mutex_lock(&table.lock);
	place = find(lun);
	if (place && !(*place)->closing) {
		binding = *place;
		binding->users++;
	}
	pthread_mutex_unlock(&table.lock);
	return binding;
}

void driver_put(struct binding *binding)
{
	pthread_mutex_lock(&table.lock);
	binding->users--;
	if (binding->closing)
		pthread_cond_broadcast(&table.left);
	pthread_mutex_unlock(&table.lock);
}

bool driver_close(unsigned long lun)
{
	struct device *device = NULL;
	struct binding **place, *binding;

	pthread_mutex_lock(&table.lock);
	place = find(lun);
	if (!place || (*place)->closing) {
		pthread_mutex_unlock(&table.lock);
		return false;
	}
	binding = *place;
	binding->closing = true;
	if (binding->users) {
		/* Who is still inside is waiting for a reader that pcscd has given up. */
		slot_stop_wait(binding->slot);
		if (binding->device->luns == 1)
			reader_gone(binding->device->reader);
	}
	while (binding->users)
		pthread_cond_wait(&table.left, &table.lock);
	unbind(binding);
	if (--binding->device->luns == 0)
		device = binding->device;
	pthread_mutex_unlock(&table.lock);
	free(binding);
	if (device)
		close_device(device);
	return true;
}
