#!/usr/bin/env bash
# run.sh BUILD-FOLDER [SECONDS [SEED]]: compares libcedar with the reference on random cases (compare.mjs).
# Installs the reference into a cache below the build folder; skips where there is no node or no registry.
# Without a seed one is drawn, so that a long run finds something new; a short one in a test is given one.
set -u -o pipefail

build=$(realpath -- "$1") seconds=${2:-3600} seed=${3:-$((RANDOM * 32768 + RANDOM))}
here=$(dirname "$(realpath -- "$0")")
cache=${LEASH_E2E_CACHE:-$build/e2e-cache}/cedar-wasm

skip() {
	echo "skipped: $1"
	exit 77
}

install_reference() {
	cmp -s "$here/package-lock.json" "$cache/installed" && return
	mkdir -p "$cache"
	(
		flock 9
		cmp -s "$here/package-lock.json" "$cache/installed" && exit 0
		cp "$here/package.json" "$here/package-lock.json" "$cache" &&
			npm ci --prefix "$cache" --no-fund --no-audit >"$cache/log" 2>&1 &&
			cp "$here/package-lock.json" "$cache/installed"
	) 9>"$cache/lock" || skip "npm ci failed: $(tail -n 1 "$cache/log")"
}

command -v node >/dev/null || skip "node is not installed"
command -v npm >/dev/null || skip "npm is not installed"
install_reference
exec node "$here/compare.mjs" --answer "$build/tests/cedar/differential/cedar-answer" --oracle "$cache" \
	--seconds "$seconds" --seed "$seed" --keep "$build/cedar-differences"
