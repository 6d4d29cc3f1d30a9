/* The IR's text and the ground below: every kind of mistake has one message,
 * nothing crashes, and what is printed parses back. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "tests/reading.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static char *
print(const struct ir_func *f)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    ir_print(out, f);
    fclose(out);
    return text;
}

/* ---- mistakes */

/* clang-format off */
static const struct {
    const char *words, *text;
} mistakes[] = {
    { "expected ir", "" },
    { "expected ir", "net" },
    { "expected 1", "ir 2 t\n{\n}\n" },
    { "expected a name", "ir 1 {\n}\n" },
    { "expected param, const, calib, names or '{'", "ir 1 t" },
    { "expected param, const, calib, names or '{'", "ir 1 t\nfoo @x\n{\n}\n" },
    { "expected end of file", HEAD "{\n}\nx" },
    { "expected the name of an op", HEAD "{\n" },
    { "expected the name of an op", HEAD "{\n%0 = frobnicate : int\n}\n" },
    { "expected the name of an op", HEAD "{\nneg %0 : int\n}\n" },
    { "expected the name of an op",
      HEAD "{\n%0 = output %0 { name = @y }\n}\n" },
    { "expected the name of an op", HEAD "{\n\xff\x01\xfe\n}\n" },
    { "expected name", HEAD "{\n%0 = input { nome = @x } : int\n}\n" },
    { "expected {", HEAD "{\n%0 = input : int\n}\n" },
    { "expected a name", HEAD "{\n%0 = input { name = 3 } : int\n}\n" },
    { "expected :", HEAD "{\n%0 = input { name = @x }\n}\n" },
    { "expected a type", HEAD "{\n%0 = input { name = @x } : word\n}\n" },
    { "expected a value defined above", HEAD "{\n%0 = neg %0 : int\n}\n" },
    { "expected a value defined above", HEAD "{\n%0 = neg %7 : int\n}\n" },
    { "expected values to be numbered in order",
      HEAD "{\n%1 = input : int\n}\n" },
    { "expected a number of 64 bits",
      HEAD "{\n%99999999999999999999999 = neg : int\n}\n" },
    { "expected the name of a constant above",
      HEAD "{\n%0 = constant { data = @c } : int\n}\n" },
    { "expected fewer dimensions",
      HEAD "{\n%0 = input { name = @x } : int[1,1,1,1,1,1,1]\n}\n" },
    { "expected fewer elements",
      HEAD "{\n%0 = input { name = @x } : int[67108864,67108864,67108864]\n"
      "}\n" },
    { "expected a smaller number",
      HEAD "{\n%0 = input { name = @x } : int[67108865]\n}\n" },
    { "expected a smaller number",
      HEAD "{\n%0 = input { name = @x } : int[0]\n}\n" },
    { "expected an integer",
      HEAD "{\n%0 = input { name = @x } : int[2.5]\n}\n" },
    { "expected a smaller number",
      HEAD "{\n%0 = input { name = @x } : lwe delta 64\n}\n" },
    { "an input is clear",
      HEAD "{\n%0 = input { name = @x } : lwe delta 3\n}\n" },
    { "an input is clear", HEAD "{\n%0 = input { name = @x } : enc int\n}\n" },
    { "expected a number of 64 bits",
      HEAD "{\n%0 = input { name = @x } : int in 0..9223372036854775808\n}\n" },
    { "expected a finite number",
      HEAD "{\n%0 = input { name = @x } : real in 0..1e999\n}\n" },
    { "expected a number", HEAD "const @c : real = [nan]\n{\n}\n" },
    { "expected a number", HEAD "const @c : real = [inf]\n{\n}\n" },
    { "expected a number", HEAD "const @c : real = [-nan]\n{\n}\n" },
    { "expected an integer", HEAD "const @c : int = [0.5]\n{\n}\n" },
    { "expected ,", HEAD "const @c : int[3] = [1, 2]\n{\n}\n" },
    { "expected ]", HEAD "const @c : int[2] = [1, 2, 3]\n{\n}\n" },
    { "expected as many elements as the type has",
      HEAD "const @c : int[67108864] = [1, 2, 3]\n{\n}\n" },
    { "expected a name that is not taken",
      HEAD "const @c : int = [1]\nparam @c : real = [1]\n{\n}\n" },
    { "expected a name that is not taken",
      HEAD "names @c = [\"a\"]\nnames @c = [\"b\"]\n{\n}\n" },
    { "expected a name that is not taken",
      HEAD "calib @c : int[1] = [1]\ncalib @c : int[1] = [1]\n{\n}\n" },
    { "expected numbers that are not encrypted",
      HEAD "const @c : enc int = [1]\n{\n}\n" },
    { "expected numbers that are not encrypted",
      HEAD "const @c : lwe delta 3 = [1]\n{\n}\n" },
    { "expected a string", HEAD "names @c = []\n{\n}\n" },
    { "expected a string", HEAD "names @c = [\"a\n\"]\n{\n}\n" },
    { "expected two hexadecimal digits", HEAD "names @c = [\"\\zz\"]\n{\n}\n" },
    { "expected two hexadecimal digits", HEAD "names @c = [\"\\00\"]\n{\n}\n" },
    { "expected two hexadecimal digits", HEAD "names @c = [\"\\2\"]\n{\n}\n" },
    { "expected =", HEAD "set x\n{\n}\n" },
    { "expected a number", HEAD "set x = y\n{\n}\n" },
    { "expected k", HEAD "params { n = 3 }\n{\n}\n" },
    { "neg takes 1 operands", HEAD "{\n" X "%1 = neg %0, %0 : int[2]\n}\n" },
    { "shapes [2] and [3] do not fit",
      HEAD "const @c : int[3] = [1, 2, 3]\n{\n" X
      "%1 = constant { data = @c } : int[3]\n%2 = add %0, %1 : int[2]\n}\n" },
    { "an index of @c is outside", HEAD "const @c : int[1] = [2]\n{\n" X
      "%1 = gather %0 { index = @c } : int[1]\n}\n" },
    { "an index of @c is outside", HEAD "const @c : int[1] = [-1]\n{\n" X
      "%1 = gather %0 { index = @c } : int[1]\n}\n" },
    { "has no axis 1", HEAD "{\n" X "%1 = sum %0 { axis = 1 } : int\n}\n" },
    { "expected a smaller number",
      HEAD "{\n" X "%1 = sum %0 { axis = 4294967296 } : int\n}\n" },
    { "real and integer do not mix", HEAD "{\n" X
      "%1 = to_real %0 : real[2]\n%2 = add %0, %1 : int[2]\n}\n" },
    { "exp takes reals", HEAD "{\n" X "%1 = exp %0 : int[2]\n}\n" },
    { "an integer is clipped to integers", HEAD "{\n" X
      "%1 = clip %0 { lo = 0.5, hi = 2 } : int[2]\n}\n" },
    { "which is empty", HEAD "{\n" X
      "%1 = clip %0 { lo = 2, hi = 1 } : int[2]\n}\n" },
    { "neg takes no ciphertexts",
      HEAD "{\n" LWE "%3 = neg %2 : lwe[2] delta 60\n}\n" },
    { "decrypt takes no ciphertexts",
      HEAD "{\n" LWE "%3 = decrypt %2 : int[2]\n}\n" },
    { "this is encrypted already",
      HEAD "{\n" ENC "%2 = encrypt %1 : enc int[2]\n}\n" },
    { "this is not encrypted", HEAD "{\n" X "%1 = decrypt %0 : int[2]\n}\n" },
    { "no room for this message", HEAD "{\n" X
      "%1 = glwe.encrypt %0 { log2_delta = 64 } : glwe[2] delta 0\n}\n" },
    { "the result has too many elements", HEAD "{\n"
      "%0 = input { name = @x } : int[67108864,1]\n"
      "%1 = input { name = @y } : int[1,67108864]\n"
      "%2 = add %0, %1 : int[1]\n}\n" },
    { "the result has too many elements", HEAD "{\n"
      "%0 = input { name = @x } : int[67108864]\n"
      "%1 = concat %0, %0 : int[1]\n}\n" },
    { "a grid has lo <= hi", HEAD "const @s : real = [1]\n{\n"
      "%0 = input { name = @x } : real\n"
      "%1 = quant %0 { scale = @s, lo = 4, hi = 3 } : int\n}\n" },
    { "a table takes encrypted integers", HEAD
      "const @t : int[1,4] = [1, 2, 3, 4]\n{\n" X
      "%1 = lut %0 { table = @t, offset = 0, approx = 0 } : int[2]\n}\n" },
    NO_FOREST("compares a feature", "2, 1, -1, -2, 0", "0"),
    NO_FOREST("compares a feature", "-1, 1, -1, -2, 0", "0"),
    NO_FOREST("is 0 or 1", "0, 1, -1, -2, 2", "0"),
    NO_FOREST("a leaf of the forest is missing", "0, 1, -1, -3, 0", "0"),
    NO_FOREST("of a higher index", "0, 1, -1, 0, 0", "0"),
    NO_FOREST("of a higher index", "0, 1, -1, 1, 0", "0"),
    NO_FOREST("of a higher index", "0, 1, -1, -2, 0", "1"),
    NO_FOREST("a leaf of the forest is missing", "0, 1, -1, -2, 0", "-3"),
    NO_FOREST("belongs to no tree", "0, 1, -1, -2, 0", "-1"),
    { "has two parents", HEAD
      "const @n : int[2,5] = [0, 1, 1, 1, 0, 0, 1, -1, -1, 0]\n"
      "const @l : int[1] = [1]\nconst @r : int[1] = [0]\n{\n" X
      "%1 = forest %0 { nodes = @n, leaves = @l, roots = @r } : int\n}\n" },
    { "takes a vector of features", HEAD
      "const @n : int[1,5] = [0, 1, -1, -1, 0]\n"
      "const @l : int[1] = [1]\nconst @r : int[1] = [0]\n{\n"
      "%0 = input { name = @x } : int\n"
      "%1 = forest %0 { nodes = @n, leaves = @l, roots = @r } : int\n}\n" },
    NO_BIN("does not ascend", "const", "3, 2", "0"),
    NO_BIN("has no place", "const", "2, 3", "3"),
    NO_BIN("has no place", "const", "2, 3", "-2"),
    NO_BIN("has a public row", "param", "2, 3", "0"),
};
/* clang-format on */

