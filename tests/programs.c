/* Models by hand; see programs.h.  Numbers are issues of other compilers. */
#include "tests/programs.h"

#define TOY "ir 1 t\nset insecure.toy = 1\n"
#define INT(name, lo, hi) "input { name = @" name " } : int in " lo ".." hi "\n"

/* clang-format off */
const struct program programs[] = {
    { "nothing", "ir 1 t\n{\n}\n" },
    { "an input and no output", "ir 1 t\n{\n%0 = " INT("x", "0", "3") "}\n" },
    { "1293: constants alone", TOY
      "param @a : int = [-97]\nconst @b : real[2] = [1.5, 2]\n{\n"
      "%0 = " INT("x", "-8", "7")
      "%1 = constant { data = @a } : int\n"
      "%2 = constant { data = @b } : real[2]\n"
      "output %1 { name = @y }\noutput %2 { name = @z }\n"
      "output %0 { name = @x }\n}\n" },
    { "constants alone, with the parameters of a product",
      "ir 1 t\nparam @a : int = [-97]\n{\n%0 = " INT("x", "-8", "7")
      "%1 = constant { data = @a } : int\noutput %1 { name = @y }\n}\n" },
    { "1296: a vector with clear parts", TOY
      "param @c : int[2] = [0, 1]\nparam @d : int[2] = [2, 3]\n"
      "param @f : int = [4]\nconst @i : int = [2]\nconst @j : int[1] = [0]\n{\n"
      "%0 = " INT("x", "-128", "127")
      "%1 = constant { data = @c } : int[2]\n"
      "%2 = gather %0 { index = @j } : int[1]\n"
      "%3 = constant { data = @d } : int[2]\n"
      "%4 = concat %1, %2, %3 : int[5]\n"
      "%5 = constant { data = @f } : int\n%6 = mul %5, %4 : int[5]\n"
      "%7 = gather %6 { index = @i } : int\n%8 = add %7, %0 : int\n"
      "output %8 { name = @y }\n}\n" },
    { "1305: a comparison times a negative number", TOY
      "param @a : int = [12]\nparam @b : int = [9]\nparam @c : int = [1]\n"
      "param @d : int = [-80]\n{\n"
      "%0 = " INT("x", "-128", "100")
      "%1 = constant { data = @a } : int\n%2 = sub %0, %1 : int\n"
      "%3 = constant { data = @b } : int\n%4 = equal %2, %3 : int\n"
      "%5 = constant { data = @c } : int\n%6 = sub %4, %5 : int\n"
      "%7 = constant { data = @d } : int\n%8 = mul %7, %6 : int\n"
      "output %8 { name = @y }\n}\n" },
    { "1307: twice a value, by itself and beside others", TOY
      "param @a : int = [1]\nparam @s : int = [7]\n{\n"
      "%0 = " INT("p", "-3", "5")
      "%1 = constant { data = @a } : int\n%2 = sub %0, %1 : int\n"
      "%3 = constant { data = @s } : int\n%4 = less_equal %3, %0 : int\n"
      "%5 = add %2, %2 : int\n%6 = add %4, %4 : int\n%7 = sub %4, %4 : int\n"
      "%8 = mul %2, %2 : int\n%9 = relu %7 : int\n%10 = neg %8 : int\n"
      "%11 = add %8, %10 : int\n"
      "output %2 { name = @a }\noutput %4 { name = @b }\n"
      "output %5 { name = @c }\noutput %6 { name = @d }\n"
      "output %7 { name = @e }\noutput %8 { name = @f }\n"
      "output %9 { name = @g }\noutput %5 { name = @h }\n"
      "output %11 { name = @i }\n}\n" },
    { "two wide tables of one value",
      TOY "set tables.native = 2\nparam @a : int = [3]\n{\n"
      "%0 = " INT("x", "-6", "6") "%1 = mul %0, %0 : int\n"
      "%2 = constant { data = @a } : int\n%3 = minimum %0, %2 : int\n"
      "%4 = add %1, %3 : int\n%5 = sub %4, %0 : int\n"
      "output %1 { name = @a }\noutput %3 { name = @b }\n"
      "output %5 { name = @c }\n}\n" },
    { "1309: a wide sum beside a narrow input", TOY
      "param @a : int = [-10]\nparam @b : int = [3]\nparam @c : int = [13]\n"
      "param @m : int = [169]\n{\n"
      "%0 = " INT("p", "-60", "60") "%1 = " INT("q", "-3", "4")
      "%2 = add %1, %1 : int\n%3 = sub %2, %0 : int\n%4 = sign %3 : int\n"
      "%5 = constant { data = @b } : int\n%6 = add %4, %5 : int\n"
      "%7 = constant { data = @a } : int\n%8 = mul %6, %7 : int\n"
      "%9 = constant { data = @c } : int\n%10 = sub %8, %9 : int\n"
      "%11 = constant { data = @m } : int\n%12 = mul %10, %11 : int\n"
      "%13 = add %12, %0 : int\noutput %13 { name = @y }\n}\n" },
    { "patches that a product reads where they are", TOY
      "param @c : int[6] = [1, 0, -1, 1, 0, 1]\n"
      "param @v : int[2,6] = [1, 0, 1, -1, 0, -1, 0, 1, -1, 1, 1, 0]\n"
      "param @w : int[6] = [3, 1, -2, 1, 2, 1]\n"
      "const @j : int[1,2] = [5, 2]\n"
      "const @i : int[2,6] = [0, 1, 2, 1, 2, 3, 2, 3, 4, 5, 0, 5]\n{\n"
      "%0 = input { name = @x } : int[6] in -1..1\n"
      "%1 = constant { data = @c } : int[6]\n%2 = add %0, %1 : int[6]\n"
      "%3 = abs %2 : int[6]\n"
      "%4 = gather %3 { index = @j } : int[1,2]\n"
      "%5 = constant { data = @v } : int[2,6]\n"
      "%6 = matmul %4, %5 : int[1,6]\n%7 = abs %6 : int[1,6]\n"
      "%8 = constant { data = @w } : int[6]\n%9 = matmul %7, %8 : int[1]\n"
      "%10 = gather %3 { index = @i } : int[2,6]\n"
      "%11 = matmul %10, %8 : int[2]\n%12 = sum %10 { axis = 1 } : int[2]\n"
      "output %6 { name = @p }\noutput %9 { name = @q }\n"
      "output %11 { name = @r }\noutput %12 { name = @s }\n}\n" },
    { "a sum of 28 bits, and one of its inputs in a table", TOY
      "param @w : int[3] = [1048575, -524287, 3]\n{\n"
      "%0 = input { name = @x } : int[3] in -50..77\n"
      "%1 = constant { data = @w } : int[3]\n%2 = matmul %0, %1 : int\n"
      "%3 = constant { data = @w } : int[3]\n%4 = minimum %0, %3 : int[3]\n"
      "output %2 { name = @y }\noutput %4 { name = @z }\n}\n" },
    { "integers beyond the 53 bits of a double, at the client", TOY
      "param @w : int = [16383]\nconst @m : int = [1099511627775]\n"
      "const @o : int = [-2]\n{\n"
      "%0 = " INT("x", "-31", "33")
      "%1 = constant { data = @w } : int\n%2 = mul %0, %1 : int\n"
      "%3 = constant { data = @m } : int\n%4 = constant { data = @o } : int\n"
      "%5 = maximum %2, %4 : int\n%6 = mul %5, %3 : int\n"
      "%7 = add %6, %5 : int\n%8 = abs %7 : int\n%9 = relu %7 : int\n"
      "%10 = maximum %7, %6 : int\n%11 = less %6, %7 : int\n"
      "output %8 { name = @a }\noutput %9 { name = @b }\n"
      "output %10 { name = @c }\noutput %11 { name = @d }\n}\n" },
    { "tables of few entries, and of one", TOY
      "param @z : int = [0]\nparam @t : int = [2]\n{\n"
      "%0 = " INT("x", "5", "5") "%1 = " INT("y", "-1", "1")
      "%2 = constant { data = @t } : int\n%3 = less %0, %2 : int\n"
      "%4 = add %0, %2 : int\n%5 = abs %4 : int\n%6 = less %1, %2 : int\n"
      "%7 = constant { data = @z } : int\n%8 = mul %1, %7 : int\n"
      "%9 = less %8, %2 : int\n%10 = abs %1 : int\n"
      "%11 = minimum %10, %2 : int\n"
      "output %3 { name = @a }\noutput %5 { name = @b }\n"
      "output %6 { name = @c }\noutput %8 { name = @d }\n"
      "output %9 { name = @e }\noutput %11 { name = @f }\n}\n" },
    { "functions of fewer elements than the constant beside them", TOY
      "param @t : int[3,1] = [-1, 0, 2]\nparam @s : int[2] = [1, 3]\n{\n"
      "%0 = input { name = @x } : int[2] in -3..4\n%1 = " INT("y", "0", "5")
      "%2 = constant { data = @t } : int[3,1]\n%3 = less %0, %2 : int[3,2]\n"
      "%4 = constant { data = @s } : int[2]\n%5 = maximum %4, %1 : int[2]\n"
      "%6 = equal %2, %1 : int[3,1]\n"
      "output %3 { name = @a }\noutput %5 { name = @b }\n"
      "output %6 { name = @c }\n}\n" },
    { "a table with a row an element, on a matrix", TOY
      "param @t : int[2,2] = [-1, 0, 2, 1]\nparam @s : int = [1]\n{\n"
      "%0 = input { name = @x } : int[2,2] in -3..4\n"
      "%1 = constant { data = @t } : int[2,2]\n"
      "%2 = maximum %0, %1 : int[2,2]\n%3 = constant { data = @s } : int\n"
      "%4 = minimum %0, %3 : int[2,2]\n%5 = add %2, %4 : int[2,2]\n"
      "output %5 { name = @a }\n}\n" },
    { "columns of one value, and far from zero", TOY
      "param @w : real[3] = [2, -1, 0.5]\nparam @b : real = [100.3]\n{\n"
      "%0 = input { name = @x } : real[3] in -1.5..-1.5\n"
      "%1 = input { name = @y } : real[3] in 1e15..1000000000000001\n"
      "%2 = constant { data = @w } : real[3]\n%3 = matmul %0, %2 : real\n"
      "%4 = constant { data = @b } : real\n%5 = add %3, %4 : real\n"
      "%6 = matmul %1, %2 : real\n"
      "output %5 { name = @a }\noutput %6 { name = @b }\n}\n" },
    { "not-a-number in a table", TOY
      "set bits.x = 4\nparam @b : real = [-1]\n{\n"
      "%0 = input { name = @x } : real in 0..3\n"
      "%1 = constant { data = @b } : real\n%2 = add %0, %1 : real\n"
      "%3 = sqrt %2 : real\n%4 = log %2 : real\n%5 = div %1, %2 : real\n"
      "output %3 { name = @a }\noutput %4 { name = @b }\n"
      "output %5 { name = @c }\n}\n" },
    { "two encrypted values: differences", TOY "param @k : int = [1]\n{\n"
      "%0 = input { name = @x } : int[3] in -4..7\n"
      "%1 = input { name = @y } : int[2,1] in 0..7\n"
      "%2 = constant { data = @k } : int\n"
      "%3 = maximum %0, %1 : int[2,3]\n%4 = minimum %1, %0 : int[2,3]\n"
      "%5 = less %0, %1 : int[2,3]\n%6 = equal %0, %1 : int[2,3]\n"
      "%7 = add %5, %6 : int[2,3]\n%8 = sub %3, %4 : int[2,3]\n"
      "%9 = mul %7, %2 : int[2,3]\n%10 = mul %8, %2 : int[2,3]\n"
      "%11 = max %3 { axis = 1 } : int[2]\n%12 = mul %11, %2 : int[2]\n"
      "output %9 { name = @a }\noutput %10 { name = @b }\n"
      "output %12 { name = @c }\n}\n" },
    { "two encrypted values: products", TOY "param @k : int = [1]\n{\n"
      "%0 = input { name = @x } : int[2,3] in -4..3\n"
      "%1 = input { name = @y } : int[3] in 0..5\n"
      "%2 = constant { data = @k } : int\n"
      "%3 = mul %0, %1 : int[2,3]\n%4 = matmul %0, %1 : int[2]\n"
      "%5 = mul %3, %2 : int[2,3]\n%6 = mul %4, %2 : int[2]\n"
      "output %5 { name = @a }\noutput %6 { name = @b }\n}\n" },
    { "two encrypted values: bits", TOY
      "param @k : int = [1]\nparam @m : int = [2]\nparam @n : int = [16]\n{\n"
      "%0 = " INT("x", "0", "60") "%1 = " INT("y", "0", "9")
      "%2 = constant { data = @k } : int\n%3 = mul %0, %2 : int in 0..60\n"
      "%4 = mul %1, %2 : int in 0..9\n%5 = bit_and %3, %4 : int in 0..9\n"
      "%6 = bit_or %3, %4 : int in 0..63\n%7 = bit_xor %3, %4 : int in 0..63\n"
      "%8 = constant { data = @m } : int in 2..2\n"
      "%9 = constant { data = @n } : int in 16..16\n"
      "%10 = mul %3, %9 : int in 0..960\n%11 = add %10, %4 : int in 0..969\n"
      "%12 = mod %11, %8 : int in 0..1\n"
      "%13 = floor_div %11, %9 : int in 0..60\n"
      "%14 = mod %11, %9 : int in 0..15\n%15 = mul %5, %2 : int\n"
      "%16 = mul %6, %2 : int\n%17 = mul %7, %2 : int\n"
      "output %15 { name = @a }\noutput %16 { name = @b }\n"
      "output %17 { name = @c }\noutput %12 { name = @d }\n"
      "output %13 { name = @e }\noutput %14 { name = @f }\n}\n" },
    { "three tables of one value, of several rows and widths", TOY
      "param @r : int[3] = [1, 2, 3]\nparam @k : int = [5]\n{\n"
      "%0 = input { name = @x } : int[2,3] in -3..4\n"
      "%1 = constant { data = @r } : int[3]\n"
      "%2 = constant { data = @k } : int\n"
      "%3 = maximum %0, %1 : int[2,3]\n%4 = mul %0, %0 : int[2,3]\n"
      "%5 = equal %0, %1 : int[2,3]\n%6 = add %3, %4 : int[2,3]\n"
      "%7 = mul %5, %2 : int[2,3]\n%8 = add %6, %7 : int[2,3]\n"
      "%9 = mul %4, %2 : int[2,3]\n%10 = mul %3, %2 : int[2,3]\n"
      "output %8 { name = @a }\noutput %9 { name = @b }\n"
      "output %10 { name = @c }\n}\n" },
    { "forests of the client, with and without what is missing", TOY
      "const @c : real[3,4] = [-1, 0, 0, 2, 0.5, 0.5, 0.5, 0.5, 0, 1, 2, 3]\n"
      "const @m : int[3] = [-1, 0, 4]\nconst @j : int[3] = [0, 1, 2]\n"
      "const @n : int[3,5] = [0, 2, 1, 2, 0, 2, 3, -1, -2, 1, "
      "1, 4, -3, -2, 0]\n"
      "const @l : int[3,2] = [1, -5, 0, 2, 7, 7]\nconst @r : int[2] = [-1, 0]\n"
      "const @f : real[2,5] = [1, 0.25, -1, -2, 1, 0, -0.5, -2, -3, 0]\n"
      "const @g : real[3] = [0.1, 0.2, -3]\nconst @s : int[2] = [0, 1]\n"
      "param @k : int = [3]\n{\n"
      "%0 = input { name = @x } : real[3] in -1.5..3.5\n"
      "%1 = bin %0 { cuts = @c, missing = @m } : int[3]\n"
      "%2 = forest %1 { nodes = @n, leaves = @l, roots = @r } : int[2]\n"
      "%3 = forest %0 { nodes = @f, leaves = @g, roots = @s } : real\n"
      "%4 = constant { data = @k } : int\n%5 = mul %2, %4 : int[2]\n"
      "output %5 { name = @a }\noutput %3 { name = @b }\n}\n" },
    { "a forest of the server, and a sum of what it gives", TOY
      "param @n : int[7,5] = [0, 2, 1, 4, 0, 1, 1, 2, 3, 0, 2, 3, -1, -2, 0, 0, "
      "1, -3, -1, 0, 1, 3, 5, 6, 0, 2, 1, -1, -3, 0, 0, 3, -2, -4, 0]\n"
      "param @l : int[4,2] = [1, -5, 0, 2, 7, 7, -3, 4]\n"
      "param @r : int[2] = [-1, 0]\nparam @k : int[2] = [3, -8]\n"
      "param @w : int[2,3] = [1, 0, -2, 1, 5, 3]\n{\n"
      "%0 = input { name = @x } : int[3] in 0..3\n"
      "%1 = forest %0 { nodes = @n, leaves = @l, roots = @r } : int[2]\n"
      "%2 = constant { data = @k } : int[2]\n%3 = add %1, %2 : int[2]\n"
      "%4 = constant { data = @w } : int[2,3]\n"
      "%5 = matmul %3, %4 : int[3]\noutput %3 { name = @a }\n"
      "output %5 { name = @b }\n}\n" },
    { "a forest of stumps", TOY
      "param @n : int[2,5] = [0, 2, -1, -2, 0, 1, 1, -2, -3, 0]\n"
      "param @l : int[3] = [1, 60, -4]\nparam @r : int[2] = [0, 1]\n{\n"
      "%0 = input { name = @x } : int[3] in 0..3\n"
      "%1 = forest %0 { nodes = @n, leaves = @l, roots = @r } : int\n"
      "output %1 { name = @a }\n}\n" },
    { "wide encrypted values, bit by bit", TOY "param @k : int = [1]\n{\n"
      "%0 = " INT("x", "-128", "127") "%1 = " INT("y", "-90", "165")
      "%2 = constant { data = @k } : int\n"
      "%3 = maximum %0, %1 : int\n%4 = less %0, %1 : int\n"
      "%5 = not_equal %0, %1 : int\n%6 = mul %0, %1 : int\n"
      "%7 = mul %3, %2 : int\n%8 = mul %4, %2 : int\n"
      "%9 = mul %5, %2 : int\n%10 = mul %6, %2 : int\n"
      "output %7 { name = @a }\noutput %8 { name = @b }\n"
      "output %9 { name = @c }\noutput %10 { name = @d }\n}\n" },
};

