#!/usr/bin/env bash
# Builds the escape programs and their helpers into DIRECTORY, without the rest of leash.
set -eu -o pipefail
cd "$(dirname "$0")"
out=$1
mkdir -p "$out"
flags=(-std=gnu17 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wwrite-strings)

# compile OUTPUT SOURCE [FLAG…]
compile() {
	local program=$out/$1 source=$2 dependency
	shift 2
	for dependency in "$source" escape.c escape.h openers.c race.c race.h talk.c build.sh; do
		if [ ! "$program" -nt "$dependency" ]; then
			"${CC:-cc}" "${flags[@]}" -o "$program" "$source" "$@"
			return
		fi
	done
}

for source in fs-*.c ex-*.c net-*.c ipc-*.c ctl-*.c race-*.c; do
	[ -e "$source" ] && compile "${source%.c}" "$source" escape.c openers.c race.c talk.c -lpthread -lrt
done
for source in unix-server victim shared-objects setuid-probe; do
	compile "$source" "$source.c" -lrt
done
for text in public denied-tool-ran; do
	compile "tool-$text" tool.c "-DTEXT=\"$text\"" -DBARE -static -nostdlib -nostartfiles -fno-stack-protector
	compile "tool-$text-dynamic" tool.c "-DTEXT=\"$text\""
done
install -m 755 net-http.py "$out/net-http"