START_TEST(mistakes_have_one_message)
{
    reading_refused(mistakes[_i].text, mistakes[_i].words);
}
END_TEST

/* ---- text of every op */

/* clang-format off */
static const char tensors[] =
    "ir 1 tensors\n"
    "set bits.x = 3\n"
    "set rounding.approx = 6.5\n"
    "const @w : real[2,3] = [0.1, -1, 2e-300, 3, 1e+22, -0]\n"
    "const @i : int[2] = [1, 0]\n"
    "const @s : real = [0.1]\n"
    "const @t : int[1,4] = [3, 0, -2, 9007199254740993]\n"
    "const @cuts : real[2,3] = [-1, 0, 0.5, 0, 0, 2]\n"
    "const @missing : int[2] = [-1, 3]\n"
    "const @nodes : int[2,5] = [0, 1, -1, 1, 0, 1, 2, -2, -3, 1]\n"
    "const @leaves : int[3,2] = [1, -5, 0, 2, 7, 7]\n"
    "const @roots : int[2] = [0, -2]\n"
    "const @leaves4 : int[2,4] = [1, -5, 0, 2, 7, 7, 1, 0]\n"
    "calib @x : real[2,2] = [0, 1, 0.5, 0.25]\n"
    "names @x = [\"a\\22b\", \"\\5c\"]\n"
    "{\n"
    "  %0 = input { name = @x } : real[2] in -1.5..3\n"
    "  %1 = input { name = @y } : int[2] in -3..4\n"
    "  %2 = constant { data = @w } : real[2,3]\n"
    "  %3 = add %0, %0 : real[2]\n"
    "  %4 = sub %3, %0 : real[2]\n"
    "  %5 = mul %3, %4 : real[2]\n"
    "  %6 = neg %5 : real[2]\n"
    "  %7 = div %5, %6 : real[2]\n"
    "  %8 = pow %5, %6 : real[2]\n"
    "  %9 = minimum %5, %6 : real[2]\n"
    "  %10 = maximum %5, %6 : real[2]\n"
    "  %11 = less %5, %6 : int[2] in 0..1\n"
    "  %12 = less_equal %5, %6 : int[2] in 0..1\n"
    "  %13 = equal %5, %6 : int[2] in 0..1\n"
    "  %14 = not_equal %5, %6 : int[2] in 0..1\n"
    "  %15 = abs %1 : int[2] in 0..4\n"
    "  %16 = relu %1 : int[2] in 0..4\n"
    "  %17 = sign %1 : int[2] in -1..1\n"
    "  %18 = floor %0 : real[2]\n"
    "  %19 = ceil %0 : real[2]\n"
    "  %20 = round %0 : real[2]\n"
    "  %21 = sqrt %0 : real[2]\n"
    "  %22 = exp %0 : real[2]\n"
    "  %23 = log %0 : real[2]\n"
    "  %24 = sigmoid %0 : real[2]\n"
    "  %25 = tanh %0 : real[2]\n"
    "  %26 = sin %0 : real[2]\n"
    "  %27 = cos %0 : real[2]\n"
    "  %28 = erf %0 : real[2]\n"
    "  %29 = softplus %0 : real[2]\n"
    "  %30 = clip %0 { lo = -0.5, hi = 1e+300 } : real[2]\n"
    "  %31 = gather %0 { index = @i } : real[2]\n"
    "  %32 = reshape %0 : real[1,2,1]\n"
    "  %33 = concat %0, %0, %31 : real[6]\n"
    "  %34 = matmul %0, %2 : real[3]\n"
    "  %35 = sum %34 { axis = 0 } : real\n"
    "  %36 = mean %0 { axis = 0 } : real\n"
    "  %37 = max %0 { axis = 0 } : real\n"
    "  %38 = argmax %0 { axis = 0 } : int in 0..1\n"
    "  %39 = softmax %0 { axis = 0 } : real[2]\n"
    "  %40 = to_real %1 : real[2]\n"
    "  %41 = quant %0 { scale = @s, lo = -15, hi = 30 } : int[2] in -15..30\n"
    "  %42 = encrypt %41 : enc int[2] in -15..30\n"
    "  %43 = lut %42 { table = @t, offset = 15, approx = 0 } : enc int[2] in "
    "-2..9007199254740993\n"
    "  %44 = decrypt %43 : int[2] in -2..9007199254740993\n"
    "  %45 = dequant %44 { scale = @s } : real[2]\n"
    "  %46 = floor_div %5, %6 : real[2]\n"
    "  %47 = mod %5, %6 : real[2]\n"
    "  %48 = bit_and %38, %11 : int[2] in 0..1\n"
    "  %49 = bit_or %15, %16 : int[2] in 0..7\n"
    "  %50 = bit_xor %15, %16 : int[2] in 0..7\n"
    "  %51 = low_bit %42 : enc int[2] in 0..1\n"
    "  %52 = proved %51 { shift = 1, lo = 0, hi = 0 } : enc int[2] in 0..0\n"
    "  %53 = bin %0 { cuts = @cuts, missing = @missing } : int[2] in 0..3\n"
    "  %54 = forest %53 { nodes = @nodes, leaves = @leaves, roots = @roots } : "
    "int[2] in -3..9\n"
    "  %55 = rank %0 { axis = 0 } : int[2] in 0..1\n"
    "  %56 = tan %0 : real[2]\n"
    "  %57 = asin %0 : real[2]\n"
    "  %58 = acos %0 : real[2]\n"
    "  %59 = atan %0 : real[2]\n"
    "  %60 = sinh %0 : real[2]\n"
    "  %61 = cosh %0 : real[2]\n"
    "  %62 = select %53 { table = @leaves4 } : int[2] in -5..7\n"
    "  %63 = named %0 { name = @h } : real[2] in 0..1\n"
    "  output %45 { name = @z }\n"
    "}\n";

