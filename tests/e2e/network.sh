#!/usr/bin/env bash
# The network as the agent sees it: permitted names work in every way that programs talk, everything
# else fails, what is denied never leaves, and each decision is in the log.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/support/world.sh"
enter_world "$@"
world_serve

policy=$T_HOME/policy.cedar
user_file "$policy" <<'EOF'
permit (principal, action in [Action::"FileOpen", Action::"ProcessExec", Action::"NetworkListen"], resource);
@id("names") permit (principal, action == Action::"NetworkConnect", resource == Host::"permitted.test");
permit (principal, action == Action::"NetworkConnect", resource == Host::"*.wild.test");
permit (principal, action == Action::"NetworkConnect", resource == Host::"badcert.test:443");
permit (principal, action == Action::"NetworkConnect", resource == Host::"hosts-file.test:443");
permit (principal, action == Action::"NetworkConnect", resource == Host::"rebind.test");
permit (principal, action == Action::"NetworkConnect", resource == Host::"metadata.test");
EOF
LEASH_FLAGS=(-I --policy "$policy")
curl=(curl -sS --max-time 15)

# requests FILTER: how many requests that match reached a server since the last forget.
requests() {
	jq -s "map(select($1)) | length" "$REQUESTS"
}
forget() {
	: >"$REQUESTS"
	QUERIES_FROM=$(($(wc -l <"$QUERIES") + 1))
}
nothing_arrived() {
	is "$1" "$(requests true)" 0
}

# ---- Permitted
forget
leash_run -- "${curl[@]}" https://permitted.test/x
is "HTTPS to a permitted name works" "$RC:$(out | cut -d ' ' -f 1-3)" "0:hello from permitted.test"
check_event "... the look-up is in the log" '.kind == "dns.query" and .decision == "allow" and .host == "permitted.test"'
check_event "... the connection too, with the address and the policy" \
	'.kind == "net.connect" and .decision == "allow" and .host == "permitted.test" and .port == 443 and .ip != null and
	 by("names")'
looked_up=$(events '.kind == "dns.query" and .host == "permitted.test"' | jq -s 'map(.seq)' -c)
check_event "... as what follows from the look-up" \
	'.kind == "net.connect" and .host == "permitted.test" and (.cause as $c | any($seqs[]; . == $c))' --argjson seqs "$looked_up"
check_event "... and the request as what follows from the connection" \
	'.kind == "http.request" and .host == "permitted.test" and .cause == $c' \
	--argjson c "$(events '.kind == "net.connect" and .host == "permitted.test"' | tail -n 1 | jq .seq)"
is "... once for each address that was tried" \
	"$(jq -s 'map(select(.kind == "net.connect")) | group_by(.ip) | map(length) | max' "$(events_file)")" 1
check_event "... by the program that made it" '.kind == "net.connect" and .comm == "curl" and (.exe | test("/curl$")) and .pid > 0'
leash_run -- "${curl[@]}" https://permitted.test:8443/
is "... on another port" "$RC:$(out | cut -d ' ' -f 1-3)" "0:hello from permitted.test:8443"
leash_run -- "${curl[@]}" http://permitted.test/
is "... in clear" "$RC:$(out | cut -d ' ' -f 1-3)" "0:hello from permitted.test"
check_request "... and the request is in the log" \
	'.decision == "allow" and .method == "GET" and (.url | endswith("/")) and .status == 200'
leash_run -- "${curl[@]}" --http1.1 https://permitted.test/
is "... over HTTP/1.1" "$(out)" "hello from permitted.test over HTTP/1.1"
leash_run -- "${curl[@]}" --http2 https://permitted.test/
is "... over HTTP/2" "$(out)" "hello from permitted.test over HTTP/2.0"
leash_run -- "${curl[@]}" -6 https://permitted.test/
is "... over IPv6" "$RC:$(out | cut -d ' ' -f 1-3)" "0:hello from permitted.test"
leash_run -- "${curl[@]}" https://api.wild.test/
is "... by a wildcard" "$RC:$(out | cut -d ' ' -f 1-3)" "0:hello from api.wild.test"
if natively; then
	leash_run -- "${curl[@]}" https://hosts-file.test/
	is "... named in the host's /etc/hosts" "$RC" 0
