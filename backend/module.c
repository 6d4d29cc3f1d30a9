/* The module: context, target, ABI declarations, passes and output. */
#include "backend/inner.h"

#include <errno.h>
#include <llvm-c/Analysis.h>
#include <llvm-c/Error.h>
#include <llvm-c/Target.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <stdlib.h>
#include <string.h>

static const char *const abi_names[BE_NABI] = {
#define RT(name) #name,
#include "runtime/abi.def"
};

/* All have one shape: (env, out, in, with, begin, end). */
static void
declare_abi(struct be_module *m)
{
    LLVMTypeRef params[] = { m->ptr, m->ptr, m->ptr, m->ptr, m->i64, m->i64 };

    m->abi_type = LLVMFunctionType(m->none, params, 6, 0);
    for (size_t i = 0; i < BE_NABI; i++)
        m->abi[i] = LLVMAddFunction(m->mod, abi_names[i], m->abi_type);
}

static LLVMTargetMachineRef
new_machine(const char *triple)
{
    LLVMTargetMachineOptionsRef opt = LLVMCreateTargetMachineOptions();
    LLVMTargetMachineRef machine;
    LLVMTargetRef target;
    char *why = NULL;

    LLVMInitializeNativeTarget();
    LLVMInitializeNativeAsmPrinter();
    if (LLVMGetTargetFromTriple(triple, &target, &why))
        bug("no target for %s: %s", triple, why);
    LLVMTargetMachineOptionsSetRelocMode(opt, LLVMRelocPIC);
    LLVMTargetMachineOptionsSetCodeGenOptLevel(opt, LLVMCodeGenLevelDefault);
    machine = LLVMCreateTargetMachineWithOptions(target, triple, opt);
    LLVMDisposeTargetMachineOptions(opt);
    return machine;
}

/* A module that LLVM refuses is our mistake.  LLVM allocates the message even
 * when all is well. */
static void
verify(const struct be_module *m)
{
    char *why = NULL;

    if (LLVMVerifyModule(m->mod, LLVMReturnStatusAction, &why))
        bug("LLVM: %s", why);
    LLVMDisposeMessage(why);
}

static void
set_target(struct be_module *m)
{
    char *triple = LLVMGetDefaultTargetTriple();
    LLVMTargetDataRef layout;

    m->machine = new_machine(triple);
    LLVMSetTarget(m->mod, triple);
    LLVMDisposeMessage(triple);
    layout = LLVMCreateTargetDataLayout(m->machine);
    LLVMSetModuleDataLayout(m->mod, layout);
    LLVMDisposeTargetData(layout);
}

/* A section of its own, so that a reader needs no symbols and runs nothing. */
static void
stamp(struct be_module *m, const char *report)
{
    LLVMValueRef g = be_string(m, report);

    LLVMSetSection(g, BE_REPORT);
    LLVMSetLinkage(g, LLVMExternalLinkage);
    LLVMSetVisibility(g, LLVMHiddenVisibility);
    LLVMSetValueName2(g, "cml_report", strlen("cml_report"));
}

struct be_module *
be_new(const struct ir_func *f, const struct source *src, enum be_role role,
       const char *report)
{
    struct be_module *m = calloc(1, sizeof *m);

    if (!m)
        out_of_memory();
    m->f = f;
    m->role = role;
    m->cx = LLVMContextCreate();
    m->mod = LLVMModuleCreateWithNameInContext(f->name, m->cx);
    set_target(m);
    m->i32 = LLVMInt32TypeInContext(m->cx);
    m->i64 = LLVMInt64TypeInContext(m->cx);
    m->f64 = LLVMDoubleTypeInContext(m->cx);
    m->ptr = LLVMPointerTypeInContext(m->cx, 0);
    m->none = LLVMVoidTypeInContext(m->cx);
    declare_abi(m);
    be_debug_begin(m, src);
    be_layout(m);
    if (role != BE_SERVER)
        be_clear(m);
    if (role != BE_CLIENT)
        be_circuit(m);
    be_manifest(m);
    if (report)
        stamp(m, report);
    be_debug_end(m);
    verify(m);
    return m;
}

void
be_optimise(struct be_module *m)
{
    LLVMPassBuilderOptionsRef opt = LLVMCreatePassBuilderOptions();
    LLVMErrorRef error = LLVMRunPasses(m->mod, "default<O1>", m->machine, opt);

    if (error)
        bug("LLVM: %s", LLVMGetErrorMessage(error));
    LLVMDisposePassBuilderOptions(opt);
    verify(m);
}

bool
be_print(const struct be_module *m, FILE *out)
{
    char *text = LLVMPrintModuleToString(m->mod);
    const bool ok = fputs(text, out) >= 0;

    LLVMDisposeMessage(text);
    return ok;
}

bool
be_object(const struct be_module *m, const char *path)
{
    char *why = NULL;

    errno = 0;
    if (!LLVMTargetMachineEmitToFile(m->machine, m->mod, path, LLVMObjectFile,
                                     &why))
        return true;
    if (!errno)
        fprintf(stderr, "cmlc: %s\n", why);
    LLVMDisposeMessage(why);
    return false;
}

void
be_free(struct be_module *m)
{
    LLVMDisposeModule(m->mod);
    LLVMContextDispose(m->cx);
    LLVMDisposeTargetMachine(m->machine);
    arena_free(&m->mem);
    free(m);
}
