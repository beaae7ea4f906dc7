/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ifd/driver.h"

#include "ccid/descriptor.h"
#include "ccid/iccd.h"
#include "ifd/bundle.h"
#include "ifd/learn.h"
#include "ifd/pcscd_log.h"
#include "ifd/recording.h"
#include "quirk/override.h"
#include "tpdu/apdu.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEFAULT_LOG = OC_LOG_CRITICAL | OC_LOG_INFO,
	SLOT_MASK = 0xFFFF,
	MAX_WAIT_S = 86400,
};

static struct {
	pthread_once_t once;
	struct oc_log log;    /* constant after once */
	unsigned options;     /* constant after once */
	unsigned patience_ms; /* constant after once; 0: the default */

	pthread_mutex_t lock;
	pthread_cond_t left;       /* a call has left a binding that is closing */
	struct binding **bindings; /* NULL where free */
	size_t count;
} table = {
	.once = PTHREAD_ONCE_INIT,
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.left = PTHREAD_COND_INITIALIZER,
};

/* OPENCCID_MAX_WAIT, in seconds: longest that a command may take. What makes no sense is as good as nothing. */
static unsigned read_patience(const char *text)
{
	char *end;
	const unsigned long seconds = text ? strtoul(text, &end, 10) : 0;

	return text && end != text && *end == '\0' && seconds <= MAX_WAIT_S ? (unsigned)seconds * 1000 : 0;
}

const char *driver_folder(void)
{
	const char *folder = secure_getenv("OPENCCID_CONFIG");

	return folder ? folder : OPENCCID_CONFIG_DIR;
}

/*
 * The environment wins over the files, and those over Info.plist; our own variable over that of libccid. Mistakes in the files are told
 * when a reader is opened.
 */
static void configure(void)
{
	struct bundle_keys keys = { .log_level = DEFAULT_LOG };
	const char *secrets = secure_getenv("OPENCCID_LOG_SECRETS");
	struct quirk_override *override = quirk_override_new(0, 0, NULL, NULL);
	const struct reader_settings *settings = quirk_override_settings(override);
	unsigned log_level;

	bundle_read_own(&keys);
	quirk_override_folder(override, driver_folder());
	log_level = pcscd_log_mask(secure_getenv("LIBCCID_ifdLogLevel"),
				   settings->log_1 ? settings->log_1 - 1 : keys.log_level);
	quirk_override_free(override);
	table.log = (struct oc_log){
		.mask = pcscd_log_mask(secure_getenv("OPENCCID_LOG"), log_level),
		.secrets = secrets && strcmp(secrets, "yes") == 0,
		.write = pcscd_log_write,
	};
	if (table.log.secrets)
		OC_LOG(&table.log, OC_LOG_CRITICAL,
		       "OPENCCID_LOG_SECRETS=yes: PINs and keys are shown in this log; give it to nobody, "
		       "and "
		       "change them afterwards");
	OC_LOG(&table.log, OC_LOG_INFO,
	       "version %s: %zu readers in the list, log level %u, ifdDriverOptions 0x%02X, settings in %s",
	       PACKAGE_VERSION, quirk_table_len, table.log.mask, keys.driver_options, driver_folder());
	table.options = keys.driver_options;
	table.patience_ms = read_patience(secure_getenv("OPENCCID_MAX_WAIT"));
}

static void tell_mistake(void *arg, const char *sentence)
{
	(void)arg;
	OC_LOG(&table.log, OC_LOG_CRITICAL, "%s", sentence);
}

/* What the administrator says of this product. */
static struct quirk_override *read_override(const struct usb_info *info)
{
	struct quirk_override *override = quirk_override_new(info->vid, info->pid, tell_mistake, NULL);

