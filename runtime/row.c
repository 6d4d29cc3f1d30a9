/* The words of a row in a file: those of a piece that keeps b bits are its
 * upper b bits, one after the other, the lowest bit first; whole bytes a piece.
 */
#include "runtime/engine.h"

#include <string.h>

static size_t
piece_bytes(const struct cml_piece *p)
{
    return ((size_t)p->count * (size_t)p->keep_bits + 7) / 8;
}

size_t
cmlrt_row_bytes(const struct cml_manifest *m)
{
    const struct cml_piece *p = m->pieces;
    size_t bytes = 0;

    for (int64_t i = 0; i < m->npieces; i++)
        bytes += piece_bytes(&p[i]);
    return bytes;
}

/* Bits of a word from bit `at` of a packed piece on, byte by byte. */
static void
put_bits(uint8_t *to, size_t at, uint64_t word, unsigned bits)
{
    for (unsigned done = 0; done < bits;) {
        const unsigned in = (unsigned)(at % 8), room = 8 - in;

        to[at / 8] = (uint8_t)(to[at / 8] | (uint8_t)(word >> done << in));
        done += room;
        at += room;
    }
}

static uint64_t
get_bits(const uint8_t *from, size_t at, unsigned bits)
{
    uint64_t word = 0;

    for (unsigned done = 0; done < bits;) {
        const unsigned in = (unsigned)(at % 8);

        word |= (uint64_t)(from[at / 8] >> in) << done;
        done += 8 - in;
        at += 8 - in;
    }
    return word << (64 - bits);
}

void
cmlrt_row_pack(uint8_t *to, const struct cml_manifest *m, const uint64_t *words)
{
    const struct cml_piece *p = m->pieces;

    for (int64_t i = 0; i < m->npieces; to += piece_bytes(&p[i++])) {
        const uint64_t *word = words + p[i].word;
        const unsigned bits = (unsigned)p[i].keep_bits;

        memset(to, 0, piece_bytes(&p[i]));
        for (size_t w = 0; bits < 64 && w < (size_t)p[i].count; w++)
            put_bits(to, w * bits, word[w] >> (64 - bits), bits);
        if (bits == 64)
            memcpy(to, word, piece_bytes(&p[i]));
    }
}

void
cmlrt_row_unpack(uint64_t *words, const struct cml_manifest *m,
                 const uint8_t *from)
{
    const struct cml_piece *p = m->pieces;

    for (int64_t i = 0; i < m->npieces; from += piece_bytes(&p[i++])) {
        uint64_t *word = words + p[i].word;
        const unsigned bits = (unsigned)p[i].keep_bits;

        for (size_t w = 0; bits < 64 && w < (size_t)p[i].count; w++)
            word[w] = get_bits(from, w * bits, bits);
        if (bits == 64)
            memcpy(word, from, piece_bytes(&p[i]));
    }
}
