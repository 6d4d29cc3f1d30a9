/* Functions and loops in LLVM. */
#include "backend/inner.h"

#include <string.h>

struct be_fn
be_fn_begin(struct be_module *m, const char *name, LLVMTypeRef type,
            bool exported)
{
    struct be_fn e = { .m = m };

    e.b = LLVMCreateBuilderInContext(m->cx);
    e.fn = LLVMAddFunction(m->mod, name, type);
    if (!exported)
        LLVMSetLinkage(e.fn, LLVMPrivateLinkage);
    e.scope = be_debug_function(m, e.fn, name);
    LLVMPositionBuilderAtEnd(
        e.b, LLVMAppendBasicBlockInContext(m->cx, e.fn, "entry"));
    be_fn_at(&e, (struct span){ 0, 0 });
    return e;
}

void
be_fn_end(struct be_fn *e)
{
    LLVMDisposeBuilder(e->b);
}

void
be_fn_at(struct be_fn *e, struct span at)
{
    be_debug_at(e, at);
}

LLVMValueRef
be_at(struct be_fn *e, LLVMValueRef base, LLVMTypeRef type, LLVMValueRef index)
{
    return LLVMBuildInBoundsGEP2(e->b, type, base, &index, 1, "");
}

/* In the entry block, so that a loop does not grow the frame. */
LLVMValueRef
be_slot(struct be_fn *e, LLVMTypeRef type)
{
    LLVMBasicBlockRef now = LLVMGetInsertBlock(e->b);
    LLVMBasicBlockRef entry = LLVMGetEntryBasicBlock(e->fn);
    LLVMValueRef first = LLVMGetFirstInstruction(entry), slot;

    if (first)
        LLVMPositionBuilderBefore(e->b, first);
    slot = LLVMBuildAlloca(e->b, type, "");
    LLVMPositionBuilderAtEnd(e->b, now);
    return slot;
}

struct be_loop
be_loop_begin(struct be_fn *e, size_t n)
{
    struct be_module *m = e->m;
    struct be_loop l;
    LLVMValueRef more;

    l.slot = be_slot(e, m->i64);
    LLVMBuildStore(e->b, be_i64(m, 0), l.slot);
    l.head = LLVMAppendBasicBlockInContext(m->cx, e->fn, "");
    l.body = LLVMAppendBasicBlockInContext(m->cx, e->fn, "");
    l.end = LLVMAppendBasicBlockInContext(m->cx, e->fn, "");
    LLVMBuildBr(e->b, l.head);
    LLVMPositionBuilderAtEnd(e->b, l.head);
    l.i = LLVMBuildLoad2(e->b, m->i64, l.slot, "");
    more = LLVMBuildICmp(e->b, LLVMIntULT, l.i, be_i64(m, (int64_t)n), "");
    LLVMBuildCondBr(e->b, more, l.body, l.end);
    LLVMPositionBuilderAtEnd(e->b, l.body);
    return l;
}

void
be_loop_end(struct be_fn *e, const struct be_loop *l)
{
    LLVMBuildStore(e->b, LLVMBuildAdd(e->b, l->i, be_i64(e->m, 1), ""),
                   l->slot);
    LLVMBuildBr(e->b, l->head);
    LLVMPositionBuilderAtEnd(e->b, l->end);
}

/* double name(double x [, double y]) of libm; y may be NULL */
LLVMValueRef
be_libm(struct be_fn *e, const char *name, LLVMValueRef x, LLVMValueRef y)
{
    LLVMTypeRef params[] = { e->m->f64, e->m->f64 };
    LLVMTypeRef type = LLVMFunctionType(e->m->f64, params, y ? 2 : 1, 0);
    LLVMValueRef fn = LLVMGetNamedFunction(e->m->mod, name);

    if (!fn)
        fn = LLVMAddFunction(e->m->mod, name, type);
    return LLVMBuildCall2(e->b, type, fn, (LLVMValueRef[]){ x, y }, y ? 2 : 1,
                          "");
}
