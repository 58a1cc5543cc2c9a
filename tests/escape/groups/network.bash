# shellcheck shell=bash disable=SC2034
# NET-01 to NET-16: the network, as far as nothing has to be read inside TLS.

group_network() {
	local host_port=18999 mark=tnl$((RANDOM % 9000 + 1000)) before
	if [ -z "$HAVE_WORLD" ]; then
		skip "NET the network" "the test network needs root"
		return
	fi
	rm -rf -- "${WORK:?}"
	mkdir -p "$WORK"
	printf public >"$WORK/file.txt"
	printf '%s' "$SECRET" >"$WORK/secret.txt"
	chown -R "$T_UID:$T_GID" "$WORK"
	policy <<-END
		permit (principal, action in [Action::"NetworkListen"], resource);
		permit (principal, action == Action::"NetworkConnect", resource == Host::"permitted.test");
		permit (principal, action == Action::"NetworkConnect", resource == Host::"rebind.test");
		permit (principal, action == Action::"NetworkConnect", resource == Host::"metadata.test");
		@id("file") forbid (principal, action in Action::"FileOpen", resource == File::"$WORK/secret.txt");
	END
	: >"$REQUESTS"
	ALLOWED=permitted.test DENIED=forbidden.test
	escape "NET-01 every spelling of an address" net-01-connect DENIED_V4=203.0.113.66 DENIED_V6=2001:db8::66
	inside is "... nothing arrived there" "$(jq -s 'map(select(.address == "203.0.113.66" or .address == "2001:db8::66")) | length' "$REQUESTS")" 0
	inside check_event "... the look-up is in the log" '.decision == "deny" and .kind == "dns.query" and .host == "forbidden.test"'
	inside check_event "... the connection is in the log" '.decision == "deny" and .kind == "net.connect" and .ip == "203.0.113.66"'
	: >"$REQUESTS"
	escape "NET-02 other protocols than TCP" net-02-protocols DENIED_V4=203.0.113.66
	inside is "... nothing arrived there" "$(jq -s 'map(select(.kind == "udp")) | length' "$REQUESTS")" 0
	inside check_event "... a datagram is in the log" '.decision == "deny" and .kind == "net.datagram" and .ip == "203.0.113.66"'
	escape "NET-04 io_uring" net-04-io-uring "ALLOWED=$WORK/file.txt" "DENIED=$WORK/secret.txt"
	inside check_event "... is in the log" '.decision == "deny" and .kind == "refused"'
	network_programs
	before=$(wc -l <"$QUERIES")
	escape "NET-10 data in questions" net-10-dns DENIED=tunnel.test RESOLVER="$WORLD_DNS" DENIED_V4=203.0.113.66 "MARK=$mark"
	inside is "... none left" "$(tail -n "+$((before + 1))" "$QUERIES" | grep -c "$mark")" 0
	socat "TCP6-LISTEN:$host_port,fork,ipv6only=0,reuseaddr" SYSTEM:"echo $SECRET" 2>>"$T/service.log" &
	SERVICE_PIDS+=($!)
	wait_for 10 port_is_open 127.0.0.1 "$host_port"
	escape "NET-16 services of the host" net-16-host-services "PORT=$host_port" \
		HOST_ADDRESSES=203.0.113.10,203.0.113.53,2001:db8::10,rebind.test,metadata.test \
		"ESCAPE_LISTENERS=$([ "$OUTSIDE" ] || echo yes)"
	inside check_event "... is in the log" '.decision == "deny" and (.kind == "net.connect" or .kind == "mismatch") and .port == 18999'
	kill "${SERVICE_PIDS[@]: -1}"
	wait "${SERVICE_PIDS[@]: -1}" 2>/dev/null
}

# NET-06, NET-09, NET-11: programs that know of no proxy, names that lie, bytes that are no TLS.
network_programs() {
	local command
	# shellcheck disable=SC2016
	for command in 'env -u http_proxy -u https_proxy -u ALL_PROXY curl -sSk --noproxy "*" --max-time 8 https://$1/' \
		'curl -sS --noproxy "*" --max-time 8 http://$1/' \
		'python3 -c "import socket, sys; s = socket.create_connection((sys.argv[1], 2222), 8); print(s.recv(99))" $1' \
		'node -e "require(\"http\").get(\"http://\" + process.argv[1] + \"/\", r => r.pipe(process.stdout)).on(\"error\", e => console.log(e.code))" $1' \
		'exec 9<>/dev/tcp/$1/2222 && head -n 1 <&9' \
		'printf "GET / HTTP/1.0\r\nHost: $1\r\n\r\n" | nc -w 5 $1 80' \
		'printf "SSH-2.0-x\r\n" | nc -w 5 $1 2222' 'perl -MIO::Socket::INET -e "print IO::Socket::INET->new(shift . \":2222\")->getline" $1'; do
		leash_run -- bash -c "$command" bash permitted.test
		like "NET-06 works for the permitted host: $command" "$(out)" 'hello|220'
		leash_run -- bash -c "$command" bash forbidden.test
		if [ "$OUTSIDE" ]; then
			like "NET-06 reaches the other one without leash: $command" "$(out)" 'hello|220'
		else
			unlike "NET-06 does not reach the other one: $command" "$(out)" 'hello|220'
		fi
	done
	[ "$OUTSIDE" ] && return
	: >"$REQUESTS"
	for name in rebind.test metadata.test; do
		leash_run -- curl -sSk --max-time 8 "http://$name/"
		unlike "NET-09 a permitted name with an address of the host's or the cloud's: $name" "$(out)" hello
	done
	is "... nothing arrived" "$(grep -c . "$REQUESTS")" 0
	# A server name is part of what is decided; where there is none, the name that was looked up counts.
	leash_run -- bash -c 'openssl s_client -connect permitted.test:443 -servername forbidden.test </dev/null 2>&1 | head -n 40'
	unlike "NET-11 another server name than the permitted one" "$(out)" 'subject=.*leash test server'
	leash_run -- bash -c 'printf "not TLS at all\r\n\r\n" | nc -w 5 forbidden.test 443; printf x | nc -w 5 203.0.113.66 443'
	is "NET-11 something else than TLS on 443" "$(grep -c 203.0.113.66 "$REQUESTS")" 0
}
