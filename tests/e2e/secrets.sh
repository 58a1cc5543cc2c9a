#!/usr/bin/env bash
# Secrets: the agent holds placeholders, the server sees the real ones where they are bound to, and
# nobody else sees them anywhere.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/support/world.sh"
enter_world "$@"

# Clear HTTP that tells back what it was asked, in header and body.
cat >"$T/echo.py" <<'EOF2'
import base64, http.server, json, sys, time
log = open(sys.argv[1], "a")
class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        log.write(json.dumps({"host": self.headers["Host"], "path": self.path, "headers": dict(self.headers)}) + "\n")
        log.flush()
        said = "".join("%s: %s\n" % h for h in self.headers.items()).encode()
        if self.path == "/events":
            return self.events(self.headers["X-Api-Key"][:20])
        self.send_response(200)
        self.send_header("X-Echo", self.headers.get("X-Api-Key", ""))
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        step = 1 if "slow" in self.path else 7
        for i in range(0, len(said), step):
            part = said[i:i + step]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
    def events(self, beginning):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for text in [beginning, "sent %d" % (time.time() * 1000 + 1000)]:
            self.wfile.write(b"data: %s\n\n" % text.encode())
            self.wfile.flush()
            time.sleep(1)
        self.close_connection = True
    do_POST = do_GET
    def log_message(self, *a): pass
class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
server = Server((sys.argv[2], int(sys.argv[3])), Echo)
print("ready", flush=True)
server.serve_forever()
EOF2
SEEN=$T/seen
: >"$SEEN"
start_service python3 "$T/echo.py" "$SEEN" 203.0.113.10 80
start_service python3 "$T/echo.py" "$SEEN" 203.0.113.66 80
start_service python3 "$T/echo.py" "$SEEN" 203.0.113.10 8080

KEY=sk-ant-api03-$(head -c 40 /dev/urandom | base64 -w 0 | tr -d '+/=')
TOKEN=ghp_$(head -c 40 /dev/urandom | base64 -w 0 | tr -d '+/=')
CALLER_ENV=("MY_KEY=$KEY" "OTHER=prefix-$KEY-suffix")
printf '%s\n' "$TOKEN" | user_file "$T_HOME/token" 600
LEASH_FLAGS=(-I --profile permissive)
SECRETS=(--secret 'KEY=env:MY_KEY,host=http://permitted.test' --secret "GH_TOKEN=cmd:cat $T_HOME/token,host=http://permitted.test,path=/gh/,header=authorization")
curl='curl -sS --max-time 15'

# values_anywhere FILE…: how many of the files hold a real value.
values_in() {
	grep -rlaF -e "$KEY" -e "$TOKEN" -- "$@" 2>/dev/null | wc -l
}
seen() {
	jq -r -s "map(select($1)) | last | $2" "$SEEN"
}

# ---- The placeholder
# shellcheck disable=SC2016
leash_run "${SECRETS[@]}" -- sh -c 'echo "$MY_KEY"; echo "$GH_TOKEN"'
mapfile -t PLACEHOLDERS <"$OUT"
is "the agent's variable holds something as long" "$RC:${#PLACEHOLDERS[0]}" "0:${#KEY}"
like "... which begins alike" "${PLACEHOLDERS[0]}" '^sk-ant-api03-[A-Za-z0-9]+$'
unlike "... and is another" "${PLACEHOLDERS[0]}" "^$KEY\$"
like "... from a command, too" "${PLACEHOLDERS[1]}" '^ghp_[A-Za-z0-9]+$'
leash_run "${SECRETS[@]}" -- sh -c 'echo "$MY_KEY"'
unlike "... and another in each session" "$(out)" "^${PLACEHOLDERS[0]}\$"
leash_run --env-inherit "${SECRETS[@]}" -- env
is "with the whole environment, no value is in any variable" "$(grep -cF "$KEY" "$OUT")" 0
like "... but placeholders are" "$(grep ^OTHER= "$OUT")" '^OTHER=prefix-sk-ant-api03-[A-Za-z0-9]+-suffix$'

# ---- Where it is bound to
leash_run "${SECRETS[@]}" -- sh -c "$curl -i -H \"x-api-key: \$MY_KEY\" http://permitted.test/slow"
is "the server sees the secret" "$(seen '.path == "/slow"' '.headers["x-api-key"] // .headers["X-Api-Key"]')" "$KEY"
is "... asked for no encoding" "$(seen '.path == "/slow"' '.headers["accept-encoding"]')" identity
is "the agent sees no secret in the response" "$(grep -cF "$KEY" "$OUT")" 0
is "... but placeholders, in head and body" "$(grep -cE '(X-Echo|x-echo|x-api-key): sk-ant-api03-' "$OUT")" 2
check_event "the log names header and secret" \
	'.kind == "http.rewrite" and .host == "permitted.test" and .header == "x-api-key" and .secret == "KEY"'
