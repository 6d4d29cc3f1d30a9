/* One section of an ELF file (64 bits, little-endian), by its name.
 *
 * The file may be anybody's: every offset is compared with the size of the file
 * before it is used, and nothing is run or mapped.
 */
#define _POSIX_C_SOURCE 200809L
#include "frontend/frontend.h"

#include <elf.h>
#include <string.h>
#include <sys/types.h>

enum { MAX_SECTION = 64 << 20 };

struct elf {
    FILE *f;
    uint64_t size;
    Elf64_Ehdr head;
    const char **why;
};

static bool
fetch(const struct elf *e, void *to, uint64_t at, uint64_t bytes)
{
    if (at > e->size || bytes > e->size - at
        || fseeko(e->f, (off_t)at, SEEK_SET) != 0
        || fread(to, 1, bytes, e->f) != bytes) {
        *e->why = "its headers are damaged";
        return false;
    }
    return true;
}

bool
fe_elf_is(FILE *f)
{
    char magic[SELFMAG];
    const bool is = fread(magic, 1, SELFMAG, f) == SELFMAG
                    && memcmp(magic, ELFMAG, SELFMAG) == 0;

    return fseek(f, 0, SEEK_SET) == 0 && is;
}

static bool
header(const struct elf *e, Elf64_Shdr *s, uint64_t i)
{
    return fetch(e, s, e->head.e_shoff + i * sizeof *s, sizeof *s);
}

static bool
open_elf(struct elf *e)
{
    off_t size;

    if (fseeko(e->f, 0, SEEK_END) != 0 || (size = ftello(e->f)) < 0) {
        *e->why = "it cannot be read in any order";
        return false;
    }
    e->size = (uint64_t)size;
    if (!fetch(e, &e->head, 0, sizeof e->head))
        return false;
    if (e->head.e_ident[EI_CLASS] != ELFCLASS64
        || e->head.e_ident[EI_DATA] != ELFDATA2LSB) {
        *e->why = "it is a program for another kind of machine";
        return false;
    }
    if (e->head.e_shoff > e->size
        || (e->head.e_shnum > 0 && e->head.e_shentsize != sizeof(Elf64_Shdr))) {
        *e->why = "its headers are damaged";
        return false;
    }
    return true;
}

/* Whether the section's name, at an offset of the table of names, is this. */
static bool
named(const struct elf *e, const Elf64_Shdr *names, const Elf64_Shdr *s,
      const char *name)
{
    const size_t n = strlen(name) + 1;
    char text[64];

    if (n > sizeof text || s->sh_name > names->sh_size
        || names->sh_size - s->sh_name < n)
        return false;
    if (names->sh_offset > e->size || s->sh_name > e->size - names->sh_offset
        || n > e->size - names->sh_offset - s->sh_name)
        return false;
    return fetch(e, text, names->sh_offset + s->sh_name, n)
           && memcmp(text, name, n) == 0;
}

const char *
fe_elf_section(struct arena *mem, FILE *f, const char *name, size_t *len,
               const char **why)
{
    struct elf e = { .f = f, .why = why };
    Elf64_Shdr names, s;

    *why = "it carries no report of cmlc";
    if (!open_elf(&e) || e.head.e_shstrndx >= e.head.e_shnum
        || !header(&e, &names, e.head.e_shstrndx))
        return NULL;
    for (uint64_t i = 0; i < e.head.e_shnum; i++) {
        char *text;

        if (!header(&e, &s, i))
            return NULL;
        if (s.sh_type == SHT_NOBITS || !named(&e, &names, &s, name))
            continue;
        if (s.sh_size > MAX_SECTION || s.sh_size > e.size) {
            *why = "its report is longer than a report can be";
            return NULL;
        }
        text = arena_new(mem, char, s.sh_size + 1);
        if (!fetch(&e, text, s.sh_offset, s.sh_size))
            return NULL;
        *len = strnlen(text, s.sh_size);
        return text;
    }
    return NULL;
}
