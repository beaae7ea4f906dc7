/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/view.h"

#include "usb/attached.h"
#include "usb/holder.h"
#include "usb/sysfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASS_SMART_CARD = 0x0B };

const char *view_settings(void)
{
	const char *folder = getenv("OPENCCID_CONFIG");

	return folder ? folder : OPENCCID_CONFIG_DIR;
}

/* Vendor-class interfaces may look like a reader and be none: those have to be listed. */
static bool is_wanted(const struct usb_info *info)
{
	const struct quirk_reader *known = quirk_find(info->vid, info->pid);

	return learn_is_reader(info) &&
	       (info->class == CLASS_SMART_CARD || (known && (known->flags & QUIRK_VENDOR_CLASS)));
}

struct view *views_add(struct views *views)
{
	struct view *more = realloc(views->at, (views->count + 1) * sizeof *more);

	if (!more) {
		views->no_memory = true;
		return NULL;
	}
	views->at = more;
	memset(&more[views->count], 0, sizeof *more);
	return &more[views->count++];
}

static void text_of(const char *path, const char *name, char text[USB_STRING_MAX])
{
	if (!sysfs_attribute(path, name, text, USB_STRING_MAX))
		text[0] = '\0';
}

/* The kernel has the string of an interface in the folder beside the device's. */
static void interface_name_of(struct view *view)
{
	unsigned long configuration;
	char path[SYSFS_PATH + 32];

	if (!sysfs_number(view->path, "bConfigurationValue", 10, &configuration))
		return;
	snprintf(path, sizeof path, "%s:%lu.%u", view->path, configuration, view->info.interface);
	text_of(path, "interface", view->interface_name);
}

static void visit(void *arg, const char *path, const struct usb_info *info)
{
	struct view *view = is_wanted(info) ? views_add(arg) : NULL;

	if (!view)
		return;
	view->info = *info;
	snprintf(view->path, sizeof view->path, "%s", path);
	usb_node(info, view->node);
	text_of(path, "product", view->product);
	text_of(path, "manufacturer", view->manufacturer);
	interface_name_of(view);
}

/* What follows from info and the strings. */
static void learn(struct view *view)
{
	view->known = quirk_find(view->info.vid, view->info.pid);
	view->override = quirk_override_new(view->info.vid, view->info.pid, NULL, NULL);
	quirk_override_folder(view->override, view_settings());
	quirk_override_entries(view->override, getenv(QUIRK_ENTRIES));
	view->err = learn_caps(&view->info, view->product, view->override, &view->learned);
}

void views_learn(struct views *views)
{
	/* The array stands still now: what is learned refers to strings inside it. */
	for (size_t i = 0; i < views->count; i++)
		learn(&views->at[i]);
}

static int by_place(const void *a, const void *b)
{
	const struct usb_info *x = &((const struct view *)a)->info, *y = &((const struct view *)b)->info;

	if (x->bus != y->bus)
		return x->bus < y->bus ? -1 : 1;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->interface - y->interface;
}

void views_find(struct views *views)
{
	*views = (struct views){ 0 };
	if (!usb_attached_each(visit, views))
		views->no_memory = true;
	if (views->count)
		qsort(views->at, views->count, sizeof *views->at, by_place);
	views_learn(views);
}

void views_free(struct views *views)
{
	for (size_t i = 0; i < views->count; i++)
		quirk_override_free(views->at[i].override);
	free(views->at);
	*views = (struct views){ 0 };
}

const char *view_name(const struct view *view, char text[USB_STRING_MAX * 2])
{
	const char *maker = view->manufacturer, *product = view->product;

	if (view->known)
		return quirk_name(view->known);
	if (!maker[0] && !product[0])
		return "a reader without a name";
	/* Many say the maker once more in the product. */
	if (!product[0] || strncmp(maker, product, strlen(maker)) == 0)
		return product[0] ? product : maker;
	snprintf(text, (size_t)2 * USB_STRING_MAX, "%s %s", maker, product);
	return text;
}

static bool names_place(const struct view *view, const char *words)
{
	unsigned bus, address;
	char end;
	const char *base = strrchr(view->path, '/');

	if (strcmp(words, view->node) == 0 || (base && strcmp(words, base + 1) == 0))
		return true;
	/* NOLINTNEXTLINE(cert-err34-c): a number that short always fits */
	return sscanf(words, "%3u/%3u%c", &bus, &address, &end) == 2 && bus == view->info.bus &&
	       address == view->info.address;
}

bool view_is(const struct view *view, const char *words)
{
	char ids[16], text[USB_STRING_MAX * 2];

	snprintf(ids, sizeof ids, "%04x:%04x", view->info.vid, view->info.pid);
	return strcasecmp(words, ids) == 0 || names_place(view, words) ||
	       strcasestr(view_name(view, text), words) != NULL;
}

static void process_holder(const struct view *view, struct view_holder *holder)
{
	holder->driver = VIEW_PROCESS;
	if (!holder_find(view->node, holder->who, sizeof holder->who))
		snprintf(holder->who, sizeof holder->who, "a program that only root can see");
}

void view_holder_of(const struct view *view, bool held_by_pcscd, struct view_holder *holder)
{
	char driver[USB_DRIVER_MAX];
	const enum usb_claim claim = usb_claimed_by(&view->info, driver);

	*holder = (struct view_holder){ .driver = VIEW_UNKNOWN };
	if (held_by_pcscd)
		holder->driver = VIEW_PCSCD;
	else if (claim == USB_PROCESS)
		process_holder(view, holder);
	else if (claim == USB_KERNEL ||
		 sysfs_interface_driver(view->path, view->info.interface, driver, sizeof driver)) {
		holder->driver = VIEW_KERNEL;
		snprintf(holder->who, sizeof holder->who, "%.255s", driver);
	} else if (claim == USB_FREE)
		holder->driver = VIEW_FREE;
	else
		snprintf(holder->who, sizeof holder->who, "%s",
			 claim == USB_DENIED    ? "this user may not open the reader"
			 : claim == USB_NO_NODE ? "there is no device node"
						: "the kernel does not say");
}
