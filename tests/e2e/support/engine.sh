# shellcheck shell=bash
# A Docker engine of the test's own, and images made of what the machine has. Source after lib.sh,
# call make_user, then enter_engine, which skips the suite with the reason where it can't be had.

ENGINE_DIR=$T/engine
ENGINE_SOCKET=$ENGINE_DIR/sock
# Where its images are; keep_engine has a place that outlives the suite.
ENGINE_DATA=$ENGINE_DIR/data
# Images that go with the suite.
ENGINE_IMAGES=()
ENGINE_BRIDGE=leasht$((RANDOM % 1000))
# What starts it, where it is not to be as other processes are.
ENGINE_STARTER=()
# Of a bridge of its own, so that another engine of the machine is not in the way.
ENGINE_ADDRESS6=fd00:$(printf %x $RANDOM)::1
ENGINE_ADDRESS=10.$((100 + RANDOM % 100)).$((RANDOM % 250)).1

# engine ARGUMENT…: the client, as root.
engine() {
	DOCKER_HOST=unix://$ENGINE_SOCKET docker "$@"
}

start_engine() {
	local flags=()
	mkdir -p "$ENGINE_DIR"
	ip link add "$ENGINE_BRIDGE" type bridge && ip address add "$ENGINE_ADDRESS/24" dev "$ENGINE_BRIDGE" &&
		ip link set "$ENGINE_BRIDGE" up || return 1
	on_exit 'ip link delete "$ENGINE_BRIDGE"'
	# Where IPv6 can be had.
	ip -6 address add "$ENGINE_ADDRESS6/64" dev "$ENGINE_BRIDGE" nodad 2>/dev/null &&
		flags=(--ipv6 --fixed-cidr-v6 "${ENGINE_ADDRESS6%1}/64")
	on_exit stop_engine
	# Of two that begin at the same moment one may stumble over the other's packet rules, and ends.
	for _ in 1 2 3 4; do
		launch_engine ${flags[@]+"${flags[@]}"}
		wait_for 30 engine_has_settled
		! gone "$ENGINE_PID" && break
	done
	engine version >/dev/null 2>&1 || return 1
	# Its user has the group that the socket has.
	chgrp "${T_GID:-0}" "$ENGINE_SOCKET"
}

engine_has_settled() {
	gone "$ENGINE_PID" || engine version
}

# launch_engine FLAG…: whatever lock the suite holds is not to be held by what the engine leaves behind.
launch_engine() {
	${ENGINE_STARTER[@]+"${ENGINE_STARTER[@]}"} dockerd --data-root "$ENGINE_DATA" --exec-root "$ENGINE_DIR/exec" -p "$ENGINE_DIR/pid" -H "unix://$ENGINE_SOCKET" \
		--bridge "$ENGINE_BRIDGE" "$@" >"$ENGINE_DIR/log" 2>&1 6>&- 7>&- 8>&- 9>&- &
	ENGINE_PID=$!
}

