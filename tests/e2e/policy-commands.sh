#!/usr/bin/env bash
# `leash policy`: each sub-command as a person and as a program uses it, what it says and how it ends;
# and that a session follows what `trust` says.

. "$(dirname "$0")/../lib.sh"
make_user
LEASH_FLAGS=()

user_file "$WORK/my.cedar" <<'EOF'
@id("work") permit (principal, action in Action::"FileOpen", resource in Dir::"${WORKSPACE}/");
@id("keys") forbid (principal, action in Action::"FileOpen", resource in Dir::"~/.ssh/");
@id("rm") forbid (principal, action == Action::"ProcessExec", resource) when { context.argv.contains("-rf") };
@id("run") permit (principal, action == Action::"ProcessExec", resource in Dir::"/usr/");
@id("api") permit (principal, action in Action::"NetworkConnect", resource in Host::"*.example.com")
when { context.port == 443 } unless { context.exe == "/usr/bin/env" };
EOF

# ---- Words
leash_run policy
is "policy alone: help, exit 2" "$RC" 2
leash_run policy --help
for verb in check explain show fmt test diff trust; do
	like "policy --help names $verb" "$(out)" "^  $verb "
done
for verb in check explain show fmt test diff trust; do
	leash_run policy "$verb" --help
	is "policy $verb --help: exit 0, on stdout" "$RC:$(err)" 0:
	like "... with usage, flags and examples" "$(out | tr '\n' ' ')" "^Usage: leash policy $verb .*Flags:.*--json.*Examples:.*leash policy $verb"
	leash_run completion bash
	like "... and completion" "$(out)" "policy-$verb"
	check "... and a place in the man page" grep -q "^\.SS leash policy $verb" "$ROOT/docs/man/leash-policy.1"
done
leash_run policy chekc
is "a misspelt one: exit 2" "$RC" 2
like "... with the nearest" "$(err)" 'did you mean check'
leash_run policy check --frob
is "an unknown flag: exit 2" "$RC" 2
leash_run policy check a b
is "too many words: exit 2" "$RC" 2

# ---- check
leash_run policy check my.cedar
is "check: good" "$RC:$(out | head -n 1)" "0:ok: $(out | sed -n 's/^ok: \([0-9]*\) .*/\1/p') policies"
leash_run policy check --json my.cedar
is "... as JSON" "$(jq -c '[.valid, .findings]' "$OUT")" '[true,[]]'
printf '@id("odd")\nforbid (principal, action == Action::"FileCreate", resource)\nwhen { context.cmm == "x" && resource.path < 3 };\npermit (principal action);' | user_file "$WORK/bad.cedar"
leash_run policy check bad.cedar
is "check: a syntax error ends with 1" "$RC" 1
like "... with code, place and caret" "$(err)" 'bad\.cedar:4:19: error: .* \[unexpected_token\]'
sed -i '$d' "$WORK/bad.cedar"
leash_run policy check --json bad.cedar
is "check --json: a finding has everything" \
	"$RC $(jq -c '.findings[0] | [.severity, .code, .policy, (.file | sub(".*/"; "")), .line, .column, .end_column, .source, .suggestion]' "$OUT")" \
	'1 ["error","unknown_context_key","file:odd",'"\"bad.cedar\""',3,8,19,"when { context.cmm == \"x\" && resource.path < 3 };","did you mean context.comm?"]'
like "... and the message" "$(jq -r '.findings[0].message' "$OUT")" 'unknown context key "cmm"'
sed -i 's/context.cmm == "x" &&//' "$WORK/bad.cedar"
leash_run policy check bad.cedar
like "check: a wrong type" "$RC $(err)" '^1 .*bad\.cedar:3:9: error: .*String \[unexpected_type, file:odd\]'
cat "$WORK/my.cedar" - <<'EOF' | user_file "$WORK/odd.cedar"
permit (principal, action == Action::"ProcessExec", resource in Dir::"/usr/bin/");
EOF
leash_run policy check odd.cedar
like "check: a policy that changes nothing is a warning" "$RC $(err)" '^0 .*odd\.cedar:7:1: warning: this policy changes nothing: file:run .*\[shadowed_policy, file:policy5\]'
leash_run policy check --deny-warnings odd.cedar
is "... or an error" "$RC" 1
leash_run policy check nowhere.cedar
is "check: a file that is not there: exit 1" "$RC" 1
user_file "$T_HOME/.config/leash/policy.cedar" <<<'permit (principal, action == Action::"Fileopen", resource);'
user_file "$WORK/.leash/policy.cedar" <<<'forbid (principal, action == Action::"x", resource);'
leash_run policy check
is "check without a file: mistakes of every layer" "$RC:$(err | grep -c 'policy\.cedar:1:30: error:')" 1:2
rm -r "$WORK/.leash" "$T_HOME/.config/leash"