fi
leash_run -- "${curl[@]}" -o /dev/null -w '%{http_code} %{size_download}' 'https://permitted.test/big?bytes=20000000'
is "20 MB come down whole" "$(out)" "200 20000000"
head -c 5000000 /dev/urandom | user_file "$WORK/upload"
leash_run -- "${curl[@]}" --data-binary @upload https://permitted.test/echo
is "5 MB go up whole" "$(out)" "POST 5000000 $(sha256sum <"$WORK/upload" | cut -d ' ' -f 1)"
# Each line with the milliseconds of its arrival; a process for that would take time of its own.
stamped='while read -r l; do t=${EPOCHREALTIME/[.,]/}; [ -z "$l" ] || echo "$l ${t%???}"; done'
leash_run -- bash -c "curl -sSN https://permitted.test/stream | $stamped"
is "a stream arrives as it comes: each part before the next is sent" \
	"$(out | awk 'NR > 1 && arrived < $4 { n++ } { arrived = $5 } END { print n }')" 2
leash_run -- python3 -c 'import urllib.request as u; print(u.urlopen("https://permitted.test/").read().decode().strip())'
like "python's ssl does" "$(out)" 'hello from permitted.test'
leash_run -- sh -c 'printf "GET / HTTP/1.0\r\nHost: permitted.test\r\n\r\n" |
	openssl s_client -quiet -verify_return_error -verify_hostname permitted.test -connect permitted.test:443 -servername permitted.test 2>&1'
like "openssl does" "$(out)" 'hello from permitted.test'
leash_run -- sh -c 'echo hi | nc -w 5 permitted.test 2222'
is "a protocol that is neither TLS nor HTTP works" "$(out | tr -d '\r')" $'220 at your service\nyou said hi'

# ---- Names that are not permitted
forget
leash_run -- "${curl[@]}" https://forbidden.test/
is "a name that is not permitted can't be reached" "$([ "$RC" != 0 ] && echo fails):$(out)" "fails:"
check_event "... the look-up is denied" '.kind == "dns.query" and .decision == "deny" and .host == "forbidden.test"'
refute "... and never leaves" was_asked forbidden.test "$QUERIES_FROM"
nothing_arrived "... nothing arrived there"
leash_run -- python3 -c '
import socket, struct
q = struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + b"\x09forbidden\x04test\0" + struct.pack(">2H", 1, 1)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
for server in ("203.0.113.53", "8.8.8.8", "203.0.113.66"):
	s.sendto(q, (server, 53)); a, peer = s.recvfrom(512)
	print(server, "rcode", a[3] & 15, "from", peer[0])'
is "... whatever resolver is asked: REFUSED" "$(out | grep -c 'rcode 5')" 3
refute "... and never leaves" was_asked forbidden.test "$QUERIES_FROM"
leash_run -- python3 -c '
import socket, struct
q = struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + b"\x09forbidden\x04test\0" + struct.pack(">2H", 1, 1)
s = socket.create_connection(("203.0.113.53", 53), 5); s.sendall(struct.pack(">H", len(q)) + q)
print("rcode", s.recv(600)[5] & 15)'
is "... nor over TCP" "$(out)" "rcode 5"
refute "... and never leaves" was_asked forbidden.test "$QUERIES_FROM"
label=$(head -c 40 /dev/urandom | base32 | tr -d = | tr '[:upper:]' '[:lower:]' | head -c 55)
leash_run -- getent hosts "$label.tunnel.test"
is "data in the labels of a foreign zone goes nowhere" "$([ "$RC" != 0 ] && echo fails)" fails
refute "... and never leaves" was_asked "$label.tunnel.test" "$QUERIES_FROM"
leash_run -- getent hosts permitted.test
is "a permitted name resolves" "$RC" 0

# ---- Ways around the name
few https://203.0.113.10/ https://203.0.113.66/ 'https://[2001:db8::10]/' http://203.0.113.10/ \
	http://3405803786/ http://0313.0.0161.012/ 'http://[::ffff:203.0.113.10]/'
