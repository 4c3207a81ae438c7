#include "tui/screen/readline_load.h"

#include "core/base/library.h"

struct readline readline_library;

#define READLINE_SYMBOL(name) {#name, &readline_library.name},
static const struct library_symbol readline_symbols[] = {READLINE_SYMBOLS(READLINE_SYMBOL)};

static struct library library =
    LIBRARY("readline", "libreadline8", readline_symbols, "libreadline.so.8");

bool readline_ready(struct error *error)
{
    return library_ready(&library, error);
}
