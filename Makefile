# Surfboard. `make help` lists the targets; the README's table of dependencies says what is needed.
#
#   CC=gcc|clang-14   SANITIZE=address,undefined   FAULTS=1   V=1   PREFIX=/usr/local   DESTDIR=
#
# Each combination of options builds in its own folder below .build, so switching costs nothing.

CC      := $(if $(filter default undefined,$(origin CC)),gcc,$(CC))
PREFIX  ?= /usr/local
SANITIZE ?=
FAULTS  ?=
VERSION := 0.1.0

empty :=
comma := ,
flavour := $(notdir $(CC))$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))$(if $(FAULTS),-faults)
BUILD   := .build/$(flavour)

PACKAGES := libpq libcurl jansson yaml-0.1 zlib libzstd libxxhash libcrypto libutf8proc ncursesw
PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lsnappy -lisal -lreadline -lm -lpthread

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror
OPTIMISE := $(if $(SANITIZE),-O1 -fno-omit-frame-pointer,-O2)
CFLAGS   ?= -g
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE -I. $(OPTIMISE) $(WARNINGS) $(CFLAGS) $(PKG_CFLAGS) \
    -DSURFBOARD_VERSION='"$(VERSION)"' $(if $(FAULTS),-DSURFBOARD_FAULTS) \
    $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)
ALL_LDFLAGS = $(LDFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE))

core_sources    := $(sort $(wildcard core/*/*.c))
plugin_sources  := $(sort $(wildcard plugins/*/*.c))
tui_sources     := $(filter-out tui/main.c,$(sort $(wildcard tui/*.c tui/*/*.c)))
library_objects := $(patsubst %.c,$(BUILD)/%.o,$(core_sources) $(plugin_sources) $(tui_sources))
unit_sources    := $(sort $(wildcard tests/unit/test_*.c))
unit_tests      := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(unit_sources))

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

.PHONY: all unit unit-run clean install help
all: $(BUILD)/surfboard
	$(Q)ln -sf $(BUILD)/surfboard surfboard

$(BUILD)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/libsurfboard.a: $(library_objects)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/surfboard: $(BUILD)/tui/main.o $(BUILD)/libsurfboard.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $^ $(PKG_LIBS) -o $@

$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libsurfboard.a
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $^ $(PKG_LIBS) -lcmocka -o $@

unit: $(unit_tests)
# Runs the unit tests of this flavour; ONLY=test_parquet runs one.
unit-run: unit
	$(Q)for t in $(if $(ONLY),$(addprefix $(BUILD)/unit/,$(ONLY)),$(unit_tests)); do \
	    $$t >$$t.log 2>&1 && echo "  ok    $${t##*/}" || { echo "  FAIL  $${t##*/}"; tail -40 $$t.log; exit 1; }; done

install: all
	install -D -m 755 $(BUILD)/surfboard $(DESTDIR)$(PREFIX)/bin/surfboard

clean:
	rm -rf .build surfboard

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