for url in "${FEW[@]}"; do
	forget
	leash_run -- "${curl[@]}" -kf "$url"
	is "an address instead of a name fails: $url" "$([ "$RC" != 0 ] && echo fails):$(requests '.kind == "http"')" "fails:0"
	check_event "... and the log has it" '(.kind == "net.connect" or .kind == "http.request") and .decision == "deny" and .ip != null'
done
forget
leash_run -- "${curl[@]}" -k --resolve forbidden.test:443:203.0.113.10 https://forbidden.test/
unlike "a permitted address under a forbidden server name fails" "$(out)" hello
nothing_arrived "... nothing arrived"
leash_run -- sh -c 'curl -sS --max-time 15 https://permitted.test/ && curl -sSk --max-time 15 --connect-to forbidden.test:443:permitted.test:443 https://forbidden.test/'
is "SNI that is not the name looked up is refused" "$(out | grep -c hello)" 1
check_event "... and the log has it" '.decision == "deny" and ((.host // "") == "forbidden.test" or .kind == "mismatch")'
forget
leash_run -- "${curl[@]}" -H 'Host: forbidden.test' http://permitted.test/
unlike "a Host header that is not the name is refused" "$(out)" hello
is "... nothing arrived under it" "$(requests '.kind == "http"')" 0
leash_run -- "${curl[@]}" -L 'https://permitted.test/redirect?to=https://forbidden.test/'
unlike "a redirection to a forbidden name is not followed" "$(out)" hello
leash_run -- "${curl[@]}" -k https://rebind.test/
unlike "a permitted name that resolves to the host's loopback is refused" "$(out)" hello
leash_run -- "${curl[@]}" http://metadata.test/
unlike "... or to the cloud's metadata" "$(out)" hello

# ---- Other than TCP
udp='import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2)
try:
	s.sendto(b"x", (sys.argv[1], 7777)); print(s.recvfrom(100)[0])
except OSError as e: print("fails")'
few 203.0.113.10 203.0.113.66 2001:db8::10
for address in "${FEW[@]}"; do
	forget
	leash_run -- python3 -c "$udp" "$address"
	is "a datagram to $address fails" "$(out)" fails
	nothing_arrived "... nothing arrived"
	check_event "... and the log has it" '.kind == "net.datagram" and .decision == "deny" and .ip == $a' --arg a "$address"
done
few 'AF_INET, SOCK_RAW, 1' 'AF_PACKET, SOCK_RAW, 0' 'AF_VSOCK, SOCK_STREAM, 0' 'AF_ALG, SOCK_SEQPACKET, 0'
for socket in "${FEW[@]}"; do
	leash_run -- python3 -c "import socket as s; from socket import *; s.socket($socket)"
	like "no socket($socket)" "$RC $(tail -n 1 "$ERR")" '^1 .*(PermissionError|Operation not permitted|not supported|not permitted)'
done

# ---- Loopback
# shellcheck disable=SC2016
inner='require("http").createServer((q, s) => s.end("dev server")).listen(process.argv[1], process.argv[2], async () => {
	const r = await fetch(`http://${process.argv[2].includes(":") ? "[::1]" : "127.0.0.1"}:${process.argv[1]}/`);
	console.log(await r.text()); process.exit(); })'
leash_run -- node -e "$inner" 3000 127.0.0.1
is "a server on the container's loopback can be reached inside" "$(out)" "dev server"
leash_run -- node -e "$inner" 3000 ::1
is "... over IPv6" "$(out)" "dev server"
leash_run -- "${curl[@]}" -k https://127.0.0.1/
is "the host's loopback can't" "$RC:$(out)" 7:
leash_start -p 18123:3000 -- node -e 'require("http").createServer((q, s) => s.end("published " + q.url)).listen(3000, "127.0.0.1", () => console.log("up"))'
wait_for 20 grep -q up "$OUT"
check "-p publishes a port" wait_for 10 port_is_open 127.0.0.1 18123
is "... of a server inside" "$(curl -sS --max-time 10 http://127.0.0.1:18123/a 2>&1)" "published /a"
refute "... on loopback only" port_is_open 203.0.113.10 18123
kill -TERM "$LEASH_PID"
leash_wait 20
refute "... and closes with the session" port_is_open 127.0.0.1 18123

