#!/usr/bin/env bash
# The real Claude Code and the real Codex in the image that packaging/docker/Dockerfile.coder makes, driven by the
# scripted services: their tools work, the policy holds, the key stays outside, the user's own files stay as they are.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/support/world.sh"
. "$(dirname "$0")/support/engine.sh"
. "$(dirname "$0")/support/roots.sh"
. "$(dirname "$0")/support/agents.sh"
require_engine
# Of the agents those that can be driven, of the versions that are driven natively.
packages=$(jq -r '.dependencies | to_entries | map("\(.key)@\(.value)") | join(" ")' "$ROOT/tests/e2e/support/package.json")
keep_engine
[ "${LEASH_TEST_WORLD:-}" = yes ] || keep_image coder "$ROOT/packaging/docker/Dockerfile.coder" "AGENTS=$packages"
enter_world "$@"
must_start_engine
# The recipe's image knows the true authorities, and not that of this test's servers.
mkdir "$T/agents"
cp "$WORLD_CA" "$T/agents/world.crt"
printf '%s\n' 'FROM coder:test' 'COPY world.crt /usr/local/share/ca-certificates/' 'RUN update-ca-certificates' >"$T/agents/Dockerfile"
check "the image of the recipe learns this test's authority" engine build -q -t agents:test "$T/agents"
ENGINE_IMAGES+=(agents:test)
. "$(dirname "$0")/support/terminal.sh"
TIME_LIMIT=120
TERMINAL_FLAGS=(--image agents:test)
CONFIG=$T_HOME/.config/leash/config.toml
PLAIN_ENV=("${CALLER_ENV[@]}")

# What is not for the agent, in the workspace, by the user's policy beside the profile.
user_file "$T_HOME/.config/leash/policy.cedar" <<'EOF'
@id("private") forbid (principal, action in Action::"FileOpen", resource in Dir::"${WORKSPACE}/private/");
EOF
echo "$SECRET" | user_file "$WORK/private/token"

# The n-th tool result that came back to the service, counted from 1.
result() {
	jq -rs "map(select(.result != null)) | .[$1 - 1].result" "$transcript"
}

# Looked through is the container, which is no child of leash's.
search_root() {
	engine inspect -f '{{.State.Pid}}' "$(engine ps -q)"
}

# begin TOOL ARGUMENT SERVICE HTTP-PORT HTTPS-PORT: a scripted service whose steps are the agent's shell commands, and the search that one of
# them waits for.
begin() {
	local scenario=$T/$3.json command
	transcript=$T/$3.jsonl
	: >"$transcript"
	for command in 'echo from-the-agent >made.txt && cat made.txt' 'cat private/token' \
		"printenv $KEY_NAME >key.txt; whoami; cat /etc/debian_version" "$SEARCH_STEP"; do
		jq -n --arg tool "$1" --arg argument "$2" --arg command "$command" \
			'{ tool: $tool, input: { ($argument): $command } }'
	done | jq -s '. + [{ text: "The scenario is over." }]' >"$scenario"
	start_service node "$WORLD_LIB/$3.mjs" "$scenario" "$transcript" 203.0.113.20 "$4" "$WORLD_TLS" "$5"
	search_memory "$KEY"
}