	quirk_override_folder(override, driver_folder());
	quirk_override_entries(override, secure_getenv(QUIRK_ENTRIES));
	return override;
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

static void tell_fault(const struct ccid_caps *caps)
{
	if (caps->fixed_in)
		OC_LOG(&table.log, OC_LOG_INFO,
		       "firmware %x.%02x of this reader has a known fault%s%s; firmware %x.%02x and later do "
		       "not have it",
		       caps->firmware >> 8, caps->firmware & 0xFF, caps->fault && caps->fault[0] ? ": " : "",
		       caps->fault ? caps->fault : "", caps->fixed_in >> 8, caps->fixed_in & 0xFF);
	if (caps->pinpad == PINPAD_BROKEN)
		OC_LOG(&table.log, OC_LOG_INFO,
		       "the keypad of this reader is not offered to applications, which ask for the PIN "
		       "themselves; 'pinpad = force' in a .reader file in %s offers it all the same",
		       driver_folder());
}

static void tell_opened(const struct usb_info *info, const struct ccid_caps *caps, const char *from,
			bool events)
{
	const struct quirk_reader *known = quirk_find(info->vid, info->pid);
	static const char *const levels[] = { "character", "TPDU", "short APDU", "extended APDU" };

	OC_LOG(&table.log, OC_LOG_INFO,
	       "opened %s (%04x:%04x, firmware %x.%02x, interface %u): %s level, %u slot%s, presence by %s",
	       known ? quirk_name(known) : "a reader that is not in the list", info->vid, info->pid,
	       info->bcd_device >> 8, info->bcd_device & 0xFF, info->interface, levels[caps->level],
	       caps->slots, caps->slots == 1 ? "" : "s", events ? "interrupt" : "asking");
	tell_fault(caps);
	if (from[0])
		OC_LOG(&table.log, OC_LOG_INFO, "rules of the administrator are applied to this reader: %s",
		       from);
}

static void tell_refused(const struct usb_info *info, enum oc_err err)
{
	if (err == OC_E_DESCRIPTOR)
		OC_LOG(&table.log, OC_LOG_CRITICAL,
		       "%04x:%04x interface %u cannot be used: its class descriptor is missing or makes no "
		       "sense",
		       info->vid, info->pid, info->interface);
	else if (err == OC_E_TIMEOUT || err == OC_E_STALL || err == OC_E_IO)
		OC_LOG(&table.log, OC_LOG_CRITICAL,
		       "%04x:%04x interface %u does not answer; unplug the reader and plug it in again",
		       info->vid, info->pid, info->interface);
}

/* The interfaces of a device share a lock: some readers lock up when two of them are spoken to at once. */
static struct shared_lock *share_lock(const struct usb_info *info)
{
	struct shared_lock *lock = NULL;

	pthread_mutex_lock(&table.lock);
	for (size_t i = 0; i < table.count && !lock; i++) {
		const struct binding *binding = table.bindings[i];

		if (binding && binding->device->info.bus == info->bus &&
		    binding->device->info.address == info->address)
			lock = binding->device->lock;
	}
	if (!lock) {
		lock = calloc(1, sizeof *lock);
		if (lock)
			pthread_mutex_init(&lock->mutex, NULL);
	}
	if (lock)
		lock->users++;
	pthread_mutex_unlock(&table.lock);
	return lock;
}

static void drop_lock(struct shared_lock *lock)
{
	bool last;

	if (!lock)
		return;
	pthread_mutex_lock(&table.lock);
	last = --lock->users == 0;
	pthread_mutex_unlock(&table.lock);
	if (last) {
		pthread_mutex_destroy(&lock->mutex);
		free(lock);
	}
}

/* Put the face of a reader on a token that speaks over the control pipe. */
static enum oc_err wrap_token(const struct usb_info *info, struct reader_setup *setup)
{
	struct transport *wrapped;
	enum oc_err err = OC_OK;