# ---- explain
# explains WANTED-STATUS NAME ARGUMENT…
explains() {
	local want=$1 name=$2
	shift 2
	leash_run policy explain --policy my.cedar "$@"
	is "explain: $name" "$RC" "$want"
}
explains 1 "a program with an argument" exec /usr/bin/rm -- rm -rf x
like "... with the condition" "$(out)" 'holds: context\.argv\.contains\("-rf"\)'
explains 0 "... and without" exec /usr/bin/rm -- rm -r x
explains 1 "what a condition keeps from being permitted" connect a.example.com:80
like "... which it names" "$(out)" 'file:api, line 5 of .*would permit it, but:'
like "... with what does not hold" "$(out)" 'does not hold: context\.port == 443'
explains 0 "a program that asks" connect a.example.com:443 --exe /usr/bin/curl
explains 1 "... or another" --exe /usr/bin/env connect a.example.com:443
like "... by unless" "$(out)" 'does not hold: !\(context\.exe == "/usr/bin/env"\)'
explains 0 "an address with its name" connect 203.0.113.1:443 --host a.example.com
explains 0 "a name to be resolved" resolve a.example.com
explains 1 "a tool" call github/search
explains 0 "a request of HTTP" http GET 'https://a.example.com/%7ex/../v1/?token=hunter2' --header 'Authorization: hunter2'
like "... by method and path in normal form" "$(out | head -n 1)" '^allowed: to send GET https://a\.example\.com:443/v1/ '
is "... and neither query nor headers are repeated" "$(out | grep -c hunter2)" 0
explains 1 "... by its port" http GET http://a.example.com/
like "... for which a permit is proposed" "$(out)" 'when \{ context\.method == "GET" && context\.path == "/" \}'
explains 2 "a URL that servers read in two ways" http GET 'https://a.example.com/v1/..%2fx'
explains 2 "a URL with a password" http GET https://u:hunter2@a.example.com/
explains 2 "a URL without a method" http https://a.example.com/
explains 2 "a header that is none" http GET https://a.example.com/ --header hunter2
is "... which is not repeated" "$(err | grep -c hunter2)" 0
explains 2 "a header of a connection" connect a.example.com:443 --header 'a: b'
explains 1 "JSON" --json connect a.example.com:80
is "... with the policies that almost permit" \
	"$(jq -c '[.decision, .policies, .almost[0].policy, .almost[0].conditions[0].result, .almost[0].conditions[1].result]' "$OUT")" \
	'["deny",[],"file:api","does not hold","holds"]'
explains 2 "no such port" connect a.example.com:99999
explains 2 "no such operation" frobnicate x
explains 2 "nothing" read

# ---- show
leash_run policy show --policy my.cedar
is "show: each policy with layer, id and place" "$RC:$(out | grep -c '^// file: file:[a-z]* (.*/my\.cedar:[0-9]*)$')" 0:5
like "... leash's own too" "$(out)" '^// leash: leash:own-files'
leash_run policy show --policy my.cedar --expanded
like "show --expanded: as leash reads it" "$(out)" "resource in Dir::\"$WORK/\""
leash_run policy show --expanded
out | user_file "$WORK/expanded.cedar"
leash_run policy show --schema
out | user_file "$WORK/leash.cedarschema"
leash_run cedar validate --schema leash.cedarschema --policies expanded.cedar
is "... which is plain Cedar under leash's schema" "$RC" 0
leash_run policy show --json --expanded --policy my.cedar
is "show --json" "$(jq -c '[.[] | select(.id == "file:keys") | .layer, .effect, .line, (.expanded | contains("/.ssh/"))]' "$OUT")" \
	'["file","forbid",2,true]'
leash_run policy show frob
is "show: no such profile: exit 2" "$RC" 2

# ---- fmt
printf '// kept\npermit(principal,action,resource)when{true&&context has ip};' | user_file "$WORK/ugly.cedar"
leash_run policy fmt ugly.cedar
is "fmt: laid out, comments kept" "$RC:$(out)" "$(printf '0:// kept\npermit (principal, action, resource)\nwhen { true && context has ip };')"
leash_run policy fmt --check ugly.cedar my.cedar
is "fmt --check: names what is not" "$RC:$(out | head -n 1)" 1:ugly.cedar
leash_run policy fmt -w ugly.cedar
leash_run policy fmt --check ugly.cedar
is "fmt -w: then it is" "$RC:$(out)" 0:
leash_run policy fmt --json ugly.cedar
is "fmt --json" "$(jq -c '[.[0].file, .[0].formatted]' "$OUT")" '["ugly.cedar",true]'
leash_run policy fmt <"$WORK/bad.cedar"
is "fmt: standard input" "$RC:$(out | head -n 1)" '0:@id("odd")'
leash_run policy fmt -w --check ugly.cedar
is "fmt: --write and --check: exit 2" "$RC" 2
leash_run policy fmt <<<'permit (principal);'
is "fmt: what does not parse: exit 2, nothing on stdout" "$RC:$(out)" 2:

# ---- test
user_file "$WORK/my.test.toml" <<'EOF'
[[case]]
name = "keys stay private"
read = ["~/.ssh/id_ed25519", "~/.ssh/"]
expect = "deny"
by = "keys"

[[case]]
exec = "/usr/bin/rm"
argv = ["rm", "-rf", "x"]
expect = "deny"
by = ["file:rm"]

[[case]]
connect = "198.51.100.1:443"
host = "a.example.com"
exe = "/usr/bin/curl"
expect = "allow"
EOF
leash_run policy test my.cedar
is "test: all pass" "$RC:$(out)" '0:4 passed, 0 failed'
sed -i 's/"file:rm"/"keys"/; s/443"/80"/' "$WORK/my.test.toml"
leash_run policy test my.cedar
is "test: what fails" "$RC:$(out | tail -n 1)" '1:2 passed, 2 failed'
like "... with its line and why" "$(out)" 'my\.test\.toml:7: failed: exec /usr/bin/rm should be decided by keys'
like "... as explain says it" "$(out)" '^        does not hold: context\.port == 443'
leash_run policy test --json my.cedar
is "test --json" "$RC $(jq -c '[.passed, .failed, .cases[0].name, .cases[2].passed, .cases[3].decision]' "$OUT")" \
	'1 [2,2,"keys stay private",false,"deny"]'
# wrong_case NAME TOML PATTERN
wrong_case() {
	user_file "$WORK/wrong.toml" <<<"$2"
	leash_run policy test --cases wrong.toml my.cedar
	like "test: $1" "$RC $(err)" "^2 .*$3"
}
wrong_case "TOML that is none" $'[[case]]\nread = "x' 'wrong\.toml:2:8: the string does not end'
wrong_case "a misspelt key" $'[[case]]\nread = "x"\nexpct = "deny"' 'wrong\.toml:3:1: unknown key expct; did you mean expect'
wrong_case "no expectation" $'[[case]]\nread = "x"' 'wrong\.toml:1:3: the case has no expect'
wrong_case "no operation" $'[[case]]\nexpect = "deny"' 'wrong\.toml:1:3: the case has no operation'
wrong_case "two operations" $'[[case]]\nread = "x"\nwrite = "x"\nexpect = "deny"' 'wrong\.toml:3:1: a case has one operation'
wrong_case "another word" $'[[case]]\nread = "x"\nexpect = "denied"' 'wrong\.toml:3:10: expect is "allow" or "deny"'
wrong_case "a number" $'[[case]]\nread = [1]\nexpect = "deny"' 'wrong\.toml:2:9: read must be a string, not a integer'
wrong_case "a header that is none" $'[[case]]\nhttp = "GET https://x/"\nheaders = "hunter2"\nexpect = "deny"' 'wrong\.toml:3:11: a header is written as in'
wrong_case "headers of a connection" $'[[case]]\nconnect = "x:443"\nheaders = "a: b"\nexpect = "deny"' 'wrong\.toml:3:11: headers go with a request'
wrong_case "a method alone" $'[[case]]\nhttp = "GET /x"\nexpect = "deny"' 'wrong\.toml:2:8: a request of HTTP is written as in GET https'
wrong_case "no case" '' 'wrong\.toml:1:1: there is no'
user_file "$WORK/http.cedar" <<'EOF'
permit (principal, action in Action::"HttpRequest", resource == Host::"api.example.com:443")
when { context.method == "GET" && context.headers has accept && context.headers.accept == "a, b" };
EOF
user_file "$WORK/http.test.toml" <<'EOF'
[[case]]
http = ["GET https://api.example.com/", "GET https://api.example.com:443/x?y#z"]
headers = ["Accept: a", "accept:  b "]
expect = "allow"

[[case]]
http = ["GET https://api.example.com/", "POST https://api.example.com/", "GET http://api.example.com/"]
headers = "accept: b"
expect = "deny"

[[case]]
connect = "api.example.com:443"
expect = "deny"
EOF
leash_run policy check --deny-warnings http.cedar
is "check: a permit about requests" "$RC" 0
leash_run policy test http.cedar
is "test: requests of HTTP" "$RC:$(out)" '0:6 passed, 0 failed'
sed 's/^permit/forbid/; s/:443//' "$WORK/http.cedar" | user_file "$WORK/http-forbid.cedar"
leash_run policy check http-forbid.cedar
like "check: a forbid about requests that would deny every tool call" "$(err)" '\[mcp_fact_missing,'
leash_run policy test bad.cedar
is "test: a policy with mistakes: exit 2" "$RC" 2

