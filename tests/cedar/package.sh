#!/usr/bin/env bash
# libcedar as somebody else sees it: installed into an empty place, found by
# pkg-config, the example compiled against it both ways, nothing shown but what
# the headers declare. package.sh BUILD-FOLDER SOURCE-FOLDER
set -u -o pipefail

build=$1 source=$2
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
count=0 failed=0

# check NAME COMMAND…
check() {
	local name=$1 said
	shift
	count=$((count + 1))
	if said=$("$@" 2>&1); then
		echo "ok $count - $name"
	else
		failed=$((failed + 1))
		printf 'not ok %d - %s\n' "$count" "$name"
		head -c 2000 <<<"$said" | sed 's/^/# /'
	fi
}

CC=${CC:-cc}
cat >"$T/policies.cedar" <<'EOF'
@id("readers") permit (principal in Group::"staff", action == Action::"read", resource is Document);
forbid (principal, action, resource == Document::"secret") unless { principal.level > 5 };
permit (principal, action == Action::"write", resource) when { principal.title == "editor" };
EOF
printf 'permit (principal, action, resource) when { 1 + };\n' >"$T/bad.cedar"

check "installs" env DESTDIR="$T/root" meson install -C "$build" --no-rebuild --quiet --tags runtime,devel
pc=$(find "$T/root" -name libcedar.pc)
lib=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH=${pc%/*} PKG_CONFIG_SYSROOT_DIR=$T/root
check "pkg-config knows it" pkg-config --exists --print-errors libcedar
read -ra flags < <(pkg-config --cflags --libs libcedar)
read -ra cflags < <(pkg-config --cflags libcedar)

check "all public headers are there" diff <(cd "$source/src/cedar" && printf '%s\n' cedar.h cedar-*.h | sort) \
	<(find "$T/root" -path '*/cedar/*.h' -printf '%f\n' | sort)
check "the example compiles, without a warning, away from the tree" \
	env -C "$T" "$CC" -Wall -Wextra -Werror -std=gnu11 "$source/docs/examples/cedar-decide.c" "${flags[@]}" -o shared
check "... as C17, and each header alone" bash -c '
	cd "$1"; shift; cc=$1; shift
	for header in root/*/*/include/libcedar/*/*.h root/*/include/libcedar/*/*.h; do
		[ -e "$header" ] || continue
		name=${header##*include/libcedar/}
		printf "#include <%s>\n" "$name" >one.c
		"$cc" -Wall -Wextra -Werror -std=gnu17 "$@" -c one.c -o one.o || exit 1
	done' - "$T" "$CC" "${cflags[@]}"
check "... against the archive" \
	"$CC" -Wall -Werror "$source/docs/examples/cedar-decide.c" "${cflags[@]}" "$lib/libcedar.a" -o "$T/static"

# runs WANTED-STATUS PATTERN BINARY ARGUMENT…
runs() {
	local want=$1 pattern=$2 said status
	shift 2
	said=$(LD_LIBRARY_PATH=$lib "$@" 2>&1)
	status=$?
	printf '%s\nexit %d\n' "$said" "$status"
	[ "$status" = "$want" ] && grep -Eq -- "$pattern" <<<"$said"
}
for kind in shared static; do
	check "$kind: allows" runs 0 '^ALLOW' "$T/$kind" "$T/policies.cedar" User::alice read Document::plan
	check "$kind: says why" runs 0 'because of policy0' "$T/$kind" "$T/policies.cedar" User::alice read Document::plan
	check "$kind: denies by a forbid" runs 2 'because of policy1' "$T/$kind" "$T/policies.cedar" User::alice read Document::secret
	check "$kind: reports an error in a policy" runs 2 'policy2 was skipped.*title' \
		"$T/$kind" "$T/policies.cedar" User::alice write Document::plan
	check "$kind: shows where the text is wrong" runs 1 'bad\.cedar:1:[0-9]+: error' \
		"$T/$kind" "$T/bad.cedar" User::alice read Document::plan
done

# What the headers declare: names before a parenthesis in declarations at the left margin.
declared=$(cat "$T"/root/usr*/local/include/libcedar/*/*.h "$T"/root/usr/include/libcedar/*/*.h 2>/dev/null |
	grep -v '^static inline' | grep -oE '^[a-z_].*[ *](cedar|arena|buf)_[a-z0-9_]+\(' | grep -oE '(cedar|arena|buf)_[a-z0-9_]+\($' | tr -d '(' | sort -u)
shared=$(nm -D --defined-only "$lib/libcedar.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u)
archive=$(nm -g --defined-only "$lib/libcedar.a" | awk 'NF == 3 { print $3 }' | sort -u)
check "the shared library shows what the headers declare" diff <(echo "$declared") <(echo "$shared")
check "... under a version" bash -c '! nm -D --defined-only "$1/libcedar.so" | grep " T " | grep -v @@LIBCEDAR_' - "$lib"
check "the archive shows no other name" diff <(echo "$declared") <(echo "$archive")
check "the shared library needs libc alone" bash -c '! readelf -d "$1/libcedar.so" | grep NEEDED | grep -v "libc\.so"' - "$lib"
echo "1..$count"
[ "$failed" -eq 0 ]
