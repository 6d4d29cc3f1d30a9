/* The verifier and inference: every rule refuses a text that breaks it. */
#include "tests/reading.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

/* clang-format off */
static const struct {
    const char *rule, *text;
} broken[] = {
    { "an operand has a result",
      HEAD "{\n" X "output %0 { name = @y }\n%2 = neg %1 : int[2]\n}\n" },
    { "the type is the one its operands give",
      HEAD "{\n" X "%1 = neg %0 : int[3]\n}\n" },
    { "the type is the one its operands give",
      HEAD "{\n" X "%1 = neg %0 : real[2]\n}\n" },
    { "a range has lo <= hi",
      HEAD "{\n%0 = input { name = @x } : int in 3..2\n}\n" },
    { "a range has lo <= hi",
      HEAD "{\n%0 = input { name = @x } : real in 0.5..0.25\n}\n" },
    { "a range has lo <= hi",
      HEAD "{\n" X "%1 = glwe.encrypt %0 { log2_delta = 9 } : glwe[2] delta 9\n"
      "%2 = glwe.extract %1 : lwe[2] delta 9 noise -1 0\n}\n" },
    { "a param does not reach the client",
      HEAD "param @w : int[2] = [1, 2]\n{\n" ENC
      "%2 = decrypt %1 : int[2]\n%3 = constant { data = @w } : int[2]\n"
      "%4 = add %2, %3 : int[2]\n}\n" },
    { "a param does not reach the client",
      HEAD "param @w : int = [1]\n{\n%0 = constant { data = @w } : int\n"
      "%1 = encrypt %0 : enc int\n}\n" },
    NO_SELECTION("bits to expand have slots, in order", "1", "32", NODES, ""),
    NO_SELECTION("bits to expand have slots, in order", "2", "1, 2", NODES, ""),
    NO_SELECTION("expansions have one set of keys", "1", "31", NODES,
                 EXPAND("%4", "1", "5")),
    NO_TREE("0, 1, 1, -1, 1, 7, -1, -2"),
    NO_TREE("0, 0, 1, -1, 1, 2048, -1, -2"),
    NO_TREE("0, 0, 0, -1, 1, 7, -1, -2"),
    NO_TREE("0, 0, 1, -3, 1, 7, -1, -2"),
    NO_TREE("0, 0, 1, 1, 1, 7, -1, -2"),
    NO_TREE("0, 0, -1, -2, 1, 7, -1, -2"),
    NO_TREE("0, 0, 1, -1, 1, 7, -1, 0"),
    NO_PRODUCT("polynomials of bits have the noise of their words",
               PACKED("0..2", "44", ""), PLACES, ""),
    NO_PRODUCT("polynomials of bits have the noise of their words",
               PACKED("0..1", "20", " noise 1e-15 1e-15"), PLACES, ""),
    NO_PRODUCT("polynomials of bits have the noise of their words",
               PACKED("0..1", "20", " noise 1e-12 1e-15"), PLACES, ""),
    /* other slots, another gadget */
    NO_PRODUCT("expansions have one set of keys", PACKED("0..1", "44", ""),
               PLACES,
               "%6 = glwe.expand %3 { log2_slots = 4, steps = 2, keys = @k } : "
               "glwe[8192] delta 58\n"),
    NO_SELECTION("expansions have one set of keys",
                 "1", "31]\nconst @z : int[1,2] = [9, 5", NODES,
                 "%4 = glwe.expand %1 { log2_slots = 5, steps = 1, keys = @z } "
                 ": glwe[4096] delta 53\n"),
    NO_PRODUCT("a forest is of trees whose nodes select by bits that exist",
               PACKED("0..1", "44", ""),
               "0, 2048, 1, 2, 1, 0, -1, -2, 1, 3072, -3, -4", ""),
    NO_PRODUCT("a forest is of trees whose nodes select by bits that exist",
               PACKED("0..1", "44", ""),
               "0, 2, 1, 2, 1, 0, -1, -2, 1, 8192, -3, -4", ""),
    /* the 1, a second output, bits of one level, of two, between leaves */
    NO_PLACES("0, 0, 1, 2, 1, 0, -1, -2, 1, 3072, -3, -4"),
    NO_PLACES("0, 1, 1, 2, 1, 0, -1, -2, 1, 3072, -3, -4"),
    NO_PLACES("0, 2, 1, 2, 1, 0, -1, -2, 1, 3, -3, -4"),
    NO_PLACES("0, 2, 1, 2, 1, 0, -1, -2, 1, 2046, -3, -4"),
    NO_PLACES("0, 2, 1, -4, 0, 3, 2, -3, 1, 3072, -1, -2"),
    NO_PLACES("0, 4, 1, -4, 0, 6, 2, -3, 1, 3072, -1, -2"),
    { "an output is decrypted",
      HEAD "{\n" ENC "output %1 { name = @y }\n}\n" },
    { "an output is decrypted",
      HEAD "{\n" LWE "output %2 { name = @y }\n}\n" },
    { "operands have one key, one set and one delta",
      HEAD "{\n" LWE
      "%3 = glwe.encrypt %0 { log2_delta = 59 } : glwe[2] delta 59\n"
      "%4 = glwe.extract %3 : lwe[2] delta 59\n"
      "%5 = lwe.add %2, %4 : lwe[2] delta 60\n}\n" },
    { "operands have one key, one set and one delta",
      HEAD TWO_SETS "{\n" LWE
      "%3 = lwe.convert %2 : lwe[2] set 1 delta 60\n"
      "%4 = lwe.add %2, %3 : lwe[2] delta 60\n}\n" },
    { "a set exists, and the switch between two",
      HEAD TWO_SETS "{\n" LWE
      "%3 = lwe.convert %2 : lwe[2] set 2 delta 60\n}\n" },
    { "a set exists, and the switch between two",
      HEAD TWO_SETS "{\n" LWE "%3 = lwe.convert %2 : lwe[2] delta 60\n}\n" },
    { "a set exists, and the switch between two",
      HEAD TWO_SETS "{\n" LWE
      "%3 = lwe.keyswitch %2 : lwe[2] small set 1 delta 60\n}\n" },
    { "a ciphertext under the small key is bootstrapped",
      HEAD "{\n" SMALL "%4 = lwe.neg %3 : lwe[2] small delta 60\n}\n" },
    { "a table has 2^bits entries and a padding bit",
      HEAD "const @t : int[1,4] = [1, 2, 3, 4]\n{\n" SMALL
      "%4 = lwe.pbs %3 { table = @t, offset = 0, bits = 3, log2_delta = 60, "
      "approx = 0 } : lwe[2] delta 60\n}\n" },
    { "a table has 2^bits entries and a padding bit",
      HEAD "const @t : int[1,4] = [1, 2, 3, 4]\n{\n" SMALL
      "%4 = lwe.pbs %3 { table = @t, offset = 0, bits = 2, log2_delta = 60, "
      "approx = 0 } : lwe[2] delta 60\n}\n" },
    { "a wide table has 2^bits entries and takes the whole torus",
      HEAD "const @t : int[1,8] = [1, 2, 3, 4, 5, 6, 7, 8]\n{\n" LWE
      "%3 = lwe.bit_lut %2 { table = @t, offset = 0, bits = 3, "
      "log2_delta = 60 } : lwe[2] delta 60\n}\n" },
    { "a wide table has 2^bits entries and takes the whole torus",
      HEAD "const @t : int[1,8] = [1, 2, 3, 4, 5, 6, 7, 8]\n{\n" LWE
      "%3 = lwe.bit_lut %2 { table = @t, offset = 0, bits = 4, "
      "log2_delta = 60 } : lwe[2] delta 60\n}\n" },
    { "a table has 2^bits entries and a padding bit",
      HEAD "const @t : int[1,4] = [1, 2, 3, 4]\n{\n" SMALL
      "%4 = lwe.pbs_many %3 { table = @t, offset = 0, bits = 2, log2_delta = "
      "60, outputs = 3, products = 0 } : lwe[3,2] delta 60\n}\n" },
    { "a table has 2^bits entries and a padding bit",
      HEAD "const @t : int[1,4] = [1, 2, 3, 4]\n{\n" SMALL
      "%4 = lwe.pbs_many %3 { table = @t, offset = 0, bits = 2, log2_delta = "
      "60, outputs = 1, products = 2 } : lwe[1,2] delta 60\n}\n" },
    { "a clear operand has an element for each ciphertext",
      HEAD "const @c : int[3] = [1, 2, 3]\n{\n" LWE
      "%3 = lwe.add_clear %2 { data = @c } : lwe[2] delta 60\n}\n" },
    { "messages fit above delta",
      HEAD "{\n" LWE
      "%3 = lwe.answer %2 { log2_flood = -1, word_bits = 64 } : lwe[2] delta "
      "60\n%4 = lwe.decrypt %3 { lo = 0, hi = 16 } : int[2] in 0..16\n}\n" },
    { "answers are decrypted, and nothing else",
      HEAD "{\n" LWE
      "%3 = lwe.decrypt %2 { lo = 0, hi = 3 } : int[2] in 0..3\n}\n" },
    { "answers are decrypted, and nothing else",
      HEAD "{\n" LWE
      "%3 = lwe.answer %2 { log2_flood = -1, word_bits = 64 } : lwe[2] delta "
      "60\n%4 = lwe.neg %3 : lwe[2] delta 60\n}\n" },
    { "an answer has words of 32 or 64 bits",
      HEAD "{\n" LWE
      "%3 = lwe.answer %2 { log2_flood = 3, word_bits = 33 } : lwe[2] delta "
      "60\n}\n" },
    { "what the circuit takes is encrypted or constant",
      HEAD "{\n" ENC "%2 = add %0, %1 : enc int[2]\n}\n" },
    { "a table has an entry for each integer, in rows that fit",
      HEAD "const @t : int[1,3] = [1, 2, 3]\n{\n" ENC
      "%2 = lut %1 { table = @t, offset = 0, approx = 0 } : enc int[2]\n}\n" },
    { "a table has an entry for each integer, in rows that fit",
      HEAD "const @t : int[1,4] = [1, 2, 3, 4]\n{\n" ENC
      "%2 = lut %1 { table = @t, offset = -1, approx = 0 } : enc int[2]\n}\n" },
    { "a table has an entry for each integer, in rows that fit",
      HEAD "const @t : int[3,4] = [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4]\n{\n" ENC
      "%2 = lut %1 { table = @t, offset = 0, approx = 0 } : enc int[2]\n}\n" },
    { "a param does not reach the client",
      HEAD "param @n : int[1,5] = [0, 1, -1, -2, 0]\n"
      "const @l : int[2] = [1, 2]\nconst @r : int[1] = [0]\n{\n" X
      "%1 = forest %0 { nodes = @n, leaves = @l, roots = @r } : int\n"
      "%2 = encrypt %1 : enc int\n}\n" },
    { "an input or an output has a name of its own",
      HEAD "{\n" X "%1 = input { name = @x } : real\n}\n" },
    { "a scale is positive, one, one a channel or one an element",
      HEAD "const @s : real = [0]\n{\n" X
      "%1 = dequant %0 { scale = @s } : real[2]\n}\n" },
    { "a scale is positive, one, one a channel or one an element",
      HEAD "const @s : real[3] = [1, 1, 1]\n{\n" X
      "%1 = dequant %0 { scale = @s } : real[2]\n}\n" },
    { "a scale is positive, one, one a channel or one an element",
      HEAD "param @s : real = [1]\n{\n" X
      "%1 = dequant %0 { scale = @s } : real[2]\n}\n" },
};
/* clang-format on */