leash_run "${SECRETS[@]}" -- bash -c "$curl -N -H \"x-api-key: \$MY_KEY\" http://permitted.test/events |
	while read -r _ text ms; do t=\${EPOCHREALTIME/[.,]/}; [ -z \"\$text\" ] || echo \"\$text \$ms \${t%???}\"; done"
is "an event that ends like the beginning of a secret does not wait for the next" \
	"$(awk 'NR == 1 { text = $1; arrived = $2 } $1 == "sent" { print text, arrived < $2 }' "$OUT")" "${KEY:0:20} 1"
leash_run --detach "${SECRETS[@]}" -- sh -c "$curl -H \"x-api-key: \$MY_KEY\" http://permitted.test/detached; sleep 1"
wait_for 15 grep -q /detached "$SEEN"
is "a detached session's server gets it as well" "$RC:$(seen '.path == "/detached"' '.headers["x-api-key"]')" "0:$KEY"
is "... and what it keeps of its output has it not" "$(values_in "$STATE"/sessions/*/output)" 0
leash_run "${SECRETS[@]}" -- sh -c "$curl -u \"me:\$MY_KEY\" http://permitted.test/basic"
is "the Basic scheme is taken apart" "$(seen '.path == "/basic"' '.headers.authorization' | cut -d ' ' -f 2 | base64 -d)" "me:$KEY"
unlike "... and its echo scrubbed" "$(sed -n 's/^authorization: Basic //p' "$OUT" | base64 -d)" "${KEY:20:20}"
leash_run "${SECRETS[@]}" -- sh -c "$curl -H \"Authorization: Bearer \$GH_TOKEN\" http://permitted.test/gh/x"
is "a secret of a path and header goes there" "$(seen '.path == "/gh/x"' '.headers.authorization')" "Bearer $TOKEN"

# ---- TLS, in both versions of HTTP
world_tls_echo() {
	cat >"$T/echo.mjs" <<'EOF2'
import fs from 'node:fs';
import http2 from 'node:http2';
const [dir, log, address] = process.argv.slice(2);
const server = http2.createSecureServer({ allowHTTP1: true, key: fs.readFileSync(dir + '/good.key'), cert: fs.readFileSync(dir + '/good.pem') },
	(req, res) => {
		fs.appendFileSync(log, JSON.stringify({ version: req.httpVersion, path: req.url, headers: req.headers }) + '\n');
		const said = Object.entries(req.headers).filter(([k]) => k[0] !== ':').map(([k, v]) => k + ': ' + v + '\n').join('');
		res.setHeader('x-echo', req.headers['x-api-key'] ?? '');
		if (req.url === '/encoded') res.setHeader('content-encoding', 'gzip');
		let i = 0;
		const more = () => (i < said.length ? (res.write(said.slice(i, i += 5)), setImmediate(more)) : res.end());
		more();
	});
server.listen(443, address, () => console.log('ready'));
EOF2
	start_service node "$T/echo.mjs" "$WORLD_TLS" "$SEEN" "$1"
}
world_tls_echo 203.0.113.10
world_tls_echo 203.0.113.66
TLS=(--secret KEY=env:MY_KEY,host=permitted.test)
for version in 1.1 2; do
	leash_run "${TLS[@]}" -- sh -c "$curl --http$version -i -H \"x-api-key: \$MY_KEY\" https://permitted.test/tls$version"
	is "HTTP/$version over TLS: the server sees the secret" "$(seen ".path == \"/tls$version\"" '.headers["x-api-key"]')" "$KEY"
	like "... in that version" "$(seen ".path == \"/tls$version\"" .version)" "^$version"
	is "... the agent does not" "$(grep -cF "$KEY" "$OUT"):$(grep -cE '^(x-echo|x-api-key): sk-ant-api03-' "$OUT")" 0:2
	check_event "... recorded by name" '.kind == "http.rewrite" and .host == "permitted.test" and .port == 443 and .secret == "KEY"'
	: >"$SEEN"
	leash_run "${TLS[@]}" -- sh -c "$curl --http$version -H \"x-api-key: \$MY_KEY\" https://forbidden.test/"
	like "... another host is refused" "$(out)" '"error":"refused for a secret"'
	is "... nothing arrived there" "$(wc -l <"$SEEN")" 0
	leash_run "${TLS[@]}" -- sh -c "$curl --http$version -H \"x-api-key: \$MY_KEY\" https://permitted.test/encoded"
	like "... an encoded response is refused" "$(out)" malformed
done

