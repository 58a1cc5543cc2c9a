#!/usr/bin/env bash
# config.toml: what it says of how commands run, how it is shown and changed, and what is said of mistakes in it.

. "$(dirname "$0")/../lib.sh"
make_user
LEASH_FLAGS=()
CONFIG=$T_HOME/.config/leash/config.toml

config() {
	leash_run config "$@"
}

# ---- None
config path
is "path: also of a file that is not there" "$RC:$(out)" "0:$CONFIG"
config check
like "check: none is no mistake" "$RC:$(out)" '^0:.*there is none'
config show
is "show: the defaults" "$RC:$(out)" "0:events.keep_days = 30
events.keep_mb = 1024"

# ---- Changes
config set events.keep_days 7
is "set: into a new file" "$RC:$(cat "$CONFIG")" "0:[events]
keep_days = 7"
is "... for its owner alone" "$(stat -c '%a %U' "$CONFIG")" "600 $(stat -c %U "$T_HOME")"
user_file "$CONFIG" <<'TOML'
# mine
[events] # how long
keep_days  =  7   # a week

# of the agents
[leash.envvars]
EDITOR = "vim" # what else
TOML
config set events.keep_days 8
config set events.keep_mb 100
config set leash.envvars.DEBUG 1
config set 'volumes."~/data"' /usr/share/misc:ro
is "set: all else stays" "$(cat "$CONFIG")" '# mine
[events] # how long
keep_days  =  8   # a week
keep_mb = 100

# of the agents
[leash.envvars]
EDITOR = "vim" # what else
DEBUG = "1"

[volumes]
"~/data" = "/usr/share/misc:ro"'
config unset events.keep_mb
config unset leash.envvars.DEBUG
config unset 'volumes."~/data"'
is "unset: the line goes" "$RC:$(cat "$CONFIG")" '0:# mine
[events] # how long
keep_days  =  8   # a week

# of the agents
[leash.envvars]
EDITOR = "vim" # what else

[volumes]'
before=$(sha256sum "$CONFIG")
config unset events.keep_mb
like "unset: what is not there" "$RC:$(err)" '^1:.*events.keep_mb is not set in'
config set events.keep_dys 7
like "set: an unknown key, and the nearest" "$RC:$(err)" '^1:.*config.toml:[0-9]+:1: unknown key keep_dys; did you mean keep_days'
config set events.keep_days -- -1
like "... a value that cannot be" "$RC:$(err)" '^1:.*expected a number from 0'
config set events.keep_days soon
like "... a word for a number" "$RC:$(err)" '^1:.*a string stands where a number is expected'
config set events 7
like "... a table" "$RC:$(err)" '^1:.*"events" is a table'
config set 'events..x' 7
like "... no key" "$RC:$(err)" '^1:.*expected a key'
config set events.keep_days
is "... without a value" "$RC" 2
is "... and nothing was written" "$(sha256sum "$CONFIG")" "$before"
as_user mv "$CONFIG" "$T_HOME/kept.toml"
as_user ln -s "$T_HOME/kept.toml" "$CONFIG"
config set events.keep_days 9
check "set: a link stays one" test -L "$CONFIG"
like "... and what it leads to is changed" "$(cat "$T_HOME/kept.toml")" 'keep_days  =  9'
as_user mv "$T_HOME/kept.toml" "$CONFIG"
as_user chmod 500 "$(dirname "$CONFIG")"
if [ "$(id -u)" = 0 ] && [ "$(as_user id -u)" != 0 ]; then
	config set events.keep_days 10
	like "set: a directory that cannot be written" "$RC:$(err)" '^1:.*[Pp]ermission denied'
fi
as_user chmod 700 "$(dirname "$CONFIG")"

