#include "ir/expansion.h"

struct ir_expansion
ir_expansion_of(const struct ir_func *f, const struct ir_ins *ins)
{
    if (ins->op == IR_glwe_expand)
        return (struct ir_expansion){
            ins->as.glwe_expand.log2_slots,
            ins->as.glwe_expand.steps,
            ir_data(f, ins->as.glwe_expand.keys)->cell,
            0,
            0,
        };
    if (ins->op == IR_glwe_to_ggsw)
        return (struct ir_expansion){
            ins->as.glwe_to_ggsw.log2_slots,
            ins->as.glwe_to_ggsw.log2_slots,
            ir_data(f, ins->as.glwe_to_ggsw.keys)->cell,
            ins->as.glwe_to_ggsw.switch_levels,
            ins->as.glwe_to_ggsw.switch_log2_base,
        };
    return (struct ir_expansion){ 0 };
}

struct ir_expansion
ir_expansion_keys(const struct ir_func *f)
{
    struct ir_expansion all = { 0 };

    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_expansion x = ir_expansion_of(f, &f->ins[i]);

        if (x.steps > all.steps) {
            all.steps = x.steps;
            all.log2_slots = x.log2_slots;
            all.gadget = x.gadget;
        }
        if (x.switch_levels) {
            all.switch_levels = x.switch_levels;
            all.switch_log2_base = x.switch_log2_base;
        }
    }
    return all;
}
