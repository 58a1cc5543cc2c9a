# shellcheck shell=bash disable=SC2034
# FS-01 to FS-25: files.

files_world() {
	local dir file
	chmod -R u+w "$WORK" 2>/dev/null
	rm -rf -- "${WORK:?}"
	mkdir -p "$WORK"/{open,vault/sub,locked/dir,tree/inner,other/inner,names,bad-names,deep,bad-deep,secret,.git}
	printf public | tee "$WORK/open/file.txt" "$WORK/open/other.txt" "$WORK/other/inner/public.txt" >/dev/null
	for file in secret.txt vault/file.txt vault/sub/file.txt id.key tree/inner/secret.txt locked/file.txt \
		secret/file.txt old-denied.txt; do
		printf '%s' "$SECRET" >"$WORK/$file"
	done
	for dir in secrets2 secret-x secre secret.d; do
		mkdir "$WORK/$dir"
		printf public >"$WORK/$dir/file.txt"
	done
	printf public >"$WORK/secretfile"
	ln "$WORK/old-denied.txt" "$WORK/open/old-link.txt"
	chown -R "$T_UID:$T_GID" "$WORK"
}

files_policy() {
	policy <<-END
		@id("file") forbid (principal, action in Action::"FileOpen", resource == File::"$WORK/secret.txt");
		@id("vault") forbid (principal, action in Action::"FileOpen", resource in Dir::"$WORK/vault/");
		@id("keys") forbid (principal, action in Action::"FileOpen", resource) when { resource.path like "*.key" };
		@id("tree") forbid (principal, action in Action::"FileOpen", resource == File::"$WORK/tree/inner/secret.txt");
		@id("locked") forbid (principal, action in Action::"FileOpenReadWrite", resource in Dir::"$WORK/locked/");
		@id("hooks") forbid (principal, action in Action::"FileOpenReadWrite", resource in Dir::"$WORK/.git/hooks/");
		@id("settings") forbid (principal, action in Action::"FileOpenReadWrite", resource == File::"$WORK/.claude/settings.json");
		@id("envrc") forbid (principal, action in Action::"FileOpenReadWrite", resource == File::"$WORK/.envrc");
		@id("names") forbid (principal, action in Action::"FileOpen", resource in Dir::"$WORK/bad-names/");
		@id("deep") forbid (principal, action in Action::"FileOpen", resource in Dir::"$WORK/bad-deep/");
		@id("prefix") forbid (principal, action in Action::"FileOpen", resource in Dir::"$WORK/secret/");
		@id("old") forbid (principal, action in Action::"FileOpen", resource == File::"$WORK/old-denied.txt");
	END
}