# What holds for each of them after its scenario.
check_scenario() {
	local name=$1
	is "$name: ends well" "$RC" 0
	like "$name: prints the closing text" "$(out)" 'The scenario is over'
	is "$name: every step was taken" "$(jq -s 'map(select(.result != null)) | length' "$transcript")" 4
	like "$name: a shell command of its runs" "$(result 1):$(cat "$WORK/made.txt" 2>&1)" '^from-the-agent$|:from-the-agent$'
	like "$name: ... in the image, whose user it is" "$(result 3)" '^root'
	like "$name: a denied file stays unread" "$(result 2)" 'Permission denied'
	unlike "$name: ... and never reaches the service" "$(cat "$transcript")" "$SECRET"
	check_event "$name: ... and the event says so" \
		'.kind == "file.open" and .decision == "deny" and .path == $p and .comm == "cat" and by("private")' --arg p "$WORK/private/token"
	check_memory "$name: no process of the nested container has the key"
	check "$name: it has a placeholder" test -s "$WORK/key.txt"
	refute "$name: ... and not the key" grep -qF "$KEY" "$WORK/key.txt"
	check_event "$name: the log has the connection to its service" \
		'.kind == "net.connect" and .decision == "allow" and .host == $h' --arg h "$2"
	refute "$name: no file has the key" grep -rqaF "$KEY" "$T_HOME"
	check "$name: nobody changed the events" as_user "$LEASH" verify
	check "$name: no container is left" no_containers
	rm -f "$WORK"/*.txt "$WORK"/search.*
}

# ---- Claude Code ---------------------------------------------------------------------
KEY_NAME=ANTHROPIC_API_KEY
KEY=sk-ant-api03-$(openssl rand -hex 40)
CALLER_ENV=("${PLAIN_ENV[@]}" "ANTHROPIC_API_KEY=$KEY" ANTHROPIC_BASE_URL=https://claude-service.test
	CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1)
echo '{ "sandbox": { "enabled": true, "failIfUnavailable": true }, "env": { "FROM_SETTINGS": "yes" } }' | user_file "$T_HOME/.claude/settings.json"
echo 'Be brief.' | user_file "$T_HOME/.claude/CLAUDE.md"
before=$(cd "$T_HOME" && sha256sum .claude/settings.json .claude/CLAUDE.md .bashrc .gitconfig)
claude=(claude -p "Do what the scenario says." --dangerously-skip-permissions)

begin Bash command fake-anthropic 8080 443
at_terminal "$WORK" 'or never: ' 'a\r' 'scenario is over' '' -- -e DISABLE_AUTOUPDATER=1 "${claude[@]}"
like "Claude Code: may it use its own directory of the host?" "$(out)" 'may claude use ~/.claude'
check_scenario "Claude Code" claude-service.test
is "Claude Code: the service got the real key, by TLS" \
	"$(jq -rs 'map(select(.request != null and (.request | startswith("POST /v1/messages"))) | [.key, .tls]) | unique | tostring' "$transcript")" \
	"[[\"$KEY\",true]]"
is "Claude Code: the answer is remembered" "$(cat "$CONFIG")" "[volumes]
claude = true"
is "Claude Code: the user's own files are as they were" \
	"$(cd "$T_HOME" && sha256sum .claude/settings.json .claude/CLAUDE.md .bashrc .gitconfig)" "$before"
at_terminal "$WORK" -- claude --version
unlike "Claude Code: the second time nothing is asked" "$(out)" 'may claude'
like "Claude Code: ... and it runs" "$RC:$(out)" '[0-9]+\.[0-9]+\.[0-9]+ \(Claude Code\)'

# ---- Codex -----------------------------------------------------------------------------
KEY_NAME=OPENAI_API_KEY
KEY=sk-proj-$(openssl rand -hex 40)
CALLER_ENV=("${PLAIN_ENV[@]}" "OPENAI_API_KEY=$KEY")
user_file "$T_HOME/.codex/config.toml" <<'EOF'
model = "test-model"
model_provider = "scripted"
[model_providers.scripted]
name = "scripted"
base_url = "https://codex-service.test:8443/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
EOF
before=$(sha256sum "$T_HOME/.codex/config.toml")

begin exec_command cmd fake-openai 8081 8443
at_terminal "$WORK" 'or never: ' 'p\r' 'scenario is over' '' -- --secret OPENAI_API_KEY=env:OPENAI_API_KEY,host=codex-service.test,port=8443 \
	codex exec --skip-git-repo-check "Do what the scenario says."
like "Codex: may it use its own directory of the host?" "$(out)" 'may codex use ~/.codex'
check_scenario "Codex" codex-service.test
is "Codex: the service got the real key, by TLS" \
	"$(jq -rs 'map(select(.request == "POST /v1/responses") | [.key, .tls]) | unique | tostring' "$transcript")" "[[\"Bearer $KEY\",true]]"
is "Codex: the answer is remembered for the project" "$(cat "$CONFIG")" "[volumes]
claude = true

[projects.\"$WORK\"]
codex = true"
is "Codex: the user's own configuration is as it was" "$(sha256sum "$T_HOME/.codex/config.toml")" "$before"
at_terminal "$WORK" -- codex --version
unlike "Codex: the second time nothing is asked" "$(out)" 'may codex'
like "Codex: ... and it runs" "$RC:$(out)" 'codex-cli [0-9]+'

done_testing
