/* The passes of the ciphertext level: hand-written models keep their meaning,
 * print and parse back, and have the exponents and variances that
 * lang-spec/crypto.md asks for; what does not fit is refused. */
#define _POSIX_C_SOURCE 200809L /* strdup */
#include "passes/encode.h"
#include "passes/inner.h"
#include "tests/lowering.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *
model(int i)
{
    static const char *const plain[] = { lowering_linear, lowering_broadcast,
                                         lowering_clear_left, lowering_shapes,
                                         lowering_widths };

    if (i < 5)
        return strdup(plain[i]);
    return i == 5 ? lowering_tables() : lowering_wide(5, 1);
}

enum { MODELS = 7 };

START_TEST(every_pass_keeps_the_meaning)
{
    char *text = model(_i), *toy = lowering_set("insecure.toy = 1", text);
    struct run r = lowering_run(toy, RANGE, SCHEDULE);

    ck_assert_msg(r.at[SCHEDULE] != NULL, "%s", r.said);
    ck_assert(r.at[SCHEDULE]->params.insecure);
    ck_assert(r.at[SCHEDULE]->params.log2_pfail <= -128);
    lowering_finish(&r);
    free(toy);
    free(text);
}
END_TEST

START_TEST(constants_of_the_server_alone_are_dropped)
{
    struct run r = lowering_run(lowering_linear, RANGE, TO_TFHE);

    ck_assert_uint_eq(lowering_count(r.at[TO_TFHE], IR_constant), 0);
    ck_assert_ptr_null(ir_blob_find(r.at[TO_TFHE], "b", false));
    ck_assert_int_eq(ir_data(r.at[TO_TFHE], "w")->kind, IR_PARAM);
    lowering_finish(&r);
}
END_TEST

START_TEST(exponents_are_the_least_that_is_needed)
{
    struct run r = lowering_run(lowering_widths, RANGE, TO_TFHE);
    const struct ir_func *g = r.at[TO_TFHE];

    /* 9 0..3 + 80 0..3 - 70 0..3 has 9 bits */
    ck_assert_uint_eq(lowering_find(g, IR_glwe_encrypt, 0)->type.log2_delta,
                      64 - 9);
    ck_assert_uint_eq(lowering_find(g, IR_lwe_keyswitch, 0)->type.log2_delta,
                      63 - 2);
    ck_assert_uint_eq(lowering_find(g, IR_lwe_keyswitch, 1)->type.log2_delta,
                      63 - 4);
    /* 0..7 + 3 0..3 + 5 0..3 has 5 bits */
    ck_assert_uint_eq(lowering_find(g, IR_lwe_pbs, 0)->type.log2_delta, 64 - 5);
    ck_assert_uint_eq(lowering_find(g, IR_lwe_pbs, 1)->type.log2_delta, 64 - 5);
    /* x for its table; the sum for its table, which the answer shares */
    ck_assert_uint_eq(lowering_count(g, IR_lwe_mul_clear), 2);
    lowering_finish(&r);
}
END_TEST

START_TEST(equal_inputs_share_a_keyswitch)
{
    char *text = lowering_tables();
    struct run r = lowering_run(text, RANGE, TO_TFHE);

    /* two of the four tables also share a bootstrap */
    ck_assert_uint_eq(lowering_count(r.at[TO_TFHE], IR_lwe_pbs), 2);
    ck_assert_uint_eq(lowering_count(r.at[TO_TFHE], IR_lwe_pbs_many), 1);
    ck_assert_uint_eq(lowering_count(r.at[TO_TFHE], IR_lwe_keyswitch), 3);
    lowering_finish(&r);
    free(text);
}
END_TEST