static const char ciphers[] =
    "ir 1 ciphers\n"
    "params { k = 1, log2_n = 10, n = 64, br_levels = 3, br_log2_base = 12, "
    "ks_levels = 5, ks_log2_base = 4, t_lwe = 35, t_glwe = 3, level = 132, "
    "ternary = 0, insecure = 1, v_fresh = 6.223015277861141e-38, "
    "v_br = 1e-20, v_ks = 0, v_ms = 1e-05, v_zero = 0, cost = 1.5, "
    "log2_pfail = -128.5, }\n"
    "wide { tr_levels = 5, tr_log2_base = 9, ss_levels = 4, ss_log2_base = 12, "
    "cb_levels = 4, cb_log2_base = 6, tr_low_bits = 40, "
    "ss_low_bits = 0, wide_bits = 4, v_ms_wide = 1e-05, v_ext = 1e-20, }\n"
    "params { k = 2, log2_n = 9, n = 64, br_levels = 3, br_log2_base = 12, "
    "ks_levels = 5, ks_log2_base = 4, t_lwe = 35, t_glwe = 3, level = 132, "
    "ternary = 0, insecure = 1, v_fresh = 0, v_br = 0, v_ks = 0, v_ms = 0, "
    "v_zero = 0, cost = 0, log2_pfail = 0, }\n"
    "switch { from = 0, to = 1, big = 0, levels = 5, log2_base = 4, t = 35, "
    "v = 1e-20, }\n"
    "switch { from = 1, to = 0, big = 1, levels = 8, log2_base = 3, t = 35, "
    "v = 1e-20, }\n"
    "const @i : int[2] = [1, 0]\n"
    "param @w : int[2,2] = [1, -1, 2, 0]\n"
    "const @t : int[1,8] = [3, 0, -2, 1, 0, 0, 0, 0]\n"
    "const @u : int[1,16] = [3, 0, -2, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]\n"
    "{\n"
    "  %0 = input { name = @x } : int[2] in 0..3\n"
    "  %1 = glwe.encrypt %0 { log2_delta = 60 } : glwe[2] delta 60\n"
    "  %2 = glwe.extract %1 : lwe[2] delta 60 noise 1 0\n"
    "  %3 = lwe.add %2, %2 : lwe[2] delta 60\n"
    "  %4 = lwe.sub %3, %2 : lwe[2] delta 60\n"
    "  %5 = lwe.neg %4 : lwe[2] delta 60\n"
    "  %6 = lwe.gather %5 { index = @i } : lwe[2] delta 60\n"
    "  %7 = lwe.concat %6, %5 : lwe[4] delta 60\n"
    "  %8 = lwe.add_clear %5 { data = @i } : lwe[2] delta 60\n"
    "  %9 = lwe.mul_clear %8 { data = @i } : lwe[2] delta 60\n"
    "  %10 = lwe.matmul_clear %9 { weights = @w } : lwe[2] delta 60\n"
    "  %11 = lwe.sum %10 { axis = 0 } : lwe delta 60\n"
    "  %12 = lwe.keyswitch %10 : lwe[2] small delta 60\n"
    "  %13 = lwe.pbs %12 { table = @t, offset = 2, bits = 3, log2_delta = 58, "
    "approx = 0 } : lwe[2] delta 58 noise 0 1\n"
    "  %14 = lwe.keyswitch %10 : lwe[2] small set 1 delta 60\n"
    "  %15 = lwe.pbs %14 { table = @t, offset = 2, bits = 3, log2_delta = 58, "
    "approx = 0 } : lwe[2] set 1 delta 58\n"
    "  %16 = lwe.convert %15 : lwe[2] delta 58\n"
    "  %17 = lwe.add %13, %16 : lwe[2] delta 58\n"
    "  %18 = glwe.encrypt %0 { log2_delta = 60 } : glwe[2] set 1 delta 60\n"
    "  %19 = lwe.bit_lut %9 { table = @u, offset = 1, bits = 4, log2_delta = "
    "58 } : lwe[2] delta 58 noise 0 0 wide 4\n"
    "  %20 = lwe.add %17, %19 : lwe[2] delta 58 noise 0 1 wide 4\n"
    "  %21 = lwe.answer %20 { log2_flood = -1, word_bits = 32 } : lwe[2] delta "
    "58\n"
    "  %22 = lwe.decrypt %21 { lo = -2, hi = 3 } : int[2] in -2..3\n"
    "  %23 = lwe.pbs_many %12 { table = @t, offset = 2, bits = 3, log2_delta = "
    "58, outputs = 1, products = 1 } : lwe[1,2] delta 58\n"
    "  %24 = disclose %0 : open int[2] in 0..3\n"
    "  %25 = lwe.trivial %24 { log2_delta = 60 } : lwe[2] delta 60 noise 0 0\n"
    "  %26 = lwe.mul_open %9, %24 : lwe[2] delta 60 noise 9 0\n"
    "  output %22 { name = @y }\n"
    "}\n";
