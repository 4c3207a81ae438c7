# Surfboard. `make help` lists the targets; the README's table of dependencies says what is needed.
#
# Each combination of options builds in its own folder below .build, so switching costs nothing.

VERSION  := 0.1.0
CC       := $(if $(filter default undefined,$(origin CC)),gcc,$(CC))
CLANG    ?= clang-14
PREFIX   ?= /usr/local
SANITIZE ?=
FAULTS   ?=
# Link-time optimisation pays in the release build; clang would need another linker for it.
LTO      ?= $(if $(SANITIZE)$(FAULTS)$(findstring clang,$(CC)),,1)
LTO_FLAG := $(if $(filter 1,$(LTO)),-flto=auto)

empty :=
comma := ,
flavour := $(notdir $(CC))$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))$(if $(FAULTS),-faults)
BUILD   := .build/$(flavour)

PACKAGES := jansson yaml-0.1 zlib libzstd libisal libxxhash libutf8proc tinfo
# Their headers alone: these are loaded when first used (core/base/library.h).
LOADED   := libpq libcurl snappy readline
PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) $(LOADED) 2>/dev/null)
PKG_LIBS   := -Wl,--as-needed $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm -lpthread
# A terminal emulator, for tests only: the judge of what the screen writes.
TEST_LIBS  := $(shell pkg-config --libs vterm 2>/dev/null)

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror
OPTIMISE := $(if $(SANITIZE),-O1 -fno-omit-frame-pointer,-O2) $(LTO_FLAG)
CFLAGS   ?= -g
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE -I. $(OPTIMISE) $(WARNINGS) $(CFLAGS) $(PKG_CFLAGS) \
    -DSURFBOARD_VERSION='"$(VERSION)"' $(if $(FAULTS),-DSURFBOARD_FAULTS) \
    $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)
# Across files gcc guesses more than it knows; the files' own warnings stay errors.
ALL_LDFLAGS = $(LDFLAGS) $(if $(LTO_FLAG),-Wno-error -Wno-maybe-uninitialized) $(if $(SANITIZE),-fsanitize=$(SANITIZE))
AR_TOOL := $(if $(findstring clang,$(CC)),ar,gcc-ar)

