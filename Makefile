# avepoint: build, test, demo. `make help` lists the targets.
#
# Everything that is built lies under build/, one folder for each Lua ABI (`make plugin` copies
# LuaJIT's to lua/avepoint, where Neovim looks), and `make` touches nothing outside the checkout.
# LUA names the interpreter: lua5.4 (default; luajit for `make plugin`), lua5.3, lua5.2, lua5.1 or
# luajit.

LUA        ?= $(if $(filter plugin,$(MAKECMDGOALS)),luajit,lua5.4)
PREFIX     ?= /usr/local

PKG_CONFIG ?= pkg-config
CC         ?= cc
CFLAGS     ?= -O2 -g
VARIANT    ?=
OUT        := build/$(LUA)$(VARIANT)
CORE_OUT   := build/core$(VARIANT)
ABI        := $(if $(filter luajit,$(LUA)),5.1,$(LUA:lua%=%))
LUADIR     := $(DESTDIR)$(PREFIX)/share/lua/$(ABI)
LIBDIR     := $(DESTDIR)$(PREFIX)/lib/lua/$(ABI)

WARNINGS := -Wall -Wextra -Wpedantic -Werror -Wshadow -Wundef -Wwrite-strings -Wcast-align \
	-Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wformat=2 -Wno-format-nonliteral -Wvla -Wconversion -Wsign-conversion
# What makes a fault in C harder to use, as far as this compiler and its CFLAGS allow it; sanitizers
# have checks of their own in the place of _FORTIFY_SOURCE.
probe  = $(shell printf '\043include <string.h>\nint f(void);int f(void){return 0;}' | \
	$(CC) -Werror $(CFLAGS) $(1) -x c - -o /dev/null 2>/dev/null && echo '$(2)')
HARD  := $(call probe,-c -fstack-protector-strong,-fstack-protector-strong)
ifeq ($(findstring -fsanitize,$(CFLAGS)),)
FORTIFY := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
HARD  += $(call probe,-c $(FORTIFY),$(FORTIFY))
endif
RELRO := -Wl,-z,relro,-z,now
BASE     := -std=c99 -D_POSIX_C_SOURCE=200809L -fPIC -fvisibility=hidden $(HARD) $(WARNINGS) -MMD -MP
CRYPTO     := $(shell $(PKG_CONFIG) --cflags libcrypto 2>/dev/null)
CRYPTO_LIB := $(shell $(PKG_CONFIG) --libs libcrypto 2>/dev/null)
CURL     := $(shell $(PKG_CONFIG) --cflags libcurl 2>/dev/null)
CURL_LIB := $(shell $(PKG_CONFIG) --libs libcurl 2>/dev/null || echo -lcurl)
LUA_INC  := $(shell $(PKG_CONFIG) --cflags $(LUA) 2>/dev/null)

ifeq ($(shell uname -s),Darwin)
SHARED := -bundle -undefined dynamic_lookup
else
SHARED := -shared -Wl,-z,nodelete $(call probe,-shared -fPIC $(RELRO),$(RELRO))
endif

