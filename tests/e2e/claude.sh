#!/usr/bin/env bash
# The real Claude Code, driven by a scripted service: what it does through its tools is allowed or
# denied as the policy says, its own requests reach its service, and all of it is in the log.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/support/world.sh"
. "$(dirname "$0")/support/agents.sh"
install_agents
enter_world "$@"
world_serve
mount_agents
TIME_LIMIT=180
CALLER_ENV=("PATH=$AGENTS/.bin:/usr/local/bin:/usr/bin:/bin")

scenario=$T/scenario.json
transcript=$T/transcript.jsonl
cat >"$scenario" <<EOF
[
	{ "tool": "Bash", "input": { "command": "echo from-bash >made.txt && cat made.txt", "description": "make a file" } },
	{ "tool": "Write", "input": { "file_path": "$WORK/written.txt", "content": "from-write\n" } },
	{ "tool": "Read", "input": { "file_path": "$WORK/written.txt" } },
	{ "tool": "Read", "input": { "file_path": "$T_HOME/.ssh/id_ed25519" } },
	{ "tool": "Bash", "input": { "command": "cat ~/.ssh/id_ed25519", "description": "read a key" } },
	{ "tool": "Bash", "input": { "command": "sqlite3 --version", "description": "run a forbidden program" } },
	{ "tool": "Bash", "input": { "command": "curl -sS --max-time 20 https://forbidden.test/", "description": "a forbidden host" } },
	{ "tool": "Bash", "input": { "command": "curl -sS --max-time 20 https://permitted.test/", "description": "a permitted host" } },
	{ "tool": "Bash", "input": { "command": "echo evil >>~/.bashrc", "description": "a start-up file" } },
	{ "tool": "Bash", "input": { "command": "$SEARCH_STEP", "description": "wait" } },
	{ "text": "The scenario is over." }
]
EOF
start_service node "$WORLD_LIB/fake-anthropic.mjs" "$scenario" "$transcript" 203.0.113.20 8080 "$WORLD_TLS" 443

policy=$T_HOME/policy.cedar
user_file "$policy" <<'EOF'
permit (principal, action == Action::"FileOpenReadOnly", resource);
permit (principal == Agent::"claude", action == Action::"FileOpenReadWrite", resource in Dir::"${WORKSPACE}/");
permit (principal, action == Action::"FileOpenReadWrite", resource in Dir::"~/.claude/");
permit (principal, action == Action::"FileOpenReadWrite", resource in Dir::"~/.cache/");
permit (principal, action == Action::"FileOpenReadWrite", resource in Dir::"/tmp/");
permit (principal, action == Action::"FileOpenReadWrite", resource in Dir::"/dev/");
@id("keys") forbid (principal, action == Action::"FileOpen", resource in Dir::"~/.ssh/");
permit (principal, action == Action::"ProcessExec", resource);
@id("no-sqlite") forbid (principal, action == Action::"ProcessExec", resource == File::"/usr/bin/sqlite3");
permit (principal, action == Action::"NetworkConnect", resource == Host::"claude-service.test");
permit (principal, action == Action::"NetworkConnect", resource == Host::"permitted.test:443");
EOF
as_user mkdir -p "$T_HOME/.claude"

# The n-th tool result that came back to the service, counted from 1.
result() {
	jq -rs "map(select(.result != null)) | .[$1 - 1].result" "$transcript"
}

