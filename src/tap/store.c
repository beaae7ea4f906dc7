/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tap/store.h"

#include "base/bytes.h"
#include "tap/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a file ------------------------------------------------------------------------------------------------------ */

static int write_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len) {
		const ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* Two readers may begin the same file at the same time. */
static int begin_file(int fd)
{
	uint8_t head[RECORD_FILE_HEAD];
	struct stat st;

	if (fstat(fd, &st) != 0)
		return errno;
	if (!S_ISREG(st.st_mode))
		return EEXIST;
	if (st.st_size == 0) {
		record_put_file_head(head);
		return write_all(fd, head, sizeof head);
	}
	return pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head && record_is_file_head(head) ? 0
												    : EEXIST;
}

int store_file_open(struct store_file *file, const char *path, const struct oc_log *log)
{
	int error;

	*file = (struct store_file){ .fd = -1, .log = log, .path = path };
	file->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (file->fd < 0)
		return errno;
	flock(file->fd, LOCK_EX);
	error = begin_file(file->fd);
	flock(file->fd, LOCK_UN);
	if (error)
		store_file_close(file);
	return error;
}

/* O_APPEND puts each write at the end whole, whoever else writes. */
void store_file_add(struct store_file *file, const uint8_t *records, size_t len)
{
	int error = EFBIG;

	if (file->fd < 0)
		return;
	if (len <= STORE_FILE_MAX - file->written)
		error = write_all(file->fd, records, len);
	file->written += len;
	if (!error)
		return;
	OC_LOG(file->log, OC_LOG_CRITICAL, "%s: the capture ends here: %s", file->path, strerror(error));
	store_file_close(file);
}

void store_file_close(struct store_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* Records one behind the other, each with its length in front; the oldest is at the beginning. */
struct store_ring {
	size_t used;
	uint8_t bytes[STORE_RING];
};

static size_t length_at(const struct store_ring *ring, size_t at)
{
	uint32_t len;

	memcpy(&len, ring->bytes + at, sizeof len);
	return len;
}

struct store_ring *store_ring_new(void)
{
	return calloc(1, sizeof(struct store_ring));
}

/* Half of it goes at a time, so that not each record moves all others. */
static void make_room(struct store_ring *ring, size_t len)
{
	size_t gone = 0;

	if (len <= STORE_RING - ring->used)
		return;
	while (gone < ring->used && ring->used - gone > STORE_RING / 2)
		gone += sizeof(uint32_t) + length_at(ring, gone);
	if (len > STORE_RING - (ring->used - gone))
		gone = ring->used;
	memmove(ring->bytes, ring->bytes + gone, ring->used - gone);
	ring->used -= gone;
}

void store_ring_add(struct store_ring *ring, const uint8_t *record, size_t len)
{
	const uint32_t stored = (uint32_t)len;

	if (len > STORE_RING - sizeof stored)
		return;
	make_room(ring, sizeof stored + len);
	memcpy(ring->bytes + ring->used, &stored, sizeof stored);
	memcpy(ring->bytes + ring->used + sizeof stored, record, len);
	ring->used += sizeof stored + len;
}

void store_ring_empty(struct store_ring *ring, struct store_file *file)
{
	size_t at = 0;

	while (at < ring->used) {
		const size_t len = length_at(ring, at);

		store_file_add(file, ring->bytes + at + sizeof(uint32_t), len);
		at += sizeof(uint32_t) + len;
	}
	ring->used = 0;
}

void store_ring_free(struct store_ring *ring)
{
	if (ring)
		bytes_wipe(ring, sizeof *ring);
	free(ring);
}
