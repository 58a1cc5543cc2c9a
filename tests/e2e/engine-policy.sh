#!/usr/bin/env bash
# The native suites on what policies decide, their sessions in containers: of a Debian and of busybox alone. What is of the
# machine's own files and programs they leave out (natively, in lib.sh). LEASH_SUITES names other ones, LEASH_IMAGES other images.

. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || skip_all "an engine of the test's own needs root"
read -ra suites <<<"${LEASH_SUITES:-basics modes policy-reload replay network}"
read -ra images <<<"${LEASH_IMAGES:-debian busybox}"

# run_suites IMAGE: what they say, each line with image and suite before it.
run_suites() {
	local suite
	for suite in "${suites[@]}"; do
		# Busybox has none of the clients.
		[ "$1 $suite" = "busybox network" ] ||
			LEASH_TEST_IMAGE=$1 LEASH_RELOADS=${LEASH_RELOADS:-5} bash "$(dirname "$0")/$suite.sh" 2>&1 </dev/null | sed "s/^/$1 $suite: /"
	done
}

# take_over FILE N: each check of theirs is one of this suite's, and that all N came to their end.
take_over() {
	local of line
	while IFS= read -r line; do
		of=${line%%: *} line=${line#*: }
		case $line in
		'ok '*' # SKIP '*) skip "$of: ${line#ok * - }" "${line##*# SKIP }" ;;
		'ok '*) ok "$of: ${line#ok * - }" ;;
		'not ok '*) not_ok "$of: ${line#not ok * - }" ;;
		1..*) ;;
		*) printf '%s\n' "$line" ;;
		esac
	done <"$1"
	is "${1##*/}: suites that came to their end" "$(grep -c ': 1\.\.[1-9][0-9]*$' "$1")" "$2"
}

for image in "${images[@]}"; do
	run_suites "$image" >"$T/$image" &
	runs[$!]=$image
done
for run in "${!runs[@]}"; do
	wait "$run"
	n=${#suites[@]}
	[[ ${runs[run]} != busybox || " ${suites[*]} " != *" network "* ]] || n=$((n - 1))
	take_over "$T/${runs[run]}" "$n"
done

done_testing