START_TEST(rules_refuse)
{
    char words[128];

    snprintf(words, sizeof words, "rule broken: %s", broken[_i].rule);
    reading_refused(broken[_i].text, words);
}
END_TEST

/* What no text can say. */
START_TEST(rules_of_form_refuse)
{
    static const char text[] = HEAD "{\n" X "%1 = neg %0 : int[2]\n"
                                    "%2 = add %0, %1 : int[2]\n}\n";
    struct reading r = reading_open(text, sizeof text - 1);
    struct ir_ins *ins = &r.f->ins[2];
    const ir_ref own[2] = { { 0 }, { 2 } }, *in = ins->in;
    uint32_t bad = 99;

    ck_assert_ptr_null(ir_verify(r.f, &bad));
    ins->in = own;
    ck_assert_str_eq(ir_verify(r.f, &bad), "operands come before their user");
    ck_assert_uint_eq(bad, 2);
    ins->in = in;
    ins->nin = 1;
    ck_assert_str_eq(ir_verify(r.f, &bad),
                     "the op takes another number of operands");
    reading_close(&r);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("verify");
    TCase *tc = tcase_create("verify");
    SRunner *sr;
    int failed;

    tcase_add_loop_test(tc, rules_refuse, 0, COUNT(broken));
    tcase_add_test(tc, rules_of_form_refuse);
    tcase_set_timeout(tc, 300);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
