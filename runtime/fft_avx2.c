/* AVX2 and FMA: 16 registers of 4 lanes, blocks of 16 points. */
#include "runtime/kernels.h"

#include <immintrin.h>

#define NAME cmlrt_kernels_avx2
#define NAME_STRING "avx2"

enum { W = 4, LOG2_RADIX = 2 };

typedef __m256d V;
typedef __m256i U64;
typedef __m128i U32;

#define EACH(i, from, to) \
    _Pragma("GCC unroll 8") for (unsigned i = (from); i < (to); i++)
#define COUNT(n) _mm_cvtsi32_si128((int)(n))

/* A load that is made once: gcc would fold it into every use, and a line that
 * is not there yet would be asked for as often. */
static inline V
load_once(const double *p)
{
    V x = _mm256_load_pd(p);

    __asm__("" : "+x"(x));
    return x;
}
#define LOAD(p) load_once(p)
#define STORE(p, x) _mm256_store_pd(p, x)
#define SET1(x) _mm256_set1_pd(x)
#define ADD(a, b) _mm256_add_pd(a, b)
#define SUB(a, b) _mm256_sub_pd(a, b)
#define MUL(a, b) _mm256_mul_pd(a, b)
#define FMADD(a, b, c) _mm256_fmadd_pd(a, b, c)
#define FMSUB(a, b, c) _mm256_fmsub_pd(a, b, c)
#define FNMADD(a, b, c) _mm256_fnmadd_pd(a, b, c)
#define PREFETCH(p) _mm_prefetch(p, _MM_HINT_T2)
#define OPAQUE_ONE() SET1(1.0)

#define AS_V(x) _mm256_castsi256_pd(x)
#define AS_U64(x) _mm256_castpd_si256(x)
#define LOAD_U64(p) _mm256_load_si256((const __m256i *)(const void *)(p))
#define LOADU_U64(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define STORE_U64(p, x) _mm256_store_si256((__m256i *)(void *)(p), x)
#define SET_U64(x) _mm256_set1_epi64x((long long)(x))
#define ADD_U64(a, b) _mm256_add_epi64(a, b)
#define SUB_U64(a, b) _mm256_sub_epi64(a, b)
#define AND_U64(a, b) _mm256_and_si256(a, b)
#define OR_U64(a, b) _mm256_or_si256(a, b)
#define XOR_U64(a, b) _mm256_xor_si256(a, b)
#define SHL_U64(a, n) _mm256_sll_epi64(a, COUNT(n))
#define SHR_U64(a, n) _mm256_srl_epi64(a, COUNT(n))

#define LOAD_U32(p) _mm_load_si128((const __m128i *)(const void *)(p))
#define LOADU_U32(p) _mm_loadu_si128((const __m128i *)(const void *)(p))
#define STORE_U32(p, x) _mm_store_si128((__m128i *)(void *)(p), x)
#define SET_U32(x) _mm_set1_epi32((int)(x))
#define ADD_U32(a, b) _mm_add_epi32(a, b)
#define SUB_U32(a, b) _mm_sub_epi32(a, b)
#define XOR_U32(a, b) _mm_xor_si128(a, b)
#define SHL_U32(a, n) _mm_sll_epi32(a, COUNT(n))
#define SAR_U32(a, n) _mm_sra_epi32(a, COUNT(n))
#define FROM_I32(a) _mm256_cvtepi32_pd(a)

/* (double) of a signed word: the halves as mantissas of 2^84 and 2^52. */
static inline __m256d
from_i64(__m256i a)
{
    const __m256i bias = _mm256_set1_epi64x((long long)0x8000000000000000ULL);
    const __m256i two84 = _mm256_set1_epi64x(0x4530000000000000);
    const __m256i two52 = _mm256_set1_epi64x(0x4330000000000000);
    const __m256i x = _mm256_xor_si256(a, bias);
    const __m256i high = _mm256_or_si256(_mm256_srli_epi64(x, 32), two84);
    const __m256i low = _mm256_blend_epi32(two52, x, 0x55);
    /* 2^84 + 2^52 + 2^63 */
    const __m256d off = _mm256_set1_pd(0x1p84 + 0x1p63 + 0x1p52);

    return _mm256_add_pd(_mm256_sub_pd(_mm256_castsi256_pd(high), off),
                         _mm256_castsi256_pd(low));
}
#define FROM_I64(a) from_i64(a)

/* y - round(y) */
static inline __m256d
fraction(__m256d y)
{
    return _mm256_sub_pd(y, _mm256_round_pd(y, 8));
}

/* The top 32 bits of the torus: the low mantissa bits at a fixed exponent. */
static inline __m128i
torus32(__m256d y)
{
    const __m256d r = _mm256_add_pd(fraction(y), _mm256_set1_pd(0x1.8p20));
    const __m256i even = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);

    return _mm256_castsi256_si128(
        _mm256_permutevar8x32_epi32(_mm256_castpd_si256(r), even));
}

/* In two halves of 32 bits, each the low mantissa bits at a fixed exponent. */
static inline __m256i
torus64(__m256d y)
{
    const __m256d magic = _mm256_set1_pd(0x1.8p52);
    const __m256d scale = _mm256_set1_pd(0x1p32);
    const __m256d top = _mm256_mul_pd(fraction(y), scale);
    const __m256d whole = _mm256_add_pd(top, magic);
    const __m256d rest = _mm256_sub_pd(top, _mm256_sub_pd(whole, magic));
    const __m256d low = _mm256_add_pd(_mm256_mul_pd(rest, scale), magic);

    return _mm256_add_epi64(
        _mm256_slli_epi64(_mm256_castpd_si256(whole), 32),
        _mm256_sub_epi64(_mm256_castpd_si256(low), _mm256_castpd_si256(magic)));
}
#define TORUS32(y) torus32(y)
#define TORUS64(y) torus64(y)

#include "runtime/complex_lanes.h"

INLINE void
transpose4(V *x0, V *x1, V *x2, V *x3)
{
    const V a = _mm256_unpacklo_pd(*x0, *x1), b = _mm256_unpackhi_pd(*x0, *x1);
    const V c = _mm256_unpacklo_pd(*x2, *x3), d = _mm256_unpackhi_pd(*x2, *x3);

    *x0 = _mm256_permute2f128_pd(a, c, 0x20);
    *x1 = _mm256_permute2f128_pd(b, d, 0x20);
    *x2 = _mm256_permute2f128_pd(a, c, 0x31);
    *x3 = _mm256_permute2f128_pd(b, d, 0x31);
}

INLINE void
transpose(struct cv *x)
{
    transpose4(&x[0].re, &x[1].re, &x[2].re, &x[3].re);
    transpose4(&x[0].im, &x[1].im, &x[2].im, &x[3].im);
}

#include "runtime/fft_blocks.h"

/* Of the low halves, signed.  clang would extend the sign of w first. */
static inline U64
mul_i32(U64 a, U64 w)
{
    __asm__("" : "+x"(w));
    return _mm256_mul_epi32(a, w);
}
#define MUL_I32(a, w) ((mat_lanes)mul_i32((U64)(a), (U64)(w)))

#include "runtime/kernels_body.h"

#include "runtime/cmux_fused.h"

#include "runtime/points_fused.h"

#include "runtime/kernels_table.h"