	if (!learn_is_iccd(info))
		return OC_OK;
	err = iccd_wrap(setup->transport, (enum iccd_version)info->protocol, info->interface, &wrapped);
	if (err == OC_OK)
		setup->transport = wrapped;
	return err;
}

/* The settings that are read anew with each reader. */
static void set_up(const struct device *device, struct reader_setup *setup)
{
	const struct reader_settings *settings = quirk_override_settings(device->override);
	const unsigned option = (table.options & OPTION_VOLTAGE_MASK) >> OPTION_VOLTAGE_SHIFT;

	/* Some devices lock up when two of their interfaces are spoken to at once, and slots do not wait for other interfaces. */
	if (!device->info.lone)
		setup->caps.busy_slots = 1;
	setup->lock = &device->lock->mutex;
	setup->patience_ms = table.patience_ms ? table.patience_ms : settings->max_wait_s * 1000;
	setup->interface = device->info.interface;
	setup->interrupt = device->info.interrupt;
	setup->voltage = (enum voltage_policy)(settings->voltage_1 ? settings->voltage_1 - 1 : option);
}

/* Read without a word: what is wrong in the files is told when a reader is opened. */
static bool is_left(const struct usb_info *info)
{
	struct quirk_override *override = quirk_override_new(info->vid, info->pid, NULL, NULL);
	bool left;

	quirk_override_folder(override, driver_folder());
	quirk_override_entries(override, secure_getenv(QUIRK_ENTRIES));
	left = quirk_override_leaves(override);
	quirk_override_free(override);
	return left;
}

/* Asked before the interface is taken from anybody. */
static bool is_ours(const struct usb_info *info)
{
	return learn_is_reader(info) && !is_left(info);
}

/* pcscd tries the next driver for every failure but "no such device". */
static enum oc_err open_ours(const char *name, struct device *device, struct transport **transport)
{
	const struct usb_info *info = &device->info;
	const enum oc_err err = usb_open(name, driver_log(), is_ours, &device->info, transport);

	if (err != OC_E_NOT_CCID || !learn_is_reader(info) || !is_left(info))
		return err;
	OC_LOG(driver_log(), OC_LOG_INFO,
	       "%04x:%04x interface %u is left to another driver, as 'leave = yes' in the settings says",
	       info->vid, info->pid, info->interface);
	return OC_E_LEFT;
}

static enum oc_err open_reader(const char *name, struct device *device)
{
	const struct oc_log *log = driver_log();
	struct reader_setup setup = { .log = log };
	struct opening opening;
	struct learned learned = { 0 };
	char product[USB_STRING_MAX] = "";
	enum oc_err err = open_ours(name, device, &setup.transport);

	if (err == OC_OK) {
		device->override = read_override(&device->info);
		if (!usb_string(&device->info, "product", product))
			product[0] = '\0';
		err = learn_caps(&device->info, product, device->override, &learned);
	}
	if (err == OC_OK) {
		device->descriptor = learned.descriptor;
		setup.caps = learned.caps;
		usb_pace(setup.transport, setup.caps.write_pause_ms);
		setup.transport = recording_begin(setup.transport, &device->info, &setup.caps,
						  quirk_override_settings(device->override), log);
		err = wrap_token(&device->info, &setup);
	}
	if (err == OC_OK) {
		device->lock = share_lock(&device->info);
		err = device->lock ? OC_OK : OC_E_MEMORY;
	}
	if (err == OC_OK) {
		set_up(device, &setup);
		opening_plan(&opening, &setup.caps, device->firmware);
		setup.steps = opening.step;
		setup.step_count = opening.count;
		err = reader_open(&setup, &device->reader);
	}
	if (err == OC_OK) {
		tell_opened(&device->info, &setup.caps, learned.from,
			    slot_has_events(reader_slot(device->reader, 0)));
		return OC_OK;
	}
	tell_refused(&device->info, err);
	if (setup.transport)
		setup.transport->ops->close(setup.transport);
	drop_lock(device->lock);
	quirk_override_free(device->override);
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

/* ---- who is inside ------------------------------------------------------------------------------------------------ */

static bool is_closing(const struct binding *binding)
{
	return __atomic_load_n(&binding->users, __ATOMIC_ACQUIRE) & BINDING_CLOSING;
}

/* Calls that have not come back */
static unsigned inside(const struct binding *binding)
{
	return __atomic_load_n(&binding->users, __ATOMIC_ACQUIRE) & ~(unsigned)BINDING_CLOSING;
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
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what it holds */
	grown = realloc(table.bindings, (table.count + 1) * sizeof *grown);
	if (!grown)
		return NULL;
	table.bindings = grown;
	table.bindings[table.count] = NULL;
	return &table.bindings[table.count++];
}

static bool unit_is_free(const struct usb_info *info, unsigned unit)
{
	for (size_t i = 0; i < table.count; i++) {
		const struct device *other = table.bindings[i] ? table.bindings[i]->device : NULL;

		if (other && other->info.vid == info->vid && other->info.pid == info->pid &&
		    other->unit == unit)
			return false;
	}
	return true;
}

static unsigned free_unit(const struct usb_info *info)
{
	unsigned unit = 0;

	/* There are no more than count to collide with. */
	while (unit < table.count && !unit_is_free(info, unit))
		unit++;
	return unit;
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
	/* gcc-suppress(analyzer-malloc-leak): the table has it now */
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
	err = first && !is_closing(*first) ? bind_lun(lun, (*first)->device) : OC_E_NAME;
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
	drop_lock(device->lock);
	quirk_override_free(device->override);
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
	device->unit = free_unit(&device->info);
	err = bind_lun(lun, device);
	pthread_mutex_unlock(&table.lock);
	if (err != OC_OK)
		close_device(device);
	return err;
}

static bool is_bytes(const struct ccid_bytes *known, const uint8_t *tx, size_t len)
{
	return known->len && len == known->len + (known->open_end ? 1u : 0u) &&
	       memcmp(tx, known->at, known->len) == 0;
}

bool driver_escape_permitted(const struct binding *binding, const uint8_t *tx, size_t len)
{
	const struct ccid_caps *caps = reader_caps(binding->device->reader);

	if (caps->escape != PERMISSION_AS_CONFIGURED)
		return caps->escape == PERMISSION_ALLOW;
	if (is_bytes(&caps->escape_allowed, tx, len) || is_bytes(&caps->firmware_escape, tx, len))
		return true;
	return driver_options() & OPTION_ESCAPE;
}

struct binding *driver_get(unsigned long lun)
{
	struct binding **place, *binding = NULL;