core_sources    := $(sort $(wildcard core/*/*.c))
plugin_sources  := $(sort $(wildcard plugins/*/*.c))
tui_sources     := $(filter-out tui/main.c,$(sort $(wildcard tui/*.c tui/*/*.c)))
library_sources := $(core_sources) $(plugin_sources) $(tui_sources)
library_objects := $(patsubst %.c,$(BUILD)/%.o,$(library_sources))
unit_sources    := $(sort $(wildcard tests/unit/test_*.c))
tool_programs   := $(patsubst tests/tools/%.c,$(BUILD)/tools/%,$(filter-out tests/tools/cdcgen.c,$(wildcard tests/tools/*.c)))
pty_programs    := $(patsubst tests/pty/%.c,$(BUILD)/pty/%,$(wildcard tests/pty/*.c))
unit_tests      := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(unit_sources))
screen_objects  := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/screen/*.c)))
screen_driver   := $(BUILD)/screen/driver
fuzz_sources    := $(sort $(wildcard tests/fuzz/fuzz_*.c))
fuzz_targets    := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(fuzz_sources))
bench_sources   := $(sort $(wildcard tests/bench/bench_*.c))
bench_programs  := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(bench_sources))
# Helpers that several unit tests share: tests/unit/NAME.c that is no test_*.c.
unit_helpers    := $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(unit_sources),$(wildcard tests/unit/*.c)))
all_c_files     := $(sort $(wildcard core/*/*.[ch] plugins/*/*.[ch] tui/*.[ch] tui/*/*.[ch] tests/*/*.[ch]))

Q   := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))
# A second make gets all cores, unless the caller gave -j already.
SUB = +$(Q)$(MAKE) --no-print-directory $(if $(findstring --jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
DEPS := tests/tools/deps.sh

.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
.PHONY: all demo test bench fuzz format check install clean deps help unit unit-run fuzz-build \
    bench-build pty program screen stack-test tools tidy FORCE

all: $(BUILD)/surfboard ## builds ./surfboard
	$(Q)ln -sfn $(BUILD)/surfboard surfboard
program: $(BUILD)/surfboard
	@:

# Newcomers meet this before any compiler message does.
.build/packages: $(DEPS)
	$(Q)$(DEPS) --check
	$(Q)mkdir -p .build && touch $@

# Objects are made again when the command that makes them changes.
$(BUILD)/flags: FORCE
	$(Q)mkdir -p $(BUILD)
	$(Q)echo '$(subst ','\'',$(ALL_CFLAGS))' | cmp -s - $@ || echo '$(subst ','\'',$(ALL_CFLAGS))' >$@

$(BUILD)/%.o: %.c $(BUILD)/flags | .build/packages
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/libsurfboard.a: $(library_objects)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR_TOOL) rcs $@ $^

link = $(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(1) $(filter %.o %.a,$^) $(PKG_LIBS) $(2) -o $@

$(BUILD)/surfboard: $(BUILD)/tui/main.o $(BUILD)/libsurfboard.a
	$(call say,LINK,$@)
	$(call link)

$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(unit_helpers) $(BUILD)/libsurfboard.a
	$(call say,LINK,$@)
	$(call link,,-lcmocka $(TEST_LIBS))

$(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/libsurfboard.a
	$(call say,LINK,$@)
	$(call link,-fsanitize=fuzzer)

$(BUILD)/tools/%: $(BUILD)/tests/tools/%.o $(unit_helpers) $(BUILD)/libsurfboard.a
	$(call say,LINK,$@)
	$(call link)

$(BUILD)/pty/%: $(BUILD)/tests/pty/%.o $(BUILD)/libsurfboard.a
	$(call say,LINK,$@)
	$(call link)

$(BUILD)/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/libsurfboard.a
	$(call say,LINK,$@)
	$(call link)

$(screen_driver): $(screen_objects) $(BUILD)/libsurfboard.a
	$(call say,LINK,$@)
	$(call link)

.build/tools/cdcgen: tests/tools/cdcgen.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=c17 -O2 -DHAVE_ZLIB -DHAVE_ZSTD $< -o $@ -lz -lzstd -lm

unit: $(unit_tests)
	@:
# Runs the unit tests of this flavour; ONLY=test_parquet runs one.
unit-run: unit
	$(Q)for t in $(if $(ONLY),$(addprefix $(BUILD)/unit/,$(ONLY)),$(unit_tests)); do \
	    $$t >$$t.log 2>&1 && echo "  ok    $${t##*/}" || { echo "  FAIL  $${t##*/}"; tail -40 $$t.log; exit 1; }; done
fuzz-build: $(fuzz_targets)
	@:
pty: $(pty_programs)
	@:
bench-build: $(bench_programs) $(BUILD)/surfboard tools
	@:
tools: .build/tools/cdcgen $(tool_programs) $(pty_programs)
	@:
screen: $(screen_driver)
	@:

demo: ## the whole pipeline on this machine, in one command; DEMO_ARGS="--no-screen --seconds 20"
	$(Q)$(DEPS) demo
	$(SUB) all
	$(Q)./surfboard demo $(DEMO_ARGS)

# What `make test` runs: the fault-point build by gcc, and one clang build that carries the
# sanitizers and the fuzzer's counters, so that the library is compiled twice and not three times.
WATCHED := CC=$(CLANG) SANITIZE=address,undefined,fuzzer-no-link FAULTS=1
test: ## every test that can run here, in under 10 minutes; ONLY=name narrows, see tests/README.md
	$(Q)$(DEPS) test
	$(SUB) FAULTS=1 program unit screen tools pty
	$(SUB) $(WATCHED) program unit screen fuzz-build pty
	$(Q)python3 tests/run.py $(if $(ONLY),--only '$(ONLY)')

stack-test: ## the tests against real S3 servers, built or fetched once into the cache
	$(Q)$(DEPS) test
	$(SUB) FAULTS=1 program unit tools
	$(Q)python3 tests/run.py --tier stack $(if $(ONLY),--only '$(ONLY)')

FUZZ_SECONDS ?= 300
fuzz: ## fuzzes every parser for FUZZ_SECONDS (300) each; ONLY=fuzz_parquet
	$(Q)$(DEPS) test
	$(SUB) $(WATCHED) fuzz-build
	$(Q)python3 tests/run.py --tier fuzz --fuzz-seconds $(FUZZ_SECONDS) $(if $(ONLY),--only '$(ONLY)')

bench: ## figures with medians, beside a named peer in the same run; BENCH_ARGS="--smoke"
	$(Q)$(DEPS) test
	$(SUB) bench-build
	$(Q)"$$(tests/tools/venv.sh)" tests/bench/bench.py --build $(BUILD) $(BENCH_ARGS)

format: ## formats all C files
	$(Q)clang-format-14 -i $(all_c_files)

check: ## formatting, both compilers' warnings, include arrows, style, static analysis
	$(Q)$(DEPS) check
	$(Q)clang-format-14 --dry-run -Werror $(all_c_files)
	$(Q)python3 tests/tools/arrows.py
	$(Q)python3 tests/tools/style.py
	$(SUB) CC=gcc program bench-build
	$(SUB) CC=gcc FAULTS=1 program unit screen
	$(SUB) CC=$(CLANG) program unit screen bench-build
	$(SUB) CC=$(CLANG) tidy
	@echo "  ok    check"

# One stamp a file, behind its object: what did not change is not analysed again.
tidy: $(patsubst %.c,$(BUILD)/%.tidy,tui/main.c $(library_sources))
$(BUILD)/%.tidy: $(BUILD)/%.o .clang-tidy
	$(call say,TIDY,$*.c)
	$(Q)clang-tidy-14 --quiet $*.c -- $(ALL_CFLAGS) 2>$@.log || { cat $@.log; exit 1; }
	$(Q)touch $@

install: all ## installs below DESTDIR and PREFIX (/usr/local): program, man page, bash completion
	$(Q)install -D -m 755 $(BUILD)/surfboard $(DESTDIR)$(PREFIX)/bin/surfboard
	$(Q)for theme in $(wildcard themes/*.yaml); do install -D -m 644 $$theme $(DESTDIR)$(PREFIX)/share/surfboard/$$theme; done
	$(Q)$(BUILD)/surfboard --man >$(BUILD)/surfboard.1
	$(Q)install -D -m 644 $(BUILD)/surfboard.1 $(DESTDIR)$(PREFIX)/share/man/man1/surfboard.1
	$(Q)$(BUILD)/surfboard --completion bash >$(BUILD)/completion.bash
	$(Q)install -D -m 644 $(BUILD)/completion.bash \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions/surfboard

deps: ## finds what is missing on Debian 12 and installs it, or prints the line to run
	$(Q)$(DEPS) demo test check
	$(Q)tests/tools/venv.sh >/dev/null

clean: ## removes what was built
	$(Q)rm -rf .build surfboard

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{ printf "%-10s %s\n", $$1, $$2 }'
	@echo 'Variables: CC=gcc|clang-14  SANITIZE=address,undefined  FAULTS=1  LTO=0  V=1  PREFIX=  DESTDIR='

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
