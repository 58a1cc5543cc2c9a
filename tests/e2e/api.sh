#!/usr/bin/env bash
# The HTTP API of a session: who may use it, what it shows and changes, live events, leash's earlier API, and
# that nothing inside the container reaches it.

. "$(dirname "$0")/../lib.sh"
make_user
support=$ROOT/tests/e2e/support
install -m 644 "$support/api.py" "$support/api-check.py" "$ROOT/src/api/openapi.json" "$ROOT/src/api/routes.c" "$T/"
install -d -m 777 "$T/errors"

# What the checks say, line by line; indented lines belong to the failure before them.
failure=
flush() {
	[ -z "$failure" ] || not_ok "$failure" "${details[@]}"
	failure= details=()
}
details=()
while IFS= read -r line; do
	case $line in
	'PASS '*) flush; ok "${line#PASS }" ;;
	'FAIL '*) flush; failure=${line#FAIL } ;;
	'SKIP '*) flush; skip "${line#SKIP }" "not installed" ;;
	*) details+=("$line") ;;
	esac
done < <(CALLER_ENV=("T_ERRORS=$T/errors" "T_ROUTES=$T/routes.c" PYTHONDONTWRITEBYTECODE=1)
	as_user timeout -k 10 600 python3 "$T/api-check.py" "$LEASH" "$T/openapi.json" 2>&1
	[ $? -eq 0 ] && echo "PASS all checks were made" || echo "FAIL all checks were made")
flush
done_testing