static const char leveled[] =
    "ir 1 leveled\n"
    "const @slots : int[2] = [0, 31]\n"
    "const @keys : int[5,2] = [10, 4, 9, 5, 7, 6, 7, 7, 6, 8]\n"
    "const @first : int[2,2] = [10, 4, 9, 5]\n"
    "param @nodes : int[3,4] = [0, 1, 1, -4, 0, 0, -3, 2, 1, 9, -1, -2]\n"
    "param @leaves : int[4,2] = [1, 0, 2, 1, 0, 3, 1, 1]\n"
    "param @roots : int[2] = [0, -1]\n"
    "param @table : int[4,1] = [3, -1, 0, 2]\n"
    "{\n"
    "  %0 = input { name = @x } : int[2048] in 0..1\n"
    "  %1 = glwe.encrypt %0 { log2_delta = 52 } : glwe[2048] delta 52\n"
    "  %2 = glwe.encrypt %0 { log2_delta = 45 } : glwe[2048] delta 45\n"
    "  %3 = glwe.to_ggsw %1, %2 { slots = @slots, log2_slots = 5, log2_base = 7, "
    "keys = @keys, switch_levels = 4, switch_log2_base = 11 } : "
    "ggsw[2] noise 1e-20 1e-16\n"
    "  %4 = glwe.encrypt %0 { log2_delta = 58 } : glwe[2048] delta 58\n"
    "  %5 = glwe.expand %4 { log2_slots = 5, steps = 2, keys = @first } : "
    "glwe[8192] delta 60 noise 1e-20 0\n"
    "  %6 = ggsw.forest %5, %3 { nodes = @nodes, leaves = @leaves, roots = @roots "
    "} : glwe[2] delta 60 noise 1e-10 0\n"
    "  %7 = glwe.answer %6 { log2_flood = 50, word_bits = 32 } : glwe[2] delta 60 "
    "noise 1e-10 0\n"
    "  %8 = glwe.decrypt %7 { lo = 0, hi = 6 } : int[2] in 0..6\n"
    "  %9 = ggsw.lut %3 { table = @table, log2_delta = 61 } : glwe[1] delta 61 "
    "noise 1e-11 0\n"
    "  output %8 { name = @y }\n"
    "}\n";

