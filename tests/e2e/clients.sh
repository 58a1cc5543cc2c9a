#!/usr/bin/env bash
# The programs that speak TLS, each with its own idea of whom to trust: every one works, gets no
# forbidden request through, and reaches no host that is not permitted; and the log names it.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/support/world.sh"
. "$(dirname "$0")/support/node-packages.sh"
CLIENTS=$ROOT/tests/e2e/support/clients
install_client_packages
enter_world "$@"
TIME_LIMIT=120

HOST=services.test
URL=https://$HOST
SERVED=$T/served
REPOSITORIES=$T/repositories
mkdir -p "$SERVED/npm" "$SERVED/simple/tiny-greeting" "$REPOSITORIES" "$WORK/clients"
cp "$CLIENTS"/* "$WORK/clients"
cp "$CLIENTS/page.html" "$SERVED"
mount_client_packages "$WORK/clients"

policy=$T_HOME/policy.cedar
user_file "$policy" <<'END'
permit (principal, action in [Action::"FileOpen", Action::"ProcessExec", Action::"NetworkListen"], resource);
permit (principal, action == Action::"NetworkConnect", resource == Host::"services.test");
@id("no-path") forbid (principal, action == Action::"HttpRequest", resource) when { context.path like "/forbidden/*" };
@id("no-push") forbid (principal, action == Action::"HttpRequest", resource)
	when { context.method == "POST" && context.path like "/git/project.git/git-receive-pack" };
END
LEASH_FLAGS=(-I --policy "$policy")

# requests FILTER: how many requests that match reached a server since the last forget.
requests() {
	jq -s "map(select($1)) | length" "$REQUESTS"
}
forget() {
	: >"$REQUESTS"
}

# lacks NAME COMMAND…: is one of them not there? Then the check is skipped, and says so.
lacks() {
	local name=$1 command
	shift
	for command in "$@"; do
		if ! as_user sh -c "command -v $command" >/dev/null; then
			skip "$name" "$command is not installed"
			return 0
		fi
	done
	return 1
}

# lacks_module NAME MODULE: the same for a module of the system's Python.
lacks_module() {
	as_user /usr/bin/python3 -c "import $2" 2>/dev/null && return 1
	skip "$1" "Python has no module $2"
}

lacks_node_packages() {
	[ "$NODE_PACKAGES_WHY" ] || return 1
	skip "$1" "$NODE_PACKAGES_WHY"
}

# part N: what the N-th use of the client in the last run said, and its exit code at the end.
part() {
	awk -v n="$1" 'BEGIN { RS = "<next>\n" } NR == n { printf "%s", $0 }' "$OUT"
}

# client NAME EXE WANT SCRIPT: in one session the script gets something from the permitted place, from
# the forbidden one and from the host that is not permitted; its $1 is the URL of the place. What
# matches WANT must come of the first only. EXE is a pattern for the program that asks.
client() {
	local name=$1 exe=$2 want=$3
	forget
	leash_run -- bash -c 'for place in https://services.test https://services.test/forbidden https://forbidden.test; do
		(eval "$0") 2>&1 </dev/null; echo "exit $?"; echo "<next>"; done' "set -- \$place; $4"
	like "$name: works" "$(part 1)" "$want"
	check_event "$name: ... and the log names it" '.kind == "http.request" and .decision == "allow" and .host == $h and
		.status == 200 and .comm != null and (.exe // "" | test($exe))' --arg exe "$exe" --arg h "$HOST"
	unlike "$name: gets nothing by a forbidden request" "$(part 2)" "$want"
	is "$name: ... it does not arrive" "$(requests '.url // "" | startswith("/forbidden")')" 0
	check_event "$name: ... and the log names it and the policy" '.kind == "http.request" and .decision == "deny" and
		by("no-path") and .comm != null and (.exe // "" | test($exe))' --arg exe "$exe"
	unlike "$name: gets nothing from another host" "$(part 3)" "$want"
	is "$name: ... nothing arrives there" "$(requests '.address == "203.0.113.66" or .address == "2001:db8::66"')" 0
	check_event "$name: ... and the log names it" '.kind == "dns.query" and .decision == "deny" and .host == "forbidden.test" and
		.policies == ["default"] and .comm != null and (.exe // "" | test($exe))' --arg exe "$exe"
}

# ---- What they fetch
repository() {
	git init -q --bare "$REPOSITORIES/$1.git"
	git clone -q "$REPOSITORIES/$1.git" "$T/$1" 2>/dev/null
	cp -R "$2/." "$T/$1"
	git -C "$T/$1" add -A
	git -C "$T/$1" -c user.name=Test -c user.email=test@example.com commit -qm first
	git -C "$T/$1" push -q origin HEAD:main
	git -C "$REPOSITORIES/$1.git" symbolic-ref HEAD refs/heads/main
}

mkdir -p "$T/text" "$T/crate/src" "$T/package"
echo "hello from a repository" >"$T/text/README"
printf '[package]\nname = "tiny-greeting"\nversion = "1.0.0"\n' >"$T/crate/Cargo.toml"
echo 'pub fn greeting() {}' >"$T/crate/src/lib.rs"
repository project "$T/text"
repository open "$T/text"
repository crate-source "$T/crate"

echo '{ "name": "tiny-greeting", "version": "1.0.0", "main": "index.js" }' >"$T/package/package.json"
echo 'module.exports = "hello from a package";' >"$T/package/index.js"
tar -C "$T" -czf "$SERVED/npm/tiny-greeting-1.0.0.tgz" package
jq -n --arg url "$URL/npm/tiny-greeting-1.0.0.tgz" \
	--arg sum "sha512-$(openssl dgst -sha512 -binary "$SERVED/npm/tiny-greeting-1.0.0.tgz" | base64 -w 0)" '
	{ name: "tiny-greeting", "dist-tags": { latest: "1.0.0" }, versions: { "1.0.0":
		{ name: "tiny-greeting", version: "1.0.0", main: "index.js", dist: { tarball: $url, integrity: $sum } } } }' \
	>"$SERVED/npm/tiny-greeting"

wheel=tiny_greeting-1.0.0-py3-none-any.whl
python3 - "$SERVED/simple/tiny-greeting/$wheel" <<'END'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as z:
    z.writestr("tiny_greeting.py", "print('hello from a wheel')\n")
    z.writestr("tiny_greeting-1.0.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-greeting\nVersion: 1.0.0\n")
    z.writestr("tiny_greeting-1.0.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    z.writestr("tiny_greeting-1.0.0.dist-info/RECORD", "")
END
echo "<!DOCTYPE html><a href=\"$wheel\">$wheel</a>" >"$SERVED/simple/tiny-greeting/index.html"

chown "$T_UID:$T_GID" "$WORK/clients" "$WORK"/clients/*.*
: >"$REQUESTS"
start_service node "$WORLD_LIB/services.mjs" "$WORLD_TLS" "$REQUESTS" "$SERVED" "$REPOSITORIES" \
	203.0.113.22,203.0.113.66,2001:db8::66

hello="hello from $HOST"

# ---- Those that fetch an address
client "curl over HTTP/1.1" '/curl$' "$hello over HTTP/1.1" 'curl --http1.1 -sSf --max-time 15 $1/hello'
client "curl over HTTP/2" '/curl$' "$hello over HTTP/2.0" 'curl --http2 -sSf --max-time 15 $1/hello'
lacks wget wget || client wget '/wget$' "$hello" 'wget -qO- --tries=1 --timeout=15 $1/hello'
lacks "openssl s_client" openssl || client "openssl s_client" '/openssl$' "$hello" '
	rest=${1#https://}; host=${rest%%/*}
	printf "GET /%shello HTTP/1.1\r\nHost: $host\r\nConnection: close\r\n\r\n" "$(case $rest in */*) echo ${rest#*/}/;; esac)" |
		openssl s_client -quiet -verify_return_error -verify_hostname $host -servername $host -connect $host:443'
lacks gnutls-cli gnutls-cli || client gnutls-cli '/gnutls-cli$' "$hello" '
	rest=${1#https://}; host=${rest%%/*}
	(printf "GET /%shello HTTP/1.1\r\nHost: $host\r\nConnection: close\r\n\r\n" "$(case $rest in */*) echo ${rest#*/}/;; esac)"; sleep 2) |
		gnutls-cli --port 443 $host'

# ---- Libraries
lacks_module "python: requests" requests ||
	client "python: requests" '/python3[^/]*$' "$hello" \
		'python3 -c "import requests, sys; print(requests.get(sys.argv[1], timeout=15).text)" $1/hello'
client "python: urllib" '/python3[^/]*$' "$hello" \
	'python3 -c "import urllib.request, sys; print(urllib.request.urlopen(sys.argv[1], timeout=15).read().decode())" $1/hello'
client "node: fetch" '/node$' "$hello" 'node -e "fetch(process.argv[1]).then(async (r) => console.log(await r.text()))" $1/hello'
client "node: https" '/node$' "$hello" \
	'node -e "require(\"https\").get(process.argv[1], (r) => r.pipe(process.stdout))" $1/hello'
if ! lacks "go: net/http" go; then
	as_user sh -c 'cd clients && go build -o get get.go' || diag "go build fails"
	client "go: net/http" '/get$' "$hello" 'clients/get $1/hello'
fi
if ! lacks "java: HttpClient" java javac; then
	as_user sh -c 'cd clients && javac Get.java' || diag "javac fails"
	client "java: HttpClient" '/java$' "$hello" 'java -cp clients Get $1/hello'
fi

# ---- Those that fetch packages and sources
client "git: clone" '/git-remote-http$' "hello from a repository" 'rm -rf cloned; git clone -q $1/git/project.git cloned && cat cloned/README'
lacks "npm: install" npm || client "npm: install" '/node$' "hello from a package" '
	rm -rf app; mkdir app; cd app; npm init -y >/dev/null
	npm install --registry $1/npm/ --no-audit --no-fund --fetch-retries=0 tiny-greeting && node -p "require(\"tiny-greeting\")"'
lacks_module "pip: install" pip || client "pip: install" '/python3[^/]*$' "hello from a wheel" '
	rm -rf wheels; /usr/bin/python3 -m pip install --quiet --no-cache-dir --disable-pip-version-check --retries 0 --timeout 15 \
		--target wheels --index-url $1/simple tiny-greeting && PYTHONPATH=wheels python3 -c "import tiny_greeting"'
lacks "cargo: fetch" cargo || client "cargo: fetch" '/cargo$' 'exit 0' '
	rm -rf crate cargo-home; mkdir -p crate/src; : >crate/src/lib.rs; export CARGO_HOME=$PWD/cargo-home CARGO_NET_RETRY=0; cd crate
	printf "[package]\nname = \"user\"\nversion = \"1.0.0\"\n[dependencies]\ntiny-greeting = { git = \"%s/git/crate-source.git\" }\n" $1 >Cargo.toml
	cargo fetch'

# ---- git: what is sent
heads() {
	git -C "$REPOSITORIES/$1.git" rev-parse main
}
push='set -e; rm -rf pushed; git clone -q $1 pushed; cd pushed; head -c 3000000 /dev/urandom >big; git add big; git commit -qm big; git push -q origin main'
for name in project open; do
	before=$(heads $name)
	forget
	leash_run -- bash -c "$push" push "$URL/git/$name.git"
	changed=$([ "$(heads $name)" = "$before" ] || echo changed)
	if [ $name = open ]; then
		is "git: push works where nothing forbids it" "$RC:$changed" 0:changed
	else
		is "git: a forbidden push fails" "$([ "$RC" != 0 ] && echo fails):$changed" fails:
		is "git: ... it does not arrive" "$(requests '.method == "POST" and (.url | endswith("git-receive-pack"))')" 0
		check_event "git: ... and the log names it and the policy" '.kind == "http.request" and .decision == "deny" and
			.method == "POST" and (.url | endswith("/git/project.git/git-receive-pack")) and by("no-push") and
			(.exe | test("/git-remote-http$"))'
	fi
done

# ---- WebSockets and streams of events
if ! lacks_module "python: websockets" websockets; then
	client "python: websockets" '/python3[^/]*$' 'socket: echo of hello' '/usr/bin/python3 clients/talk.py $1'
	like "python: requests: a stream of events" "$(part 1)" 'events: tick 1 tick 2 tick 3'
fi
if ! lacks_node_packages "node: ws"; then
	client "node: ws" '/node$' 'socket: echo of hello' 'node clients/talk.cjs $1'
	like "node: fetch: a stream of events" "$(part 1)" 'events: tick 1 tick 2 tick 3'
fi

# ---- gRPC
# What a call leads to: one below Forbidden, and one of a host that is not permitted, must not arrive.
grpc() {
	local name=$1 exe=$2 script=$3
	forget
	leash_run -- bash -c "$script services.test:50051 Greeter; echo '<next>'; $script services.test:50051 forbidden; echo '<next>'
		$script forbidden.test:50051 Greeter" 2>&1
	is "$name: a call and a stream work" "$(part 1)" $'hello you\n0 1 2'
	check_event "$name: ... and the log names it" '.kind == "http.request" and .decision == "allow" and .method == "POST" and
		(.url | endswith("/Greeter/Greet")) and .status == 200 and (.exe | test($exe))' --arg exe "$exe"
	unlike "$name: a forbidden call fails" "$(part 2)" hello
	is "$name: ... it does not arrive" "$(requests '.url // "" | startswith("/forbidden")')" 0
	check_event "$name: ... and the log names it and the policy" '.kind == "http.request" and .decision == "deny" and
		by("no-path") and (.exe | test($exe))' --arg exe "$exe"
	unlike "$name: gets nothing from another host" "$(part 3)" hello
	check_event "$name: ... and the log names it" '.kind == "dns.query" and .decision == "deny" and .host == "forbidden.test" and
		.policies == ["default"] and (.exe // "" | test($exe))' --arg exe "$exe"
}
if ! lacks_module gRPC grpc; then
	start_service /usr/bin/python3 "$CLIENTS/grpc-server.py" "$WORLD_TLS" "$REQUESTS" 203.0.113.22 50051
	grpc "python: grpc" '/python3[^/]*$' '/usr/bin/python3 clients/grpc-client.py'
	lacks_node_packages "node: grpc-js" || grpc "node: grpc-js" '/node$' 'node clients/grpc-client.cjs'
fi

# ---- A browser, with what docs/RUNNING.md tells its user to do
if ! lacks chromium chromium; then
	cp -a /etc/chromium "$T/chromium"
	mkdir -p "$T/chromium/policies/managed"
	echo '{}' >"$T/chromium/policies/managed/leash.json"
	mount --bind "$T/chromium" /etc/chromium
	client chromium '/chromium$' 'socket: echo of hello' '
		chromium --headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update \
			--user-data-dir=$PWD/profile --timeout=30000 --dump-dom $1/page.html'
	like "chromium: a stream of events" "$(part 1)" 'events: tick 1 tick 2 tick 3'
	like "chromium: a forbidden WebSocket is refused" "$(part 1)" 'forbidden socket: closed'
	check_event "chromium: ... and the log names it and the policy" '.kind == "http.request" and .decision == "deny" and
		(.url | endswith("/forbidden/ws")) and by("no-path") and (.exe | test("/chromium$"))'
fi

done_testing