/* sum w^2 over origins, equal origins first: 4 rows of x w, times 3 */
START_TEST(variances_add_in_amplitude)
{
    struct run r = lowering_run(lowering_linear, RANGE, NOISE);
    const struct ir_type *t =
        &lowering_find(r.at[NOISE], IR_lwe_answer, 0)->type;

    ck_assert(t->ranged);
    ck_assert(fabs(t->lo - 4 * 9 * (4 + 16 + 36)) < 0.5);
    ck_assert(fabs(t->hi) < 0.5);
    lowering_finish(&r);
    r = lowering_run(lowering_widths, RANGE, NOISE);
    t = &lowering_find(r.at[NOISE], IR_lwe_answer, 1)->type;
    /* 16 (x0 + 2 x1 + 2 x2) of exponent 55 at 59; four tables */
    ck_assert(fabs(t->lo - 256 * 9) < 0.5);
    ck_assert(fabs(t->hi - 4) < 0.5);
    lowering_finish(&r);
}
END_TEST

#define ROOT 14.142135623730951 /* of 20 10 */

/* A table of the same ciphertext twice is one ciphertext, a second table on
 * both too; another table or another input is another origin.  Tables of one
 * ciphertext that share a rotation add in size: as one and its mirror image, or
 * by products: the halves of the tables, (42), have factors (-4, 2), (4, -2),
 * (-3, 1). */
START_TEST(equal_tables_are_one_origin)
{
    static const struct {
        const char *index, *rows, *weights;
        double c_br;
    } row[] = {
        { "0, 0, 0, 0", "0", "1, 1, 1, 1", 16 },
        { "0, 0, 0, 1", "0", "1, 1, 1, 1", 9 + 1 },
        { "0, 0, 1, 1", "0", "1, -1, 2, 3", 0 + 25 },
        { "0, 1, 2, 3", "0", "1, 1, 1, 1", 4 },
        { "0, 0, 0, 0", "0, 1, 2, 0", "1, 1, 1, 1", 9 * 20 + 6 * ROOT + 10 },
        { "0, 0, 0, 0", "0, 1, 0, 2", "5, 5, 0, -3",
          100 * 20 + 60 * ROOT + 90 },
        { "0, 0, 1, 2", "0, 2, 0, 2", "1, 1, 1, 1", 2 * 2 + 2 },
    };
    static const char *const entries[] = { "0, 1, 3, 2", "0, -1, -3, -2",
                                           "0, 1, 3, 3" };
    char text[1024], table[256] = "";
    size_t rows = 0, end = 0;
    struct run r;

    for (const char *c = row[_i].rows; *c; c++)
        if (*c >= '0' && *c <= '2') {
            end += (size_t)snprintf(table + end, sizeof table - end, "%s%s",
                                    rows ? ", " : "", entries[*c - '0']);
            rows++;
        }
    snprintf(text, sizeof text,
             "ir 1 t\nconst @i : int[4] = [%s]\n"
             "param @t : int[%zu,4] = [%s]\nparam @w : int[4] = [%s]\n"
             "param @s : int[1,7] = [3, 1, 4, 1, 5, 9, 2]\n{\n"
             "  %%0 = input { name = @x } : int[4] in 0..3\n"
             "  %%1 = encrypt %%0 : enc int[4] in 0..3\n"
             "  %%2 = gather %%1 { index = @i } : enc int[4]\n"
             "  %%3 = lut %%2 { table = @t, offset = 0, approx = 0 }"
             " : enc int[4] in -3..3\n"
             "  %%4 = constant { data = @w } : int[4]\n"
             "  %%5 = matmul %%3, %%4 : enc int\n"
             "  %%6 = lut %%3 { table = @s, offset = 3, approx = 0 }"
             " : enc int[4] in 1..9\n"
             "  %%7 = sum %%6 { axis = 0 } : enc int\n"
             "  %%8 = decrypt %%5 : int\n  %%9 = decrypt %%7 : int\n"
             "  output %%8 { name = @y }\n  output %%9 { name = @z }\n}\n",
             row[_i].index, rows, table, row[_i].weights);
    r = lowering_run(text, RANGE, NOISE);
    ck_assert_msg(r.at[NOISE] != NULL, "%s", r.said);
    ck_assert_double_eq_tol(
        lowering_find(r.at[NOISE], IR_lwe_answer, 0)->type.hi, row[_i].c_br,
        1e-9);
    if (_i == 0)
        ck_assert_double_eq_tol(
            lowering_find(r.at[NOISE], IR_lwe_answer, 1)->type.hi, 16, 1e-9);
    lowering_finish(&r);
}
END_TEST