CORE_SRC  := $(sort $(wildcard src/core/*/*.c))
BIND_SRC  := $(sort $(wildcard src/bind/*.c))
SIGN_SRC  := $(sort $(wildcard src/sign/*.c))
CORE_OBJ  := $(CORE_SRC:src/core/%.c=$(CORE_OUT)/%.o)
BIND_OBJ  := $(BIND_SRC:src/bind/%.c=$(OUT)/bind/%.o)
CORE_LIB  := $(CORE_OUT)/libavpcore.a
SIGN_OBJ  := $(SIGN_SRC:src/sign/%.c=$(OUT)/sign/%.o)
MODULE    := $(OUT)/avepoint/core.so
# The second module signs in with certificates: built where OpenSSL's headers are.
SIGN      := $(if $(CRYPTO_LIB),$(OUT)/avepoint/sign.so)

# $(call run,WORD,SUBJECT,COMMAND): a short line for each step; V=1 shows the commands.
run = @$(if $(V),,echo "  $1  $2";) $3
ifdef V
run = $3
endif

# The hosts run the LuaJIT build, whatever LUA is.
HOSTS := neovim luajit redis
# What the specs need besides: programs that read what the module has written, and libuv's loop.
FOR_SPECS := jq python3 lua-luv

.PHONY: all c-tests fuzz fuzzers coverage help deps env demo demo-openresty test test-all test-c spec faults browser lint torture figures rates \
	reference pictures text-table format asan valgrind simulator rock install uninstall clean headers plugin for-neovim bench bench-short \
	bench-build bench-doc bench-nvim bench-openresty

all: $(MODULE) $(SIGN) ## build the module for LUA
	@$(if $(SIGN),,echo "Without libssl-dev (apt), openssl-devel (dnf) or openssl (brew): no sign-in with certificates.")

help: ## list the targets
	@spec/support/help Makefile

# LuaRocks gives LUA_INC: it knows where its Lua's headers lie, pkg-config need not.
headers:
	@spec/support/headers $(PKG_CONFIG) $(if $(filter command,$(origin LUA_INC)),,$(LUA))

$(CORE_OUT)/%.o: src/core/%.c | headers
	@mkdir -p $(@D)
	$(call run,CC,$<,$(CC) $(BASE) $(CFLAGS) $(CURL) -c $< -o $@)

$(OUT)/bind/%.o: src/bind/%.c | headers
	@mkdir -p $(@D)
	$(call run,CC,$<,$(CC) $(BASE) $(CFLAGS) $(CURL) $(LUA_INC) -c $< -o $@)

$(OUT)/sign/%.o: src/sign/%.c | headers
	@mkdir -p $(@D)
	$(call run,CC,$<,$(CC) $(BASE) $(CFLAGS) $(CRYPTO) $(LUA_INC) -c $< -o $@)

$(CORE_LIB): $(CORE_OBJ)
	@rm -f $@
	$(call run,AR,$@,$(AR) rcs $@ $(CORE_OBJ))

$(MODULE): $(BIND_OBJ) $(CORE_LIB)
	@mkdir -p $(@D)
	$(call run,LD,$@,$(CC) $(CFLAGS) $(SHARED) $(LDFLAGS) -o $@ $(BIND_OBJ) $(CORE_LIB) $(CURL_LIB))

$(OUT)/avepoint/sign.so: $(SIGN_OBJ)
	@mkdir -p $(@D)
	$(call run,LD,$@,$(CC) $(CFLAGS) $(SHARED) $(LDFLAGS) -o $@ $(SIGN_OBJ) $(CRYPTO_LIB))

deps: ## install what is missing (apt)
	@spec/support/deps $(LUA)

env: ## print LUA_PATH and LUA_CPATH for eval "$$(make -s env)"
	@spec/support/luaenv $(LUA) $(CURDIR) $(CURDIR)/$(OUT)

demo: ## list a simulated partner's customers; no account needed
	@DEMO=1 YES=$(YES) spec/support/deps $(LUA)
	@$(MAKE) --no-print-directory all
	@spec/support/demo $(LUA)

demo-openresty: ## run examples/openresty on a local port; no account needed
	@spec/support/deps luajit
	@$(MAKE) --no-print-directory all LUA=luajit
	@examples/openresty/run

test: ## all tests with LUA, ending in one line: N passed, N failed
	@spec/support/deps $(LUA) $(HOSTS) $(FOR_SPECS)
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory all LUA=luajit
	@$(MAKE) --no-print-directory c-tests
	@spec/support/run-tests $(LUA)

test-all: ## all tests on all five Luas; the hosts, which run LuaJIT, and the million once
	@$(MAKE) --no-print-directory test
	@for lua in lua5.3 lua5.2 lua5.1 luajit; do echo "== $$lua"; \
	  AVP_TAGS=--exclude-tags=long,hosts $(MAKE) --no-print-directory test LUA=$$lua || exit 1; done

# The unit tests of the core link it without Lua. Each test_NAME.c is a program; those that must
# not touch the network link a transport of their own before the library's.
C_TESTS := $(patsubst spec/c/%.c,$(CORE_OUT)/test/%,$(sort $(wildcard spec/c/test_*.c)))

$(CORE_OUT)/test/%: spec/c/%.c $(CORE_LIB)
	@mkdir -p $(@D)
	$(call run,CC,$<,$(CC) $(BASE) $(CFLAGS) $(CURL) -Isrc/core -Ispec/c $< -o $@ $(CORE_LIB) $(CURL_LIB) -lm)

# Programs of libFuzzer: what hostile bytes reach. clang builds them with all that they call, but
# time and chance are their own.
FUZZ_SECONDS ?= 20
FUZZ_INPUTS ?=
FUZZ_SEED ?= 0
FUZZ_WRAP := -Wl,--wrap=avp_sys_now_ms,--wrap=avp_sys_wall_ms,--wrap=avp_sys_random
FUZZERS := $(patsubst spec/fuzz/%.c,$(OUT)/fuzz/%,$(sort $(wildcard spec/fuzz/*.c)))

$(OUT)/fuzz/%: spec/fuzz/%.c $(CORE_LIB) $(BIND_OBJ) $(SIGN_OBJ)
	@mkdir -p $(@D)
	$(call run,CC,$<,$(CC) $(BASE) $(CFLAGS) -fsanitize=fuzzer $(FUZZ_WRAP) $(CURL) $(CRYPTO) $(LUA_INC) -Isrc/core -Isrc \
	  -Ispec/c $< -o $@ $(BIND_OBJ) $(SIGN_OBJ) $(CORE_LIB) $(shell $(PKG_CONFIG) --libs $(LUA) 2>/dev/null) \
	  $(CURL_LIB) $(CRYPTO_LIB) -lm)

fuzzers: $(FUZZERS)

fuzz: ## fuzz what hostile bytes reach, FUZZ_SECONDS (20) a target or FUZZ_INPUTS
	@spec/support/deps lua5.4 clang
	@$(MAKE) --no-print-directory all LUA=lua5.4
	@$(MAKE) --no-print-directory fuzzers LUA=lua5.4 VARIANT=-fuzz CC=clang CFLAGS='-O1 -g \
	  -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all'
	@spec/support/run-fuzz build/lua5.4-fuzz/fuzz \
	  $(if $(FUZZ_INPUTS),-runs=$(FUZZ_INPUTS),-max_total_time=$(FUZZ_SECONDS)) $(FUZZ_SEED)

# What says to a client what nginx would be too polite to say.
RAWSERVER := build/rawserver

$(RAWSERVER): spec/support/rawserver.c
	@mkdir -p $(@D)
	$(call run,CC,$<,$(CC) $(filter-out -fPIC -MMD -MP,$(BASE)) -O2 -g $< -o $@)

# A relay that falls silent, or is far away.
RELAY := build/relay

$(RELAY): spec/support/relay.c
	@mkdir -p $(@D)
	$(call run,CC,$<,$(CC) $(filter-out -fPIC -MMD -MP,$(BASE)) -O2 -g $< -o $@)

# The floor of the benchmark, and what measures its contenders: both outside the module.
BENCH := build/bench/measure build/bench/floor

build/bench/measure: spec/bench/measure.c
	@mkdir -p $(@D)
	$(call run,CC,$<,$(CC) $(filter-out -fPIC -MMD -MP,$(BASE)) -O2 $< -o $@)

build/bench/floor: spec/bench/peers/floor.c
	@mkdir -p $(@D)
	$(call run,CC,$<,$(CC) $(filter-out -fPIC -MMD -MP,$(BASE)) -O2 $(CURL) \
	  $(shell $(PKG_CONFIG) --cflags lua5.4 2>/dev/null) $< -o $@ \
	  $(shell $(PKG_CONFIG) --libs lua5.4 2>/dev/null) $(CURL_LIB))

# Links the module's objects and Lua itself; LuaJIT takes no allocator of ours.
TORTURE := $(if $(filter luajit,$(LUA)),,$(OUT)/torture)

$(OUT)/torture: spec/c/torture.c $(BIND_OBJ) $(CORE_LIB)
	@mkdir -p $(@D)
	$(call run,CC,$<,$(CC) $(BASE) $(CFLAGS) $(CURL) $(LUA_INC) -Isrc/core $< -o $@ $(BIND_OBJ) \
	  $(CORE_LIB) $(shell $(PKG_CONFIG) --libs $(LUA) 2>/dev/null) $(CURL_LIB) -lm -ldl)

# Preloaded into a host by the specs: look-ups of some names never end.
HANG := build/hang.so

$(HANG): spec/support/hang.c
	@mkdir -p $(@D)
	$(call run,LD,$@,$(CC) -O1 -g $(WARNINGS) -Wno-pedantic -fPIC -shared -o $@ $< -ldl)

# What the specs need besides the module.
TOOLS := $(RAWSERVER) $(RELAY) $(TORTURE) $(HANG)

c-tests: $(C_TESTS) $(TOOLS)

test-c: c-tests ## the C unit tests of the core
	@spec/support/run-c-tests $(CORE_OUT)/test

spec: all $(TOOLS) ## the busted specs only; SPEC= names files, TAGS= busted's --tags
	@$(if $(TAGS),AVP_TAGS=--tags=$(TAGS)) spec/support/run-specs $(LUA) $(OUT) $(SPEC)

faults: all $(TOOLS) ## the fault matrix: its table, a line a fault, and its numbers
	@spec/support/run-faults $(LUA) $(OUT)

torture: all $(TOOLS) ## let each allocation fail, one at a time, in all ways of torture.lua
	@AVP_TORTURE=each spec/support/run-specs $(LUA) $(OUT) spec/torture_spec.lua

browser: ## look at the dashboard of examples/openresty with headless Chromium
	@spec/support/deps lua5.4 luajit chromium
	@$(MAKE) --no-print-directory all LUA=lua5.4
	@$(MAKE) --no-print-directory all LUA=luajit
	@spec/support/run-browser

bench: ## compare with other clients and with bare C, in ten minutes at most
	@$(MAKE) --no-print-directory bench-build
	@spec/bench/bench

bench-short: ## the same in a minute: fails where a ratio is far off
	@$(MAKE) --no-print-directory bench-build
	@spec/bench/bench short

bench-build:
	@spec/support/deps lua5.4 luajit bench
	@$(MAKE) --no-print-directory all LUA=luajit
	@$(MAKE) --no-print-directory all LUA=lua5.4 $(BENCH) $(RELAY)

bench-doc: ## write doc/performance.md and doc/bench.svg from the last `make bench`
	@lua5.4 spec/bench/document.lua

bench-openresty: ## latency of an nginx worker's other traffic while it lists
	@spec/support/deps luajit wrk
	@$(MAKE) --no-print-directory all LUA=luajit
	@spec/bench/openresty

coverage: ## lines and branches that the tests run: a table, and the lines never run
	@spec/support/deps lua5.4 $(FOR_SPECS)
	@$(MAKE) --no-print-directory all c-tests LUA=lua5.4 VARIANT=-cov CFLAGS='-O0 -g --coverage'
	@spec/support/run-coverage lua5.4 -cov

lint: ## luacheck, cppcheck, clang-tidy, gcc's analyzer, clang-format, the layering and size rules
	@spec/support/lint

figures: ## print the numbers of the sources: lines, functions of a header, circles of includes
	@lua5.4 spec/support/structure.lua figures

rates: $(CORE_OUT)/test/test_drift_random ## how a list that never rests is read: given up, lost, pages
	@$< rates

reference: all ## write doc/reference.md from the annotations
	@eval "$$(spec/support/luaenv $(LUA) $(CURDIR) $(CURDIR)/$(OUT))" && \
	  $(LUA) spec/support/reference.lua write

pictures: ## write doc/demo.svg, doc/neovim.svg and doc/dashboard.png: terminal, editor, browser
	@spec/support/deps lua5.4 luajit neovim tmux chromium
	@$(MAKE) --no-print-directory all LUA=lua5.4
	@$(MAKE) --no-print-directory all LUA=luajit
	@spec/support/pictures

text-table: ## write src/core/ground/text_table.h from Debian's package unicode-data
	lua5.4 spec/support/text_table.lua

format: ## format the C sources
	clang-format -i src/*/*.[ch] src/core/*/*.[ch] spec/c/*.[ch] spec/fuzz/*.[ch] spec/support/*.c spec/bench/*.c spec/bench/peers/*.c

asan: ## all tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@spec/support/deps $(LUA) luajit $(FOR_SPECS)
	@$(MAKE) --no-print-directory all LUA=luajit
	@$(MAKE) --no-print-directory all c-tests VARIANT=-asan \
	  CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all'
	@spec/support/run-checked asan $(LUA)

valgrind: ## all tests under valgrind
	@spec/support/deps $(LUA) luajit valgrind $(FOR_SPECS)
	@$(MAKE) --no-print-directory all LUA=luajit
	@$(MAKE) --no-print-directory all c-tests
	@spec/support/run-checked valgrind $(LUA)

simulator: ## run the simulator in the foreground and print what to export
	@spec/support/simulator/simulator.sh run build/simulator-run

rock: ## build the rock into build/rock for each Lua and require it
	@spec/support/rock

install: all ## install under DESTDIR and PREFIX
	@spec/support/install "$(LUADIR)" "$(LIBDIR)" $(OUT)

uninstall: ## remove what install put there
	@spec/support/install "$(LUADIR)" "$(LIBDIR)"

bench-nvim: ## measure Neovim's loop while customers are listed; RUNS=5
	@$(MAKE) --no-print-directory all LUA=luajit
	@spec/bench/nvim $(RUNS)

# Another Neovim may have the old object loaded: it is replaced, never written over.
plugin: for-neovim all ## put the module, built with LuaJIT, where Neovim's runtimepath finds it
	@for so in $(OUT)/avepoint/*.so; do \
	  cp "$$so" "lua/avepoint/.new.so" && mv -f "lua/avepoint/.new.so" "lua/avepoint/$${so##*/}" || exit 1; done
	@if command -v nvim >/dev/null; then nvim --headless -u NONE -i NONE -n -c 'helptags doc' -c 'qa!' </dev/null; fi
	@echo "Neovim finds avepoint with this folder on its runtimepath."

for-neovim:
	@case $(LUA) in luajit|lua5.1) ;; *) \
	  echo "Neovim's Lua is LuaJIT: leave out LUA=$(LUA)" >&2; exit 1;; esac

clean: ## remove what was built
	rm -rf build
	rm -f lua/avepoint/*.so doc/tags # what `make plugin` puts there

-include $(CORE_OBJ:.o=.d) $(BIND_OBJ:.o=.d) $(SIGN_OBJ:.o=.d) $(C_TESTS:=.d) $(FUZZERS:=.d)
