/* AVX-512 (F, DQ, VL, BW): 32 registers of 8 lanes.  The first radix is 8 and
 * the points are transposed 8 by 8; see fft_lanes.h. */
#include "runtime/kernels.h"

#include <immintrin.h>

#define NAME cmlrt_kernels_avx512
#define NAME_STRING "avx512"

enum { W = 8, LOG2_W = 3 };

typedef __m512d V;

#define EACH _Pragma("GCC unroll 8")
#define LOAD(p) _mm512_load_pd(p)
#define STORE(p, x) _mm512_store_pd(p, x)
#define SET1(x) _mm512_set1_pd(x)
#define ADD(a, b) _mm512_add_pd(a, b)
#define SUB(a, b) _mm512_sub_pd(a, b)
#define MUL(a, b) _mm512_mul_pd(a, b)
#define FMADD(a, b, c) _mm512_fmadd_pd(a, b, c)
#define FMSUB(a, b, c) _mm512_fmsub_pd(a, b, c)
#define FNMADD(a, b, c) _mm512_fnmadd_pd(a, b, c)
#define PREFETCH(p) \
    do { \
        _mm_prefetch((const char *)(p) + 65536, _MM_HINT_T1); \
        _mm_prefetch((const char *)(p) + 65600, _MM_HINT_T1); \
    } while (0)
#define FIRST_RADIX "runtime/lanes8.h"

#include "runtime/fft_lanes.h"
