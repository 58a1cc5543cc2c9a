#!/usr/bin/env bash
# The page's model, its link to leash and its texts, without a browser: ui/test has the checks.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../../ui" || exit 1
# tools/build-page fetches a newer node where the system's is too old.
PATH=$(echo "$PWD"/node_modules/node-linux-*/bin):$PATH
if [ ! -x node_modules/.bin/vitest ]; then
	printf 'ok 1 - page units # SKIP no packages: npm ci in ui/\n1..1\n'
	exit 77
fi
exec node_modules/.bin/vitest run --reporter=tap-flat
