# shellcheck shell=bash
# A small internet for one test: private mount and network namespaces with addresses of the
# documentation ranges, a resolver that logs every question, a certificate authority that "the
# host" trusts, and servers behind names. Nothing of the machine is touched.
#
# Source after lib.sh; call enter_world first thing (it starts the script again inside), then
# world_serve. What the resolver was asked is in QUERIES, what the servers were asked in REQUESTS.

WORLD_DNS=203.0.113.53
WORLD_LIB=$ROOT/tests/e2e/support
QUERIES=$T/queries
REQUESTS=$T/requests

# NAME=ADDRESS of everything that exists. other.test shares permitted.test's address.
WORLD_NAMES=(
	permitted.test=203.0.113.10 permitted.test=2001:db8::10 other.test=203.0.113.10
	api.wild.test=203.0.113.10
	forbidden.test=203.0.113.66 forbidden.test=2001:db8::66
	badcert.test=203.0.113.11 rebind.test=127.0.0.1 metadata.test=169.254.169.254
	claude-service.test=203.0.113.20 codex-service.test=203.0.113.20
	registry.test=203.0.113.21
	services.test=203.0.113.22
)

enter_world() {
	if [ "${LEASH_TEST_WORLD:-}" != yes ]; then
		[ "$(id -u)" = 0 ] || skip_all "the test network needs root"
		unshare --mount --net true 2>/dev/null || skip_all "no mount and network namespaces here"
		rm -rf -- "$T"
		LEASH_TEST_WORLD=yes exec unshare --mount --net --propagation private -- bash "$0" "$@"
	fi
	world_addresses
	make_user
	world_authority
	world_names
}

world_addresses() {
	local name address
	ip link set lo up
	for name in "${WORLD_NAMES[@]}" "dns=$WORLD_DNS"; do
		address=${name#*=}
		case $address in
		127.*) ;;
		*:*) ip -6 addr add "$address/128" dev lo 2>/dev/null ;;
		*) ip addr add "$address/32" dev lo 2>/dev/null ;;
		esac
	done
}

# A CA, one good certificate for all names, one self-signed; the CA joins the trust store.
world_authority() {
	local names
	WORLD_TLS=$T/tls
	mkdir "$WORLD_TLS"
	names=$(printf '%s\n' "${WORLD_NAMES[@]%%=*}" hosts-file.test | grep -v badcert | sort -u | sed 's/^/DNS:/' | paste -sd,)
	{
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=leash test CA" \
			-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
			-keyout "$WORLD_TLS/ca.key" -out "$WORLD_TLS/ca.pem"
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=leash test server" \
			-keyout "$WORLD_TLS/good.key" -out "$WORLD_TLS/good.csr"
		openssl x509 -req -in "$WORLD_TLS/good.csr" -CA "$WORLD_TLS/ca.pem" -CAkey "$WORLD_TLS/ca.key" \
			-days 2 -out "$WORLD_TLS/good.pem" -extfile <(printf 'subjectAltName=%s\n' "$names")
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=badcert.test" \
			-addext subjectAltName=DNS:badcert.test -keyout "$WORLD_TLS/bad.key" -out "$WORLD_TLS/bad.pem"
	} 2>"$T/openssl.log" || { not_ok "certificates" "$(tail -n 5 "$T/openssl.log")"; done_testing; }
	# shellcheck disable=SC2034
	WORLD_CA=$T/ca.pem
	install -m 644 "$WORLD_TLS/ca.pem" "$WORLD_CA"
	cp -a /etc/ssl/certs "$T/certs"
	cp "$WORLD_CA" "$T/certs/$(openssl x509 -hash -noout -in "$WORLD_CA").0"
	cat "$WORLD_CA" >>"$T/certs/ca-certificates.crt"
	chmod -R a+rX "$T/certs"
	mount --bind "$T/certs" /etc/ssl/certs
	natively || trust_in_image "$WORLD_CA"
}

world_names() {
	local name args=()
	printf '127.0.0.1 localhost\n::1 localhost ip6-localhost\n203.0.113.10 hosts-file.test\n' >"$T/hosts"
	printf 'nameserver %s\n' "$WORLD_DNS" >"$T/resolv.conf"
	chmod 644 "$T/hosts" "$T/resolv.conf"
	mount --bind "$T/hosts" /etc/hosts
	mount --bind "$T/resolv.conf" /etc/resolv.conf
	for name in "${WORLD_NAMES[@]}"; do
		args+=("--address=/${name%%=*}/${name#*=}")
	done
	# Any other name resolves as well: what is refused was refused by leash.
	args+=(--local=/#/ --address=/#/203.0.113.66 --txt-record=permitted.test,a-text)
	/usr/sbin/dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= --user=root --no-resolv --no-hosts \
		--listen-address="$WORLD_DNS" --bind-interfaces --log-queries --log-facility="$QUERIES" --log-async=0 \
		"${args[@]}" 2>>"$T/service.log" &
	SERVICE_PIDS+=($!)
	wait_for 10 test -s "$QUERIES" || { not_ok "dnsmasq" "$(cat "$T/service.log")"; done_testing; }
}

# The servers: HTTPS (HTTP/1.1 and 2) on 443 and 8443, HTTP on 80, everywhere; a wrong certificate on
# badcert.test; an echo of datagrams on port 7777.
world_serve() {
	: >"$REQUESTS"
	start_service node "$WORLD_LIB/internet.mjs" "$WORLD_TLS" "$REQUESTS" "203.0.113.11" \
		"203.0.113.10,2001:db8::10,203.0.113.66,2001:db8::66,203.0.113.11,169.254.169.254,127.0.0.1"
}

# was_asked NAME [SINCE-LINE]: has the host's resolver seen a question for the name?
was_asked() {
	tail -n "+${2:-1}" "$QUERIES" | grep -qi "query\[.*\] $1 from"
}
