/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an administrator changes at run time: .reader files in a folder, and the entries of an environment variable. Both
 * are as safe as the built-in table: what is faulty is told and left out, the rest is used.
 */
#ifndef OPENCCID_QUIRK_OVERRIDE_H
#define OPENCCID_QUIRK_OVERRIDE_H

#include "quirk/quirk.h"
#include "quirk/reader_file.h"

#include <stddef.h>
#include <stdint.h>

/* The name by which mistakes in the entries are told */
#define QUIRK_ENTRIES "OPENCCID_QUIRKS"

enum { QUIRK_MISTAKES_MAX = 16 }; /* so many are told of what was read together */

/* What was read for one product. It owns its rules, and must outlive the capabilities that they were applied to. */
struct quirk_override;

/* Told one complete sentence for each mistake, with file and line or with the number of the entry. */
typedef void (*quirk_mistake)(void *arg, const char *sentence);

/**
 * quirk_override_new - nothing read yet
 * @vid, @pid: sections of other products are checked, and left out
 * @mistake: may be NULL
 *
 * NULL if there is no memory; every function here takes that for an override that is empty.
 */
struct quirk_override *quirk_override_new(uint16_t vid, uint16_t pid, quirk_mistake mistake, void *arg);
void quirk_override_free(struct quirk_override *override);

/* One .reader file that is already in memory: sections [vid:pid], [vid:*] and [*]. */
void quirk_override_text(struct quirk_override *override, const char *file, const char *text, size_t len);

/* Every *.reader file of a folder, in the order of their names. A folder that does not exist is as good as an empty one. */
void quirk_override_folder(struct quirk_override *override, const char *folder);

/* "vid:pid:key=value,vid:*:key": a key alone means yes. @entries may be NULL. */
void quirk_override_entries(struct quirk_override *override, const char *entries);

/* What [*] says of the driver itself; the later file wins. Never NULL. */
const struct reader_settings *quirk_override_settings(const struct quirk_override *override);

/* Does it say 'leave = yes'? The narrower section wins, and the entries over all of them. */
bool quirk_override_leaves(const struct quirk_override *override);

/**
 * quirk_override_apply - quirk_apply() with what was read around it
 * @from, @cap: where the rules that held came from, with commas between; cut if it does not fit
 *
 * The order, of which a later one wins: [*], the built-in table, [vid:*], [vid:pid], the entries. Returns how many rules
 * of the override held.
 */
size_t quirk_override_apply(const struct quirk_override *override, uint16_t vid, uint16_t pid,
			    const struct quirk_facts *facts, struct ccid_caps *caps, char *from, size_t cap);

#endif
