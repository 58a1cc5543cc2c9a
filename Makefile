# The README's commands. Meson and Ninja do the work; see meson.build.

BUILD ?= build
PREFIX ?= /usr/local

# How long `make cedar-differential` compares.
DIFFERENTIAL_SECONDS ?= 3600

.PHONY: all run test bench fuzz check cedar-differential install dist deps deps-test clean

all: deps
	@tools/build $(BUILD) --prefix=$(PREFIX)

# A first session: a short script under a small policy, its events shown live.
run: all
	@tools/demo $(BUILD)/leash

test: deps-test all
	@tools/run-tests --build $(BUILD)

# Ratios against the bare command and against bubblewrap, in one run; then the proxy's beside nginx's
# and mitmproxy's, where these and wrk are installed.
bench: deps-test all
	@bench/run.sh $(BUILD)
	@bench/proxy.sh $(BUILD) || [ $$? = 77 ]

fuzz: deps-test
	@tools/fuzz

# libcedar against the reference implementation, on random policies, schemas and requests.
cedar-differential: deps-test all
	@tests/cedar/differential/run.sh $(BUILD) $(DIFFERENTIAL_SECONDS)

check: deps-test all
	@tools/check

install: all
	@ninja -C $(BUILD) install

# What a release has: archive, npm's packages, checksums.
dist: all
	@packaging/dist $(BUILD) $(BUILD)/dist

# Each asks for sudo only if a package is missing.
deps:
	@tools/deps tools/packages.txt

deps-test: deps
	@tools/deps tests/packages.txt

clean:
	rm -rf $(BUILD)
