#include "ccid/pin.h"
#include "base/bytes.h"
size_t pin_request_put(const struct pin_request *r, const uint8_t prologue[3], uint8_t *out, size_t cap)
{
	struct wr w = wr_of(out, cap);
	wr_u8(&w, (uint8_t)r->operation); wr_u8(&w, r->timeout_s); wr_u8(&w, r->format); wr_u8(&w, r->block); wr_u8(&w, r->length_format);
	wr_u8(&w, r->max); wr_u8(&w, r->min); wr_u8(&w, r->condition); wr_u8(&w, r->messages); wr_u8(&w, (uint8_t)r->language); wr_u8(&w, (uint8_t)(r->language >> 8));
	wr_u8(&w, r->index[0]); wr_bytes(&w, prologue, 3); wr_bytes(&w, r->template, r->template_len);
	return w.overrun ? 0 : cap - w.left;
}
uint16_t pin_status_of(uint8_t error, const struct pin_rules *rules)
{
	(void)rules;
	if (error == 0xEF) return 0x6401;
	if (error == 0xF0) return 0x6400;
	return error >= 1 && error <= 0x7f ? 0x6B80 : 0;
}
enum oc_err pin_request_parse(enum pin_operation operation, const uint8_t *bytes, size_t len,
			      const struct ccid_caps *caps, struct pin_request *out, const char **why)
{ (void)operation;(void)bytes;(void)len;(void)caps;(void)out;*why="x"; return OC_E_APDU; }
