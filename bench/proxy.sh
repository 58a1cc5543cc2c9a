#!/usr/bin/env bash
# What the proxy costs: requests in TLS through it, beside nginx as a TLS reverse proxy (to a clear server and
# to one in TLS, which is what leash does) and mitmproxy, in one run, with an nginx as the server and wrk and
# curl as the clients. All in namespaces of its own; needs nginx, wrk, openssl, nft, dnsmasq, curl. Numbers are
# medians of runs in turns.
#
# bench/proxy.sh [BUILD-DIRECTORY]; PROXY_ROUNDS (3), PROXY_SECONDS (4), PROXY_IDLE (900), PROXY_REQUESTS (20000).

set -eu -o pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$(realpath "${1:-$ROOT/build}")
export PATH=$PATH:/usr/sbin:/sbin
if [ -z "${IN_WORLD:-}" ]; then
	for program in nginx wrk h2load openssl nft dnsmasq curl unshare; do
		command -v $program >/dev/null || { echo "bench/proxy.sh needs $program" >&2; exit 77; }
	done
	IN_WORLD=1 exec unshare -Urnm --propagation private "$0" "$BUILD"
fi
ROUNDS=${PROXY_ROUNDS:-3}
SECONDS_EACH=${PROXY_SECONDS:-4}
T=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait 2>/dev/null; rm -rf "$T"' EXIT

# ---- The world ----------------------------------------------------------------

ip link set lo up
echo 30000 65535 >/proc/sys/net/ipv4/ip_local_port_range
for a in 203.0.113.10 203.0.113.11 203.0.113.12 203.0.113.13 203.0.113.14; do ip addr add $a/32 dev lo; done
echo 127.0.0.1 localhost >"$T/hosts"
echo nameserver 127.0.0.53 >"$T/resolv.conf"
mount --bind "$T/hosts" /etc/hosts
mount --bind "$T/resolv.conf" /etc/resolv.conf
dnsmasq --no-daemon --conf-file=/dev/null --pid-file= --no-resolv --no-hosts --listen-address=127.0.0.53 --bind-interfaces \
	--host-record=server.test,203.0.113.10 --host-record=nginx.test,203.0.113.11 --host-record=nginx-tls.test,203.0.113.12 \
	--host-record=mitm.test,203.0.113.13 --host-record=nginx-new.test,203.0.113.14 2>/dev/null &
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca -keyout "$T/ca.key" -out "$T/ca.crt" 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=s -keyout "$T/key" -out "$T/csr" 2>/dev/null
echo "subjectAltName=DNS:server.test,DNS:nginx.test,DNS:nginx-tls.test,DNS:mitm.test,DNS:nginx-new.test" >"$T/ext"
openssl x509 -req -in "$T/csr" -CA "$T/ca.crt" -CAkey "$T/ca.key" -CAcreateserial -days 2 -extfile "$T/ext" -out "$T/crt" 2>/dev/null
cat "$T/key" "$T/crt" >"$T/both.pem"
mkdir "$T/www"
head -c 1024 /dev/urandom >"$T/www/1k"
truncate -s 1G "$T/www/1g"