const struct refused refusals[] = {
    { 1, "needs more than 62 bits",
      TOY "const @a : int = [4611686018427387000]\n{\n"
      "%0 = constant { data = @a } : int\n%1 = mul %0, %0 : int\n"
      "output %1 { name = @y }\n}\n" },
    { 1, "not a finite number",
      TOY "const @a : real = [1e300]\n{\n"
      "%0 = constant { data = @a } : real\n%1 = mul %0, %0 : real\n"
      "output %1 { name = @y }\n}\n" },
    { 1, "not a finite number", /* 1301 */
      TOY "const @a : real = [-100]\n{\n"
      "%0 = constant { data = @a } : real\n%1 = sqrt %0 : real\n"
      "output %1 { name = @y }\n}\n" },
    { 1, "needs more than 62 bits",
      TOY "param @a : int = [1125899906842624]\n{\n"
      "%0 = " INT("x", "0", "100000")
      "%1 = constant { data = @a } : int\n%2 = mul %0, %1 : int\n"
      "output %2 { name = @y }\n}\n" },
    { 1, "needs more than 52 bits",
      TOY "param @a : int = [2305843009213693952]\n{\n"
      "%0 = " INT("x", "0", "1")
      "%1 = constant { data = @a } : int\n%2 = mul %0, %1 : int\n"
      "output %2 { name = @y }\n}\n" },
    { 1, "more than 52 bits", /* the table x^2 */
      TOY "param @o : int = [1]\n{\n"
      "%0 = " INT("x", "1073741824", "1073741827")
      "%1 = constant { data = @o } : int\n%2 = mul %0, %1 : int\n"
      "%3 = mul %2, %2 : int\n%4 = add %3, %1 : int\n"
      "output %4 { name = @y }\n}\n" },
    { 1, "needs more than 62 bits", /* after decryption */
      TOY "param @o : int = [3]\n{\n"
      "%0 = " INT("x", "0", "4294967295")
      "%1 = constant { data = @o } : int\n%2 = mul %0, %1 : int\n"
      "%3 = mul %2, %2 : int\noutput %3 { name = @y }\n}\n" },
    { 1, "of two encrypted values",
      TOY "param @o : real = [3]\n{\n"
      "%0 = input { name = @x } : real in 1..3\n"
      "%1 = input { name = @y } : real in 1..3\n"
      "%2 = pow %0, %1 : real\n%3 = constant { data = @o } : real\n"
      "%4 = add %2, %3 : real\noutput %4 { name = @y }\n}\n" },
    { 1, "more bits than a table",
      TOY "param @o : int = [3]\n{\n"
      "%0 = " INT("x", "0", "60") "%1 = " INT("y", "1", "60")
      "%2 = mod %0, %1 : int\n%3 = constant { data = @o } : int\n"
      "%4 = add %2, %3 : int\noutput %4 { name = @y }\n}\n" },
    { 1, "only supported at the client",
      TOY "param @o : int = [3]\n{\n"
      "%0 = input { name = @x } : int[3] in 0..3\n"
      "%1 = constant { data = @o } : int\n%2 = mul %0, %1 : int[3]\n"
      "%3 = argmax %2 { axis = 0 } : int\n%4 = add %3, %1 : int\n"
      "output %4 { name = @y }\n}\n" },
    { 1, "nothing says how large",
      TOY "{\n%0 = input { name = @x } : int\noutput %0 { name = @y }\n}\n" },
    { 1, "nothing says how large",
      TOY "{\n%0 = input { name = @x } : real\noutput %0 { name = @y }\n}\n" },
    { 1, "no rows of it",
      TOY "calib @x : real = [1]\n{\n%0 = input { name = @x } : real\n"
      "output %0 { name = @y }\n}\n" },
    { 1, "no rows of it",
      TOY "calib @x : real[2,3] = [1, 2, 3, 4, 5, 6]\n{\n"
      "%0 = input { name = @x } : real[2]\noutput %0 { name = @y }\n}\n" },
    { 1, "no row of data gives this a finite value",
      TOY "param @o : real = [-3]\n{\n"
      "%0 = input { name = @x } : real in 0..1\n"
      "%1 = constant { data = @o } : real\n%2 = add %0, %1 : real\n"
      "%3 = log %2 : real\n%4 = add %3, %1 : real\n"
      "output %4 { name = @y }\n}\n" },
    { 1, "finite value", /* by zero */
      TOY "param @o : real = [0]\n{\n"
      "%0 = input { name = @x } : real in 1..2\n"
      "%1 = constant { data = @o } : real\n%2 = neg %0 : real\n"
      "%3 = constant { data = @o } : real\n%4 = mul %2, %3 : real\n"
      "%5 = div %4, %1 : real\noutput %5 { name = @y }\n}\n" },
    { 6, "this table needs 17 bits, the widest has 16",
      TOY "param @o : int = [3]\n{\n"
      "%0 = " INT("x", "0", "65536")
      "%1 = constant { data = @o } : int\n%2 = minimum %0, %1 : int\n"
      "output %2 { name = @y }\n}\n" },
    { 1, "'bits.x' is 62",
      "ir 1 t\nset bits.x = 62\n{\n%0 = input { name = @x } : real in 0..1\n"
      "output %0 { name = @y }\n}\n" },
    { 1, "'rounding.approx' is -1",
      "ir 1 t\nset rounding.approx = -1\n{\n}\n" },
    { 1, "already what is encrypted",
      TOY "{\n%0 = " INT("x", "0", "3") "%1 = encrypt %0 : enc int\n"
      "%2 = decrypt %1 : int\noutput %2 { name = @y }\n}\n" },
};
/* clang-format on */

const int nprograms = sizeof programs / sizeof *programs;
const int nrefusals = sizeof refusals / sizeof *refusals;
