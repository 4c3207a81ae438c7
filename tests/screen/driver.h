/* driver.h: one script under way, and looking at its screen. Of tests/screen only. */
#ifndef SURFBOARD_TESTS_SCREEN_DRIVER_H
#define SURFBOARD_TESTS_SCREEN_DRIVER_H

#include <stdarg.h>
#include <stdio.h>

#include "core/base/arena.h"
#include "core/base/utf8.h"
#include "tui/screen/app.h"

enum { SCRIPT_MASKS_MOST = 16 };

struct script {
    const char *path;
    int line;
    char world[32];
    char profile[1024];
    struct buffer extra; /* lines for the profile */
    bool own_profile;    /* a copy with them, removed at the end */
    const char *expects_refusal;
    const char *masks[SCRIPT_MASKS_MOST];
    size_t mask_count;
    struct app_options options;
    struct app app;
    bool started;
    int64_t now_us;
    bool clock_now;
    struct arena arena;
};

/* Prints place, reason and screen; returns false. */
bool script_fail(struct script *script, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool script_start(struct script *script);
void script_press(struct script *script, key_code key);
const char *script_keep(struct script *script, const char *text); /* a copy that lives as long */
/* A word's argument without its quotes, \n and \" undone, in place. */
char *script_text(char *argument);
void script_destroy(struct script *script);

/* The words that look, and golden screens. */
bool script_expect(struct script *script, const char *word, char *rest);
bool script_mask(struct script *script, const char *expression);
bool script_golden(struct script *script, const char *name);
bool script_keys_honest(struct script *script);
bool script_picture(struct script *script, const char *name);

/* A row's text without trailing blanks, in `out`. */
void screen_row(const struct app *app, int row, struct buffer *out);
/* The first place of a text within one row; row and column may be NULL. */
bool screen_find(const struct app *app, const char *text, int *row, int *column);
void screen_print(struct app *app, FILE *out);

#endif