# drive NAME BASE-URL FLAG…: one session of the whole scenario, in which the service must see $KEY.
drive() {
	local name=$1 url=$2
	shift 2
	: >"$transcript"
	: >"$REQUESTS"
	rm -f "$WORK"/*.txt
	search_memory "$KEY"
	leash_run "$@" -e "ANTHROPIC_BASE_URL=$url" -e "CLAUDE_CONFIG_DIR=$T_HOME/.claude" -e CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 -e DISABLE_AUTOUPDATER=1 \
		-- claude -p "Do what the scenario says." --dangerously-skip-permissions
	is "$name: claude ends well" "$RC" 0
	like "$name: it prints the closing text" "$(out)" 'The scenario is over'
	is "$name: every step was taken" "$(jq -s 'map(select(.result != null)) | length' "$transcript")" 10
	if [[ $name = "in clear" ]]; then
		check_memory "$name: a key that was given to it is found in its memory" '[1-9][0-9]*'
	else
		check_memory "$name: no process of the container has the key"
	fi
	is "$name: the service got the real key" \
		"$(jq -rs 'map(select(.request != null and (.request | startswith("POST /v1/messages"))) | .key) | unique | join(",")' "$transcript")" \
		"$KEY"
	is "$name: a file is made by Bash" "$(result 1):$(cat "$WORK/made.txt" 2>&1)" from-bash:from-bash
	is "$name: a file is made by Write" "$(cat "$WORK/written.txt" 2>&1)" from-write
	like "$name: it is read back by Read" "$(result 3)" from-write
	like "$name: Read of a private key fails" "$(result 4)" '[Pp]ermission denied|EACCES'
	like "$name: cat of a private key fails" "$(result 5)" 'Permission denied'
	unlike "$name: the key never reaches the service" "$(cat "$transcript")" "$SECRET"
	check_event "$name: the log has Claude's own attempt" \
		'.kind == "file.open" and .decision == "deny" and .path == $p and (.comm | test("cat") | not)' --arg p "$T_HOME/.ssh/id_ed25519"
	check_event "$name: the log has cat's attempt" \
		'.kind == "file.open" and .decision == "deny" and .path == $p and .comm == "cat"' --arg p "$T_HOME/.ssh/id_ed25519"
	like "$name: a start-up file can't be written" "$(result 9)" 'Permission denied'
	check_event "$name: the log has the write that was allowed" \
		'.decision == "allow" and (.kind == "file.open" or .kind == "file.create") and .path == $p' --arg p "$WORK/made.txt"
	check_event "$name: the log has the connection to the service" \
		'.kind == "net.connect" and .decision == "allow" and .host == "claude-service.test"'
	check_request "$name: the log has the request" \
		'.method == "POST" and (.url | test("/v1/messages")) and .status == 200'
	refute "$name: the log has no key" grep -qF "$KEY" "$(events_file)"
}

# What only the policy file above forbids.
check_policy_denials() {
	local name=$1
	like "$name: a forbidden program does not start" "$(result 6)" '[Pp]ermission denied|EACCES'
	check_event "$name: the log has it" \
		'.kind == "proc.exec" and .decision == "deny" and .path == "/usr/bin/sqlite3" and by("no-sqlite")'
	unlike "$name: a forbidden host is not reached" "$(result 7)" '^hello'
	like "$name: ... curl says so" "$(result 7)" 'curl: \([0-9]+\)'
	check_event "$name: the log has it" '.decision == "deny" and .kind == "dns.query" and .host == "forbidden.test"'
	is "$name: nothing arrived there" "$(grep -cE 'forbidden|203\.0\.113\.66|2001:db8::66' "$REQUESTS")" 0
	like "$name: a permitted host is" "$(result 8)" '^hello from permitted.test'
}

KEY=dummy-key-of-the-test
drive "in clear" http://claude-service.test:8080 --policy "$policy" -e "ANTHROPIC_API_KEY=$KEY"
check_policy_denials "in clear"
# From here on the user has a key, and Claude a placeholder.
KEY=sk-ant-api03-$(openssl rand -hex 40)
CALLER_ENV+=("ANTHROPIC_API_KEY=$KEY")
drive "with TLS" https://claude-service.test --policy "$policy"
check_policy_denials "with TLS"
is "with TLS: the service was spoken to by TLS only" \
	"$(jq -s 'map(select(.request != null) | .tls) | all' "$transcript")" true
# Its own sandbox cannot be made in a container: it is told that it needs none, and the file stays.
echo '{"sandbox":{"enabled":true,"failIfUnavailable":true}}' | user_file "$T_HOME/.claude/settings.json"
drive "default profile" https://claude-service.test
is "default profile: its settings are as they were" "$(cat "$T_HOME/.claude/settings.json")" \
	'{"sandbox":{"enabled":true,"failIfUnavailable":true}}'
like "default profile: any program runs" "$(result 6)" '^3\.'
like "default profile: any host is reached" "$(result 7)" '^hello from forbidden.test'

is "no file that Claude or leash wrote has the key" "$(grep -rlaF "$KEY" "$T_HOME" | wc -l)" 0

done_testing
