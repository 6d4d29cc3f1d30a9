/* Runs a fuzz target on the files of its corpus; the fuzzer has a main of its
 * own. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
main(int argc, char **argv)
{
    static uint8_t data[1 << 20];

    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");

        if (!f)
            return EXIT_FAILURE;
        LLVMFuzzerTestOneInput(data, fread(data, 1, sizeof data, f));
        fclose(f);
    }
    printf("%d passed, 0 failed\n", argc - 1);
    return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE; /* a corpus is not empty */
}
