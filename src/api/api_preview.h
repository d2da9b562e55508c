/* How a message that is not there would be judged now, as JSON: for a preview, and for a patient's page. */
#ifndef API_PREVIEW_H
#define API_PREVIEW_H

#include "base_bytes.h"
#include "dispatch.h"

/* The first instant at which every rule would allow it; 0 when none will: it was refused, or waits for a person. */
int64_t preview_next_us(const struct dispatch_judged *j);
/* Members, without braces: "verdict" and "next_at". */
void preview_write_verdict(const struct dispatch_judged *j, struct buf *to);
/* "caps": how much of the day's and the week's is used, and the times that count. */
void preview_write_caps(const struct dispatch_judged *j, struct buf *to);
/* "consent": what it rests on, or null. */
void preview_write_consent(const struct dispatch_judged *j, struct buf *to);

#endif
