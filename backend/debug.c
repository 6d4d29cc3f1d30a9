/* Line tables: every instruction points at the expression it came from, so
 * that gdb and perf speak of lines of the model. */
#include "backend/inner.h"

#include <string.h>

void
be_debug_begin(struct be_module *m, const struct source *src)
{
    static const char flag[] = "Debug Info Version", producer[] = "cmlc";
    LLVMDIBuilderRef d = LLVMCreateDIBuilder(m->mod);
    LLVMValueRef version = LLVMConstInt(LLVMInt32TypeInContext(m->cx),
                                        LLVMDebugMetadataVersion(), 0);
    const char *name = src_base_name(src);

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

/* The scope of a place: the function, or a part of it from another file. */
static LLVMMetadataRef
scope_of(struct be_fn *e, uint32_t at)
{
    LLVMDIBuilderRef d = e->m->debug.builder;
    const struct source *src = src_of(e->m->debug.src, at);
    const char *name = src_base_name(src);

    if (src == e->m->debug.src)
        return e->scope;
    return LLVMDIBuilderCreateLexicalBlockFile(
        d, e->scope, LLVMDIBuilderCreateFile(d, name, strlen(name), ".", 1), 0);
}

void
be_debug_at(struct be_fn *e, struct span at)
{
    unsigned col;
    const unsigned line = src_line(e->m->debug.src, at.begin, &col);

    LLVMSetCurrentDebugLocation2(
        e->b, LLVMDIBuilderCreateDebugLocation(e->m->cx, line, col,
                                               scope_of(e, at.begin), NULL));
}

void
be_debug_end(struct be_module *m)
{
    LLVMDIBuilderFinalize(m->debug.builder);
    LLVMDisposeDIBuilder(m->debug.builder);
}