# ---- Variables
as_user mkdir -p "$WORK/app/src" "$WORK/other" "$T_HOME/data"
user_file "$CONFIG" <<TOML
[leash.envvars]
WHO = "all"
EDITOR = "vim"
[projects."$WORK/app".envvars]
WHO = "app"
[projects."$WORK/app/src".envvars]
DEEP = "yes"
TOML
# in DIRECTORY ARG…: a command run there.
in_directory() {
	local directory=$1
	shift
	WORK=$directory leash_run "$@"
}
in_directory "$WORK/other" -I -- sh -c 'echo $WHO $EDITOR'
is "envvars: for every directory" "$RC:$(out)" "0:all vim"
in_directory "$WORK/app" -I -- sh -c 'echo $WHO $EDITOR $DEEP'
is "... a project's go before" "$(out)" "app vim"
in_directory "$WORK/app/src" -I -- sh -c 'echo $WHO $EDITOR $DEEP'
is "... the nearest project counts, alone" "$(out)" "all vim yes"
in_directory "$WORK/app" -I -e WHO=me -- sh -c 'echo $WHO'
is "... a flag goes before all" "$(out)" "me"

# ---- Volumes
echo treasure | user_file "$T_HOME/data/file"
user_file "$CONFIG" <<TOML
[volumes]
"~/data" = "/usr/share/misc:ro"
claude = true
[projects."$WORK/app"]
"~/data" = false
codex = false
[projects."$WORK/app/src".volumes]
"../../../data" = "/usr/share/misc"
"\$HOME/nowhere" = "/usr/share/man"
TOML
in_directory "$WORK/other" -I -- sh -c 'cat /usr/share/misc/file; echo no >/usr/share/misc/file'
like "volumes: are there" "$(out)" '^treasure$'
unlike "... read-only" "$RC" '^0$'
is "... and nothing was written" "$(cat "$T_HOME/data/file")" treasure
in_directory "$WORK/app" -I -- cat /usr/share/misc/file
unlike "... a project takes one away" "$RC" '^0$'
leash_run config show
like "show: a volume by its source" "$(out)" "volumes.\"$T_HOME/data\" = \"/usr/share/misc:ro\""
in_directory "$WORK/app" config show
unlike "... not where a project takes it away" "$(out)" data
user_file "$CONFIG" <<TOML
[projects."$WORK/app".volumes]
"$T_HOME/data" = "/usr/share/misc"
"\$HOME/nowhere" = "/usr/share/man"
TOML
in_directory "$WORK/app" -I -- sh -c 'echo changed >/usr/share/misc/file'
is "volumes: of a project, writable" "$RC:$(cat "$T_HOME/data/file")" 0:changed
like "... one that is not there is left out, and that is said" "$(err)" 'nowhere: No such file or directory; the volume is left out'
in_directory "$WORK/app" policy explain write /usr/share/misc/file
is "... which policy explain knows" "$RC" 0
in_directory "$WORK/app" policy explain write /usr/share/man/file
is "... and of the one that is left out" "$RC" 1
in_directory "$WORK/other" policy explain write /usr/share/misc/file
is "... and where another project is not" "$RC" 1
user_file "$CONFIG" <<TOML
[volumes]
"$T_HOME/data" = "/only/in/an/image"
TOML
leash_run policy explain write /only/in/an/image/file
like "a target that is not here: left out" "$RC:$(err)" '^1:.*the volume is left out'
CALLER_ENV=(LEASH_TARGET_IMAGE=some/image)
leash_run policy explain write /only/in/an/image/file
is "... but in an image" "$RC:$(err)" 0:
CALLER_ENV=()
user_file "$CONFIG" <<TOML
[projects."$WORK/app".volumes]
"$T_HOME/data" = "/usr/share/misc"
TOML
in_directory "$WORK/app" -I -v "$WORK/other:/usr/share/misc:ro" -- ls /usr/share/misc
is "... a flag goes before" "$RC:$(out)" 0:

