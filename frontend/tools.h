/* Verbs of the command line that need no pass. */
#ifndef CML_FRONTEND_TOOLS_H
#define CML_FRONTEND_TOOLS_H

#include "frontend/frontend.h"
#include "frontend/options.h"

enum tool_end {
    TOOL_OK,
    TOOL_BAD,  /* messages were printed */
    TOOL_NAME, /* what is given cannot be the name of a model */
    TOOL_KIND, /* there is no such template */
    TOOL_IO    /* errno says why */
};

/* One source in canonical layout: in place, or as the options say. */
enum tool_end tool_format(struct arena *mem, const struct source *src,
                          struct diag *dg, const struct options *o);

/* NAME.cml from a template; *path: the file, or the word that is wrong. */
enum tool_end tool_new(struct arena *mem, const struct options *o,
                       const char **path);

#endif