static const char slots[] =
    "ir 1 slots\n"
    "const @keys : int[2,2] = [12, 4, 9, 5]\n"
    "param @nodes : int[3,4] = [0, 2, 1, 2, 1, 0, -1, -2, 1, 3072, -3, -4]\n"
    "param @leaves : int[4,2] = [1, 0, 2, 1, 0, 3, 1, 1]\n"
    "param @roots : int[1] = [0]\n"
    "{\n"
    "  %0 = input { name = @x } : int[2048] in 0..1\n"
    "  %1 = input { name = @m } : int[1,2048] in 0..1\n"
    "  %2 = ggsw.encrypt %1 { levels = 2, log2_base = 15, keep_bits = 44 } : "
    "ggsw[1,2048] noise 1e-27 1e-27\n"
    "  %3 = glwe.encrypt %0 { log2_delta = 56 } : glwe[2048] delta 56\n"
    "  %4 = glwe.expand %3 { log2_slots = 3, steps = 2, keys = @keys } : "
    "glwe[8192] delta 58 noise 1e-20 0\n"
    "  %5 = ggsw.products %4, %2 { nodes = @nodes, leaves = @leaves, roots = "
    "@roots } : glwe[2] delta 58 noise 1e-12 0\n"
    "  %6 = glwe.answer %5 { log2_flood = 50, word_bits = 32 } : glwe[2] delta 58 "
    "noise 1e-12 0\n"
    "  %7 = glwe.decrypt %6 { lo = 0, hi = 6 } : int[2] in 0..6\n"
    "  output %7 { name = @y }\n"
    "}\n";
