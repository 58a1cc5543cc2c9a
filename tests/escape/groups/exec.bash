# shellcheck shell=bash disable=SC2034
# EX-01 to EX-10: execution.

exec_world() {
	chmod -R u+w "$WORK" 2>/dev/null
	rm -rf -- "${WORK:?}"
	mkdir -p "$WORK/tools" "$WORK/open"
	install -m 755 "$PROGRAMS/tool-public" "$WORK/tools/allowed"
	install -m 755 "$PROGRAMS/tool-denied-tool-ran" "$WORK/tools/denied"
	install -m 755 "$PROGRAMS/tool-public-dynamic" "$WORK/tools/allowed-dynamic"
	install -m 755 "$PROGRAMS/tool-denied-tool-ran-dynamic" "$WORK/tools/denied-dynamic"
	printf '#!/bin/sh\necho denied-tool-ran\n' >"$WORK/tools/denied-script"
	printf '#!/bin/sh\necho public\n' >"$WORK/tools/allowed-script"
	chmod 755 "$WORK"/tools/*-script
	printf public >"$WORK/open/file.txt"
	chown -R "$T_UID:$T_GID" "$WORK"
}

group_exec() {
	local SECRET=denied-tool-ran
	exec_world
	policy <<-END
		@id("tool") forbid (principal, action in [Action::"ProcessExec", Action::"FileOpen"], resource == File::"$WORK/tools/denied");
		@id("exec-only") forbid (principal, action == Action::"ProcessExec", resource == File::"$WORK/tools/denied-dynamic");
		@id("script") forbid (principal, action == Action::"ProcessExec", resource == File::"$WORK/tools/denied-script");
	END
	ALLOWED=$WORK/tools/allowed DENIED=$WORK/tools/denied
	escape "EX-01 a denied program under other names" ex-01-names
	denial "... is in the log" proc.exec "$DENIED"
	inside refute "... it never ran" grep -aq 'ESCAPED' "$OUT"
	exec_world
	DENIED=$WORK/tools/denied-dynamic ALLOWED=$WORK/tools/allowed-dynamic
	escape "EX-02 the dynamic loader" ex-02-loader
	denial "... is in the log as the program" proc.exec "$DENIED"
	DENIED=$WORK/tools/denied ALLOWED=$WORK/tools/allowed
	exec_loader_payload
	escape "EX-04 interpreters" ex-04-interpreters "DENIED_SCRIPT=$WORK/tools/denied-script" \
		"ALLOWED_SCRIPT=$WORK/tools/allowed-script"
	denial "... is in the log" proc.exec "$DENIED"
	exec_interpreters
	exec_shell
	escape "EX-08 every way of starting" ex-08-starting
	denial "... is in the log" proc.exec "$DENIED"
	[ "$OUTSIDE" ] || exec_survivors
	exec_setuid
	[ "$OUTSIDE" ] || exec_persistence
}

# EX-02: LD_PRELOAD into a permitted program is code that the agent may run anyway; but it is governed too.
exec_loader_payload() {
	printf '%s\n' '#include <fcntl.h>' '#include <stdio.h>' '#include <unistd.h>' \
		"__attribute__((constructor)) static void f(void) { execl(\"$DENIED\", \"x\", (char *)0); puts(\"payload\"); fflush(stdout); }" |
		gcc -shared -fPIC -x c -o "$WORK/payload.so" - && chown "$T_UID:$T_GID" "$WORK/payload.so"
	for variable in LD_PRELOAD LD_AUDIT; do
		leash_run -e "$variable=$WORK/payload.so" -- "$WORK/tools/allowed-dynamic"
		if [ "$OUTSIDE" ]; then
			like "EX-02 a payload by $variable works without leash" "$(out)" denied-tool-ran
		else
			unlike "EX-02 a payload by $variable is governed" "$(out)" denied-tool-ran
			like "... the permitted program runs" "$(out)" 'public|payload'
		fi
	done
	rm -f "$WORK/payload.so"
}

# interpreted NAME PROGRAM COMMAND…: the command with %P for the tool's path.
interpreted() {
	local name=$1 program=$2
	shift 2
	command -v "$program" >/dev/null || { skip "EX-05 $name" "$program is not installed"; return; }
	leash_run -- "${@//%P/$ALLOWED}"
	case $OUTSIDE:$name in
	# Whom a debugger holds nobody else can look at: where exec is restricted, it starts nothing.
	":strace" | ":gdb run") unlike "EX-05 $name is refused" "$(out; err)" public ;;
	*) like "EX-05 $name starts a permitted program" "$(out; err)" public ;;
	esac
	leash_run -- "${@//%P/$DENIED}"
	if [ "$OUTSIDE" ]; then
		like "EX-05 $name starts the other one without leash" "$(out; err)" "$SECRET"
	else
		unlike "EX-05 $name does not start a denied one" "$(out; err)" "$SECRET"
	fi
}

exec_interpreters() {
	local archive=$WORK/archive.tar
	tar -C "$WORK" -cf "$archive" open/file.txt
	printf 'all:\n\t@$(TOOL)\n' >"$WORK/Makefile"
	as_user git init -q "$WORK/repo"
	printf 'x\n' | user_file "$WORK/repo/f"
	as_user git -C "$WORK/repo" add f
	as_user git -C "$WORK/repo" commit -qm x
	chown "$T_UID:$T_GID" "$archive" "$WORK/Makefile"
	interpreted "sh -c" sh sh -c '"%P"'
	interpreted "sh -c exec" sh sh -c 'exec "%P"'
	interpreted "python3" python3 python3 -c 'import subprocess; subprocess.run(["%P"])'
	interpreted "python3 os.execv" python3 python3 -c 'import os; os.execv("%P", ["x"])'
	interpreted "perl" perl perl -e 'exec "%P"'
	interpreted "awk" awk awk 'BEGIN { system("%P") }'
	interpreted "find -exec" find find "$WORK/open" -name file.txt -exec '%P' ';'
	interpreted "xargs" xargs sh -c 'echo | xargs "%P"'
	interpreted "git alias" git git -c 'alias.x=!%P' x
	interpreted "git core.pager" script script -qec "git -C '$WORK/repo' -c 'core.pager=%P' -p log" /dev/null
	interpreted "git core.editor" git git -C "$WORK/repo" -c 'core.editor=%P >&2; :' commit --allow-empty
	interpreted "tar --to-command" tar tar -xf "$archive" '--to-command=%P'
	interpreted "tar --checkpoint-action" tar tar -cf /dev/null --checkpoint=1 '--checkpoint-action=exec=%P' "$archive"
	interpreted "make" make make -s -f "$WORK/Makefile" 'TOOL=%P'
	interpreted "env" env env '%P'
	interpreted "timeout" timeout timeout 5 '%P'
	interpreted "nice" nice nice '%P'
	interpreted "nohup" nohup nohup '%P'
	interpreted "setsid" setsid setsid -w '%P'
	interpreted "stdbuf" stdbuf stdbuf -o0 '%P'
	interpreted "node" node node -e 'process.stdout.write(require("child_process").spawnSync("%P").stdout || "")'
	interpreted "ssh ProxyCommand" ssh sh -c 'ssh -F /dev/null -o "ProxyCommand=sh -c \"%P >/tmp/ssh.out; :\"" x; cat /tmp/ssh.out; rm -f /tmp/ssh.out'
	interpreted "vim -c" vim vim -es -c '!%P' -c 'q!'
	interpreted "gdb" gdb gdb -nx -batch -ex '!%P'
	interpreted "strace" strace strace -o /dev/null '%P'
	interpreted "gdb run" gdb gdb -nx -batch -ex run '%P'
	interpreted "npm script-shell" npm npm --script-shell='%P' exec -c x
	rm -rf "$WORK/repo" "$WORK/Makefile" "$archive"
}

# EX-06: the name that a program is told is not what is decided on.
exec_shell() {
	# shellcheck disable=SC2016
	for attempt in 'exec -a /bin/true "$1"' 'hash -p "$1" ls; ls' 'f() { "$1"; }; f "$1"' 'command "$1"' \
		'cd "$(dirname "$1")" && ./"$(basename "$1")"' 'PATH=$(dirname "$1"); "$(basename "$1" 2>/dev/null || echo "${1##*/}")"' \
		'coproc "$1"; cat <&"${COPROC[0]}"' 'cat <("$1")' 'trap "$1" EXIT' 'PROMPT_COMMAND=$1; eval "$PROMPT_COMMAND"'; do
		leash_run -- bash -c "$attempt" bash "$ALLOWED"
		like "EX-06 $attempt: works for a permitted program" "$(out; err)" public
		leash_run -- bash -c "$attempt" bash "$DENIED"
		if [ "$OUTSIDE" ]; then
			like "EX-06 $attempt: works without leash" "$(out; err)" "$SECRET"
		else
			unlike "EX-06 $attempt: denied" "$(out; err)" "$SECRET"
		fi
	done
	[ "$OUTSIDE" ] || is "EX-06 enable -f of a file that may not be read" \
		"$(leash_run -- bash -c "enable -f '$DENIED' x"; [ "$RC" != 0 ] && echo fails)" fails
}

