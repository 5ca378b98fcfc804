# SPDX-License-Identifier: BSD-2-Clause
# A thin wrapper around meson: `make demo` and `make check` are all that a
# newcomer types. Everything is built in $(BUILD), outside the sources.
#
#   make V=1                       show the commands
#   make SANITIZE=address,undefined check
#   make CC=clang WERROR=1
#   make check TESTS="unit/ cli/sock"
#   make install PREFIX=/usr/local DESTDIR=

PREFIX ?= /usr/local
DESTDIR ?=
SANITIZE ?=
TESTS ?=
HOURS ?= 1
SECONDS ?= 60

comma := ,
BUILD ?= build$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))
NINJA := ninja $(if $(V),-v,--quiet) -C
SETUP := --prefix=$(PREFIX) --libdir=lib $(if $(WERROR),-Dwerror=true) \
	$(if $(SANITIZE),-Db_sanitize=$(SANITIZE) -Db_lundef=false)

export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin
ifneq ($(origin CC),default)
export CC
endif

.PHONY: all demo check install bench fuzz soak amalgamation lint dist clean

# $(call build,DIR,MESON OPTIONS)
define build
@tools/configure $1 $(SETUP) $2
@$(NINJA) $1 >$1/.log 2>&1 || { cat $1/.log; exit 1; }
@sed '/^The Meson build system/,/^Cleaning/d; /^ninja: no work/d' $1/.log
endef

# Without tests only where no tests were built before: then cmocka is not needed.
QUICK = $(if $(wildcard $(BUILD)/.options),,-Dtests=false)

all:
	@tools/deps build
	$(call build,$(BUILD),$(QUICK))

demo:
	@tools/deps build run
	$(call build,$(BUILD),$(QUICK))
	@$(BUILD)/prog/socknet/socknet demo

check:
	@tools/deps build run test peer
	$(call build,$(BUILD),-Dtests=true)
	@tests/run $(BUILD) $(TESTS)

install: all
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD) $(if $(V),,--quiet)
	@tools/installed "$(DESTDIR)" "$(PREFIX)"

bench:
	@tools/deps build run bench
	$(call build,build-bench,-Dtests=false -Dbuildtype=release)
	@bench/run build-bench

fuzz:
	@tools/deps build fuzz
	@CC=clang tools/configure build-fuzz -Dtests=false -Dfuzz=true \
		-Db_sanitize=address$(comma)undefined -Db_lundef=false
	@$(NINJA) build-fuzz
	@tools/fuzz build-fuzz $(SECONDS)

soak:
	@tools/deps build run test
	$(call build,build-soak,-Dtests=true -Db_sanitize=address$(comma)undefined -Db_lundef=false)
	@tools/soak build-soak $(HOURS)

amalgamation:
	@tools/amalgamate amalgamation
	@echo "amalgamation/sockeye.c and amalgamation/sockeye.h: link with -lmnl"

lint:
	@tools/deps build test
	$(call build,$(BUILD),-Dtests=true)
	@tests/run $(BUILD) rules/

dist:
	@tools/deps build
	$(call build,$(BUILD),$(QUICK))
	@GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' \
		meson dist -C $(BUILD) --no-tests --allow-dirty

clean:
	@rm -rf build build-* amalgamation
