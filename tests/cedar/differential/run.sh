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

count() { # the last line of output
	local total
	total=$(tail -n 1 <<<"$1")
	[[ $total =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]] || return 1
	sed '$d' <<<"$1"
	passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2])) skipped=$((skipped + BASH_REMATCH[3]))
}

# In parts, each in a process of its own, and without the compiler that is not needed for it: Node itself dies now
# and then ("unreachable code" in the deoptimizer), which says nothing of either side.
part=300 passed=0 failed=0 skipped=0

# The validator's findings and their places, in more detail than compare.mjs asks.
output=$(node --no-opt "$here/validate.mjs" --answer "$build/tests/cedar/differential/validate-lines" --oracle "$cache" \
	--cases $((seconds * 100 < 20000 ? seconds * 100 : 20000)) --seed "$seed" 2>&1)
if ! count "$output"; then
	printf '%s\n' "$output"
	failed=1
fi

deadline=$((SECONDS + seconds))
while [ $((left = deadline - SECONDS)) -gt 0 ]; do
	output=$(node --no-opt "$here/compare.mjs" --answer "$build/tests/cedar/differential/cedar-answer" --oracle "$cache" \
		--seconds $((left < part ? left : part)) --seed "$seed" --keep "$build/cedar-differences" 2>&1)
	status=$?
	if count "$output"; then
		:
	elif [ "$status" -gt 128 ] && grep -q '^# Fatal error in' <<<"$output"; then
		echo "Node died by itself in the part from seed $seed; the part is not counted"
		skipped=$((skipped + 1))
	else
		printf '%s\nended with status %d\n' "$output" "$status"
		failed=$((failed + 1))
		break
	fi
	seed=$((seed + 1000000))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
