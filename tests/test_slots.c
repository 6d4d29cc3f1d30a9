/* Products of packed bits, lang-spec/crypto.md 18: where bits are packed, what
 * errors are multiplied by, and the noise of each stage at secure parameters.
 */
#include "passes/slots.h"

#include "passes/passes.h"
#include "runtime/leveled.h"
#include "tests/chi.h"
#include "tests/grove_model.h"
#include "tests/random_ir.h"
#include "tests/rig.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 2048 };

static const struct grove_kind kinds[] = {
    { 20, 3, 1, 8, 0, 0.1, 0 },
    { 3, 5, 1, 6, 0, 0.3, 0 },
    { 6, 4, 3, 4, 0, 0.2, 0 },
    { 1, 6, 2, 7, 0, 0.4, 0 },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* ---- a forest as the passes see it */

struct shaped {
    struct arena mem;
    struct grove g;
    struct leveled_shape s;
    struct slots_shape p;
    const struct ir_func *f;
    const struct ir_ins *forest;
};

static void
open_shape(struct shaped *x, const struct grove_kind *k, uint64_t seed)
{
    const struct source src = { .name = "t", .text = "", .len = 0 };
    struct diag dg = { .src = &src, .out = stderr };
    struct pass_ctx cx = { &x->mem, &x->mem, &dg, 0, 0 };
    int64_t weight[64] = { 0 }, constant[8] = { 0 };
    struct ir_func *f;

    memset(x, 0, sizeof *x);
    grove_grow(&x->g, k, seed);
    x->f = f = grove_model(&x->mem, &x->g, false);
    ir_set(f, "thresholds.public", 1, (struct span){ 0, 0 });
    for (uint32_t i = 0; i < f->n; i++)
        if (f->ins[i].op == IR_forest)
            x->forest = &f->ins[i];
    ck_assert_ptr_nonnull(x->forest);
    for (int64_t i = 0; i < k->coefs; i++)
        weight[i * k->coefs + i] = 1;
    ck_assert(leveled_shape(&x->s, &cx, f, x->forest, weight, constant,
                            (size_t)k->coefs));
    slots_shape(&x->p, &x->mem, &x->s);
}

static void
close_shape(struct shaped *x)
{
    grove_free(&x->g);
    arena_free(&x->mem);
}

/* ---- places */

/* Every bit of a level has a place of its own; radices fit in the ring. */
START_TEST(bits_have_places)
{
    struct shaped x;

    open_shape(&x, &kinds[_i], 3);
    for (uint32_t log2_n3 = 0; log2_n3 < 11; log2_n3++) {
        double room = x.g.coefs > 2 ? 4 : (double)x.g.coefs;
        bool *taken;

        if (!slots_pack(&x.p, (uint32_t)x.g.coefs, log2_n3))
            continue;
        taken = arena_new(&x.mem, bool, (size_t)x.p.ggsws *RING);
        for (uint32_t d = 0; d < x.p.levels; d++) {
            const struct slots_level *l = &x.p.level[d];

            ck_assert_double_eq(l->sigma, room);
            room *= l->radix;
            for (uint32_t i = 0; i < x.s.slots; i++) {
                uint32_t at;

                if (!l->number[i])
                    continue;
                at = slots_inner(l, i);
                ck_assert_uint_lt(at / RING, x.p.ggsws);
                ck_assert_uint_ge(at % RING, l->sigma);
                ck_assert_uint_lt(at % RING, l->sigma * l->radix);
                ck_assert(!taken[at]);
                taken[at] = true;
            }
        }
        ck_assert_double_le(room * (1 << log2_n3), RING);
    }
    close_shape(&x);
}
END_TEST

/* Fewer GGSWs than another choice of radices: by trying all of two levels. */
START_TEST(radices_need_the_fewest_ggsws)
{
    static const struct grove_kind kind = { 40, 3, 1, 8, 0, 0, 0 };
    struct shaped x;

    open_shape(&x, &kind, 4);
    ck_assert_uint_eq(x.p.levels, 2);
    for (uint32_t log2_n3 = 0; log2_n3 < 8; log2_n3++) {
        const uint32_t room = RING >> log2_n3;
        uint32_t least = UINT32_MAX;

        ck_assert(slots_pack(&x.p, 1, log2_n3));
        for (uint32_t a = 2; a <= room / 2; a++) {
            const uint32_t b = room / a;
            const uint32_t n = (x.p.level[0].bits + a - 2) / (a - 1)
                               + (x.p.level[1].bits + b - 2) / (b - 1);

            least = n < least ? n : least;
        }
        ck_assert_uint_eq(x.p.ggsws, least);
    }
    close_shape(&x);
}
END_TEST

/* ---- choice */

static const struct {
    struct grove_kind kind;
    bool products;
} chosen[] = {
    { { 50, 3, 1, 5, 0, 0, 0 }, true },
    { { 12, 2, 1, 8, 0, 0, 0 }, true },
    { { 40, 2, 3, 10, 0, 0, 0 }, true },
    { { 1, 5, 1, 10, 0, 0.12, 23 }, false },
    { { 50, 4, 1, 8, 0, 0, 0 }, false },
    { { 20, 9, 1, 6, 0, 0.2, 0 }, false },
};
enum { CHOSEN = sizeof chosen / sizeof *chosen };

/* Whether a forest becomes products, and its bound. */
static bool
becomes_products(const struct grove *g, bool public, int packed, double *pfail)
{
    static const struct span at = { 0, 0 };
    const struct source src = { .name = "t", .text = "", .len = 0 };
    struct diag dg = { .src = &src, .out = stderr };
    const struct pass_options po = { .diag = &dg };
    struct arena mem = { 0 };
    struct ir_func *f = grove_model(&mem, g, false);
    bool products = false;

    ir_set(f, "thresholds.public", public, at);
    ir_set(f, "packed", packed, at);
    f = pass_run(&mem, f, &po);
    ck_assert_ptr_nonnull(f);
    for (uint32_t i = 0; i < f->n; i++)
        products = products || f->ins[i].op == IR_ggsw_products;
    *pfail = f->params.log2_pfail;
    arena_free(&mem);
    return products;
}

/* The cheaper of two ways, by the price of both plans; never products unless
 * thresholds are public.  All keep the bound. */
START_TEST(the_cheaper_is_taken)
{
    struct pass_ctx cx = { 0 };
    const struct source src = { .name = "t", .text = "", .len = 0 };
    struct diag dg = { .src = &src, .out = stderr };
    struct leveled_plan x = { .cost = 0 };
    struct slots_plan d;
    struct shaped s;
    double pfail;

    open_shape(&s, &chosen[_i].kind, 777);
    cx.out = cx.scratch = &s.mem;
    cx.diag = &dg;
    ck_assert(slots_plan(&d, &s.mem, s.f, &s.p, (double)INFINITY));
    ck_assert(leveled_plan(&x, &cx, s.f, s.forest, &s.s, NULL));
    ck_assert(chosen[_i].products == (d.cost < x.cost));
    ck_assert(becomes_products(&s.g, true, -1, &pfail) == chosen[_i].products);
    ck_assert_double_le(pfail, -128);
    ck_assert(becomes_products(&s.g, true, 1, &pfail));
    ck_assert_double_le(pfail, -128);
    ck_assert(!becomes_products(&s.g, false, 1, &pfail));
    close_shape(&s);
}
END_TEST

/* ---- what errors are multiplied by */

typedef double poly[RING];

/*     out <- out + w X^e a,   e modulo 2N */
static void
add_turned(double *out, const double *a, int64_t e, double w)
{
    for (int64_t i = 0; i < RING; i++) {
        const int64_t at = (i + e) & (2 * RING - 1);

        out[at & (RING - 1)] += at < RING ? w * a[i] : -w * a[i];
    }
}

static double
norm2(const double *a)
{
    double v = 0;

    for (size_t i = 0; i < RING; i++)
        v += a[i] * a[i];
    return v;
}

/* The sums that slots_weights bounds, for the polynomials m of GGSWs. */
static struct slots_weights
exact(struct arena *mem, const struct slots_trie *t, poly *m, size_t rings)
{
    const struct arena_mark mark = arena_mark(mem);
    struct slots_weights w = { 0 };
    poly *by = arena_new(mem, poly, t->prefixes);
    poly *sum = arena_new(mem, poly, rings);

    by[0][0] = 1;
    for (size_t i = 0; i < t->prefixes; i++) {
        const struct slots_prefix *p = &t->prefix[i];

        for (size_t x = 0; x < RING && i > 0; x++)
            if (m[p->ggsw][x] > 0)
                add_turned(by[i], by[p->up], (int64_t)x, 1);
        if (i > 0) {
            w.products += norm2(by[p->up]);
            w.ones += norm2(by[p->up]) * norm2(m[p->ggsw]);
        }
        for (size_t k = p->mono; k < p->mono + p->monos; k++)
            add_turned(sum[t->mono[k].ring], by[i], t->mono[k].exponent,
                       (double)t->mono[k].weight);
    }
    for (size_t r = 0; r < rings; r++)
        w.pairs += norm2(sum[r]);
    arena_release(mem, mark);
    return w;
}

/* Whatever the bits, all ones included; and not far above what all ones have.
 */
START_TEST(weights_bound_all_bits)
{
    struct shaped x;
    const struct leveled_sums sums = { .digits = 1, .radix = INT64_MAX };
    struct dice d = { 9 };

    open_shape(&x, &kinds[_i], 5);
    for (uint32_t log2_n3 = 0; log2_n3 < 6; log2_n3 += 2) {
        struct slots_forest f;
        struct slots_trie t;
        struct slots_weights bound;
        poly *m;

        if (!slots_pack(&x.p, (uint32_t)x.g.coefs, log2_n3))
            continue;
        f = slots_cells(&x.mem, &x.p, &sums);
        ck_assert(slots_trie(&t, &x.mem, &f));
        bound = slots_weights(&x.mem, &f, &t, x.p.ggsws);
        m = arena_new(&x.mem, poly, x.p.ggsws);
        for (int draw = 0; draw < 12; draw++) {
            struct slots_weights w;

            memset(m, 0, x.p.ggsws * sizeof *m);
            for (size_t i = 0; i < f.nodes; i++)
                if (f.node[4 * i].i == 0)
                    m[f.node[4 * i + 1].i / RING][f.node[4 * i + 1].i % RING] =
                        draw == 0 || (draw > 1 && dice_roll(&d, 2));
            for (size_t g = 0; g < x.p.ggsws; g++)
                m[g][0] = 1;
            w = exact(&x.mem, &t, m, (size_t)1 << x.p.steps);
            ck_assert_double_le(w.products, bound.products * (1 + 1e-12));
            ck_assert_double_le(w.ones, bound.ones * (1 + 1e-12));
            ck_assert_double_le(w.pairs, bound.pairs * (1 + 1e-12));
            if (draw == 0) /* all ones: exact but for sums that look alike */
                ck_assert_double_ge(w.products, bound.products / 4);
        }
    }
    close_shape(&x);
}
END_TEST

/* Copies of a tree under other roots: their products have one error. */
START_TEST(like_sums_add_in_amplitude)
{
    enum { COPIES = 8 };
    const double copies = (double)COPIES;
    union ir_cell node[4 * 3 * COPIES], leaf[4], root[COPIES];
    const struct slots_forest f = { node, leaf,   root, (size_t)3 * COPIES,
                                    4,    COPIES, 1 };
    struct arena mem = { 0 };
    struct slots_trie t;
    struct slots_weights w;

    for (int64_t i = 0; i < 4; i++)
        leaf[i].i = 5 * i * i;
    for (int64_t c = 0; c < COPIES; c++) {
        /* the root's bit alone in a GGSW of its own, one below for all */
        const int64_t own[3][4] = { { 0, c * RING + 1, 3 * c + 1, -1 },
                                    { 0, COPIES * RING + 2, 3 * c + 2, -2 },
                                    { 1, 4, -3, -4 } };

        for (size_t i = 0; i < 12; i++)
            node[12 * c + (int64_t)i].i = own[i / 4][i % 4];
        root[c].i = 3 * c;
    }
    ck_assert(slots_trie(&t, &mem, &f));
    w = slots_weights(&mem, &f, &t, COPIES + 1);
    /* COPIES at the roots, which are no copies, and those below: each with the
     * 2 ones of its root's GGSW */
    ck_assert_double_eq_tol(w.products, copies + 2 * copies * copies, 1e-9);
    arena_free(&mem);
}
END_TEST

/* ---- noise: samples are independent, CHECK_VARIANCE applies */

static double
v_fresh(const struct cmlrt_set *s)
{
    return model_v_tuniform(s->t_glwe, 64);
}

static struct cmlrt_set
set_of(uint32_t first, const struct leveled_keys *k)
{
    struct cmlrt_set s = {
        .k = 1, .log2_n = 11, .t_glwe = 17, .ternary = true
    };

    s.leveled.first = first;
    s.leveled.steps = k ? k->steps : 0;
    for (uint32_t q = 0; q < s.leveled.steps; q++) {
        s.leveled.levels[q] = (uint8_t)k->step[q].levels;
        s.leveled.log2_base[q] = (uint8_t)k->step[q].log2_base;
    }
    return s;
}

/* Phases of all coefficients of a GLWE. */
static void
phases(uint64_t *phase, const struct rig *r, const uint64_t *glwe)
{
    for (size_t i = 0; i < RING; i++)
        phase[i] = cmlrt_phase_at(r->secret, glwe, i);
}

/* The body's encryption as a GLWE. */
static void
whole(uint64_t *glwe, struct rig *r, const uint64_t *body, uint64_t index)
{
    struct cmlrt_rng g;

    cmlrt_rng_init(&g, r->seed, CMLRT_MASK, index);
    cmlrt_rng_bytes(&g, glwe, RING * sizeof *glwe);
    memcpy(glwe + RING, body, RING * sizeof *glwe);
}

/* Rows of M and of -S M, whose words keep some bits, all bits 1. */
START_TEST(row_noise)
{
    enum { ROWS = 4 };
    static const unsigned kept[] = { 64, 48, 44, 38 };
    const unsigned keep = kept[_i % 4], shift = 40;
    const struct cmlrt_set set = set_of(0, NULL);
    double *e = rig_alloc(ROWS * RING * sizeof *e);
    uint64_t body[RING], glwe[2 * RING], phase[RING];
    int64_t m[RING];
    struct rig r;

    rig_open(&r, &set, cmlrt_kernels_select(NULL), 20 + (uint64_t)_i);
    for (size_t i = 0; i < RING; i++)
        m[i] = i % 11 == 0;
    for (uint64_t row = 0; row < ROWS; row++) {
        const struct cmlrt_plain in = { m, RING, shift };
        const bool mask = _i >= 4;

        ck_assert_int_eq((mask ? cmlrt_encrypt_times_key : cmlrt_encrypt)(
                             body, r.secret, r.seed, row, &in),
                         CML_E_ok);
        cmlrt_keep_bits(body, RING, keep);
        whole(glwe, &r, body, row);
        phases(phase, &r, glwe);
        for (size_t i = 0; i < RING; i++) {
            uint64_t want = (uint64_t)m[i] << shift;

            for (size_t k = 0; mask && k < RING; k += 11) {
                const uint64_t s = r.secret->big[(i + RING - k) % RING]
                                   << shift;

                want = k == 0 ? 0 : want;
                want += i >= k ? 0 - s : s;
            }
            e[row * RING + i] = torus(phase[i] - want);
        }
    }
    CHECK_VARIANCE(e, ROWS * RING, slots_v_row(v_fresh(&set), keep));
    free(e);
    rig_close(&r);
}
END_TEST

/* Formulas have the C = 1.5 of (19) for all kernels; here it is 1.2. */
static double
v_expand(const struct leveled_keys *k, double sigma2)
{
    double v = leveled_v_expand(k, sigma2);

    for (uint32_t q = 0; q < k->steps; q++)
        v -= ldexp(0.3 / MODEL_FFT_C
                       * model_v_fft(leveled_ring(), k->step[q].levels,
                                     k->step[q].log2_base),
                   2 * (int)(k->steps - 1 - q));
    return v;
}

/* (93) where bits come to stand: slots of all rings. */
START_TEST(expansion_noise)
{
    enum { KEYS = 4, ROWS = 8, LOG2_SLOTS = 7 };
    static const struct leveled_keys keys[] = {
        { 3, { { 10, 4 }, { 9, 5 }, { 7, 6 } }, { 0, 0 } },
        { 5, { { 6, 6 }, { 6, 6 }, { 6, 6 }, { 6, 6 }, { 6, 6 } }, { 0, 0 } },
        { 1, { { 5, 8 } }, { 0, 0 } },
    };
    const struct leveled_keys *k = &keys[_i];
    const struct cmlrt_set set = set_of(11 - LOG2_SLOTS, k);
    const size_t rings = (size_t)1 << k->steps;
    const size_t per = ((size_t)1 << LOG2_SLOTS) >> k->steps;
    const struct cmlrt_spread d = { LOG2_SLOTS, k->steps, 0, 0 };
    uint64_t *out = rig_alloc(rings * 4 * RING * sizeof *out);
    double *e = rig_alloc((size_t)KEYS * ROWS * rings * per * sizeof *e);
    size_t n = 0;

    for (uint64_t key = 0; key < KEYS; key++) {
        static const int64_t zeros[RING];
        const struct cmlrt_plain plain = { zeros, RING, 0 };
        uint64_t body[RING], glwe[2 * RING];
        struct rig r;

        rig_open(&r, &set, cmlrt_kernels_select(NULL), 50 + key);
        for (uint64_t row = 0; row < ROWS; row++) {
            ck_assert_int_eq(cmlrt_encrypt(body, r.secret, r.seed, row, &plain),
                             CML_E_ok);
            r.env.first_glwe = row;
            cmlrt_glwe_expand(&r.env, out, body, &d, 0, (int64_t)rings);
            for (size_t g = 0; g < rings; g++) {
                memcpy(glwe, out + (4 * g + 1) * RING, RING * sizeof *out);
                memcpy(glwe + RING, out + (4 * g + 3) * RING,
                       RING * sizeof *out);
                for (size_t i = 0; i < per; i++)
                    e[n++] =
                        torus(cmlrt_phase_at(r.secret, glwe, i * (RING / per)));
            }
        }
        rig_close(&r);
    }
    CHECK_VARIANCE(e, n, v_expand(k, v_fresh(&set)));
    free(out);
    free(e);
}
END_TEST

/*     out <- out - M in,   of 0 and 1 */
static void
less_product(uint64_t *out, const int64_t *m, const uint64_t *in)
{
    for (size_t k = 0; k < RING; k++)
        for (size_t i = 0; m[k] && i < RING; i++) {
            const size_t at = i + k;

            out[at % RING] -= at < RING ? in[i] : 0 - in[i];
        }
}

/* (86) with rows of the client: M of many ones, of one, of rounded words. */
START_TEST(product_noise)
{
    enum { KEYS = 3 };
    static const struct {
        struct model_gadget g;
        unsigned keep, every; /* a one at each so many coefficients */
    } of[] = {
        { { 1, 24 }, 48, 64 },  { { 1, 22 }, 64, 2048 }, { { 2, 15 }, 44, 16 },
        { { 2, 15 }, 40, 128 }, { { 3, 9 }, 46, 2048 },
    };
    const struct model_gadget g = of[_i].g;
    const struct cmlrt_set set = set_of(0, NULL);
    const struct cmlrt_load_ggsw d = { 1, g.levels, g.log2_base, 0, 0 };
    const size_t rows = 2 * g.levels;
    uint64_t *body = rig_alloc(rows * RING * sizeof *body);
    double *e = rig_alloc(KEYS * RING * sizeof *e), ones = 0;
    double *ggsw = rig_alloc(rows * 2 * RING * sizeof *ggsw);
    int64_t m[RING];

    for (size_t i = 0; i < RING; i++)
        ones += (double)(m[i] = i % of[_i].every == 0);
    for (uint64_t key = 0; key < KEYS; key++) {
        _Alignas(64) uint64_t glwe[2 * RING];
        uint64_t in[RING], phase[RING];
        struct cmlrt_lev x;
        struct cmlrt_shape s;
        struct rig r;

        rig_open(&r, &set, cmlrt_kernels_select(NULL), 80 + key);
        for (size_t j = 0; j < rows; j++) {
            const unsigned level = (unsigned)(j % g.levels + 1);
            const struct cmlrt_plain in_row = { m, RING,
                                                64 - g.log2_base * level };

            ck_assert_int_eq(
                (j >= g.levels ? cmlrt_encrypt_times_key : cmlrt_encrypt)(
                    body + j * RING, r.secret, r.seed, j, &in_row),
                CML_E_ok);
        }
        cmlrt_keep_bits(body, rows * RING, of[_i].keep);
        cmlrt_ggsw_load(&r.env, (uint64_t *)(void *)ggsw, body, &d, 0,
                        (int64_t)rows);
        cmlrt_rng_bytes(&r.rng, glwe, sizeof glwe);
        phases(in, &r, glwe);
        x = cmlrt_lev_open(&r.env);
        s = (struct cmlrt_shape){ x.plan, 11, 1, g.levels, g.log2_base, 2, 0 };
        cmlrt_lev_multiply(&x, x.sum, glwe, ggsw, &s, false);
        memset(glwe, 0, sizeof glwe);
        cmlrt_lev_reduce(&x, glwe, x.sum);
        phases(phase, &r, glwe);
        less_product(phase, m, in);
        for (size_t i = 0; i < RING; i++)
            e[key * RING + i] = torus(phase[i]);
        rig_close(&r);
    }
    CHECK_VARIANCE(
        e, KEYS * RING,
        slots_v_product(g, slots_v_row(v_fresh(&set), of[_i].keep), ones));
    free(body);
    free(ggsw);
    free(e);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("slots");
    TCase *c = tcase_create("slots");
    SRunner *runner;
    int failed;

    tcase_set_timeout(c, 300);
    tcase_add_loop_test(c, bits_have_places, 0, KINDS);
    tcase_add_test(c, radices_need_the_fewest_ggsws);
    tcase_add_loop_test(c, the_cheaper_is_taken, 0, CHOSEN);
    tcase_add_loop_test(c, weights_bound_all_bits, 0, KINDS);
    tcase_add_test(c, like_sums_add_in_amplitude);
    tcase_add_loop_test(c, row_noise, 0, 8);
    tcase_add_loop_test(c, expansion_noise, 0, 3);
    tcase_add_loop_test(c, product_noise, 0, 5);
    suite_add_tcase(s, c);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