# ---- Requests in clear
user_file "$T_HOME/requests.cedar" <<'EOF'
permit (principal, action in [Action::"FileOpen", Action::"ProcessExec", Action::"NetworkConnect"], resource);
@id("no-posts") forbid (principal, action == Action::"HttpRequest", resource == Host::"api.wild.test")
	when { context.method == "POST" };
@id("no-admin") forbid (principal, action == Action::"HttpRequest", resource == Host::"api.wild.test")
	when { context.path like "/admin/*" };
@id("with-id") forbid (principal, action == Action::"HttpRequest", resource == Host::"api.wild.test")
	when { context.path == "/needs-id" } unless { context.headers has "x-request-id" };
EOF
LEASH_FLAGS=(-I --policy "$T_HOME/requests.cedar")
# Bytes to port 80 of api.wild.test, and what comes back within three seconds.
raw='import socket, sys
s = socket.create_connection(("api.wild.test", 80), 5)
for part in sys.argv[1:]:
	s.sendall(part.encode().decode("unicode_escape").encode("latin-1"))
	s.settimeout(3)
	try:
		while True:
			b = s.recv(65536)
			if not b: break
			print(b.decode("latin-1"), flush=True)
			if len(sys.argv) > 2: break
	except OSError: pass'
forget
leash_run -- "${curl[@]}" -w ' %{http_code}' http://api.wild.test/a -d secret=1
like "a forbidden method gets 403" "$(out | tr -d '\n')" '"policy":"file:no-posts".* 403$'
is "... and does not arrive" "$(requests '.kind == "http"')" 0
check_event "... and the log names method, place and policy" '.kind == "http.request" and .decision == "deny" and
	.method == "POST" and .url == "http://api.wild.test/a" and .host == "api.wild.test" and by("no-posts") and .comm == "curl"'
leash_run -- "${curl[@]}" http://api.wild.test/1 --next -sS http://api.wild.test/2 -d x --next -sS http://api.wild.test/3
is "each request is decided again" "$(out | grep -c '^hello')" 2
forget
leash_run -- "${curl[@]}" -o /dev/null -w '%{http_code}' -H 'X-Request-Id: 1' http://api.wild.test/needs-id
is "a header that a policy asks for is seen, and arrives" "$(out):$(requests '.headers["x-request-id"] == "1"')" 200:1
forget
leash_run -- "${curl[@]}" -o /dev/null -w '%{http_code}' -H 'X-Request-Id: 1' -H 'Connection: x-request-id' http://api.wild.test/needs-id
is "... not one that is taken out on the way" "$(out):$(requests '.kind == "http"')" 403:0
leash_run -- "${curl[@]}" "http://api.wild.test/find?key=abcdef"
check_event "a permitted one is in the log with its status, its query is not" '.kind == "http.request" and .decision == "allow" and
	.method == "GET" and .status == 200 and (.url | startswith("http://api.wild.test/find")) and (.url | contains("abcdef") | not)'
forget
leash_run -- python3 -c "$raw" 'GET /one HTTP/1.1\r\nHost: api.wild.test\r\n\r\nPOST /two HTTP/1.1\r\nHost: api.wild.test\r\nContent-Length: 1\r\n\r\nx'
is "... also when both are sent at once" "$(out | grep -c 'HTTP/1.1 200'):$(out | grep -c 'HTTP/1.1 403'):$(requests '.kind == "http"')" 1:1:1
few /admin/x /x/../admin/x /%61dmin/x /x/%2e%2e/admin/x '//x/..//../admin/x' /./admin/x '/x/..;/admin/x' /x/..%2fadmin/x
for path in "${FEW[@]}"; do
	forget
	leash_run -- "${curl[@]}" --path-as-is -o /dev/null -w '%{http_code}' "http://api.wild.test$path"
	is "a forbidden path by another spelling gets 403: $path" "$(out):$(requests '.kind == "http"')" 403:0