# ---- Anywhere else
refused() {
	local name=$1 command=$2
	: >"$SEEN"
	leash_run "${SECRETS[@]}" -- sh -c "$command"
	like "$name: refused" "$(out)" '"error":"refused for a secret"'
	is "... nothing arrived" "$(wc -l <"$SEEN")" 0
	check_event "... and recorded, by name" '.kind == "http.request" and .decision == "deny" and (.secret | IN("KEY", "GH_TOKEN")) and .policies == ["secret"]'
}
refused "another host" "$curl -H \"x-api-key: \$MY_KEY\" http://forbidden.test/"
refused "another host's Basic" "$curl -u \"me:\$MY_KEY\" http://forbidden.test/"
refused "another port" "$curl -H \"x-api-key: \$MY_KEY\" http://permitted.test:8080/"
refused "another path" "$curl -H \"authorization: \$GH_TOKEN\" http://permitted.test/ghx"
refused "a way out of the path" "$curl --path-as-is -H \"authorization: \$GH_TOKEN\" http://permitted.test/gh/../x"
refused "another header" "$curl -H \"cookie: \$GH_TOKEN\" http://permitted.test/gh/x"
refused "the query" "$curl \"http://permitted.test/?k=\$MY_KEY\""
refused "the host's address" "$curl -H \"x-api-key: \$MY_KEY\" http://203.0.113.10/"
leash_run "${SECRETS[@]}" -- sh -c "$curl -H 'Host: permitted.test' -H \"x-api-key: \$MY_KEY\" http://forbidden.test/"
is "a forged Host redirects nothing" "$(values_in "$SEEN")" 0
CALLER_ENV+=("SAFE_KEY=$KEY")
leash_run --secret KEY=env:SAFE_KEY,host=permitted.test -- sh -c "$curl -H \"x-api-key: \$SAFE_KEY\" http://permitted.test/"
like "without http:// in its binding, never in clear" "$(out)" 'refused for a secret'

# ---- Nowhere
mkfifo "$T/in"
exec 7<>"$T/in"
STDIN=$T/in leash_start "${SECRETS[@]}" -- sh -c "$curl -H \"x-api-key: \$MY_KEY\" http://permitted.test/ >/dev/null; echo ready; read -r x; :"
check "a session runs" wait_for 20 grep -q ready "$OUT"
is "no process of the container has a value in memory, environment or arguments" \
	"$(python3 "$WORLD_LIB/memory.py" "$LEASH_PID" "$KEY" "$TOKEN" 2>>"$T/memory.err")" "2 0"
diag "$(head -n 5 "$T/memory.err")"
echo >&7
leash_wait
exec 7>&-
is "nothing that leash wrote has one" "$(values_in "$STATE" "$T_HOME/.cache" "$T_HOME/.config" "$OUT" "$ERR" /run/user/"$T_UID")" 0
leash_run "${SECRETS[@]}" -V -- true
is "... nor what it says" "$(values_in "$OUT" "$ERR")" 0

# ---- Sources
leash_run --secret "KEY=file:$T_HOME/token,host=permitted.test" -- cat "$T_HOME/token"
unlike "a secret's file cannot be read inside" "$(out)" "$TOKEN"
check_event "... by a rule of its own" '.kind == "file.open" and .decision == "deny" and by("secret-KEY")'
for bad in 'KEY' 'KEY=x' "KEY=$KEY" 'KEY=env:NOT_SET,host=a.test' 'KEY=env:MY_KEY,port=443' 'KEY=env:MY_KEY,host=a b' \
	'KEY=env:MY_KEY,host=a.test,port=99999' 'KEY=file:/nonexistent,host=a.test' 'KEY=cmd:exit 3,host=a.test' \
	'KEY=cmd:echo short,host=a.test' 'K EY=env:MY_KEY,host=a.test'; do
	leash_run --secret "$bad" -- true
	like "no session with --secret ${bad//$KEY/…}" "$RC" '^(2|125)$'
	is "... and no value in the message" "$(values_in "$ERR"):$(grep -c . "$ERR")" 0:1
done