# EX-08: what a session leaves behind is nothing.
exec_survivors() {
	leash_run -- sh -c 'for i in 1 2 3; do setsid sh -c "trap : TERM HUP INT; while :; do sleep 1; done" </dev/null >/dev/null 2>&1 & done
		(setsid setsid nohup sleep 1000 >/dev/null 2>&1 &) & exit 0'
	is "EX-08 a session with detached processes ends" "$RC" 0
	if [ "$(id -u)" = 0 ]; then
		check "... and takes them along" wait_for 5 no_user_processes
	else
		skip "... and takes them along" "needs a user of the test's own"
	fi
}

exec_setuid() {
	local probe=$T_HOME/probe
	if [ "$(id -u)" != 0 ]; then
		skip "EX-09 set-user-ID programs" "root has to make them"
		return
	fi
	mkdir "$probe"
	for kind in setuid setgid capable; do
		install -m 755 "$PROGRAMS/setuid-probe" "$probe/$kind"
	done
	chown root:root "$probe"/*
	chmod 4755 "$probe/setuid"
	chmod 2755 "$probe/setgid"
	setcap cap_dac_read_search+ep "$probe/capable" 2>/dev/null || diag "no setcap here: file capabilities are not tried"
	printf '%s' "$SECRET" >"$probe/roots-secret"
	chmod 440 "$probe/roots-secret"
	ALLOWED=$WORK/open/file.txt DENIED=$probe/roots-secret
	escape "EX-09 set-user-ID, set-group-ID, capabilities" ex-09-setuid "SETUID_PROGRAM=$probe/setuid" \
		"SETGID_PROGRAM=$probe/setgid" "CAPABLE_PROGRAM=$probe/capable"
	[ "$OUTSIDE" ] || for program in sudo su pkexec newuidmap mount umount at crontab passwd chsh; do
		command -v "$program" >/dev/null || continue
		leash_run -- sh -c "'$program' -n id -u </dev/null; '$program' -c 'id -u' </dev/null"
		unlike "EX-09 $program gives nothing" "$(out)" '^0$'
	done
	ALLOWED=$WORK/tools/allowed DENIED=$WORK/tools/denied
	rm -rf "$probe"
}

# EX-10: places from which something runs later, outside; under the default profile.
exec_persistence() {
	local place saved=("${LEASH_FLAGS[@]}")
	LEASH_FLAGS=(-I)
	for place in .bashrc .bash_profile .profile .zshrc .zshenv .bash_logout .config/fish/config.fish .inputrc .pam_environment \
		.config/systemd/user/x.service .config/autostart/x.desktop .local/share/applications/x.desktop \
		.local/bin/git .npmrc .gitconfig .config/git/config .ssh/authorized_keys .ssh/config .ssh/rc \
		.local/lib/python3.11/site-packages/x.pth .local/lib/python3.11/site-packages/sitecustomize.py .pythonrc .pypirc \
		.config/pip/pip.conf .cargo/config.toml .gdbinit .vimrc .config/nvim/init.lua .tmux.conf .Xsession .xprofile \
		.config/environment.d/x.conf .docker/config.json .kube/config .config/leash/policy.cedar bin/git .mailcap .netrc; do
		before=$(cat "$T_HOME/$place" 2>&1)
		leash_run -- sh -c 'mkdir -p "$(dirname "$1")" 2>/dev/null; echo evil >>"$1"' sh "$T_HOME/$place"
		is "EX-10 ~/$place can't be written" "$(cat "$T_HOME/$place" 2>&1)" "$before"
	done
	leash_run -- sh -c 'echo fine >fine && cat fine'
	is "EX-10 the workspace can" "$(out)" fine
	LEASH_FLAGS=("${saved[@]}")
}
