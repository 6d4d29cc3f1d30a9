/* Roots of unity, correct to the last bit.
 *
 *     a = 2 pi x rounded,   e = 2 pi x - a
 *     cos(2 pi x) = cos a - e sin a,   sin(2 pi x) = sin a + e cos a
 */
#include "runtime/twiddle.h"

#include <math.h>

static const double two_pi = 6.283185307179586477;
static const double two_pi_low = 2.4492935982947064e-16;

void
cmlrt_twiddle(double w[2], double turns)
{
    const double x = turns > 0.5 ? turns - 1 : turns;
    const double a = two_pi * x;
    const double e = fma(two_pi, x, -a) + two_pi_low * x;

    w[0] = cos(a) - e * sin(a);
    w[1] = sin(a) + e * cos(a);
}
