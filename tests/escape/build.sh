#!/usr/bin/env bash
# Builds the escape programs into DIRECTORY without the rest of leash.
set -eu -o pipefail
cd "$(dirname "$0")"
out=$1
mkdir -p "$out"
common=(escape.c openers.c)
flags=(-std=gnu17 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wwrite-strings)
for source in ??-*.c ???-*.c race-*.c; do
	[ -e "$source" ] || continue
	program=$out/${source%.c}
	[ "$program" -nt "$source" ] && [ "$program" -nt escape.c ] && [ "$program" -nt openers.c ] && continue
	${CC:-cc} "${flags[@]}" -o "$program" "$source" "${common[@]}" -lpthread &
	while [ "$(jobs -r | wc -l)" -ge 2 ]; do wait -n; done
done
while [ "$(jobs | wc -l)" -gt 0 ]; do wait -n || exit 1; jobs >/dev/null; done