echo data | user_file "$WORK/app/key.txt"
in_directory "$WORK/app" policy explain read key.txt
is "a file of the workspace may be read" "$RC" 0
user_file "$CONFIG" <<TOML
[secrets.KEY]
from = "file:$WORK/app/key.txt"
host = "api.example.com"
TOML
in_directory "$WORK/app" policy explain read key.txt
like "... not where a secret comes from it, and policy explain says so" "$RC:$(out | tr '\n' ' ')" '^1:.*secret-KEY'
echo data | user_file "$WORK/app/second.txt"
user_file "$CONFIG" <<TOML
[secrets.KEY]
from = "file:$WORK/app/key.txt"
host = "api.example.com"
[secrets.SECOND]
from = "file:$WORK/app/second.txt"
host = "api.example.com"
TOML
rm "$WORK/app/key.txt"
in_directory "$WORK/app" policy explain read other.txt
like "... which is no reason to say nothing where it is missing" "$RC:$(err)" '^0:.*secret KEY: .*key.txt: No such file'
in_directory "$WORK/app" policy explain read second.txt
like "... and the other secret's file is forbidden all the same" "$RC:$(out | tr '\n' ' ')" '^1:.*secret-SECOND'
user_file "$CONFIG" <<TOML
[projects."\$NOBODY_SETS_THIS"]
"\$NOBODY_SETS_THIS/" = "/usr/share/misc"
TOML
leash_run -I -- sh -c '[ ! -e /usr/share/misc/etc ] && echo ran'
is "a variable that is not set, in what does not count: nothing" "$RC:$(out)" 0:ran
user_file "$CONFIG" <<TOML
[volumes]
"\$NOBODY_SETS_THIS/" = "/usr/share/misc"
TOML
leash_run -I -- touch "$WORK/ran"
like "... in a volume: nothing runs, for it would be another directory" "$RC:$(err)" '^125:.*config.toml:2:1: [$]NOBODY_SETS_THIS/ names a variable that is not set'

# ---- Where from
user_file "$CONFIG" <<TOML
[events]
keep_mb = 5
[leash]
target_image = "example/one"
[leash.envvars]
A = "x"
[secrets.KEY]
from = "env:KEY"
TOML
config show --origin
is "show --origin: a line for each, and where it is from" "$(out)" "events.keep_days = 30  # default
events.keep_mb = 5  # $CONFIG:2
leash.envvars.A = \"x\"  # $CONFIG:6
leash.target_image = \"example/one\"  # $CONFIG:4
secrets.KEY.from = \"env:KEY\"  # $CONFIG:8"
config show --json
is "show --json" "$(jq -c '.[1], .[0].origin' "$OUT")" "{\"key\":\"events.keep_mb\",\"value\":\"5\",\"origin\":\"file\",\"file\":\"$CONFIG\",\"line\":2}
\"default\""

# ---- Mistakes: each by line and column, nothing runs, exit 125
mistake() {
	local name=$1 text=$2 wanted=$3
	printf '%s\n' "$text" | user_file "$CONFIG"
	leash_run -I -- touch "$WORK/ran"
	like "mistake: $name" "$RC:$(err)" "^125:.*config.toml:$wanted"
	config check
	like "... found by check" "$RC:$(err)" "^1:.*config.toml:$wanted"
}
mistake "no TOML" 'a = ' '1:5: '
mistake "an unknown table" '[volume]' '1:2: unknown key volume; did you mean volumes'
mistake "an unknown key" '[leash]
target_imag = "x"' '2:1: unknown key target_imag; did you mean target_image'
mistake "a number for a text" '[leash.envvars]
A = 1' '2:5: an integer stands where a string is expected'
mistake "true for a volume" '[volumes]
"~/x" = true' '2:9: a boolean stands where'
mistake "false for all" '[volumes]
"~/x" = false' '2:9: a boolean stands where'
mistake "a target that is not absolute" '[volumes]
"~/x" = "x"' '2:9: the target must be an absolute path'
mistake "a text for an agent" '[projects."/nowhere"]
claude = "yes"' '2:10: a string stands where true or false is expected'
mistake "what projects had once" '[projects."/nowhere".mounts]
x = 1' '1:2: mounts are called volumes by now'
mistake "an unknown key of a project" '[projects."/nowhere"]
volume = 1' '2:1: unknown key volume; did you mean volumes'
mistake "no table" 'projects = 1' '1:12: an integer stands where a table is expected'
check "nothing ran" test ! -e "$WORK/ran"

# ---- From inside
user_file "$CONFIG" <<'TOML'
[events]
keep_days = 1
TOML
leash_run -I -- sh -c 'echo "[volumes]" >>~/.config/leash/config.toml'
unlike "inside it cannot be changed" "$RC" '^0$'
unlike "... and is not" "$(cat "$CONFIG")" volumes

done_testing
