#!/usr/bin/env bash
# Kernels that lack something: leash either enforces all the same or does not start and says what is
# missing. It never runs a command without what the policy says.

. "$(dirname "$0")/../lib.sh"
make_user
as_user gcc -O1 -o "$T_HOME/without" -x c - <"$ROOT/tests/e2e/support/without.c"
echo plain | user_file "$WORK/file"

# without FEATURE COMMAND…: leaves OUT, ERR and RC as leash_run does.
without() {
	local feature=$1
	shift
	RUN_SHOWN=
	(cd "$WORK" && exec_as_user timeout -k 10 "$TIME_LIMIT" "$T_HOME/without" "$feature" -- "$@") >"$OUT" 2>"$ERR"
	RC=$?
}

for feature in landlock openat2 pidfd_getfd pidfd_open clone3 close_range memfd_create process_vm_readv ptrace \
	mount_setattr open_tree fsopen pivot_root unshare seccomp inotify prctl; do
	without "$feature" "$LEASH" -I -- sh -c 'cat file; cat ~/.ssh/id_ed25519; echo x >>~/.bashrc; echo ran'
	if [ "$RC" = 125 ] || [ "$RC" = 126 ]; then
		is "without $feature: does not start" "$(out)" ""
		like "... and says why" "$(err)" '[a-z]{3}'
		case $feature in
		# What doctor tries one by one; the others are in every kernel that has these.
		landlock | mount_setattr | open_tree | seccomp)
			without "$feature" "$LEASH" doctor
			is "... as doctor does" "$([ "$RC" != 0 ] && echo fails)" fails
			;;
		esac
	else
		is "without $feature: works, and enforces" "$RC:$(out)" $'0:plain\nran'
		is "... each denial" "$(events '.decision == "deny" and .kind == "file.open"' | wc -l)" 2
	fi
	is "... the start-up file is unharmed" "$(cat "$T_HOME/.bashrc")" '# start-up'
done

# ---- No user namespaces: a limit of 0, in a user namespace of the user's own
none() {
	RUN_SHOWN=
	(cd "$WORK" && exec_as_user unshare --user --map-root-user -- sh -c \
		'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' sh "$LEASH" "$@") >"$OUT" 2>"$ERR"
	RC=$?
}
none -I -- echo ran
is "without user namespaces: does not start" "$RC:$(out)" "125:"
like "... and says so" "$(err)" 'user namespace'
none doctor
is "... as doctor does" "$([ "$RC" != 0 ] && echo fails)" fails
like "... by name" "$(out; err)" 'user namespace'

done_testing