stop_engine() {
	engine ps -aq | xargs -r env DOCKER_HOST="unix://$ENGINE_SOCKET" docker rm -f >/dev/null 2>&1
	[ ${#ENGINE_IMAGES[@]} -eq 0 ] || engine rmi -f "${ENGINE_IMAGES[@]}" >/dev/null 2>&1
	kill "$ENGINE_PID" 2>/dev/null
	wait_for 20 gone "$ENGINE_PID" || kill -KILL "$ENGINE_PID" 2>/dev/null
	umount "$ENGINE_DIR"/exec/netns/* "$ENGINE_DATA"/overlay2/*/merged 2>/dev/null
	rm -rf --one-file-system "$ENGINE_DIR"
}

# image NAME [DOCKERFILE-LINE…]: the folder $T/NAME as an image, or one made of the lines.
image() {
	local name=$1
	shift
	if [ $# -eq 0 ]; then
		tar -C "$T/$name" -c . | engine import - "$name:test" >/dev/null
	else
		printf '%s\n' "$@" | engine build -q -t "$name:test" - >/dev/null 2>&1
	fi
}

# A root of busybox alone: what Alpine is, without its package manager.
make_small_root() {
	local root=$T/small program
	mkdir -p "$root"/{bin,etc,root,tmp,var/tmp,proc,sys,dev,run,home/dev}
	cp /bin/busybox "$root/bin/" 2>/dev/null || cp /usr/bin/busybox "$root/bin/" || return 1
	for program in $("$root/bin/busybox" --list); do
		[ "$program" = busybox ] || ln -s busybox "$root/bin/$program"
	done
	printf 'root:x:0:0:root:/root:/bin/sh\ndev:x:1000:1000::/home/dev:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\ndev:x:1000:\nwheel:x:10:dev\n' >"$root/etc/group"
	chown 1000:1000 "$root/home/dev"
}

# The same without a shell, as images of one program are.
make_bare_root() {
	mkdir -p "$T/bare/app"
	cp "$T/small/bin/busybox" "$T/bare/app/echo"
}

require_engine() {
	[ "$(id -u)" = 0 ] || skip_all "an engine of the test's own needs root"
	command -v dockerd >/dev/null || skip_all "dockerd is missing (apt-get install docker.io)"
	command -v docker >/dev/null || skip_all "docker is missing (apt-get install docker.io)"
}

must_start_engine() {
	local flags=()
	start_engine || skip_all "dockerd does not run here: $(tail -n 1 "$ENGINE_DIR/log" 2>/dev/null)"
	CALLER_ENV+=("DOCKER_HOST=unix://$ENGINE_SOCKET")
}

enter_engine() {
	require_engine
	command -v busybox >/dev/null || skip_all "busybox is missing (apt-get install busybox-static)"
	make_small_root || skip_all "no images can be made"
	make_bare_root
	must_start_engine
	image small
	image bare
	image dev 'FROM small:test' 'USER dev' 'ENV GREETING=hello' 'WORKDIR /home/dev'
	LEASH_FLAGS=(-I --image small:test)
}

containers() {
	engine ps -aq | wc -l
}

no_containers() {
	[ "$(containers)" = 0 ]
}

# start_loop [FLAG…]: a session that does not end by itself, nor when it is asked to.
start_loop() {
	leash_start "$@" -- sh -c 'trap "" TERM HUP; echo ready; while :; do sleep 0.1; done'
	wait_for 15 grep -q ready "$OUT"
}

check_end() {
	check "$1: the container is gone within 2 s" wait_for 2 no_containers
}

check_ends_by_signals() {
	leash_start -- sh -c 'trap "echo told; exit 9" TERM; echo ready; while :; do sleep 0.1; done'
	wait_for 15 grep -q ready "$OUT"
	kill -TERM "$LEASH_PID"
	leash_wait 15
	is "a signal is passed on" "$RC $(tail -n 1 "$OUT")" "9 told"
	start_loop
	kill -TERM "$LEASH_PID"
	sleep 0.3
	kill -TERM "$LEASH_PID"
	leash_wait 15
	check_end "a second one ends the session"
}

check_ends_by_kill() {
	start_loop
	kill -KILL "$LEASH_PID"
	check_end "leash was killed"
	leash_wait 5
	start_loop
	kill -KILL "$(pgrep -P "$LEASH_PID" -x docker | head -n 1)"
	check_end "the engine's client was killed"
	leash_wait 15
	is "... and leash says so" "$RC" 125
	start_loop
	kill -KILL "$(engine inspect -f '{{.State.Pid}}' "$(engine ps -q)")"
	check_end "the container's first process was killed"
	leash_wait 15
	like "... and leash says so" "$RC:$(err)" '^125:.*the container ended before the session did, with status 137'
}

check_window() {
	install -m 644 "$ROOT/tests/e2e/support/window.py" "$T"
	(cd "$WORK" && exec_as_user python3 "$T/window.py" "$LEASH" --image small:test -- sh -c 'echo ready; exec sh') >"$OUT" 2>&1
	like "a terminal of the container's own" "$(out)" '33 101'
	like "... follows the window" "$(out)" '50 120'
	like "... and Ctrl-C interrupts what runs there" "$(out)" 'exit 5$'
}

# logged SESSION REGEX
logged() {
	leash_run logs "$1"
	grep -Eq -- "$2" "$OUT"
}

# wrong NAME REGEX [FLAG…]: what cannot begin says why and what to do.
wrong() {
	local name=$1 regex=$2
	shift 2
	leash_run "$@" -- true
	is "$name: exit code" "$RC" 125
	like "$name: says what to do" "$(err)" "$regex"
}
