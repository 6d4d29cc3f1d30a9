/* Models by hand, each about a mistake that another compiler or this one made;
 * and models that are the user's mistake. */
#ifndef CML_TESTS_PROGRAMS_H
#define CML_TESTS_PROGRAMS_H

struct program {
    const char *name, *text;
};

struct refused {
    int status;        /* the exit code */
    const char *words; /* of the message */
    const char *text;
};

extern const struct program programs[];
extern const struct refused refusals[];
extern const int nprograms, nrefusals;

#endif
