/* readline_load.h: GNU readline as the editor uses it, loaded with the first look at the Query view
 * (core/base/library.h): 350 kB that no other view needs. Its variables can't be passed on like
 * functions, so all of it is behind pointers. */
#ifndef SURFBOARD_TUI_SCREEN_READLINE_LOAD_H
#define SURFBOARD_TUI_SCREEN_READLINE_LOAD_H

#include <stdio.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "core/base/error.h"

/* X(name): what it calls, and what it reads or sets. */
#define READLINE_SYMBOLS(X)                                                                        \
    X(rl_initialize)                                                                               \
    X(rl_callback_handler_install)                                                                 \
    X(rl_callback_handler_remove)                                                                  \
    X(rl_callback_read_char)                                                                       \
    X(rl_variable_bind)                                                                            \
    X(rl_bind_key)                                                                                 \
    X(rl_newline)                                                                                  \
    X(rl_insert_text)                                                                              \
    X(rl_delete_text)                                                                              \
    X(rl_begin_undo_group)                                                                         \
    X(rl_free_undo_list)                                                                           \
    X(rl_end_undo_group)                                                                           \
    X(using_history)                                                                               \
    X(previous_history)                                                                            \
    X(add_history)                                                                                 \
    X(clear_history)                                                                               \
    X(rl_line_buffer)                                                                              \
    X(rl_point)                                                                                    \
    X(rl_end)                                                                                      \
    X(rl_readline_state)                                                                           \
    X(rl_display_prompt)                                                                           \
    X(rl_readline_name)                                                                            \
    X(rl_instream)                                                                                 \
    X(rl_outstream)                                                                                \
    X(rl_catch_signals)                                                                            \
    X(rl_catch_sigwinch)                                                                           \
    X(rl_change_environment)                                                                       \
    X(rl_redisplay_function)                                                                       \
    X(rl_prep_term_function)                                                                       \
    X(rl_deprep_term_function)                                                                     \
    X(rl_getc_function)                                                                            \
    X(rl_input_available_hook)                                                                     \
    X(rl_completion_entry_function)                                                                \
    X(rl_inhibit_completion)

#define READLINE_POINTER(name) __typeof__(name) *(name);
struct readline {
    READLINE_SYMBOLS(READLINE_POINTER)
};
#undef READLINE_POINTER

extern struct readline readline_library;
bool readline_ready(struct error *error);

#endif