START_TEST(wide_tables_are_refused)
{
    char *text = lowering_wide(0, 128);

    lowering_refused(text, RANGE, TO_TFHE,
                     "this table needs 17 bits, the widest has 16");
    lowering_refused(text, RANGE, TO_TFHE, "it lies in [-65280, 65280]");
    lowering_refused(text, RANGE, TO_TFHE,
                     "proved from 4 inputs of 14 bits, in [-6528, 6528]");
    lowering_refused(text, RANGE, TO_TFHE, "and from weights up to 4, of 'w'");
    lowering_refused(text, RANGE, TO_TFHE, "t.ir:9:3: error");
    free(text);
}
END_TEST

/* Above 8 bits there is no other table; a circuit of small tables has none. */
START_TEST(wide_tables_are_where_they_must_be)
{
    char *text = lowering_wide(0, 1), *small = lowering_tables();
    struct run r = lowering_run(text, RANGE, PARAMS);
    const struct ir_params *p = &r.at[PARAMS]->params;
    const struct ir_ins *lut = lowering_find(r.at[NOISE], IR_lwe_bit_lut, 0);

    ck_assert_uint_eq(lut->as.lwe_bit_lut.bits, 10);
    ck_assert_double_eq_tol(lut->type.wide, 10, 1e-9);
    ck_assert_uint_eq(lowering_count(r.at[NOISE], IR_lwe_keyswitch), 0);
    ck_assert(p->tr_levels > 0 && p->cb_levels > 0 && p->v_ext > 0);
    ck_assert(p->log2_pfail <= -128 + 1e-6);
    lowering_finish(&r);
    r = lowering_run(small, RANGE, PARAMS);
    ck_assert_uint_eq(lowering_count(r.at[NOISE], IR_lwe_bit_lut), 0);
    ck_assert_uint_eq(r.at[PARAMS]->params.tr_levels, 0);
    lowering_finish(&r);
    free(text);
    free(small);
}
END_TEST

/* Sums of eleven values of 10 bits, norm 3.3, in an answer and before a table:
 * keys in two limbs. */
START_TEST(sums_of_wide_tables_have_parameters)
{
    enum { TERMS = 11, SIZE = 1024 };
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    const struct ir_params *p;
    struct run r;

    fputs("ir 1 t\nparam @t : int[1,1024] = [0", out);
    for (int i = 1; i < SIZE; i++)
        fprintf(out, ", %d", i * 389 % SIZE);
    fprintf(out,
            "]\n{\n"
            "  %%0 = input { name = @x } : int[%d] in 0..1023\n"
            "  %%1 = encrypt %%0 : enc int[%d] in 0..1023\n"
            "  %%2 = lut %%1 { table = @t, offset = 0, approx = 0 }"
            " : enc int[%d] in 0..1023\n"
            "  %%3 = sum %%2 { axis = 0 } : enc int\n"
            "  %%4 = decrypt %%3 : int\n"
            "  output %%4 { name = @y }\n}\n",
            TERMS, TERMS, TERMS);
    fclose(out);
    r = lowering_run(text, RANGE, PARAMS);
    ck_assert_msg(r.at[PARAMS] != NULL, "%s", r.said);
    ck_assert_uint_eq(
        64u - lowering_find(r.at[PARAMS], IR_lwe_answer, 0)->type.log2_delta,
        14);
    p = &r.at[PARAMS]->params;
    ck_assert(p->tr_low_bits > 0);
    ck_assert(p->log2_pfail <= -128 + 1e-6);
    lowering_finish(&r);
    free(text);
}
END_TEST

START_TEST(wide_integers_are_refused)
{
    lowering_refused(
        "ir 1 t\n{\n"
        "  %0 = input { name = @x } : int in -1..4611686018427387904\n"
        "  %1 = encrypt %0 : enc int in -1..4611686018427387904\n"
        "  %2 = decrypt %1 : int\n"
        "  output %2 { name = @y }\n}\n",
        TO_TFHE, TO_TFHE, "this integer needs 63 bits");
}
END_TEST

