#!/usr/bin/env bash
# The agents that leash knows: may they use their own directories of the host, what of the caller's
# environment they get, and the question at a terminal. The agents here are scripts of their names.

. "$(dirname "$0")/../lib.sh"
make_user
CONFIG=$T_HOME/.config/leash/config.toml
BIN=$T/bin
mkdir "$BIN"
for name in claude codex gemini qwen opencode; do
	cat >"$BIN/$name" <<'SH'
#!/bin/sh
while [ "$1" = -c ] || [ "$1" = --settings ]; do
	TOLD="$TOLD$1 $2;"
	shift 2
done
export TOLD
exec sh -c "$@"
SH
done
chmod -R a+rX "$BIN"
chmod a+x "$BIN"/*
CALLER_ENV=("PATH=$BIN:/usr/local/bin:/usr/bin:/bin")
BASE_ENV=("${CALLER_ENV[@]}")
user_file "$T_HOME/.config/leash/policy.cedar" <<CEDAR
permit (principal, action, resource in Dir::"$BIN/");
CEDAR
as_user mkdir -p "$T_HOME/.claude" "$T_HOME/.codex" "$WORK/app/src"
. "$(dirname "$0")/support/terminal.sh"

# with NAME=VALUE…: further variables of the caller's for what follows.
with() {
	CALLER_ENV=("${BASE_ENV[@]}" "$@")
}
no_config() {
	rm -f "$CONFIG"
}
# ---- Decided in config.toml
leash_run claude 'echo x >~/.claude/made; echo y >~/.claude.json; cat ~/.claude/made'
is "natively an agent has its directory" "$RC:$(out)" 0:x
user_file "$CONFIG" <<<'[volumes]
claude = false'
leash_run claude 'cat ~/.claude/made'
like "false: it has it not" "$RC:$(err)" '^[1-9].*[Dd]enied'
check_event "... and the log says why" '.decision == "deny" and .path == $p and by("agent-claude")' --arg p "$T_HOME/.claude/made"
leash_run claude 'cat ~/.claude.json; echo z >~/.claude.json.tmp'
unlike "... nor the file beside it" "$(out)" y
refute "... nor its other names" test -e "$T_HOME/.claude.json.tmp"
leash_run sh -c 'cat ~/.claude/made; ls ~/.codex && echo other'
is "... nor has any other command; other agents' are not touched" "$(out)" other
LEASH_FLAGS=()
leash_run policy explain read "$T_HOME/.claude/made"
like "... as policy explain says" "$(out)" 'agent-claude'
LEASH_FLAGS=(-I)
user_file "$CONFIG" <<TOML
[volumes]
claude = false
[projects."$WORK/app"]
claude = true
TOML
WORK=$WORK/app/src leash_run claude 'cat ~/.claude/made'
is "a project's decision goes before" "$RC:$(out)" 0:x
LEASH_FLAGS=()
WORK=$WORK/app leash_run config show --origin
LEASH_FLAGS=(-I)
like "config show says which" "$(out)" "^volumes.claude = true  # $CONFIG:4\$"
leash_run --profile locked claude 'cat ~/.claude/made'
unlike "locked: an agent has nothing of the home directory" "$(out)" x
user_file "$CONFIG" <<<'[volumes]
claude = true'
leash_run --profile locked claude 'cat ~/.claude/made; echo new >~/.claude/other; cat ~/.claude/other'
is "... unless that was decided" "$RC:$(out)" "0:x
new"
leash_run --profile locked claude 'echo evil >~/.claude/settings.json'
unlike "... and not what would run later" "$RC" '^0$'
leash_run --profile locked claude 'mkdir -p ~/.claude/local && echo evil >~/.claude/local/claude'
unlike "... nor the program itself" "$RC" '^0$'
refute "... which is not there" test -e "$T_HOME/.claude/settings.json"
leash_run --profile locked claude 'mv ~/.claude ~/.claude-elsewhere'
unlike "... nor is it moved away" "$RC" '^0$'
leash_run --profile locked codex 'cat ~/.claude/made'
unlike "... nor has another agent it" "$(out)" x

# ---- Elsewhere
as_user mkdir -p "$T_HOME/.claude-work"
no_config
with CLAUDE_CONFIG_DIR="$T_HOME/.claude-work"
leash_run claude 'echo "$CLAUDE_CONFIG_DIR"; echo x >~/.claude-work/made && cat ~/.claude-work/made'
is "a variable that moves the directory is passed on" "$(out)" "$T_HOME/.claude-work"
user_file "$CONFIG" <<<'[volumes]
claude = true'
leash_run claude 'echo x >~/.claude-work/made && cat ~/.claude-work/made'
is "... and the directory is usable once decided" "$RC:$(out)" 0:x
leash_run claude 'echo evil >~/.claude-work/settings.json || echo evil >~/.claude-work/hooks'
unlike "... but for what would run later" "$RC" '^0$'
with CLAUDE_CONFIG_DIR="$T_HOME"
leash_run claude 'echo x >~/anywhere'
unlike "a variable that leads to the home directory permits nothing" "$RC" '^0$'
like "... which is said" "$(err)" 'CLAUDE_CONFIG_DIR leads to .*more than'
with CLAUDE_CONFIG_DIR="$T_HOME/.claude-work"
as_user mkdir -p "$T_HOME/.claude-flag" "$T_HOME/.claude-all" "$T_HOME/.claude-app"
# writes DIRECTORY FLAG…: in the project, may the agent write there?
writes() {
	local directory=$1
	shift
	WORK=$WORK/app leash_run "$@" claude 'echo x >~/'"$directory"'/made && echo "$CLAUDE_CONFIG_DIR"'
}
writes .claude-flag -e CLAUDE_CONFIG_DIR="$T_HOME/.claude-flag"
is "-e goes before the caller's" "$RC:$(out)" "0:$T_HOME/.claude-flag"
writes .claude-work -e CLAUDE_CONFIG_DIR="$T_HOME/.claude-flag"
unlike "... whose directory is none of the agent's then" "$RC" '^0$'
user_file "$CONFIG" <<TOML
[volumes]
claude = true
[leash.envvars]
CLAUDE_CONFIG_DIR = "$T_HOME/.claude-all"
TOML
writes .claude-all
is "config.toml goes before the caller's" "$RC:$(out)" "0:$T_HOME/.claude-all"
LEASH_FLAGS=()
leash_run policy explain --agent claude write "$T_HOME/.claude-all/made"
is "... which policy explain knows" "$RC" 0
leash_run policy explain --agent claude write "$T_HOME/.claude-work/made"
is "... and of the caller's" "$RC" 1
LEASH_FLAGS=(-I)
cat >>"$CONFIG" <<TOML
[projects."$WORK/app".envvars]
CLAUDE_CONFIG_DIR = "$T_HOME/.claude-app"
TOML
writes .claude-app
is "... a project before what is for all" "$RC:$(out)" "0:$T_HOME/.claude-app"
writes .claude-flag -e CLAUDE_CONFIG_DIR="$T_HOME/.claude-flag"
is "... and -e before both" "$RC:$(out)" "0:$T_HOME/.claude-flag"
user_file "$CONFIG" <<<'[volumes]
claude = false'
for directory in flag work; do
	leash_run --profile permissive -e CLAUDE_CONFIG_DIR="$T_HOME/.claude-flag" sh -c "ls ~/.claude-$directory"
	unlike "false: the one named and the caller's are kept out: $directory" "$RC" '^0$'
done
leash_run --profile permissive -e CLAUDE_CONFIG_DIR="$T_HOME/.claude-flag" sh -c "ls -d ~/.claude-app"
is "... and no others" "$RC" 0
with

# ---- The question
no_config
at_terminal "$WORK" -- claude 'echo started'
unlike "guarded, the usual place: no question" "$(out)" 'may claude'
like "... it starts" "$RC:$(out)" '^0:.*|started'
at_terminal "$WORK" 'or never: ' '\r' -- --profile locked claude 'cat ~/.claude/made'
like "locked: a question, Enter is once" "$RC:$(out)" 'may claude use ~/.claude'
like "... and the default is shown" "$(out)" '^  o +yes, this time \(Enter\)'
like "... and it is used" "$(out)" '^x'
refute "... and nothing is remembered" test -e "$CONFIG"
at_terminal "$WORK" 'or never: ' 'what\r' 'or never: ' 'n\r' -- --profile locked claude 'cat ~/.claude/made || echo refused'
like "what is no answer is asked again; no" "$(out)" '^refused'
refute "... and is not remembered" test -e "$CONFIG"
at_terminal "$WORK/app" 'or never: ' 'p\r' -- --profile locked claude 'cat ~/.claude/made'
like "project" "$(out)" '^x'
like "... names it" "$(out)" '^  p +yes, in ~/work/app$'
is "... is remembered" "$(cat "$CONFIG")" "[projects.\"$WORK/app\"]
claude = true"
at_terminal "$WORK/app/src" -- --profile locked claude 'cat ~/.claude/made'
like "... also below it" "$(out)" '^x'
unlike "... without a question" "$(out)" 'may claude'
user_file "$CONFIG" <<TOML
# mine
[projects."~/work/app"] # the app
envvars = { WHO = "app" } # who
TOML
at_terminal "$WORK/app/src" 'or never: ' '2\r' -- --profile locked claude 'cat ~/.claude/made; echo $WHO'
is "... in the project that there is, and all else stays" "$(cat "$CONFIG")" '# mine
[projects."~/work/app"] # the app
envvars = { WHO = "app" } # who
claude = true'
no_config
at_terminal "$WORK" 'or never: ' 'ALWAYS\r' -- --profile locked claude 'cat ~/.claude/made'
is "always" "$RC:$(cat "$CONFIG")" "0:[volumes]
claude = true"
no_config
at_terminal "$WORK" 'or never: ' 'never\r' -- --profile locked claude 'cat ~/.claude/made || echo refused'
is "never" "$(cat "$CONFIG")" "[volumes]
claude = false"
at_terminal "$WORK" -- --profile locked claude 'cat ~/.claude/made || echo refused'
unlike "... and it is not asked again" "$(out)" 'may claude'
no_config
at_terminal "$WORK" 'or never: ' 'o\r' -- --detach --profile locked claude 'cat ~/.claude/made; sleep 2'
like "--detach: asked before the terminal is left" "$RC:$(tail -n 1 "$OUT")" '^0:[0-9]{8}-[0-9]{6}-[a-z0-9]{4}'
LEASH_FLAGS=()
detached_said() {
	leash_run logs && grep -q '^x' "$OUT"
}
check "... and the answer holds" wait_for 10 detached_said
LEASH_FLAGS=(-I)
no_config
at_terminal "$WORK" 'or never: ' '\x03' -- --detach --profile locked claude 'echo started'
unlike "... Ctrl-C ends it" "$RC" '^0$'
at_terminal "$WORK" 'or never: ' '\x03' -- --profile locked claude 'echo started'
unlike "Ctrl-C ends leash" "$RC:$(out)" '^0:|started'
at_terminal "$WORK" 'or never: ' '\x04' -- --profile locked claude 'cat ~/.claude/made || echo refused'
like "the end of the input is a no" "$(out)" '^refused'
at_terminal "$WORK" -- -I --profile locked claude 'cat ~/.claude/made || echo refused'
unlike "-I: no question" "$(out)" 'may claude'
leash_run --profile locked claude 'cat ~/.claude/made || echo refused'
unlike "no terminal: no question" "$(out; err)" 'may claude'
at_terminal "$WORK" -- --profile locked gemini 'echo started'
unlike "no directory: no question" "$(out)" 'may gemini'
at_terminal "$WORK" -- --profile locked sh -c 'echo started'
unlike "no agent: no question" "$(out)" 'leash: may'
with CLAUDE_CONFIG_DIR="$T_HOME/.claude-work"
at_terminal "$WORK" 'or never: ' 'o\r' -- claude 'echo x >~/.claude-work/asked && echo written'
like "guarded, elsewhere: a question" "$RC:$(out)" 'may claude use ~/.claude-work'
like "... and it is used" "$(out)" '^written'
with
if [ "$(id -u)" = 0 ]; then
	as_user mkdir -p "$(dirname "$CONFIG")"
	as_user chmod 500 "$(dirname "$CONFIG")"
	at_terminal "$WORK" 'or never: ' 'a\r' -- --profile locked claude 'cat ~/.claude/made'
	like "a directory that cannot be written: the answer holds for this time" "$RC:$(out)" 'holds for this time only'
	like "... and it does" "$(out)" '^x'
	as_user chmod 700 "$(dirname "$CONFIG")"
fi

# ---- Their own sandboxes
leash_run codex 'echo "$TOLD"'
is "codex is told that it needs no sandbox" "$(out)" '-c sandbox_mode="danger-full-access";'
for word in -s --sandbox=read-only --full-auto sandbox_mode=x; do
	leash_run codex 'echo "told:$TOLD"' "$word"
	is "... unless the user says $word" "$(out)" told:
done
leash_run codex 'echo "told:$TOLD"' -- -s
like "... but not in what is no flag" "$(out)" 'told:-c'
leash_run claude 'echo "told:$TOLD"'
is "claude is told nothing while its own is off" "$(out)" told:
for directory in "$T_HOME" "$WORK"; do
	user_file "$directory/.claude/settings.local.json" <<<'{"sandbox": {"enabled": true}}'
	leash_run claude 'echo "$TOLD"'
	is "claude's own is on in $directory: it is told" "$(out)" '--settings {"sandbox":{"enabled":false}};'
	user_file "$directory/.claude/settings.local.json" <<<'{"sandbox": {"enabled": true}'
	leash_run claude 'echo "told:$TOLD"'
	is "... not by a file that is none" "$(out)" told:
	rm "$directory/.claude/settings.local.json"
done
leash_run sh -c 'echo "$0"' codex
is "another command is told nothing" "$(out)" codex

# ---- Environment
with ANTHROPIC_BASE_URL=https://service.test OPENAI_BASE_URL=https://user:word@other.test GEMINI_MODEL=m
leash_run claude 'echo "$IS_SANDBOX $ANTHROPIC_BASE_URL $GEMINI_MODEL"'
is "an agent gets what is for it, and is told of the sandbox" "$(out)" "1 https://service.test "
leash_run sh -c 'echo "$IS_SANDBOX $ANTHROPIC_BASE_URL $GEMINI_MODEL"'
is "... another command does not" "$(out)" "  "
leash_run gemini 'echo "$SANDBOX $GEMINI_MODEL"'
is "... each its own" "$(out)" "leash m"
leash_run codex 'echo "url=$OPENAI_BASE_URL"'
like "a login in a URL is not passed on, which is said" "$(out):$(err)" '^url=:.*has a login in it'
user_file "$CONFIG" <<TOML
[leash.envvars]
IS_SANDBOX = "config"
ANTHROPIC_BASE_URL = "https://config.test"
[projects."$WORK/app".envvars]
ANTHROPIC_BASE_URL = "https://project.test"
TOML
leash_run claude 'echo "$IS_SANDBOX $ANTHROPIC_BASE_URL"'
is "config.toml goes before" "$(out)" "config https://config.test"
WORK=$WORK/app leash_run claude 'echo "$IS_SANDBOX $ANTHROPIC_BASE_URL"'
is "... a project before what is for all" "$(out)" "config https://project.test"
WORK=$WORK/app leash_run -e ANTHROPIC_BASE_URL=https://flag.test claude 'echo "$IS_SANDBOX $ANTHROPIC_BASE_URL"'
is "... and -e before all" "$(out)" "config https://flag.test"
with

done_testing
