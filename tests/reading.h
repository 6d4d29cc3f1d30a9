/* IR texts: reading one, what is said of it, and the beginnings of short ones.
 */
#ifndef CML_TESTS_READING_H
#define CML_TESTS_READING_H

#include "ir/ir.h"

/* The function of a text, and what was said. */
struct reading {
    struct arena mem;
    struct ir_func *f;
    unsigned errors;
    char *said;
};

struct reading reading_open(const char *text, size_t len);
void reading_close(struct reading *r);
/* one message that has the words */
void reading_refused(const char *text, const char *words);

/* clang-format off */
#define HEAD "ir 1 t\n"
#define X "%0 = input { name = @x } : int[2] in 0..3\n"
#define R "%0 = input { name = @x } : real[2] in 0..3\n"
#define NO_FOREST(words, node, root) \
    { words, HEAD \
      "const @n : int[1,5] = [" node "]\n" \
      "const @l : int[2] = [7, 8]\nconst @r : int[1] = [" root "]\n{\n" X \
      "%1 = forest %0 { nodes = @n, leaves = @l, roots = @r } : int\n}\n" }
#define NO_BIN(words, kind, row, missing) \
    { words, \
      HEAD kind " @c : real[2,2] = [0, 1, " row "]\n" \
                "const @m : int[2] = [0, " missing "]\n{\n" R \
                "%1 = bin %0 { cuts = @c, missing = @m } : int[2]\n}\n" }
#define EXPAND(value, slots, levels) \
    value " = glwe.to_ggsw %1 { slots = @s, log2_slots = 5, log2_base = 7, " \
    "keys = @k, switch_levels = " levels ", switch_log2_base = 11 } : " \
    "ggsw[" slots "]\n"
#define NO_SELECTION(words, count, slot, nodes, more) \
    { words, HEAD "const @k : int[5,2] = [9, 4, 9, 4, 9, 4, 9, 4, 9, 4]\n" \
      "const @s : int[" count "] = [" slot "]\nconst @n : int[2,4] = [" \
      nodes "]\nconst @l : int[2,1] = [1, 2]\nconst @r : int[1] = [0]\n" \
      "{\n%0 = input { name = @x } : int[2048] in 0..1\n" \
      "%1 = glwe.encrypt %0 { log2_delta = 52 } : glwe[2048] delta 52\n" \
      EXPAND("%2", count, "4") \
      "%3 = ggsw.forest %1, %2 { nodes = @n, leaves = @l, roots = @r } : " \
      "glwe[1] delta 52\n" more "}\n" }
#define NODES "0, 0, 1, -1, 1, 7, -1, -2"
#define NO_TREE(nodes) \
    NO_SELECTION("a forest is of trees whose nodes select by bits that exist", \
                 "1", "31", nodes, "")
#define PACKED(range, keep, noise) \
    "%1 = input { name = @m } : int[1,2048] in " range "\n" \
    "%2 = ggsw.encrypt %1 { levels = 2, log2_base = 15, keep_bits = " keep \
    " } : ggsw[1,2048]" noise "\n"
#define SPREAD(value) \
    value " = glwe.expand %3 { log2_slots = 3, steps = 2, keys = @k } : " \
    "glwe[8192] delta 58\n"
#define NO_PRODUCT(words, packed, nodes, more) \
    { words, HEAD "const @k : int[2,2] = [9, 4, 9, 4]\n" \
      "const @n : int[3,4] = [" nodes "]\n" \
      "const @l : int[4,2] = [1, 2, 3, 4, 5, 6, 7, 8]\n" \
      "const @r : int[1] = [0]\n" \
      "{\n%0 = input { name = @x } : int[2048] in 0..1\n" packed \
      "%3 = glwe.encrypt %0 { log2_delta = 56 } : glwe[2048] delta 56\n" \
      SPREAD("%4") \
      "%5 = ggsw.products %4, %2 { nodes = @n, leaves = @l, roots = @r } : " \
      "glwe[2] delta 58\n" more "}\n" }
#define NO_PLACES(nodes) \
    NO_PRODUCT("products of bits have coefficients of their own", \
               PACKED("0..1", "44", ""), nodes, "")
#define PLACES "0, 2, 1, 2, 1, 0, -1, -2, 1, 3072, -3, -4"
#define ENC X "%1 = encrypt %0 : enc int[2] in 0..3\n"
#define LWE \
    X "%1 = glwe.encrypt %0 { log2_delta = 60 } : glwe[2] delta 60\n" \
      "%2 = glwe.extract %1 : lwe[2] delta 60\n"
#define SMALL LWE "%3 = lwe.keyswitch %2 : lwe[2] small delta 60\n"

#define SET \
    "params { k = 1, log2_n = 9, n = 64, br_levels = 3, br_log2_base = 12, " \
    "ks_levels = 5, ks_log2_base = 4, t_lwe = 35, t_glwe = 3, level = 132, " \
    "ternary = 0, insecure = 1, v_fresh = 0, v_br = 0, v_ks = 0, v_ms = 0, " \
    "v_zero = 0, cost = 0, log2_pfail = 0, }\n"
#define TWO_SETS \
    SET SET "switch { from = 0, to = 1, big = 1, levels = 5, log2_base = 4, " \
            "t = 35, v = 0, }\n"
/* clang-format on */

#endif
