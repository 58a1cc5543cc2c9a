#!/usr/bin/env bash
# The control page in Chromium, against a session: ui/e2e/page.test.mjs has the checks.
set -u
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LEASH=$(realpath -m -- "${LEASH:-$ROOT/build/leash}")
export LEASH

skip_all() {
	printf 'ok 1 - page # SKIP %s\n1..1\n' "$1"
	exit 77
}

# tools/build-page fetches a newer node where the system's is too old.
PATH=$(echo "$ROOT"/ui/node_modules/node-linux-*/bin):$PATH
command -v node >/dev/null || skip_all 'no node'
[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || skip_all 'no chromium'
[ -d "$ROOT/ui/node_modules/playwright-core" ] || skip_all 'no packages: npm ci in ui/'
[ -d "$ROOT/ui/dist" ] || skip_all 'leash was built without the page: npm run build in ui/'
exec node --test --test-reporter tap "$ROOT/ui/e2e/page.test.mjs"
