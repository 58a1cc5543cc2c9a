#!/usr/bin/env bash
# The tables of docs/MIGRATING.md against the program: flags by trying them, variables by who reads them.

. "$(dirname "$0")/../lib.sh"
make_user
LEASH_FLAGS=()

# rows HEADING: the first column's words in backquotes and the second column, "WORD STATE" a line.
rows() {
	awk -v want="## $1" '/^## / { on = ($0 == want) } on && /^\| `/' "$ROOT/docs/MIGRATING.md" |
		awk -F' *[|] *' '{ n = split($2, parts, "`"); for (i = 2; i <= n; i += 2) print parts[i], $3 }'
}
# "Unknown" is what leash says of flags that it does not have.
knows() {
	leash_run "$1"
	! grep -q 'unknown flag' "$ERR"
}

while read -r flag state; do
	case $state in
	works | changed) check "$flag $state" knows "$flag" ;;
	gone) refute "$flag is gone" knows "$flag" ;;
	*) not_ok "$flag: $state" ;;
	esac
done < <(rows Flags)
is "the table of flags was read" "$((TAP_COUNT > 20))" 1

reads() {
	grep -rqE "getenv\(\"$1\"\)|\"$1\"" "$ROOT/src" --include='*.c'
}
before=$TAP_COUNT
while read -r name state; do
	case $state in
	works | changed) check "$name $state" reads "$name" ;;
	gone) refute "$name is gone" reads "$name" ;;
	*) not_ok "$name: $state" ;;
	esac
done < <(rows Variables)
is "the table of variables was read" "$((TAP_COUNT - before > 40))" 1
for name in $(grep -rhoE 'getenv\("LEASH_[A-Z_]+"\)' "$ROOT/src" --include='*.c' | grep -oE 'LEASH_[A-Z_]+' | sort -u); do
	check "$name, which is read, is documented" grep -q "\`$name\`" "$ROOT/docs/MIGRATING.md" "$ROOT/docs/CONFIG.md"
done

# ---- Forms that people type
leash_run help
is "the word help" "$RC:$(head -c 5 "$OUT")" 0:leash
leash_run -v -I -- true
is "-v alone is --verbose" "$RC" 0
leash_run -I -v=nocolon -- true
is "-v=SPEC wants a colon" "$RC" 2
leash_run -I -v -- true
is "... and takes no word without one" "$RC" 0
leash_run -I -v "$T_HOME/.cache:/usr/share/misc" -- ls /usr/share/misc
is "-v SPEC is a volume" "$RC" 0
leash_run -I -l= -- true
is "-l= is no page" "$RC" 0
leash_run --open=x -- true
is "--open takes no value" "$RC" 2
for mistake in '-e=' '-e==x' '-e -x'; do
	# shellcheck disable=SC2086
	leash_run $mistake -- true
	is "$mistake" "$RC" 2
done
leash_run -I --port-forward nonsense -- true
like "--port-forward is -p" "$RC:$(err)" '^2:.*-p nonsense'
leash_run -P -- true
like "-P without an image" "$RC:$(err)" '^125:.*no image'
leash_run -I -p 53/udp -- true
like "-p of UDP says so" "$RC:$(err)" '^2:.*UDP'
leash_run -I sh -c 'echo "$@"' sh -V --policy x
is "the first word that is no flag ends them" "$RC:$(out)" "0:-V --policy x"
user_file "$T_HOME/mine.cedar" <<<'permit (principal, action, resource);'
for form in '-policy ~/mine.cedar' '--policy ~/mine.cedar' '--policy=~/mine.cedar' "--policy ../mine.cedar"; do
	read -ra words <<<"$form"
	leash_run -I "${words[@]}" -- true
	is "$form" "$RC:$(err)" 0:
done

# ---- Variables
with() {
	CALLER_ENV=("$@")
}
with LEASH_POLICY_FILE='~/mine.cedar' LEASH_LISTEN=127.0.0.1:18999 LEASH_BOOTSTRAP_TIMEOUT=1m30s
leash_run config show --origin
for line in '--policy = "~/mine.cedar"  # $LEASH_POLICY_FILE' '--listen = "127.0.0.1:18999"  # $LEASH_LISTEN' \
	'bootstrap_timeout = "1m30s"  # $LEASH_BOOTSTRAP_TIMEOUT'; do
	check "config show --origin: $line" grep -Fxq -- "$line" "$OUT"
done
leash_run config show --json
is "... as JSON" "$(jq -r '.[] | select(.key == "--listen") | [.origin, .variable, .value] | join(" ")' "$OUT")" \
	'environment LEASH_LISTEN "127.0.0.1:18999"'
leash_run -I -- true
is "LEASH_POLICY_FILE may begin with ~" "$RC:$(err)" 0:
with LEASH_TARGET_IMAGE=one TARGET_IMAGE=two
leash_run config show --origin
like "an image of the environment" "$(out)" '^leash.target_image = "one"  # \$LEASH_TARGET_IMAGE'
for value in soon 0 -1 1x 1m30 999999999999999999999h; do
	with LEASH_BOOTSTRAP_TIMEOUT="$value"
	leash_run -I -- true
	like "LEASH_BOOTSTRAP_TIMEOUT=$value" "$RC:$(err)" '^125:.*LEASH_BOOTSTRAP_TIMEOUT'
done
for value in 90 1.5m 1h2m3s 900ms100us; do
	with LEASH_BOOTSTRAP_TIMEOUT="${value/900ms/20900ms}"
	leash_run -I -- true
	is "LEASH_BOOTSTRAP_TIMEOUT=$value" "$RC:$(err)" 0:
done
with LEASH_BOOTSTRAP_TIMEOUT=1ms
leash_run -I -- true
like "... and it counts" "$RC:$(err)" '^125:.*in time'
with LEASH_HOME=conf
user_file "$WORK/conf/config.toml" <<<'[events]
keep_days = 3'
leash_run config path
is "LEASH_HOME may be relative" "$(out)" "$WORK/conf/config.toml"

done_testing
