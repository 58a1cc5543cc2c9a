#!/usr/bin/env bash
# The modes, the profiles, and leash's own rules, which hold in all of them.

. "$(dirname "$0")/../lib.sh"
make_user
key=$T_HOME/.ssh/id_ed25519

# ---- Modes
for mode in shadow record; do
	LEASH_FLAGS=(-I --mode "$mode")
	leash_run -- cat "$key"
	is "$mode: what would be denied is allowed" "$RC:$(out)" "0:$SECRET"
	check_event "... and recorded as such" \
		'.kind == "file.open" and .decision == "would-deny" and .path == $p and .mode == $m' --arg p "$key" --arg m "$mode"
	leash_run -- sh -c 'echo x >file && cat file'
	is "$mode: what is allowed is" "$RC:$(out)" "0:x"
	check_event "... and recorded as such" '.decision == "allow" and .path == $p' --arg p "$WORK/file"
	refute_event "... and as nothing else" '.decision == "deny"'
done
LEASH_FLAGS=(-I --mode enforce)
leash_run -- cat "$key"
is "enforce: it is denied" "$RC:$(out)" "1:"

# ---- Profiles
LEASH_FLAGS=(-I --profile permissive)
leash_run -- sh -c 'cat ~/.ssh/id_ed25519 >/dev/null && echo x >~/elsewhere && echo fine'
is "permissive: home can be read and written" "$(out)" fine
LEASH_FLAGS=(-I --profile locked)
leash_run -- sh -c 'echo x >file && cat file; cat ~/.bashrc; getent hosts example.org || nslookup example.org >&2; echo end'
is "locked: the workspace can be used, home can't be read, names can't be looked up" "$(out)" $'x\nend'
check_event "... the log has the file" '.kind == "file.open" and .decision == "deny" and .path == $p' --arg p "$T_HOME/.bashrc"
check_event "... and the name" '.kind == "dns.query" and .decision == "deny" and .host == "example.org"'

# ---- leash's own
echo 'permit (principal, action, resource);' | user_file "$T_HOME/all.cedar"
as_user mkdir -p "$T_HOME/.config/leash" "$WORK/.leash"
echo 'forbid (principal, action == Action::"FileOpen", resource == File::"/nowhere");' | user_file "$T_HOME/.config/leash/policy.cedar"
for flags in "--policy $T_HOME/all.cedar" "--profile permissive" "--mode record" "--mode shadow"; do
	# shellcheck disable=SC2206
	LEASH_FLAGS=(-I $flags)
	leash_run -- sh -c 'cat ~/.config/leash/policy.cedar; ls ~/.local/state/leash/sessions/*/; cat ~/.local/state/leash/sessions/*/events.db
		echo evil >~/.config/leash/policy.cedar; echo evil >~/.config/leash/new; rm -r ~/.config/leash; mv ~/.config/leash ~/.config/gone
		echo evil >.leash/policy.cedar; mv .leash gone; mkdir gone/x
		for f in ~/.local/state/leash/sessions/*; do echo evil >>$f/events.db; done; echo end' 2>/dev/null
	is "leash $flags: its configuration, state and project rules are out of reach" \
		"$(out):$(cat "$T_HOME/.config/leash/policy.cedar"):$(ls "$T_HOME/.config/leash"):$(ls -A "$WORK/.leash")" \
		'end:forbid (principal, action == Action::"FileOpen", resource == File::"/nowhere");:policy.cedar:'
	check_event "... and the log has it" '.decision == "deny" and (.path | test("/.config/leash|/.leash"))'
	leash_run -- sh -c 'kill -0 -1; ls /proc | grep -c "^[0-9]"; cat /proc/*/comm'
	unlike "... its processes, too" "$(out)" 'supervisor|proxy'
done

# ---- The user's own policy joins the profile
LEASH_FLAGS=(-I)
user_file "$T_HOME/.config/leash/policy.cedar" <<'EOF'
@id("mine") forbid (principal, action == Action::"ProcessExec", resource == File::"/usr/bin/id");
permit (principal, action == Action::"FileOpenReadWrite", resource in Dir::"~/elsewhere.d/");
EOF
as_user mkdir "$T_HOME/elsewhere.d"
take_home
leash_run -- sh -c '/usr/bin/id; echo x >~/elsewhere.d/f && cat ~/elsewhere.d/f; cat ~/.ssh/id_ed25519'
check_event "a user's forbid forbids" '.kind == "proc.exec" and .decision == "deny" and by("mine")'
is "a user's permit permits" "$(out)" x
unlike "... and the profile stays in force" "$(out)" "$SECRET"

done_testing