	pthread_mutex_lock(&table.lock);
	place = find(lun);
	if (place && !is_closing(*place)) {
		binding = *place;
		__atomic_add_fetch(&binding->users, 1, __ATOMIC_ACQUIRE);
	}
	pthread_mutex_unlock(&table.lock);
	return binding;
}

void driver_put(struct binding *binding)
{
	/* It may be freed as soon as nobody is inside. */
	if (__atomic_sub_fetch(&binding->users, 1, __ATOMIC_ACQ_REL) != BINDING_CLOSING)
		return;
	pthread_mutex_lock(&table.lock);
	pthread_cond_broadcast(&table.left);
	pthread_mutex_unlock(&table.lock);
}

/* The table's lock is held. */
static bool is_used(const struct device *device)
{
	for (size_t i = 0; i < table.count; i++)
		if (table.bindings[i] && table.bindings[i]->device == device && inside(table.bindings[i]))
			return true;
	return false;
}

/* Who is still inside is waiting for a reader that pcscd has given up, or for one slot of it. The table's lock is held. */
static void end_calls(const struct binding *binding)
{
	struct device *device = binding->device;

	if (inside(binding))
		slot_stop_wait(binding->slot);
	if (device->closing == device->luns)
		reader_gone(device->reader);
	if (device->closing == device->luns || !inside(binding))
		return;
	/* Talks to the reader, which may take a moment. */
	pthread_mutex_unlock(&table.lock);
	slot_pin_abort(binding->slot);
	pthread_mutex_lock(&table.lock);
}

bool driver_close(unsigned long lun)
{
	struct device *device = NULL;
	struct binding **place, *binding;

	pthread_mutex_lock(&table.lock);
	place = find(lun);
	if (!place || is_closing(*place)) {
		pthread_mutex_unlock(&table.lock);
		return false;
	}
	binding = *place;
	__atomic_or_fetch(&binding->users, BINDING_CLOSING, __ATOMIC_ACQ_REL);
	binding->device->closing++;
	if (is_used(binding->device))
		end_calls(binding);
	while (inside(binding))
		pthread_cond_wait(&table.left, &table.lock);
	unbind(binding);
	binding->device->closing--;
	if (--binding->device->luns == 0)
		device = binding->device;
	pthread_mutex_unlock(&table.lock);
	free(binding);
	if (device)
		close_device(device);
	return true;
}