# ---- diff
sed 's/-rf/-fr/; s/443/8443/' "$WORK/my.cedar" | user_file "$WORK/new.cedar"
leash_run policy diff my.cedar my.cedar
is "diff: the same" "$RC" 0
leash_run policy diff my.cedar new.cedar
is "diff: different" "$RC" 1
like "... policies that only the old has" "$(out)" '^- file:rm \(my\.cedar:3\)$'
like "... that only the new has" "$(out)" '^\+ @id\("rm"\) forbid .*-fr'
like "... what is denied now" "$(out)" '^allow -> deny  ProcessExec /usr/bin/env  with argv=-fr'
like "... what is allowed now" "$(out)" '^deny -> allow  NetworkConnect,.* a\.example\.com:8443  \(file:api\)$'
unlike "... and not what stays" "$(out)" 'FileOpenReadOnly'
leash_run policy diff --json my.cedar new.cedar
is "diff --json" "$RC $(jq -c '[(.policies | length), ([.decisions[] | select(.object == "a.example.com:443")] | length > 0), .complete]' "$OUT")" \
	'1 [4,true,true]'
sed 's/"GET"/"PUT"/' "$WORK/http.cedar" | user_file "$WORK/http-new.cedar"
leash_run policy diff http.cedar http-new.cedar
like "diff: requests of HTTP" "$RC $(out)" 'allow -> deny  HttpRequest api\.example\.com:443  with method=GET headers=accept,a, b'
leash_run policy diff guarded locked
like "diff: profiles" "$RC $(out | tail -n 1)" '^1 .* requests are decided differently'
leash_run policy diff guarded
is "diff with what is in force" "$RC" 0
leash_run policy diff my.cedar bad.cedar
is "diff: a policy with mistakes: exit 2" "$RC" 2

# ---- trust
mkdir "$T_HOME/late" && chown "$T_UID:$T_GID" "$T_HOME/late"
project='permit (principal, action in Action::"FileOpenReadWrite", resource in Dir::"~/late/");'
user_file "$WORK/.leash/policy.cedar" <<<"$project"
LEASH_FLAGS=(-I)
leash_run -- sh -c 'echo one >~/late/one'
check "a project's permit is ignored" test ! -e "$T_HOME/late/one"
like "... and the user is told" "$(err)" 'leash policy trust'
LEASH_FLAGS=()
leash_run policy trust
is "trust" "$RC:$(out)" "0:$project
trusted: $WORK/.leash/policy.cedar"
leash_run policy trust --list
like "trust --list" "$RC $(out)" "^0 20.* trusted +$WORK/\.leash/policy\.cedar$"
LEASH_FLAGS=(-I)
leash_run -- sh -c 'echo one >~/late/one; echo "$1" >.leash/policy.cedar; echo x >~/.local/state/leash/trusted/x' sh "$project"
is "... then the permit counts" "$(cat "$T_HOME/late/one")" one
unlike "... without a word" "$(err)" 'leash policy trust'
is "... and neither the file nor what is trusted can be changed from inside" \
	"$(err | grep -c 'Permission denied'):$(find "$STATE/trusted" -name x)" 2:
echo "$project // changed" | user_file "$WORK/.leash/policy.cedar"
leash_run -- sh -c 'echo two >~/late/two'
check "a changed file is not trusted" test ! -e "$T_HOME/late/two"
LEASH_FLAGS=()
leash_run policy trust --list --json
is "... which --list says" "$(jq -c '[.[0].trusted, (.[0].sha256 | length)]' "$OUT")" '[false,64]'
echo "$project" | user_file "$WORK/.leash/policy.cedar"
LEASH_FLAGS=(-I)
leash_run -- sh -c 'echo two >~/late/two'
check "... and as it was, it is again" test -e "$T_HOME/late/two"
LEASH_FLAGS=()
leash_run policy trust --revoke "$WORK"
is "trust --revoke" "$RC:$(out)" "0:not trusted any more: $WORK/.leash/policy.cedar"
leash_run policy trust --revoke
like "... of what is not trusted: exit 1" "$RC $(err)" '^1 .*is not trusted'
LEASH_FLAGS=(-I)
leash_run -- sh -c 'echo three >~/late/three'
check "... and the permit is ignored again" test ! -e "$T_HOME/late/three"
LEASH_FLAGS=()
echo 'permit (principal, action == Action::"x", resource);' | user_file "$WORK/.leash/policy.cedar"
leash_run policy trust
is "what has mistakes can't be trusted" "$RC:$(find "$STATE/trusted" -type f)" 1:

done_testing
