# shellcheck shell=bash disable=SC2034
# NET-07 to NET-18: what has to be read inside TLS and HTTP. The programs are in net-http.py.

proxy_policy() {
	policy <<-END
		$1
		permit (principal, action == Action::"NetworkConnect", resource == Host::"other.test");
		@id("path") forbid (principal, action == Action::"HttpRequest", resource == Host::"permitted.test")
			when { context.path like "/forbidden*" };
	END
}

# What a client got is one thing, what arrived at a server another: nothing forbidden may have.
nothing_arrived() {
	[ "$OUTSIDE" ] && return
	is "... nothing arrived at the forbidden host" "$(jq -s 'map(select(.kind == "http" and (.address == "203.0.113.66"))) | length' "$REQUESTS")" 0
	is "... nor anything forbidden elsewhere" "$(jq -s 'map(select(.kind == "http" and ((.url | startswith("/forbidden")) or
		(.host | ascii_downcase | test("^(permitted|services)[.]test[.]?(:[0-9]+)?$") | not)))) | length' "$REQUESTS"):$(grep -ac '/forbidden' "$GULLIBLE")" 0:0
}

http_escape() { # NAME ROW
	: >"$REQUESTS"
	: >"$GULLIBLE"
	escape "$1" net-http "ROW=$2"
}

group_proxy() {
	if [ -z "$HAVE_WORLD" ]; then
		skip "NET the proxy" "the test network needs root"
		return
	fi
	rm -rf -- "${WORK:?}"
	mkdir -p "$WORK"
	chown "$T_UID:$T_GID" "$WORK"
	GULLIBLE=$T/gullible
	: >"$GULLIBLE"
	start_service python3 "$HERE/listener.py" "$GULLIBLE" 203.0.113.10 8080
	ALLOWED=permitted.test DENIED=forbidden.test
	local permit='permit (principal, action == Action::"NetworkConnect", resource == Host::"permitted.test");'
	proxy_policy "$permit"
	http_escape "NET-07 names that do not agree" names
	nothing_arrived
	inside check_event "... is in the log" '.decision == "deny" and .kind == "mismatch" and .host == "permitted.test"'
	http_escape "NET-11 TLS and bytes that are no TLS" beside-tls
	nothing_arrived
	inside check_event "... is in the log" '.decision == "deny" and .kind == "http.request" and .port == 8443 and by("path")'
	http_escape "NET-12 one request that looks like another" smuggling
	nothing_arrived
	inside check_event "... is in the log" '.decision == "deny" and .kind == "http.request" and (.message // "" | test("length"))'
	http_escape "NET-14 where servers send one to" elsewhere
	nothing_arrived
	policy <<<"@tls(\"passthrough\") $permit"
	http_escape "NET-11 TLS that is passed on" hidden
	inside check_event "... a ClientHello inside another is in the log" '.kind == "net.connect" and (.message // "" | test("encrypted server name"))'
	policy <<-END
		$permit
		@id("scope") forbid (principal, action == Action::"HttpRequest", resource == Host::"permitted.test") unless {
			context.method == "GET" && !(context.path like "/gists*") ||
			context.method == "POST" && (context.path like "/repos/me/*" || context.path like "/me/*.git/git-upload-pack") ||
			context.method == "PUT" && context.path like "/my-bucket/*" };
	END
	http_escape "NET-15 what a permitted host can be used for" scopes
	inside is "... nothing else arrived" "$(jq -s 'map(select(.kind == "http" and .method != "GET" and
		(.url | test("^/(repos/me/issues|me/code.git/git-upload-pack|my-bucket/object)$") | not))) | length' "$REQUESTS")" 0
	inside check_event "... is in the log" '.decision == "deny" and .kind == "http.request" and .method == "PUT" and by("scope")'
	[ "$OUTSIDE" ] && return
	proxy_exhausted
	proxy_authority
}

# NET-17: memory stays bounded, and others are served.
proxy_exhausted() {
	local pid
	leash_start -e ROW=exhaustion -e HOLD=6 -- "$PROGRAMS/net-http"
	if wait_for 60 grep -q '^holding' "$OUT"; then
		pid=$(pgrep -U "$T_UID" -x leash-proxy | head -n 1)
		like "NET-17 the proxy's memory stays bounded: $(awk '/VmRSS/ { print $2 }' "/proc/$pid/status") KiB" \
			"$(awk '/VmRSS/ { print ($2 < 131072) }' "/proc/$pid/status")" 1
	fi
	leash_wait 60
	is "NET-17 790 connections that take all they can, and one more" "$RC:$(verdicts BROKEN)" 0:
	proxy_policy 'permit (principal, action == Action::"NetworkConnect", resource == Host::"permitted.test");'
}

# NET-18: the authority's key is nowhere to be found, and the authority of no use elsewhere or later.
proxy_authority() {
	leash_run -- sh -c 'curl -sS https://permitted.test/ >/dev/null
		grep -ral "PRIVATE KE[Y]" /run /tmp /etc/ssl /var/tmp "$HOME" /proc/[0-9]*/environ /proc/[0-9]*/cmdline /dev/shm 2>/dev/null
		env | grep -a "PRIVATE KE[Y]"; grep -a "leash" /proc/net/unix
		for p in /proc/[0-9]*; do head -c 11 $p/cmdline | tr "\0" "\n"; done | grep -aE "^(leash-p|leash: |proxy|keys)"
		ls -l /proc/[0-9]*/fd 2>/dev/null | grep -aE "socket:|memfd:"'
	is "NET-18 no key of the authority, no process that has it, no way to one" "$(out)" ""
	leash_run -- openssl x509 -in /run/leash/ca.crt -noout -ext basicConstraints,keyUsage -checkend $((40 * 86400))
	like "NET-18 the authority ends soon" "$(out)" 'will expire'
	like "... and makes no other authorities" "$(out | tr -d '\n')" 'CA:TRUE, pathlen:0'
	leash_run -- cat /run/leash/ca.crt
	out >"$T/one.crt"
	leash_run -- cat /run/leash/ca.crt
	refute "NET-18 each session has its own" cmp -s "$T/one.crt" "$OUT"
	leash_run -- sh -c 'openssl s_client -connect permitted.test:443 -servername permitted.test -showcerts </dev/null 2>/dev/null'
	out | openssl x509 >"$T/leaf.crt" 2>/dev/null
	is "NET-18 a certificate of it is not accepted outside" \
		"$(openssl verify -CApath /etc/ssl/certs "$T/leaf.crt" >/dev/null 2>&1 && echo accepted)" ""
}
