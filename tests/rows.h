/* Tables of numbers as text: a row a line, '#' begins a comment. */
#ifndef CML_TESTS_ROWS_H
#define CML_TESTS_ROWS_H

#include <stdbool.h>
#include <stdio.h>

/* Fails the test if there is no such file. */
FILE *rows_open(const char *path);
/* The next row; at the end false, and the file is closed. */
bool rows_next(FILE *f, char *line, int size);

#endif
