/* Line tables: every instruction points at the expression it came from, so
 * that gdb and perf speak of lines of the model. */
#include "backend/inner.h"

#include <string.h>

void
be_position(const struct source *src, uint32_t at, unsigned *line,
            unsigned *col)
{
    *line = *col = 1;
    for (uint32_t i = 0; i < at && i < src->len; i++)
        if (src->text[i] == '\n')
            ++*line, *col = 1;
        else
            ++*col;
}

void
be_debug_begin(struct be_module *m, const struct source *src)
{
    static const char flag[] = "Debug Info Version", producer[] = "cmlc";
    LLVMDIBuilderRef d = LLVMCreateDIBuilder(m->mod);
    LLVMValueRef version = LLVMConstInt(LLVMInt32TypeInContext(m->cx),
                                        LLVMDebugMetadataVersion(), 0);
    const char *slash = strrchr(src->name, '/');
    const char *name = slash ? slash + 1 : src->name;

    LLVMAddModuleFlag(m->mod, LLVMModuleFlagBehaviorWarning, flag,
                      sizeof flag - 1, LLVMValueAsMetadata(version));
    m->debug.builder = d;
    m->debug.src = src;
    m->debug.file = LLVMDIBuilderCreateFile(d, name, strlen(name), ".", 1);
    LLVMDIBuilderCreateCompileUnit(d, LLVMDWARFSourceLanguageC, m->debug.file,
                                   producer, sizeof producer - 1, 1, "", 0, 0,
                                   "", 0, LLVMDWARFEmissionLineTablesOnly, 0, 0,
                                   0, "", 0, "", 0);
}

LLVMMetadataRef
be_debug_function(struct be_module *m, LLVMValueRef fn, const char *name)
{
    LLVMDIBuilderRef d = m->debug.builder;
    LLVMMetadataRef type = LLVMDIBuilderCreateSubroutineType(
        d, m->debug.file, NULL, 0, LLVMDIFlagZero);
    const size_t n = strlen(name);
    LLVMMetadataRef sub = LLVMDIBuilderCreateFunction(
        d, m->debug.file, name, n, name, n, m->debug.file, 1, type, 0, 1, 1,
        LLVMDIFlagZero, 1);

    LLVMSetSubprogram(fn, sub);
    return sub;
}

void
be_debug_at(struct be_fn *e, struct span at)
{
    unsigned line, col;

    be_position(e->m->debug.src, at.begin, &line, &col);
    LLVMSetCurrentDebugLocation2(
        e->b,
        LLVMDIBuilderCreateDebugLocation(e->m->cx, line, col, e->scope, NULL));
}

void
be_debug_end(struct be_module *m)
{
    LLVMDIBuilderFinalize(m->debug.builder);
    LLVMDisposeDIBuilder(m->debug.builder);
}