start_nginx() { # NAME SERVER-BLOCKS
	cat >"$T/$1.conf" <<-END
		user root; worker_processes 1; daemon off; pid $T/$1.pid; error_log $T/$1.log;
		worker_rlimit_nofile 65536; events { worker_connections 16384; }
		http { access_log off; keepalive_requests 10000000; sendfile on; ssl_certificate $T/crt; ssl_certificate_key $T/key;
		client_body_temp_path $T/b; proxy_temp_path $T/p; fastcgi_temp_path $T/f; uwsgi_temp_path $T/u; scgi_temp_path $T/s;
		$2
		}
	END
	nginx -c "$T/$1.conf" 2>/dev/null &
}
start_nginx server "server { listen 203.0.113.10:443 ssl http2; listen 203.0.113.10:80; root $T/www; }"
start_nginx reverse "upstream up { server 203.0.113.10:80; keepalive 256; keepalive_requests 10000000; }
	upstream tls { server 203.0.113.10:443; keepalive 256; keepalive_requests 10000000; }
	server { listen 203.0.113.11:443 ssl http2; location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection \"\"; } }
	server { listen 203.0.113.12:443 ssl http2; location / { proxy_pass https://tls; proxy_http_version 1.1; proxy_set_header Connection \"\";
		proxy_ssl_verify on; proxy_ssl_trusted_certificate $T/ca.crt; proxy_ssl_name server.test; proxy_ssl_server_name on; } }
	server { listen 203.0.113.14:443 ssl; location / { proxy_pass https://203.0.113.10; proxy_ssl_session_reuse off;
		proxy_ssl_verify on; proxy_ssl_trusted_certificate $T/ca.crt; proxy_ssl_name server.test; proxy_ssl_server_name on; } }"
if command -v mitmdump >/dev/null; then
	HOME=$T mitmdump -q --mode reverse:https://server.test --listen-host 203.0.113.13 --listen-port 443 \
		--set "ssl_verify_upstream_trusted_ca=$T/ca.crt" --set "certs=*=$T/both.pem" >/dev/null 2>&1 &
	echo $! >"$T/mitm.pid"
fi
cat >"$T/policy.cedar" <<'END'
permit (principal, action == Action::"NetworkConnect", resource == Host::"server.test");
forbid (principal, action == Action::"HttpRequest", resource == Host::"server.test") when { context.path like "/secret*" };
END
for _ in $(seq 100); do curl -s --cacert "$T/ca.crt" -o /dev/null https://nginx-tls.test/1k && break; sleep 0.05; done

# ---- Measuring ----------------------------------------------------------------

leash() { "$BUILD/tests/unit/proxy/proxy-harness" -a -r "$T/ca.crt" -c "$T/session.crt" "$T/policy.cedar" "$T/events" "$@"; }
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# wrk's requests per second, its median latency in us, and what one request cost the proxy of processor time in us
wrk_one() {
	"$@" | awk '/Requests\/sec/ { r = $2 } / requests in / { n = $1 } /^ticks/ { t = $2 }
		$1 == "50%" { l = $2; f = 1; if (l ~ /ms/) f = 1000; else if (l ~ /[0-9]s/) f = 1000000; sub(/[a-z]+/, "", l); l *= f } END { print r, l, n ? t * 10000 / n : 0 }'
}
# The process in the middle: leash says its number in its first event.
process_of() {
	case $1 in
	leash) head -1 "$T/events" | sed 's/.*"pid":\([0-9]*\).*/\1/' ;;
	nginx*) pgrep -P "$(cat "$T/reverse.pid")" ;;
	mitmproxy) cat "$T/mitm.pid" ;;
	direct) pgrep -P "$(cat "$T/server.pid")" ;;
	esac
}
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
load() { # WHO CONNECTIONS URL
	local pid before
	pid=$(process_of "$1")
	before=$(ticks "$pid")
	wrk -t1 "-c$2" "-d${SECONDS_EACH}s" --latency "$3"
	echo ticks $(($(ticks "$pid") - before))
}
# The same over HTTP/2: one connection, many streams, in wrk's words. The latency is a mean: h2load tells no other.
streams() { # WHO STREAMS URL
	local pid before
	pid=$(process_of "$1")
	before=$(ticks "$pid")
	h2load -t1 -c1 "-m$2" "-D$SECONDS_EACH" "$3" | awk '/^finished in/ { print "Requests/sec:", $4 }
		/^requests:/ { print $8, "requests in all" } /^time for request/ { print "50%", $6 }'
	echo ticks $(($(ticks "$pid") - before))
}
export -f load streams process_of ticks
export SECONDS_EACH T

WHO="direct nginx nginx-tls leash"
if [ -n "$(curl -sk -o /dev/null -w '%{http_code}' --retry 20 --retry-delay 1 --retry-connrefused https://mitm.test/1k 2>/dev/null | grep 200)" ]; then
	WHO="$WHO mitmproxy"
fi
declare -A NAME=([direct]="the server itself" [nginx]="nginx, server in clear" [nginx-tls]="nginx, server in TLS" [leash]=leash [mitmproxy]=mitmproxy
	[nginx-new]="nginx, server in TLS anew")