# ---- config.toml
user_file "$T_HOME/.config/leash/config.toml" 600 <<EOF2
[secrets.CONFIGURED]
from = "file:~/token"
host = ["http://permitted.test", "*.wild.test"]
header = "Authorization"
EOF2
leash_run -- sh -c "$curl -H \"Authorization: token \$CONFIGURED\" http://permitted.test/configured"
is "a secret of config.toml" "$(seen '.path == "/configured"' '.headers.authorization')" "token $TOKEN"
leash_run secret list
LEASH_FLAGS=()
leash_run secret list
like "leash secret list shows it" "$(out)" '^CONFIGURED +file:.*token +CONFIGURED +http://permitted.test:80 https://\*.wild.test:443'
leash_run secret list --json
is "... as JSON" "$(jq -r '.[0].name, .[0].places[1].host' "$OUT" | paste -sd ' ')" "CONFIGURED *.wild.test"
leash_run secret test CONFIGURED
like "leash secret test reads it" "$RC $(out)" '^0 CONFIGURED: can be read, (20|32|64|128)'
is "... and shows nothing" "$(values_in "$OUT" "$ERR")" 0
leash_run secret test NOTHING
is "... an unknown one is an error" "$RC" 1
printf '[secrets.A]\nfrom = "env:X"\nhots = "a.test"\n' | user_file "$T_HOME/.config/leash/config.toml" 600
leash_run -I -- true
like "a misspelt key is told with its line" "$RC $(err)" '^125 .*config.toml:3:1: unknown key hots; did you mean host\?'
rm "$T_HOME/.config/leash/config.toml"
LEASH_FLAGS=(-I --profile permissive)

# ---- HttpRewrite
CALLER_ENV=("MY_KEY=$KEY")
user_file "$WORK/.leash/policy.cedar" <<EOF2
permit (principal, action == Action::"HttpRewrite", resource == Host::"permitted.test")
when { context.header == "X-Not-Trusted" && context.value == "\${secret:KEY}" };
EOF2
user_file "$T_HOME/.config/leash/policy.cedar" <<EOF2
permit (principal, action == Action::"HttpRewrite", resource == Host::"permitted.test:80")
when { context.header == "Authorization" && context.value == "Bearer \${secret:KEY}" };
permit (principal, action == Action::"HttpRewrite", resource == Host::"permitted.test:80")
when { context.header == "X-Literal" && context.value == "literal-$TOKEN" };
EOF2
leash_run "${SECRETS[@]}" -- sh -c "$curl -H 'authorization: mine' http://permitted.test/rewritten; $curl http://forbidden.test/not"
is "a policy sets a header" "$(seen '.path == "/rewritten"' '.headers.authorization')" "Bearer $KEY"
is "... which the agent does not see" "$(values_in "$OUT" "$(events_file)")" 0
check_event "... recorded by name" '.kind == "http.rewrite" and .header == "authorization" and .secret == "KEY"'
is "... nowhere else" "$(seen '.path == "/not"' '.headers.authorization')" null
is "... and never in clear where nothing says http://" "$(seen '.path == "/rewritten"' '.headers["x-literal"]')" null
is "a project that is not trusted sets nothing" "$(seen '.path == "/rewritten"' '.headers["x-not-trusted"]')" null
LEASH_FLAGS=()
leash_run policy show
is "leash policy show keeps a literal value to itself" "$(values_in "$OUT")" 0
LEASH_FLAGS=(-I --profile permissive)
leash_run --secret OTHER=env:MY_KEY,host=http://permitted.test -- sh -c "$curl http://permitted.test/other"
like "a secret that a policy wants and nobody gave is refused on TLS, and not asked for in clear" "$(out)" '^host: permitted.test'
rm -r "$T_HOME/.config/leash/policy.cedar" "$WORK/.leash"

# ---- Known agents
user_file "$T_HOME/bin/claude" 755 <<EOF2
#!/bin/sh
echo "\$ANTHROPIC_API_KEY"
[ -z "\$ANTHROPIC_BASE_URL" ] || $curl -H "x-api-key: \$ANTHROPIC_API_KEY" "\$ANTHROPIC_BASE_URL/v1/messages" >/dev/null
EOF2
CALLER_ENV=("ANTHROPIC_API_KEY=$KEY")
leash_run -- "$T_HOME/bin/claude"
like "a known agent has a placeholder for its key" "$(out)" '^sk-ant-api03-'
is "... and no key" "$(values_in "$OUT")" 0
leash_run -e ANTHROPIC_BASE_URL=http://permitted.test:8080 -- "$T_HOME/bin/claude"
is "... which goes to the server that it is told" "$(seen '.path == "/v1/messages"' '.headers["x-api-key"]')" "$KEY"
leash_run -- sh -c 'echo "<$ANTHROPIC_API_KEY>"'
is "another program has nothing" "$(out)" "<>"
leash_run -e ANTHROPIC_API_KEY -- sh -c 'echo "$ANTHROPIC_API_KEY"'
like "-e KEY passes a placeholder" "$(out)" '^sk-ant-api03-'
is "... and no key" "$(values_in "$OUT")" 0
leash_run -e ANTHROPIC_API_KEY=a-value-of-its-own -- "$T_HOME/bin/claude"
is "-e KEY=VALUE passes that value" "$(out)" a-value-of-its-own
leash_run --forward-keys -- "$T_HOME/bin/claude"
is "--forward-keys passes the key" "$(out)" "$KEY"

done_testing
