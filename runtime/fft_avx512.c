/* AVX-512 (F, DQ, VL, BW): 32 registers of 8 lanes, blocks of 64 points. */
#include "runtime/kernels.h"

#include <immintrin.h>

#define NAME cmlrt_kernels_avx512
#define NAME_STRING "avx512"

enum { W = 8, LOG2_RADIX = 3 };

typedef __m512d V;
typedef __m512i U64;
typedef __m256i U32;

#define EACH(i, from, to) \
    _Pragma("GCC unroll 16") for (unsigned i = (from); i < (to); i++)
#define COUNT(n) _mm_cvtsi32_si128((int)(n))

/* A load that is made once: gcc would fold it into every use, and a line that
 * is not there yet would be asked for as often. */
static inline V
load_once(const double *p)
{
    V x = _mm512_load_pd(p);

    __asm__("" : "+v"(x));
    return x;
}
#define LOAD(p) load_once(p)
#define STORE(p, x) _mm512_store_pd(p, x)
#define SET1(x) _mm512_set1_pd(x)
#define ADD(a, b) _mm512_add_pd(a, b)
#define SUB(a, b) _mm512_sub_pd(a, b)
#define MUL(a, b) _mm512_mul_pd(a, b)
#define FMADD(a, b, c) _mm512_fmadd_pd(a, b, c)
#define FMSUB(a, b, c) _mm512_fmsub_pd(a, b, c)
#define FNMADD(a, b, c) _mm512_fnmadd_pd(a, b, c)
#define PREFETCH(p) _mm_prefetch(p, _MM_HINT_T2)

#define AS_V(x) _mm512_castsi512_pd(x)
#define AS_U64(x) _mm512_castpd_si512(x)
#define LOAD_U64(p) _mm512_load_si512(p)
#define LOADU_U64(p) _mm512_loadu_si512(p)
#define STORE_U64(p, x) _mm512_store_si512(p, x)
#define SET_U64(x) _mm512_set1_epi64((long long)(x))
#define ADD_U64(a, b) _mm512_add_epi64(a, b)
#define SUB_U64(a, b) _mm512_sub_epi64(a, b)
#define AND_U64(a, b) _mm512_and_si512(a, b)
#define OR_U64(a, b) _mm512_or_si512(a, b)
#define XOR_U64(a, b) _mm512_xor_si512(a, b)
#define SHL_U64(a, n) _mm512_sll_epi64(a, COUNT(n))
#define SHR_U64(a, n) _mm512_srl_epi64(a, COUNT(n))

#define LOAD_U32(p) _mm256_load_si256((const __m256i *)(const void *)(p))
#define LOADU_U32(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define STORE_U32(p, x) _mm256_store_si256((__m256i *)(void *)(p), x)
#define SET_U32(x) _mm256_set1_epi32((int)(x))
#define ADD_U32(a, b) _mm256_add_epi32(a, b)
#define SUB_U32(a, b) _mm256_sub_epi32(a, b)
#define XOR_U32(a, b) _mm256_xor_si256(a, b)
#define SHL_U32(a, n) _mm256_sll_epi32(a, COUNT(n))
#define SAR_U32(a, n) _mm256_sra_epi32(a, COUNT(n))
#define FROM_I64(a) _mm512_cvtepi64_pd(a)
#define FROM_I32(a) _mm512_cvtepi32_pd(a)

/* 1.0 that the compiler does not know, so that it leaves the product alone */
static inline __m512d
opaque_one(void)
{
    __m512d one = _mm512_set1_pd(1.0);

    __asm__("" : "+v"(one));
    return one;
}
#define OPAQUE_ONE() opaque_one()

/* y - round(y) */
static inline __m512d
fraction(__m512d y)
{
    return _mm512_sub_pd(y, _mm512_roundscale_pd(y, 8));
}

/* The top 32 bits of the torus: the low mantissa bits at a fixed exponent. */
static inline __m256i
torus32(__m512d y)
{
    const __m512d r = _mm512_add_pd(fraction(y), _mm512_set1_pd(0x1.8p20));

    return _mm512_cvtepi64_epi32(_mm512_castpd_si512(r));
}

/* 1/2 overflows to the word of -1/2, which is the same modulo 1. */
static inline __m512i
torus64(__m512d y)
{
    return _mm512_cvtpd_epi64(
        _mm512_mul_pd(fraction(y), _mm512_set1_pd(0x1p64)));
}
#define TORUS32(y) torus32(y)
#define TORUS64(y) torus64(y)

#include "runtime/complex_lanes.h"

#define LOW(a, b) _mm512_unpacklo_pd(a, b)
#define HIGH(a, b) _mm512_unpackhi_pd(a, b)
#define HALVES(a, b, which) _mm512_shuffle_f64x2(a, b, which)

/* 8 by 8: pairs of lanes, then quarters of vectors twice. */
INLINE void
transpose8(V *x)
{
    V a[8], b[8];

    EACH (i, 0, 4) {
        a[2 * i] = LOW(x[2 * i], x[2 * i + 1]);
        a[2 * i + 1] = HIGH(x[2 * i], x[2 * i + 1]);
    }
    /* quarters 0 2 and 1 3 of the rows of a 4 by 4 block of quarters */
    EACH (i, 0, 2) {
        b[i] = HALVES(a[i], a[i + 2], 0x88);
        b[i + 2] = HALVES(a[i], a[i + 2], 0xdd);
        b[i + 4] = HALVES(a[i + 4], a[i + 6], 0x88);
        b[i + 6] = HALVES(a[i + 4], a[i + 6], 0xdd);
    }
    EACH (i, 0, 2) {
        x[i] = HALVES(b[i], b[i + 4], 0x88);
        x[i + 4] = HALVES(b[i], b[i + 4], 0xdd);
        x[i + 2] = HALVES(b[i + 2], b[i + 6], 0x88);
        x[i + 6] = HALVES(b[i + 2], b[i + 6], 0xdd);
    }
}

INLINE void
transpose(struct cv *x)
{
    V re[8], im[8];

    EACH (i, 0, 8) {
        re[i] = x[i].re;
        im[i] = x[i].im;
    }
    transpose8(re);
    transpose8(im);
    EACH (i, 0, 8)
        x[i] = (struct cv){ re[i], im[i] };
}

#include "runtime/fft_blocks.h"

#include "runtime/kernels_body.h"

#include "runtime/cmux_fused.h"

#include "runtime/points_fused.h"

#include "runtime/kernels_table.h"
