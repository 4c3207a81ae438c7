/* scan.h: what the three builds of the envelope scanner share; private to core/change. */
#ifndef SURFBOARD_CHANGE_SCAN_H
#define SURFBOARD_CHANGE_SCAN_H

#include "core/change/event.h"
#include "core/change/token.h"

enum { SCAN_HEADER_MEMO = 1024, SCAN_SLOTS = 24, SCAN_ROW_SLOTS = 64 };

/* A member of `source` that is the same in every line, up to the end of its value. */
struct scan_constant {
    char text[32];  /* `"connector":"postgresql"` */
    uint8_t length; /* 0: none */
    uint8_t value;  /* where the text of the value begins (a string's, behind its quote) */
    uint8_t value_length;
    uint8_t snapshot; /* of the member `snapshot` */
    uint32_t id;
};

struct change_scanner {
    bool (*line)(struct change_scanner *scanner, struct slice line, struct change *out,
                 struct error *error);
    bool torn; /* the last line was right as far as it went */
    /* Order of the members in the line before. */
    struct token_slot top[SCAN_SLOTS], value[SCAN_SLOTS], source[SCAN_SLOTS];
    struct token_slot transaction[SCAN_SLOTS], row[SCAN_ROW_SLOTS];
    struct scan_constant constants[SCAN_SLOTS];
    /* Texts that had to be unescaped; they live until the next line. */
    struct buffer key_text, value_text, name, transaction_id, source_schema, source_table;
    /* The header list of the line before, byte for byte, and what was found in it: the same list
     * stands in nearly every line. Offsets from its start; 0 length = absent. */
    char headers[SCAN_HEADER_MEMO];
    size_t headers_length;
    struct change headers_found; /* old_key, new_key, run_id, capture_position over `headers` */
};

bool scan_line_portable(struct change_scanner *scanner, struct slice line, struct change *out,
                        struct error *error);
#ifdef __x86_64__
bool scan_line_sse2(struct change_scanner *scanner, struct slice line, struct change *out,
                    struct error *error);
bool scan_line_avx2(struct change_scanner *scanner, struct slice line, struct change *out,
                    struct error *error);
#endif

/* For tests and fuzzing: whether `text` is one JSON value, by each set of lanes. */
bool scan_check_portable(struct slice text, size_t *at);
bool scan_check_sse2(struct slice text, size_t *at);
bool scan_check_avx2(struct slice text, size_t *at);

#endif