START_TEST(wide_approximate_tables_are_refused)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    fputs("ir 1 t\nparam @t : int[1,65536] = [0", out);
    for (int i = 1; i < 65536; i++)
        fputs(", 1", out);
    fputs("]\n{\n"
          "  %0 = input { name = @x } : int in 0..65535\n"
          "  %1 = encrypt %0 : enc int in 0..65535\n"
          "  %2 = lut %1 { table = @t, offset = 0, approx = 4 }"
          " : enc int in 0..1\n"
          "  %3 = decrypt %2 : int\n"
          "  output %3 { name = @y }\n}\n",
          out);
    fclose(out);
    lowering_refused(text, TO_TFHE, TO_TFHE,
                     "this table needs 17 bits, the widest has 16");
    free(text);
}
END_TEST

/* Both sides keep a sixteenth of the boxes; exact tables begin at lo. */
START_TEST(approximate_tables_have_a_guard)
{
    for (int64_t lo = -300; lo <= 5; lo += 61)
        for (int64_t span = 1; span < 5000; span += 1 + span / 9) {
            struct ir_type t = {
                .base = IR_INT, .ranged = true, .ilo = lo, .ihi = lo + span - 1
            };
            struct encode_table x = encode_table(&t, true);
            const int64_t size = (int64_t)1 << x.bits;
            const double guard = ENCODE_GUARD * 2 * (double)size;

            ck_assert((double)(t.ilo + x.offset) >= guard);
            ck_assert((double)(size - 1 - (t.ihi + x.offset)) >= guard);
            ck_assert(t.ilo + x.offset >= 1);
            ck_assert(size <= 4 * span || size <= 4);
            x = encode_table(&t, false);
            ck_assert_int_eq(t.ilo + x.offset, 0);
            ck_assert(((int64_t)1 << x.bits) >= span);
        }
}
END_TEST

START_TEST(what_cannot_occur_repeats_the_ends)
{
    char *text = lowering_wide(5, 1);
    struct run r = lowering_run(text, RANGE, TO_TFHE);
    const struct ir_ins *pbs = lowering_find(r.at[TO_TFHE], IR_lwe_pbs, 0);
    const struct ir_blob *b = ir_data(r.at[TO_TFHE], pbs->as.lwe_pbs.table);

    /* 1021 values leave 3 of 1024: not an eighth */
    ck_assert_uint_eq(pbs->as.lwe_pbs.bits, 11);
    ck_assert_int_eq(pbs->as.lwe_pbs.offset, 510 + (2048 - 1021) / 2);
    ck_assert_uint_eq(pbs->as.lwe_pbs.approx, 5);
    for (int64_t i = 0; i < 2048; i++) {
        const int64_t v = i - pbs->as.lwe_pbs.offset;
        const int64_t in = v < -510 ? -510 : v > 510 ? 510 : v;

        ck_assert_int_eq(b->cell[i].i, (in + 512) / 64);
    }
    lowering_finish(&r);
    free(text);
}
END_TEST

START_TEST(levels_do_not_fall)
{
    char *text = lowering_set("insecure.toy = 1", lowering_widths);
    struct run r = lowering_run(text, RANGE, SCHEDULE);
    const struct ir_func *f = r.at[SCHEDULE];
    uint32_t level[64] = { 0 }, last = 0;
    bool after = false;

    ck_assert_uint_le(f->n, 64);
    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];

        for (size_t j = 0; j < ins->nin; j++)
            if (level[ins->in[j].id] > level[i])
                level[i] = level[ins->in[j].id];
        if (pass_encrypted(&ins->type)) {
            ck_assert(!after);
            level[i]++;
            ck_assert_uint_ge(level[i], last);
            last = level[i];
        } else if (last > 0) {
            after = true;
        }
    }
    ck_assert(after);
    lowering_finish(&r);
    free(text);
}
END_TEST