declare -A URL=([nginx-new]=https://nginx-new.test [direct]=https://server.test [nginx]=https://nginx.test [nginx-tls]=https://nginx-tls.test [leash]=https://server.test [mitmproxy]=https://mitm.test)

# through WHO COMMAND URL-PATH: leash's client runs inside of it.
through() {
	if [ "$1" = leash ]; then
		leash bash -c "$2 ${URL[$1]}$3"
	else
		bash -c "$2 ${URL[$1]}$3"
	fi
}
requests() { # load|streams NUMBER NAME
	local how=$1 n=$2 round who
	for round in $(seq "$ROUNDS"); do
		for who in $WHO; do wrk_one through "$who" "$how $who $n" /1k >>"$T/$who.$how.$n"; done
	done
	for who in $WHO; do
		printf '%-26s %4s %-11s %10.0f requests/s  latency %8.0f us  processor time %8.1f us a request\n' "${NAME[$who]}" "$n" "$3" \
			"$(awk '{ print $1 }' "$T/$who.$how.$n" | median)" "$(awk '{ print $2 }' "$T/$who.$how.$n" | median)" \
			"$(awk '{ print $3 }' "$T/$who.$how.$n" | median)"
	done
}
transfer() { curl -s -k --http1.1 --max-time 60 -o /dev/null -w '%{speed_download}\n' "$1"; }
first() { curl -s -k --http1.1 -o /dev/null -w '%{time_total}\n' "$1"; }
# A program after the other, each with a connection of its own: leash keeps the server's.
next() { for _ in 1 2 3 4 5 6 7; do first "$1"; done | sed 1,2d | sort -g | sed -n 3p; }
export -f transfer first next
downloads() {
	local round who
	for round in $(seq "$ROUNDS"); do
		for who in direct nginx nginx-tls leash; do through "$who" transfer /1g >>"$T/d.$who"; done
	done
	for who in direct nginx nginx-tls leash; do
		printf '%-26s 1 GB %10.0f MB/s\n' "${NAME[$who]}" "$(median <"$T/d.$who" | awk '{ print $1 / 1e6 }')"
	done
}
first_requests() {
	local round who
	for round in $(seq 5); do
		for who in direct nginx-new leash; do
			through "$who" first /1k >>"$T/f.$who"
			through "$who" next /1k >>"$T/n.$who"
		done
	done
	for who in direct nginx-new leash; do
		printf '%-26s first request %10.1f ms, of the next program %10.1f ms\n' "${NAME[$who]}" \
			"$(median <"$T/f.$who" | awk '{ print $1 * 1000 }')" "$(median <"$T/n.$who" | awk '{ print $1 * 1000 }')"
	done
}

# Connections that have had one request and wait, and what each holds of the proxy.
cat >"$T/idle.py" <<'END'
import concurrent.futures, json, re, resource, socket, ssl, sys, time
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
pid = json.loads(open(sys.argv[1]).readline())["pid"]
rss = lambda: int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{pid}/status").read()).group(1))
context = ssl.create_default_context(cafile=sys.argv[2])
def ask(s):
    s.sendall(b"GET /1k HTTP/1.1\r\nHost: server.test\r\n\r\n")
    got = b""
    while len(got) < 1024:
        more = s.recv(65536)
        if not more:
            sys.exit("a connection ended")
        got += more
def dial(port=0):
    s = context.wrap_socket(socket.create_connection(("server.test", 443), source_address=("", port)), server_hostname="server.test")
    ask(s)
    return s
first = dial()
time.sleep(0.3)
before, n, requests = rss(), int(sys.argv[3]), int(sys.argv[4])
if n < 1000:
    kept = [dial() for _ in range(n)]
else: # from ports of which the proxy does not know the process: it waits for that a second
    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        kept = list(pool.map(dial, range(10000, 10000 + n)))
time.sleep(0.3)
after = rss()
for _ in range(requests):
    ask(first)
print(f"resident with one connection {before / 1024:.1f} MB; each of {n} idle ones {(after - before) / n:.0f} KB;"
      f" after {requests} more requests {(rss() - after):+d} KB")
END

requests load 1 connections
requests load 32 connections
requests streams 32 streams
downloads
first_requests
leash python3 "$T/idle.py" "$T/events" "$T/session.crt" "${PROXY_IDLE:-900}" "${PROXY_REQUESTS:-20000}"
