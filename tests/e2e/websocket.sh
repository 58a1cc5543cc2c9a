#!/usr/bin/env bash
# WebSockets: leash follows them frame by frame. Clients and servers that keep to RFC 6455 notice
# nothing; of one that does not, nothing that is out of form reaches the other side; and a secret that
# a server sends back arrives as its placeholder, however it is cut.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/support/world.sh"
. "$(dirname "$0")/support/node-packages.sh"
PEERS=$ROOT/tests/e2e/support/websocket
install_client_packages
enter_world "$@"

mkdir "$WORK/peers"
cp "$PEERS"/* "$WORK/peers"
mount_client_packages "$WORK/peers"
chown "$T_UID:$T_GID" "$WORK/peers" "$WORK"/peers/*.*

SEEN=$T/seen
: >"$SEEN"
chmod 644 "$SEEN"
start_service python3 "$PEERS/raw.py" serve 203.0.113.10 8083 "$SEEN"
KEY=sk-ant-api03-$(head -c 40 /dev/urandom | base64 -w 0 | tr -d '+/=')
CALLER_ENV=("MY_KEY=$KEY")
LEASH_FLAGS=(-I --profile permissive --secret 'KEY=env:MY_KEY,host=http://permitted.test,port=8083')

# raw PATH ARGUMENT…: the client of the test's own to the server of its own. HEAD is the answer's first line with
# extensions and protocol; GOT all bytes behind it, in hexadecimal.
raw() {
	ASKED=$1
	leash_run -- python3 peers/raw.py talk permitted.test 8083 "$@" </dev/null
	HEAD=$(head -n 1 "$OUT")
	GOT=$(awk 'NR > 1 && NF == 2 && $1 ~ /^[0-9a-f]+$/ { printf "%s", $1 }' "$OUT")
}
# reached PATH: a request for it came to the server, which says so before it answers.
reached() {
	[ "$(jq -c --arg path "$1" 'select(.path == $path)' "$SEEN")" ]
}
# What the server got by the last path, which no other check has.
seen() {
	[ "$(jq -c --arg path "$ASKED" 'select(.path == $path and has("got"))' "$SEEN" | tee "$T/seen-last")" ]
}
arrived() {
	wait_for 12 seen
	jq -r .got "$T/seen-last"
}
hex() {
	printf %s "$1" | od -An -v -tx1 | tr -d ' \n'
}
text_of() {
	python3 -c 'import sys; print(bytes.fromhex(sys.argv[1]).decode("latin-1").replace("\0", ""))' "$1"
}

# ---- Programs that keep to the protocol
said=$'hello\nxy€z\nabéc\nTrue True\npong ponged\nextensions \n4001 bye\nclosed 3001'
clients=() servers=()
if /usr/bin/python3 -c 'import websockets' 2>/dev/null; then
	clients+=("python: websockets=/usr/bin/python3 peers/peer.py")
	servers+=("python: websockets=8081")
	start_service /usr/bin/python3 "$PEERS/peer.py" serve 203.0.113.10 8081
else
	skip "python: websockets" "Python has no module websockets"
fi
if [ -z "$NODE_PACKAGES_WHY" ]; then
	clients+=("node: ws=node peers/peer.cjs")
	servers+=("node: ws=8082")
	NODE_PATH=$WORK/peers/node_modules start_service node "$PEERS/peer.cjs" serve 203.0.113.10 8082
else
	skip "node: ws" "$NODE_PACKAGES_WHY"
fi
for secrets in without with; do
	[ $secrets = with ] || LEASH_FLAGS=(-I --profile permissive)
	[ $secrets = without ] || LEASH_FLAGS=(-I --profile permissive --secret 'KEY=env:MY_KEY,host=http://permitted.test,port=8083')
	for c in "${clients[@]}"; do
		for s in "${servers[@]}"; do
			leash_run -- sh -c "${c#*=} talk ws://permitted.test:${s#*=}/"
			is "a client by ${c%%=*}, a server by ${s%%=*}, $secrets secrets" "$(out; err)" "$said"
			check_event "... opened, says the log" '.kind == "ws.open" and .host == "permitted.test" and .status == 101'
			check_event "... and what was carried" '.kind == "net.close" and .bytes_in > 4 * 1024 * 1024 and .bytes_out > 4 * 1024 * 1024'
			refute_event "... and nothing was refused" '.decision == "deny" and .host == "permitted.test"'
		done
	done
done

# ---- The handshake
raw "/hello?8105$(hex hello)" 888001020304
is "a WebSocket of one's own works" "$HEAD $GOT" "HTTP/1.1 101 Switching Protocols plain none 8105$(hex hello)"
is "... both ways" "$(arrived)" 888001020304
is "... extensions are not asked for on" "$(jq -r .extensions "$T/seen-last")" null
raw /first-protocol 'Sec-WebSocket-Protocol: chat, other' 888001020304
is "a protocol that was asked for is agreed on" "$HEAD" 'HTTP/1.1 101 Switching Protocols plain chat'
for name in bad-accept no-accept extension protocol other; do
	raw "/$name?8105$(hex hello)"
	is "a server's wrong answer ($name) is 502" "${HEAD%% plain*} $GOT" "HTTP/1.1 502 Bad Gateway $GOT"
	unlike "... nothing of it arrives" "$(text_of "$GOT")" hello
	check_event "... and the log says why" '.kind == "http.request" and (.url | contains($n)) and .status == null and (.message | test("WebSocket|protocol"))' --arg n "/$name"
	refute_event "... nothing was opened" '.kind == "ws.open"'
done
n_wrong=0
for bad in 'Sec-WebSocket-Key: x' 'Sec-WebSocket-Version: 8' 'Method: POST' 'Content-Length: 4' 'Transfer-Encoding: chunked'; do
	raw "/wrong-$((++n_wrong))" "$bad"
	like "a client's wrong request is 400: $bad" "$HEAD" '^HTTP/1.1 400 '
	check_event "... and the log says why" '.kind == "http.request" and .decision == "deny" and (.message | contains("WebSocket"))'
	raw "/right-$n_wrong" 888001020304
	check "... a right one behind it arrives" wait_for 12 reached "/right-$n_wrong"
	refute "... and it did not" reached "/wrong-$n_wrong"
done

# ---- Frames that are out of form
# From where a close frame begins: its code, in decimal.
close_code() {
	local at=${1##*88}
	echo $((16#${at:2:4}))
}
good=8102$(hex ok)
while IFS='|' read -r name frames code; do
	raw "/bad?$good,${frames}8105$(hex never)"
	is "a server's bad frame ($name): what came before arrives, then why it ends" "${GOT:0:8} $(close_code "${GOT:8}")" "$good $code"
	unlike "... nothing of it, nor what comes behind" "$(text_of "$GOT")" 'never|BAD'
	like "... the client sees the end" "$(tail -n 1 "$OUT")" '^end$'
	check_event "... the log says what" '.kind == "http.request" and .decision == "deny" and .host == "permitted.test" and (.message | test("^in a WebSocket, from the server: "))'
	like "... and the server is told" "$(arrived)" '^88[89a-f]'
done <<END
reserved bits|c103424144|1002
an unknown opcode|8303424144|1002
a control frame in fragments|0903424144|1002
a control frame that is too long|897e007e424144|1002
nothing to continue|8003424144|1002
a message within another|010142810142|1002
a mask|818301020304424144|1002
a length that could be shorter|827e0003424144|1002
a length with its highest bit|827f8000000000000003424144|1002
a close code that is none|880203ec|1002
a close frame with half a code|880103|1002
a text that is not UTF-8|8104424144ff|1007
a text that ends within a character|8104424144c3|1007
a close reason that is not UTF-8|880303e8ff|1007
END
# The client's, with a mask of zeros.
mask=00000000
good=8182$mask$(hex ok)
while IFS='|' read -r name frames code; do
	raw "/bad-$frames" "$good" "${frames}8185$mask$(hex never)"
	is "a client's bad frame ($name): it is told why" "$(close_code "$GOT")" "$code"
	got=$(arrived)
	like "... what came before arrives, then a close frame, masked" "$got" "^${good}88[a-f0-9]{2}"
	unlike "... nothing of it, nor what comes behind" "$(text_of "$got")" 'never|BAD'
	check_event "... the log says what" '.kind == "http.request" and .decision == "deny" and .host == "permitted.test" and (.message | test("^in a WebSocket, from the client: "))'
done <<END
reserved bits|c183${mask}424144|1002
no mask|8103424144|1002
an unknown opcode|8383${mask}424144|1002
a control frame in fragments|0983${mask}424144|1002
a text that is not UTF-8|8184${mask}424144ff|1007
a close code that is none|8882${mask}03ee|1002
END
# A text that turns out to be bad when half of it is with the client: that one only sees the end.
raw "/bad?8108$(hex half),ff$(hex BAD)"
is "a frame that goes wrong in its middle ends there" "$GOT $(tail -n 1 "$OUT")" "8108$(hex half) end"

# ---- Secrets
# shellcheck disable=SC2016
for name in echo-frame echo-binary echo-frames echo-reads echo-ping; do
	leash_run -- sh -c 'echo $MY_KEY; exec python3 peers/raw.py talk permitted.test 8083 "$0" "X-Api-Key: $MY_KEY" 888001020304' "/$name"
	fake=$(head -n 1 "$OUT")
	GOT=$(awk 'NF == 2 && $1 ~ /^[0-9a-f]+$/ { printf "%s", $1 }' "$OUT")
	check_event "$name: the upgrade carried the secret" '.kind == "http.rewrite" and .secret == "KEY"'
	python3 "$PEERS/messages.py" "$GOT" >"$T/messages"
	unlike "$name: the secret does not come back" "$(cat "$T/messages")" "${KEY:16}"
	like "$name: its placeholder does, whole" "$(cat "$T/messages")" "$fake"
done
leash_run -- sh -c 'exec python3 peers/raw.py talk permitted.test 8083 /echo-beginning "X-Api-Key: $MY_KEY" 888001020304'
is "a message that ends like the beginning of a secret does not wait for the next" \
	"$(awk 'NR == 2 { at = $2; n = split($1, x, "8114") } END { print n, at != "" }' "$OUT")" "2 1"
ASKED=/placeholder
# shellcheck disable=SC2016
leash_run -- sh -c 'echo "$MY_KEY"; exec python3 peers/raw.py talk permitted.test 8083 /placeholder "$(
	printf "81%02x00000000" $((128 + ${#MY_KEY})))$(printf %s "$MY_KEY" | od -An -v -tx1 | tr -d " \n")" 888000000000'
like "a placeholder that the client sends stays one" "$(text_of "$(arrived)")" "$(head -n 1 "$OUT")"

done_testing