done
forget
leash_run -- python3 -c "$raw" 'GET /one HTTP/1.1\r\nHost: api.wild.test\r\n\r\n' 'GET /two HTTP/1.1\r\nHost: forbidden.test\r\n\r\n'
is "a later request for another host gets 421" "$(out | grep -c 'HTTP/1.1 200'):$(out | grep -c 'HTTP/1.1 421'):$(requests '.kind == "http"')" 1:1:1
check_event "... and the log has it" '.kind == "mismatch" and .decision == "deny"'
# How it is read is the same in a container.
if natively; then
	for old in 'GET /admin/x\r\n' 'GET /admin/x\n' '\r\nGET  /admin/x\r\n\r\n' 'GET\t/admin/x\n' 'GET http://api.wild.test/admin/x\r\n'; do
		forget
		leash_run -- python3 -c "$raw" "$old"
		is "a request of HTTP/0.9 goes nowhere: $old" "$(requests '.kind == "http"')" 0
		check_event "... and the log has it" '.kind == "net.connect" and .decision == "deny" and .port == 80 and (.message | contains("malformed"))'
	done
	for bad in 'Content-Length: 4\r\nTransfer-Encoding: chunked' 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked' \
		'Content-Length: 4\r\nContent-Length: 5' 'Content-Length: +4' 'Transfer-Encoding: xchunked' 'X: a\r\n b' 'X : a' \
		'Host: api.wild.test' 'Transfer-Encoding: chunked\r\nX: \x01'; do
		forget
		leash_run -- python3 -c "$raw" 'GET /one HTTP/1.1\r\nHost: api.wild.test\r\n\r\n' \
			"PUT /two HTTP/1.1\\r\\nHost: api.wild.test\\r\\n$bad\\r\\n\\r\\n0\\r\\n\\r\\nGET /admin/x HTTP/1.1\\r\\nHost: api.wild.test\\r\\n\\r\\n"
		is "a request that could be read in two ways gets 400: $bad" \
			"$(out | grep -c 'HTTP/1.1 200'):$(out | grep -c 'HTTP/1.1 400'):$(requests '.kind == "http"')" 1:1:1
	done
	leash_run -- "${curl[@]}" -o /dev/null -w '%{http_code} %{size_download}' 'http://permitted.test/big?bytes=20000000'
	is "20 MB come down whole in clear" "$(out)" "200 20000000"
	leash_run -- "${curl[@]}" --data-binary @upload http://permitted.test/echo
	is "5 MB go up whole in clear" "$(out)" "POST 5000000 $(sha256sum <"$WORK/upload" | cut -d ' ' -f 1)"
	leash_run -- "${curl[@]}" -H 'Transfer-Encoding: chunked' --data-binary @upload http://permitted.test/echo
	is "... in chunks" "$(out)" "POST 5000000 $(sha256sum <"$WORK/upload" | cut -d ' ' -f 1)"
	leash_run -- "${curl[@]}" -I http://permitted.test/
	like "HEAD works" "$(out)" '^HTTP/1.1 200'
	leash_run -- bash -c "curl -sSN http://permitted.test/stream | $stamped"
	is "a stream in clear arrives as it comes" "$(out | awk 'NR > 1 && arrived < $4 { n++ } { arrived = $5 } END { print n }')" 2
	leash_run -- python3 -c "$raw" 'GET /ws HTTP/1.1\r\nHost: api.wild.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'
	is "a WebSocket is joined" "$(out | grep -c 'HTTP/1.1 101')" 1
	check_event "... and in the log" '.kind == "ws.open" and .host == "api.wild.test" and (.url | endswith("/ws"))'
	leash_run -- python3 -c "$raw" 'GET /h2c HTTP/1.1\r\nHost: api.wild.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n'
	is "no other protocol can be upgraded to" "$(out | grep -c 'HTTP/1.1 200'):$(out | grep -c 'HTTP/1.1 101')" 1:0
	leash_run -- "${curl[@]}" -w ' %{http_code}' http://api.wild.test/malformed
	like "a response that could be read in two ways gets 502" "$(out | tr -d '\n')" 'response is malformed.* 502$'
	check_event "... and the log says what is wrong with it" '.kind == "http.request" and (.url | endswith("/malformed")) and .message == "more than one length"'
	leash_run -- "${curl[@]}" --http1.0 http://permitted.test/
	like "HTTP/1.0 works" "$(out)" 'hello from permitted.test'
