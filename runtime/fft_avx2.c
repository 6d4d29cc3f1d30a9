/* AVX2 and FMA: 16 registers of 4 lanes.  The first radix is 4 and the points
 * are transposed 4 by 4; see fft_lanes.h. */
#include "runtime/kernels.h"

#include <immintrin.h>

#define NAME cmlrt_kernels_avx2
#define NAME_STRING "avx2"

enum { W = 4, LOG2_W = 2 };

typedef __m256d V;

#define EACH _Pragma("GCC unroll 4")
#define LOAD(p) _mm256_load_pd(p)
#define STORE(p, x) _mm256_store_pd(p, x)
#define SET1(x) _mm256_set1_pd(x)
#define ADD(a, b) _mm256_add_pd(a, b)
#define SUB(a, b) _mm256_sub_pd(a, b)
#define MUL(a, b) _mm256_mul_pd(a, b)
#define FMADD(a, b, c) _mm256_fmadd_pd(a, b, c)
#define FMSUB(a, b, c) _mm256_fmsub_pd(a, b, c)
#define FNMADD(a, b, c) _mm256_fnmadd_pd(a, b, c)
#define PREFETCH(p) _mm_prefetch((const char *)(p) + 65536, _MM_HINT_T1)
#define FIRST_RADIX "runtime/lanes4.h"

#include "runtime/fft_lanes.h"
