/* Between integers and words of the torus:
 *
 *     phase = message 2^log2_delta + noise
 *     reply = lo + round((phase - lo 2^log2_delta) / 2^log2_delta)
 *
 * with the division modulo 2^64, so that a reply counts up from lo and noise
 * below half a step disappears.
 */
#include "runtime/program/program.h"

int64_t
reply_of(const struct cml_answer *a, uint64_t phase)
{
    const unsigned delta = (unsigned)a->log2_delta;
    const uint64_t half = delta ? UINT64_C(1) << (delta - 1) : 0;
    const uint64_t lo = (uint64_t)a->lo;

    return (int64_t)(lo + ((phase - (lo << delta) + half) >> delta));
}

bool
reply_fits(const struct cml_answer *a, int64_t reply)
{
    return reply >= a->lo && reply <= a->hi;
}