/* clang-format on */

enum { TEXTS = 4 };

/* `tensors` with a table that covers the operand */
static char *
whole(void)
{
    const char *hole = strstr(tensors, "const @t");
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    fprintf(out, "%.*sconst @t : int[1,46] = [", (int)(hole - tensors),
            tensors);
    for (int i = 0; i < 45; i++)
        fprintf(out, "%d%s", i % 4 - 2, i % 16 == 15 ? ",\n  " : ", ");
    fprintf(out, "9007199254740993]\n%s", strchr(hole, '\n') + 1);
    fclose(out);
    return text;
}

START_TEST(every_op_prints_as_it_was_read)
{
    char *texts[] = { whole(), strdup(ciphers), strdup(leveled),
                      strdup(slots) };
    bool seen[IR_NOPS] = { false };

    for (size_t i = 0; i < TEXTS; i++) {
        struct reading r = reading_open(texts[i], strlen(texts[i]));
        char *again;

        ck_assert_msg(r.f != NULL, "%s", r.said);
        for (uint32_t v = 0; v < r.f->n; v++)
            seen[r.f->ins[v].op] = true;
        again = print(r.f);
        ck_assert_str_eq(again, texts[i]);
        free(again);
        free(texts[i]);
        reading_close(&r);
    }
    for (size_t op = 0; op < IR_NOPS; op++)
        ck_assert_msg(seen[op], "%s is in no text", ir_ops[op].name);
}
END_TEST

