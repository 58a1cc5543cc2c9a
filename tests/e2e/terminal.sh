#!/usr/bin/env bash
# leash at a terminal: full-screen programs, job control inside and outside, window size, and a
# terminal that is as it was when leash is done. tmux is the terminal and the hands.

. "$(dirname "$0")/../lib.sh"
command -v tmux >/dev/null || skip_all "tmux is not installed"
make_user

tmux=(as_user tmux -S "$T_HOME/tmux.sock" -f /dev/null)
# What the screen shows, without trailing blank lines.
screen() {
	"${tmux[@]}" capture-pane -p -t it
}
shows() {
	screen | grep -Eq -- "$1"
}
see() {
	if wait_for 15 shows "$2"; then
		ok "$1"
	else
		not_ok "$1" "want on the screen: $2" "$(screen | grep -v '^$')"
	fi
}
# keys KEY…, as tmux names them; text types literally, enter presses Enter after.
keys() {
	"${tmux[@]}" send-keys -t it "$@"
}
enter() {
	"${tmux[@]}" send-keys -t it -l -- "$1"
	keys Enter
}
# Back to an empty screen of the outer shell, however the last check ended.
fresh() {
	"${tmux[@]}" kill-server 2>/dev/null
	wait_for 10 no_leash || not_ok "a session ends with its terminal"
	"${tmux[@]}" new-session -d -s it -x 80 -y 24 "PS1='outer> ' exec bash --norc --noprofile -i"
	wait_for 10 shows '^outer>' || not_ok "an outer shell" "$(screen)"
	enter "L='$LEASH'; clear"
	wait_for 10 shows '^outer> *$'
}
no_leash() {
	! pgrep -U "$T_UID" -f '^(leash|[^ ]*/leash)( |:|$)' >/dev/null
}
inner() {
	enter "\$L -e PS1='inner> ' -- bash --norc --noprofile -i"
	see "${1:-an interactive shell starts}" '^inner>'
}

# ---- An interactive shell
fresh
inner
enter 'tty; test -t 0 && test -t 1 && test -t 2 && echo all-$((1+1)); echo "term=$TERM"'
see "its standard streams are a terminal" '^all-2'
see "... of the container's own" '^/dev/(pts/[0-9]+|console)'
see "... of the same type" "^term=(screen|tmux)"
enter 'ps -o tpgid= -p $$ >/dev/null && set -o | grep -c "monitor.*on"'
see "it has job control" '^1$'
enter 'exit 7'
see "it exits to the outer shell" '^outer> *$'
enter 'echo code=$?'
see "... with its exit code" '^code=7'

# ---- Ctrl-C
fresh
inner "a shell for Ctrl-C"
enter 'sleep 1000; echo interrupted=$?'
wait_for 10 pgrep -U "$T_UID" -x sleep
keys C-c
see "Ctrl-C ends the foreground" '^inner> *$'
enter 'echo still-$((40+2))'
see "... and nothing else" '^still-42'
wait_for 5 shows still-42
fresh
enter '$L -- sleep 1000'
wait_for 10 pgrep -U "$T_UID" -x sleep
keys C-c
wait_for 10 shows '^outer> *$'
enter 'echo code=$?'
see "Ctrl-C ends a command that runs alone, with 130" '^code=130'

# ---- Ctrl-Z inside
fresh
inner "a shell for Ctrl-Z"
enter 'sleep 1000'
wait_for 10 pgrep -U "$T_UID" -x sleep
keys C-z
see "Ctrl-Z stops a job of the inner shell" 'Stopped +sleep 1000'
enter 'bg; jobs; fg'
see "... bg and fg take it up again" 'sleep 1000 &'
keys C-c
enter 'echo done-$((1+1))'
see "... to be ended by Ctrl-C" '^done-2'

# ---- Ctrl-Z outside
fresh
echo 'first line' | user_file "$WORK/text"
enter '$L -- vim -u NONE -N text'
see "vim starts" 'first line'
keys C-z
see "Ctrl-Z in vim stops leash" '(Stopped|suspended).*vim'
enter 'echo outer-$((20+2))'
see "... and the outer shell works" '^outer-22'
enter 'clear; fg'
see "fg brings vim back" 'first line'
keys G o
"${tmux[@]}" send-keys -t it -l 'typed in vim'
keys Escape
enter ':wq'
see "vim ends" '^outer> *$'
is "... and has written the file" "$(cat "$WORK/text")" $'first line\ntyped in vim'
enter 'echo code=$?'
see "... exit code 0" '^code=0'
fresh
enter '$L -- cat'
wait_for 10 pgrep -U "$T_UID" -x cat
enter 'to-and-fro'
wait_for 10 shows 'to-and-fro'
keys C-z
see "Ctrl-Z stops a program that knows nothing of it" '(Stopped|suspended).*cat'
enter 'fg'
enter 'once-more'
see "... and fg goes on" '^once-more'
keys C-d
see "Ctrl-D ends its input" '^outer> *$'

# ---- Size
fresh
inner "a shell for sizes"
enter 'stty size; tput lines; tput cols'
see "the program knows the window's size" '^24 80'
enter "trap 'echo got-WINCH \$(stty size)' WINCH; clear; echo trap-\$((40 + 2))"
see "it waits for a signal" '^trap-42'
"${tmux[@]}" resize-window -t it -x 100 -y 30
keys Enter
see "it is told of a new size" 'got-WINCH 30 100'
enter 'clear; stty size; tput lines; tput cols'
see "... which it sees" '^30 100'

# ---- Pagers
seq 1 500 | user_file "$WORK/numbers"
fresh
enter '$L -- less numbers'
see "less shows the first page" '^numbers|^1$'
keys G
see "... goes to the end" '^500$'
keys q
see "... and ends" '^outer> *$'

# ---- The terminal afterwards
fresh
enter 'stty -g >before; $L -- vim -u NONE -N -c q; stty -g >after; echo written-$((1+1))'
see "after a full-screen program" 'written-2'
is "... the terminal is as it was" "$(cat "$WORK/after")" "$(cat "$WORK/before")"
enter 'stty -g >before; $L -- sleep 1000; stty -g >after; echo killed-$((1+1))'
wait_for 10 pgrep -U "$T_UID" -x sleep
kill -TERM "$(pgrep -P "$("${tmux[@]}" display-message -p -t it '#{pane_pid}')" | head -n 1)"
see "after SIGTERM" 'killed-2'
is "... the terminal is as it was" "$(cat "$WORK/after")" "$(cat "$WORK/before")"
enter 'clear; stty -g >before; $L -- sh -c "stty raw -echo; kill -9 \$\$"; stty -g >after; echo ended-$((1+1))'
see "after a program that left it raw" 'ended-2'
is "... the terminal is as it was" "$(cat "$WORK/after")" "$(cat "$WORK/before")"

# ---- Pipes at a terminal
fresh
enter 'echo through | $L -- cat; $L -- echo out | cat; $L -I -- sh -c "test -t 1 || echo no-terminal"'
see "a piped stdin arrives" '^through'
see "a piped stdout leaves" '^out$'
see "-I gives pipes" '^no-terminal'

# ---- The terminal goes away
fresh
inner "a shell to be hung up on"
"${tmux[@]}" kill-server
check "a session ends when its terminal goes" wait_for 15 no_leash
fresh
enter "\$L -- bash -c 'trap \"\" HUP; echo deaf; cat'"
see "a program that ignores SIGHUP reads its terminal" '^deaf'
"${tmux[@]}" kill-server
check "... whose end it reads, and is done" wait_for 15 no_leash

done_testing
