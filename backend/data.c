/* Constants of the object.
 *
 * Weights and tables are one constant string each: an array of integer
 * constants costs LLVM a hundred times more.
 */
#include "backend/inner.h"

#include <string.h>

LLVMValueRef
be_i64(const struct be_module *m, int64_t v)
{
    return LLVMConstInt(m->i64, (unsigned long long)v, 1);
}

LLVMValueRef
be_f64(const struct be_module *m, double v)
{
    return LLVMConstReal(m->f64, v);
}

LLVMValueRef
be_null(const struct be_module *m)
{
    return LLVMConstNull(m->ptr);
}

LLVMValueRef
be_global(struct be_module *m, LLVMValueRef value)
{
    LLVMValueRef g = LLVMAddGlobal(m->mod, LLVMTypeOf(value), "");

    LLVMSetInitializer(g, value);
    LLVMSetGlobalConstant(g, 1);
    LLVMSetLinkage(g, LLVMPrivateLinkage);
    LLVMSetAlignment(g, 64);
    return g;
}

LLVMValueRef
be_bytes(struct be_module *m, const void *bytes, size_t n)
{
    return be_global(m, LLVMConstStringInContext2(m->cx, bytes, n, 1));
}

LLVMValueRef
be_words(struct be_module *m, const void *words, size_t n)
{
    return be_bytes(m, words, 8 * n);
}

LLVMValueRef
be_string(struct be_module *m, const char *text)
{
    return be_bytes(m, text, strlen(text) + 1);
}

LLVMValueRef
be_strings(struct be_module *m, const char *const *text, size_t n)
{
    LLVMValueRef *s = arena_new(&m->mem, LLVMValueRef, n);

    for (size_t i = 0; i < n; i++)
        s[i] = be_string(m, text[i]);
    return be_global(m, LLVMConstArray2(m->ptr, s, n));
}