/* Whatever comes: a function or one message, inside the text. */
static void
survives(const char *text, size_t len)
{
    struct reading r = reading_open(text, len);

    ck_assert(!r.f == (r.errors > 0));
    ck_assert_uint_le(r.errors, 1);
    if (!r.f)
        ck_assert(strncmp(r.said, "t.ir:", 5) == 0);
    reading_close(&r);
}

START_TEST(cut_texts_have_one_message)
{
    char *texts[] = { whole(), strdup(ciphers), strdup(leveled),
                      strdup(slots) };

    for (size_t i = 0; i < TEXTS; i++) {
        const size_t len = strlen(texts[i]);

        for (size_t n = len; n-- > 0;) {
            char *cut = malloc(n + 1); /* the end is the end of memory */

            memcpy(cut, texts[i], n);
            cut[n] = 0;
            survives(cut, n);
            free(cut);
        }
        free(texts[i]);
    }
}
END_TEST

START_TEST(wrong_bytes_have_one_message)
{
    static const char bytes[] = { 0, -1, '"', '%', '9', '-', '}', '\n' };
    char *texts[] = { whole(), strdup(ciphers), strdup(leveled),
                      strdup(slots) };

    for (size_t i = 0; i < TEXTS; i++) {
        const size_t len = strlen(texts[i]);

        for (size_t n = 0; n < len; n++) {
            const char was = texts[i][n];

            texts[i][n] = bytes[n % sizeof bytes];
            survives(texts[i], len);
            texts[i][n] = was;
        }
        free(texts[i]);
    }
}
END_TEST

/* ---- a megabyte of bad will */

enum { MEGABYTE = 1 << 20 };

static const struct {
    const char *head, *again; /* #: a number that counts up */
} hostile[] = {
    { HEAD "{\n%0 = input { name = @x } : real[67108864]\n",
      "%# = neg %0 : real[67108864]\n" },
    { HEAD "const @c : int[2] = [1, 0]\n{\n",
      "%# = constant { data = @c } : int[2]\n" },
    { HEAD, "const @c# : int = [1]\n" },
    { HEAD, "names @c# = [\"\"]\n" },
    { HEAD "{\n%0 = input { name = @x } : int[1]\n%1 = concat %0", ", %0" },
    { HEAD "const @c : int[60000000] = [0", ", 1" },
    { HEAD "set", " x" },
    { HEAD "names @c = [\"\"", ", \"\"" },
    { HEAD, "((((" },
};