group_files() {
	local file path
	ALLOWED=$WORK/open/file.txt
	files_world
	files_policy

	for file in secret.txt vault/sub/file.txt id.key; do
		DENIED=$WORK/$file
		escape "FS-01 $file under every name" fs-01-read-denied
		denial "... is in the log" file.open "$DENIED"
		content "... unharmed" "$DENIED" "$SECRET"
		files_world
		escape "FS-02 $file through symbolic links" fs-02-symlink
		denial "... is in the log under its real name" file.open "$DENIED"
		escape "FS-03 $file through magic links" fs-03-magic-links
		denial "... is in the log under its real name" file.open "$DENIED"
		escape "FS-04 $file by hard links" fs-04-hard-link
		denial "... is in the log" file.link "$DENIED"
		inside is "... no second name stands" "$(stat -c %h "$DENIED")" 1
		files_world
	done
	DENIED=$WORK/secret.txt
	escape "FS-04 renaming, and directories above" fs-04-rename "TREE=$WORK/tree" "OTHER_TREE=$WORK/other"
	denial "... is in the log" file.rename "$DENIED"
	content "... unharmed" "$WORK/tree/inner/secret.txt" "$SECRET"
	files_world

	DENIED=$WORK/locked/file.txt
	escape "FS-06 destroying what may be read" fs-06-destroy "DENIED_DIR=$WORK/locked/dir"
	denial "... a deletion is in the log" file.delete "$DENIED"
	content "... unharmed" "$DENIED" "$SECRET"
	inside is "... the directory too" "$(stat -c %F "$WORK/locked/dir")" directory
	files_world
	inside touch -d @5000 "$DENIED"
	escape "FS-07 attributes of what may be read" fs-07-attributes
	denial "... is in the log" file.attr "$DENIED"
	inside is "... mode and time are as they were" "$(stat -c '%a %Y' "$DENIED")" "644 5000"
	files_world

	DENIED=$WORK/.envrc ALLOWED=$WORK/open/new
	escape "FS-08 creating a protected file" fs-08-create-protected
	denial "... is in the log" file.create "$DENIED"
	inside refute "... it is not there" test -e "$DENIED"
	for path in .git/hooks/pre-commit .claude/settings.json; do
		DENIED=$WORK/$path ALLOWED=$WORK/open/dir/${path##*/}
		escape "FS-08 creating $path with its directory" fs-08-create-protected ABSENT_PARENT=1
		inside refute "... it is not there" test -e "$DENIED"
		files_world
	done
	ALLOWED=$WORK/open/file.txt

	files_deep
	files_rules

	DENIED=$WORK/secret/file.txt
	escape "FS-12 names that begin alike" fs-12-prefix "DENIED_DIR=$WORK/secret" \
		"NEIGHBOURS=$WORK/secrets2/file.txt:$WORK/secret-x/file.txt:$WORK/secre/file.txt:$WORK/secret.d/file.txt:$WORK/secretfile"
	files_world

	DENIED=$WORK/vault/file.txt
	files_descriptors
	escape "FS-16 mounts and namespaces" fs-16-mounts
	escape "FS-17 copying inside the kernel" fs-17-copy
	escape "FS-18 the process' name" fs-18-process-name

	as_user env MAKE=1 "ALLOWED=$ALLOWED" "DENIED=$DENIED" "SECRET=$SECRET" "WORK=$WORK" \
		"DENIED_DIR=$WORK/bad-names" "ALLOWED_DIR=$WORK/names" "$PROGRAMS/fs-19-names"
	escape "FS-19 names of any bytes" fs-19-names "DENIED_DIR=$WORK/bad-names" "ALLOWED_DIR=$WORK/names"
	[ "$OUTSIDE" ] || files_log_is_sound
	escape "FS-20 listing and watching" fs-20-listing "DENIED_DIR=$WORK/vault" "ALLOWED_DIR=$WORK/open"
	denial "... is in the log" file.open "$WORK/vault"
	DENIED=$WORK/old-denied.txt
	escape "FS-22 a hard link of before" fs-22-old-link "OLD_LINK=$WORK/open/old-link.txt"
	inside check_event "... its use is in the log" '.path == $p and .access != "read"' --arg p "$WORK/open/old-link.txt"
	[ "$OUTSIDE" ] || files_git
	[ "$OUTSIDE" ] || files_quota
}

files_deep() {
	DENIED=$WORK/secret.txt
	as_user env MAKE=1 "ALLOWED=$ALLOWED" "DENIED=$DENIED" "SECRET=$SECRET" "WORK=$WORK" \
		"DENIED_DIR=$WORK/bad-deep" "ALLOWED_DIR=$WORK/deep" "$PROGRAMS/fs-10-deep-paths"
	escape "FS-10 long and deep names" fs-10-deep-paths "DENIED_DIR=$WORK/bad-deep" "ALLOWED_DIR=$WORK/deep"
	rm -rf "$WORK/bad-deep" "$WORK/deep"
	mkdir "$WORK/bad-deep" "$WORK/deep"
	chown "$T_UID:$T_GID" "$WORK/bad-deep" "$WORK/deep"
}

# FS-11: a rule with a long path, and very many rules, hold, or the policy is refused.
files_rules() {
	local length path component i
	[ -z "$OUTSIDE" ] || return
	component=$(printf 'c%.0s' {1..120})
	for length in 65 256 1024; do
		path=$WORK
		while [ $((${#path} + 122)) -lt "$length" ]; do
			path+=/$component
		done
		path+=/$(printf 'd%.0s' $(seq 1 $((length - ${#path} - 1))))
		mkdir -p "${path%/*}"
		printf '%s' "$SECRET" >"$path"
		chown -R "$T_UID:$T_GID" "$WORK"
		policy <<<"forbid (principal, action in Action::\"FileOpen\", resource == File::\"$path\");"
		leash_run -- cat "$path"
		unlike "FS-11 a rule of $length bytes holds or is refused" "$(out)" "$SECRET"
		like "... which one is clear" "$RC $(err)" "^(1 .*Permission denied|125 .)"
	done
	for i in $(seq 1 10000); do
		echo "forbid (principal, action in Action::\"FileOpen\", resource == File::\"$WORK/many/$i\");"
	done | policy
	mkdir -p "$WORK/many"
	printf '%s' "$SECRET" | tee "$WORK/many/1" "$WORK/many/5000" "$WORK/many/10000" >/dev/null
	printf public >"$WORK/many/10001"
	chown -R "$T_UID:$T_GID" "$WORK/many"
	leash_run -- cat "$WORK/many/1" "$WORK/many/5000" "$WORK/many/10000" "$WORK/many/10001"
	unlike "FS-11 10,000 rules hold or are refused" "$(out)" "$SECRET"
	like "... which one is clear" "$RC $(out)" "^(1 public$|125 )"
	files_world
	files_policy
}

files_descriptors() {
	local holder
	# shellcheck disable=SC2016
	as_user bash -c 'exec 3<"$1"; echo $$; exec sleep 600' bash "$DENIED" >"$T/holder" &
	SERVICE_PIDS+=($!)
	wait_for 10 test -s "$T/holder"
	holder=$(cat "$T/holder")
	escape "FS-13 descriptors of others" fs-13-descriptors "OUTSIDE_PID=$holder" OUTSIDE_FD=3
	denial "... is in the log" file.open "$DENIED"
	kill "$holder"
	wait "${SERVICE_PIDS[@]: -1}" 2>/dev/null
}

# FS-19: the log is JSON, line by line, whatever names went into it.
files_log_is_sound() {
	check "... the log is JSON" jq -es 'length > 20' "$(events_file)"
	is "... in one line per event" "$(jq -s length "$(events_file)")" "$(wc -l <"$(events_file)")"
	refute "... without raw control bytes" grep -qP '[\x00-\x09\x0b-\x1f\x7f]' "$(events_file)"
	check_event "... a name with a line feed" '.decision == "deny" and .path == $p' --arg p "$WORK/bad-names/"$'new\nline'
	check_event "... a name with an escape" '.decision == "deny" and (.path | contains("[31mred"))'
}

# FS-23: under the default profile git works, and cannot be made to run things outside.
files_git() {
	local repo=$WORK/repo saved=("${LEASH_FLAGS[@]}")
	LEASH_FLAGS=(-I)
	as_user git init -q "$repo"
	as_user git -C "$repo" commit -q --allow-empty -m first
	as_user git -C "$repo" worktree add -q "$WORK/tree2" -b second
	before=$(cat "$repo/.git/config")
	for attempt in 'git config core.hooksPath /tmp/x' 'git config core.fsmonitor /tmp/x' 'git config --add include.path /tmp/x' \
		'git config filter.x.clean /tmp/x' 'mkdir -p .git/hooks; echo evil >.git/hooks/pre-commit' \
		'mv .git/hooks .git/away && mkdir .git/hooks && echo evil >.git/hooks/pre-commit' \
		'mv .git .away && cp -r .away .git && echo "[core]fsmonitor=/tmp/x" >>.git/config' \
		'echo "[core]fsmonitor=/tmp/x" >/tmp/c && cp /tmp/c .git/config' 'ln -sf /tmp/x .git/config' \
		'mkdir -p /tmp/common && echo ../../../evil >.git/commondir'; do
		leash_run -- sh -c "cd '$repo' && $attempt"
		is "FS-23 $attempt" "$(cat "$repo/.git/config" 2>&1):$(cat "$repo/.git/hooks/pre-commit" 2>/dev/null)" "$before:"
		rm -f "$repo/.git/config.lock"
	done
	leash_run -- sh -c "cd '$repo' && echo a >a && git add a && git commit -qm two && git log --oneline | wc -l"
	is "FS-23 a commit in the repository works" "$RC:$(out)" 0:2
	leash_run -- sh -c "cd '$WORK/tree2' && echo b >b && git add b && git commit -qm two && git log --oneline | wc -l"
	is "FS-23 a commit in a worktree works" "$RC:$(out)" 0:2
	leash_run -- sh -c "cd '$repo' && git config x.y z; git status >/dev/null; ls .git/*.lock"
	is "FS-23 no lock stays behind" "$(out)" ""
	LEASH_FLAGS=("${saved[@]}")
}

# FS-25: what is private to the session is bounded; the host's file systems have the host's quotas.
files_quota() {
	local bytes memory
	leash_run -- stat -f -c '%b %S %c' /tmp
	bytes=$(out | awk '{ printf "%.0f", $1 * $2 }')
	memory=$(awk '/MemTotal/ { printf "%.0f", $2 * 1024 }' /proc/meminfo)
	check "FS-25 the private /tmp is bounded (${bytes:-no} bytes)" test "${bytes:-0}" -gt 0 -a "${bytes:-0}" -le $((memory / 2 + 4096))
	is "FS-25 ... in inodes too" "$(out | awk '{ print ($3 > 0) }')" 1
}
