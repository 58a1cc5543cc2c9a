#!/usr/bin/env bash
# A second real agent, OpenAI's Codex: a static Rust program with many threads, its own TLS stack and
# its own way to run commands (in a pty), driven by a scripted service over TLS. Its own sandbox, which cannot be
# made in a container, is off without a word of the user's.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/support/world.sh"
. "$(dirname "$0")/support/agents.sh"
install_agents
enter_world "$@"
world_serve
mount_agents
TIME_LIMIT=120
CALLER_ENV=("PATH=$AGENTS/.bin:/usr/local/bin:/usr/bin:/bin")

scenario=$T/scenario.json
transcript=$T/transcript.jsonl
: >"$transcript"
cat >"$scenario" <<EOF
[
	{ "tool": "exec_command", "input": { "cmd": "echo from-codex >made.txt && cat made.txt" } },
	{ "tool": "exec_command", "input": { "cmd": "cat ~/.ssh/id_ed25519" } },
	{ "tool": "exec_command", "input": { "cmd": "sqlite3 --version" } },
	{ "tool": "exec_command", "input": { "cmd": "curl -sS --max-time 20 https://forbidden.test/" } },
	{ "tool": "exec_command", "input": { "cmd": "curl -sS --max-time 20 https://permitted.test/" } },
	{ "tool": "exec_command", "input": { "cmd": "$SEARCH_STEP", "yield_time_ms": 30000 } },
	{ "text": "The scenario is over." }
]
EOF
start_service node "$WORLD_LIB/fake-openai.mjs" "$scenario" "$transcript" 203.0.113.20 8080 "$WORLD_TLS" 443

policy=$T_HOME/policy.cedar
user_file "$policy" <<'EOF'
permit (principal == Agent::"codex", action == Action::"FileOpenReadOnly", resource);
permit (principal, action == Action::"FileOpenReadWrite", resource in Dir::"${WORKSPACE}/");
permit (principal, action == Action::"FileOpenReadWrite", resource in Dir::"~/.codex/");
permit (principal, action == Action::"FileOpenReadWrite", resource in Dir::"/tmp/");
permit (principal, action == Action::"FileOpenReadWrite", resource in Dir::"/dev/");
@id("keys") forbid (principal, action == Action::"FileOpen", resource in Dir::"~/.ssh/");
permit (principal, action == Action::"ProcessExec", resource);
@id("no-sqlite") forbid (principal, action == Action::"ProcessExec", resource == File::"/usr/bin/sqlite3");
permit (principal, action == Action::"NetworkConnect", resource == Host::"codex-service.test:443");
permit (principal, action == Action::"NetworkConnect", resource == Host::"permitted.test:443");
EOF
user_file "$T_HOME/.codex/config.toml" <<'EOF'
model = "test-model"
model_provider = "scripted"
[model_providers.scripted]
name = "scripted"
base_url = "https://codex-service.test/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
EOF

# The n-th tool result that came back to the service, counted from 1.
result() {
	jq -rs "map(select(.result != null)) | .[$1 - 1].result" "$transcript"
}

# The user has a key, and Codex a placeholder.
KEY=sk-proj-$(openssl rand -hex 40)
CALLER_ENV+=("OPENAI_API_KEY=$KEY")
search_memory "$KEY"
leash_run --policy "$policy" --secret OPENAI_API_KEY=env:OPENAI_API_KEY,host=codex-service.test -- \
	codex exec --skip-git-repo-check "Do what the scenario says." </dev/null
is "codex ends well" "$RC" 0
like "it prints the closing text" "$(out)" 'The scenario is over'
is "every step was taken" "$(jq -s 'map(select(.result != null)) | length' "$transcript")" 6
check_memory "no process of the container has the key"
is "the service got the real key, by TLS" \
	"$(jq -rs 'map(select(.request == "POST /v1/responses") | [.key, .tls]) | unique | tostring' "$transcript")" \
	"[[\"Bearer $KEY\",true]]"
is "no file that Codex or leash wrote has it" "$(grep -rlaF "$KEY" "$T_HOME" | wc -l)" 0
like "a file is made" "$(result 1):$(cat "$WORK/made.txt" 2>&1)" '^from-codex$|:from-codex$'
like "a private key can't be read" "$(result 2)" 'Permission denied'
unlike "... and never reaches the service" "$(cat "$transcript")" "$SECRET"
check_event "... and the log has it" \
	'.kind == "file.open" and .decision == "deny" and .path == $p and .comm == "cat"' --arg p "$T_HOME/.ssh/id_ed25519"
like "a forbidden program does not start" "$(result 3)" '[Pp]ermission denied'
check_event "... and the log has it" \
	'.kind == "proc.exec" and .decision == "deny" and .path == "/usr/bin/sqlite3" and by("no-sqlite")'
like "a forbidden host is not reached" "$(result 4)" 'curl: \([0-9]+\)'
check_event "... and the log has it" '.kind == "dns.query" and .decision == "deny" and .host == "forbidden.test"'
like "a permitted host is" "$(result 5)" 'hello from permitted.test'
check_event "the log has the connection to the service" \
	'.kind == "net.connect" and .decision == "allow" and .host == "codex-service.test" and .port == 443'

done_testing