START_TEST(a_megabyte_stays_small)
{
    struct rusage before, after;
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    fputs(hostile[_i].head, out);
    for (int n = _i == 0; ftell(out) < MEGABYTE; n++)
        for (const char *p = hostile[_i].again; *p; p++)
            if (*p == '#')
                fprintf(out, "%d", n);
            else
                putc(*p, out);
    fclose(out);
    getrusage(RUSAGE_SELF, &before);
    survives(text, len);
    getrusage(RUSAGE_SELF, &after);
    ck_assert_int_lt(after.ru_maxrss - before.ru_maxrss, 200 << 10);
    free(text);
}
END_TEST

/* ---- arenas and the two ends */

START_TEST(arenas_give_zeroed_aligned_memory)
{
    struct arena a = { 0 };

    for (size_t n = 0; n < 200; n++) {
        unsigned char *p = arena_alloc(&a, n, 3);

        ck_assert_uint_eq((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < 3 * n; i++) {
            ck_assert_uint_eq(p[i], 0);
            p[i] = 0xff;
        }
    }
    ck_assert_ptr_nonnull(arena_alloc(&a, 1 << 20, 1));
    ck_assert_str_eq(arena_string(&a, "abcdef", 3), "abc");
    arena_free(&a);
    ck_assert_ptr_null(a.top);
    arena_free(&a);
}
END_TEST

START_TEST(arenas_go_back_to_a_mark)
{
    struct arena a = { 0 };
    int *kept = arena_new(&a, int, 4);
    const struct arena_mark m = arena_mark(&a);
    char *p = arena_new(&a, char, 100);

    kept[3] = 7;
    memset(p, 1, 100);
    arena_new(&a, char, 1 << 18); /* a block of its own */
    arena_release(&a, m);
    ck_assert_int_eq(kept[3], 7);
    ck_assert_ptr_eq(arena_new(&a, char, 100), p);
    for (size_t i = 0; i < 100; i++)
        ck_assert_int_eq(p[i], 0);
    arena_free(&a);
}
END_TEST

START_TEST(a_count_that_overflows_ends)
{
    struct arena a = { 0 };

    arena_alloc(&a, SIZE_MAX / 2, 4);
}
END_TEST

START_TEST(a_bug_ends)
{
    bug("this is a test of %s", "bug");
}
END_TEST

START_TEST(out_of_memory_ends)
{
    out_of_memory();
}
END_TEST

START_TEST(building_what_does_not_fit_ends)
{
    struct arena a = { 0 };
    struct ir_func *f = ir_func_new(&a, "t");

    ir_build(f, IR_concat, (struct span){ 0, 0 }, NULL, 0, NULL);
}
END_TEST

#define COUNT(list) (int)(sizeof(list) / sizeof *(list))

int
main(void)
{
    Suite *suite = suite_create("ir");
    TCase *tc = tcase_create("ir");
    SRunner *sr;
    int failed;

    tcase_add_loop_test(tc, mistakes_have_one_message, 0, COUNT(mistakes));
    tcase_add_test(tc, every_op_prints_as_it_was_read);
    tcase_add_test(tc, cut_texts_have_one_message);
    tcase_add_test(tc, wrong_bytes_have_one_message);
    tcase_add_loop_test(tc, a_megabyte_stays_small, 0, COUNT(hostile));
    tcase_add_test(tc, arenas_give_zeroed_aligned_memory);
    tcase_add_test(tc, arenas_go_back_to_a_mark);
    tcase_add_exit_test(tc, a_count_that_overflows_ends, 75);
    tcase_add_exit_test(tc, a_bug_ends, 70);
    tcase_add_exit_test(tc, out_of_memory_ends, 75);
    tcase_add_exit_test(tc, building_what_does_not_fit_ends, 70);
    tcase_set_timeout(tc, 120);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