/* t of -3..2 times what is encrypted, and plus it: at worst -3 times the noise,
 * and the noise again, in size; twice the same product is one. */
static const char seen[] = "ir 1 seen\n"
                           "const @i : int[2] = [1, 0]\n"
                           "const @one : int[2] = [1, 1]\n"
                           "{\n"
                           "  %0 = input { name = @x } : int[2] in 0..3\n"
                           "  %1 = input { name = @t } : int[2] in -3..2\n"
                           "  %2 = encrypt %0 : enc int[2] in 0..3\n"
                           "  %3 = disclose %1 : open int[2] in -3..2\n"
                           "  %4 = mul %2, %3 : enc int[2] in -9..6\n"
                           "  %5 = add %4, %2 : enc int[2]\n"
                           "  %6 = gather %2 { index = @i } : enc int[2]\n"
                           "  %7 = gather %3 { index = @i } : open int[2]\n"
                           "  %8 = mul %7, %6 : enc int[2] in -9..6\n"
                           "  %9 = gather %8 { index = @i } : enc int[2]\n"
                           "  %10 = sub %4, %9 : enc int[2]\n"
                           "  %11 = constant { data = @one } : int[2]\n"
                           "  %12 = add %3, %11 : open int[2]\n"
                           "  %13 = mul %12, %4 : enc int[2] in -27..18\n"
                           "  %14 = add %13, %3 : enc int[2]\n"
                           "  %15 = decrypt %5 : int[2]\n"
                           "  %16 = decrypt %10 : int[2]\n"
                           "  %17 = decrypt %14 : int[2]\n"
                           "  %18 = decrypt %12 : int[2]\n"
                           "  output %15 { name = @a }\n"
                           "  output %16 { name = @b }\n"
                           "  output %17 { name = @c }\n"
                           "  output %18 { name = @d }\n"
                           "}\n";

START_TEST(products_with_what_is_seen_have_the_noise_of_the_worst)
{
    static const double want[] = { (3 + 1) * (3 + 1), 0, 9 * 9, 0 };
    struct run r = lowering_run(seen, RANGE, SCHEDULE);

    const struct ir_func *g = r.at[NOISE];

    ck_assert_msg(g != NULL, "%s", r.said);
    for (size_t i = 0; i < 4; i++) {
        const struct ir_type *t =
            &ir_at(g, lowering_find(g, IR_lwe_answer, i)->in[0])->type;
        const int up = t->log2_delta
                       - lowering_find(g, IR_glwe_encrypt, 0)->type.log2_delta;

        ck_assert_double_eq(t->lo, ldexp(want[i], 2 * up));
        ck_assert_double_eq(t->hi, 0);
    }
    ck_assert_uint_eq(lowering_count(g, IR_lwe_mul_open), 3);
    lowering_finish(&r);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("lowering");
    TCase *tc = tcase_create("core");
    SRunner *sr;
    int failed;

    tcase_add_loop_test(tc, every_pass_keeps_the_meaning, 0, MODELS);
    tcase_add_test(tc, constants_of_the_server_alone_are_dropped);
    tcase_add_test(tc, exponents_are_the_least_that_is_needed);
    tcase_add_test(tc, equal_inputs_share_a_keyswitch);
    tcase_add_test(tc, variances_add_in_amplitude);
    tcase_add_loop_test(tc, equal_tables_are_one_origin, 0, 7);
    tcase_add_test(tc, wide_tables_are_refused);
    tcase_add_test(tc, wide_tables_are_where_they_must_be);
    tcase_add_test(tc, sums_of_wide_tables_have_parameters);
    tcase_add_test(tc, wide_integers_are_refused);
    tcase_add_test(tc, wide_approximate_tables_are_refused);
    tcase_add_test(tc, approximate_tables_have_a_guard);
    tcase_add_test(tc, what_cannot_occur_repeats_the_ends);
    tcase_add_test(tc, levels_do_not_fall);
    tcase_add_test(tc, products_with_what_is_seen_have_the_noise_of_the_worst);
    tcase_set_timeout(tc, 300);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