fi
forget
cat >>"$T_HOME/requests.cedar" <<'EOF'
@id("pinned") @tls("passthrough") permit (principal, action in Action::"NetworkConnect", resource in Host::"*.test");
EOF
leash_run -- "${curl[@]}" -k https://api.wild.test/a
unlike "what cannot be seen is refused where a policy looks at requests" "$(out)" hello
check_event "... and the log says why" '.decision == "deny" and .host == "api.wild.test" and (.message // "" | contains("cannot be seen"))'
user_file "$WORK/world.pem" <"$WORLD_CA"
leash_run -- "${curl[@]}" --cacert "$WORK/world.pem" https://permitted.test/a
like "... and nowhere else: there TLS is left alone" "$(out)" 'hello from permitted.test'
LEASH_FLAGS=(-I --policy "$policy")

# ---- Inside TLS
leash_run -- sh -c 'openssl s_client -connect permitted.test:443 -servername permitted.test </dev/null 2>/dev/null |
	openssl x509 -noout -issuer'
like "inside TLS a certificate of the session's authority is shown" "$(out)" 'leash session CA'
forget
leash_run -- "${curl[@]}" https://permitted.test/x
check_event "a request inside TLS is in the log" \
	'.kind == "http.request" and .decision == "allow" and .method == "GET" and (.url | endswith("/x")) and .status == 200'
leash_run -- node -e '
	const get = async (u) => (await fetch(u)).text();
	process.stdout.write((await Promise.all([1, 2, 3, 4].map(() => get("https://permitted.test/")))).join(""));' --input-type=module
is "node's fetch trusts the session's CA" "$(out | grep -c 'hello from permitted.test')" 4
forget
leash_run -- "${curl[@]}" -k -H 'Host: forbidden.test' https://permitted.test/
unlike "a Host header in TLS that is not the name is refused" "$(out)" hello
is "... nothing arrived under it" "$(requests '.kind == "http"')" 0
forget
leash_run -- "${curl[@]}" -k https://badcert.test/
unlike "a server whose certificate the host does not trust is refused" "$(out)" hello
is "... even when the client does not care" "$(requests '.kind == "http"')" 0
user_file "$T_HOME/requests.cedar" <<'EOF'
permit (principal, action in [Action::"FileOpen", Action::"ProcessExec", Action::"NetworkConnect"], resource);
@id("no-posts") forbid (principal, action == Action::"HttpRequest", resource == Host::"api.wild.test")
when { context.method == "POST" };
EOF
LEASH_FLAGS=(-I --policy "$T_HOME/requests.cedar")
forget
leash_run -- "${curl[@]}" -o /dev/null -w '%{http_code}' https://api.wild.test/a -d x
is "a forbidden method gets 403" "$(out)" 403
is "... and does not arrive" "$(requests '.kind == "http"')" 0
check_event "... and the log names the policy" \
	'.kind == "http.request" and .decision == "deny" and .method == "POST" and by("no-posts")'
leash_run -- "${curl[@]}" https://api.wild.test/1 --next -sS https://api.wild.test/2 -d x --next -sS https://api.wild.test/3
is "each request on a connection is decided again" "$(out | grep -c '^hello')" 2
LEASH_FLAGS=(-I --policy "$policy")

# ---- The end of a session, with a connection open
forget
leash_run -- sh -c '"$@" & sleep 2' sh "${curl[@]}" -d secret=1 https://permitted.test/never
is "a request that is not answered before the session ends has arrived" "$(requests '.url == "/never"')" 1
check_request "... and is in the log" '.decision == "allow" and .method == "POST" and (.url | endswith("/never"))'
check_event "... the end of its connection, too" '.kind == "net.close" and .host == "permitted.test" and .bytes_out > 0'

# ---- Nothing permitted at all
user_file "$policy" <<'EOF'
permit (principal, action in [Action::"FileOpen", Action::"ProcessExec"], resource);
EOF
forget
leash_run -- "${curl[@]}" https://permitted.test/
is "without a permit nothing is reached" "$([ "$RC" != 0 ] && echo fails):$(requests true)" fails:0
refute "... or looked up" was_asked permitted.test "$QUERIES_FROM"
check_event "... by default" '.decision == "deny" and .policies == ["default"]'

done_testing
