#!/usr/bin/env bash
# What the container trusts: the host's roots and an authority made for the session, in all the places
# where programs look, not to be changed from inside; and where that authority's key is not.

. "$(dirname "$0")/../lib.sh"
make_user

places=(/etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem /etc/pki/tls/certs/ca-bundle.crt
	/etc/ssl/ca-bundle.pem /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem)
host=
for place in "${places[@]}"; do
	[ -f "$place" ] || continue
	host=${host:-$place}
	present+=("$place")
done
[ "$host" ] || skip_all "this machine has no list of trusted authorities"

# ---- The files
leash_run -- cat /run/leash/ca.crt
cp "$OUT" "$T/ca.pem"
like "the authority is shown" "$(openssl x509 -in "$T/ca.pem" -noout -subject -ext basicConstraints,keyUsage 2>&1 | tr -d '\n')" \
	'CN ?= ?leash session CA.*critical.*CA:TRUE, pathlen:0.*critical.*Certificate Sign, CRL Sign'
check "... and is its own issuer" openssl verify -CAfile "$T/ca.pem" "$T/ca.pem"
leash_run -- cat /run/leash/ca.crt
refute "another session has another" cmp "$OUT" "$T/ca.pem"

leash_run -- sh -c 'cat /run/leash/ca-bundle.crt; tail -n "$(wc -l </run/leash/ca.crt)" /run/leash/ca-bundle.crt | cmp - /run/leash/ca.crt >&2'
is "the bundle ends with it" "$RC:$(err)" 0:
check "... and begins with the host's roots" cmp -n "$(stat -Lc %s "$host")" "$host" "$OUT"
for place in "${present[@]}"; do
	leash_run -- cmp /run/leash/ca-bundle.crt "$place"
	is "the bundle is what $place shows" "$RC" 0
done
check "... and the host's file is as it was" sh -c "! grep -q leash: '$host'"
CALLER_ENV=(SSL_CERT_FILE="$T/roots.pem")
cp "$T/ca.pem" "$T/roots.pem"
leash_run -- cat /run/leash/ca-bundle.crt
check "the caller's SSL_CERT_FILE is the host's roots, as for other programs" \
	cmp -n "$(stat -c %s "$T/roots.pem")" "$T/roots.pem" "$OUT"
is "... and nothing else but the authority" "$(grep -c BEGIN "$OUT")" 2
CALLER_ENV=()

# ---- They can't be changed
leash_run --profile permissive -- sh -c '
for f in /run/leash/ca.crt /run/leash/ca-bundle.crt "$@"; do
	{ echo x >>"$f" && echo "$f written"; rm -f "$f" && echo "$f removed"; chmod 666 "$f" && echo "$f changed"
	mv "$f" "$f.old" && echo "$f moved"; ln -f "$f" ./link && echo "$f linked"; umount "$f" && echo "$f uncovered"; } 2>/dev/null
done
cmp /run/leash/ca-bundle.crt "$1" && echo same' sh "${present[@]}"
is "nothing inside changes, removes or uncovers them, whatever the policy" "$(out)" same

# ---- Policies
echo 'permit (principal, action == Action::"ProcessExec", resource);
permit (principal, action == Action::"FileOpenReadOnly", resource)
when { resource in [Dir::"/usr/", Dir::"/lib/", Dir::"/lib64/", File::"/etc/ld.so.cache"] };' |
	user_file "$T_HOME/small.cedar"
leash_run --policy "$T_HOME/small.cedar" -- cat /run/leash/ca.crt /run/leash/ca-bundle.crt
is "a policy of the user's own need not speak of them" "$RC" 0
echo 'forbid (principal, action in Action::"FileOpen", resource in Dir::"/run/leash/");' >>"$T_HOME/small.cedar"
leash_run --policy "$T_HOME/small.cedar" -- cat /run/leash/ca.crt
is "... but can forbid them" "$RC:$(out)" 1:

# ---- Variables
leash_run -- sh -c 'echo "$SSL_CERT_FILE $CURL_CA_BUNDLE $REQUESTS_CA_BUNDLE $GIT_SSL_CAINFO $NODE_EXTRA_CA_CERTS $DENO_CERT"'
is "variables name them" "$(out)" "$(printf '/run/leash/ca-bundle.crt %.0s' 1 2 3 4)/run/leash/ca.crt /run/leash/ca.crt"
CALLER_ENV=(REQUESTS_CA_BUNDLE=/elsewhere NODE_EXTRA_CA_CERTS=/elsewhere)
leash_run --env-inherit -- sh -c 'echo "$REQUESTS_CA_BUNDLE $NODE_EXTRA_CA_CERTS"'
is "... also with --env-inherit" "$(out)" "/run/leash/ca-bundle.crt /run/leash/ca.crt"
CALLER_ENV=()
leash_run -e REQUESTS_CA_BUNDLE=/mine -- sh -c 'echo "$REQUESTS_CA_BUNDLE"'
is "... and -e beats them" "$(out)" /mine

# ---- Java
if command -v keytool >/dev/null && [ -f /etc/ssl/certs/java/cacerts ]; then
	leash_run -- sh -c 'keytool -exportcert -rfc -cacerts -storepass changeit -alias leash-4294967295 &&
		keytool -list -cacerts -storepass changeit | grep -c trustedCertEntry >&2; cat /run/leash/ca.crt'
	is "Java's keystore has the authority" \
		"$(sed -n '/BEGIN/,/END/p' "$OUT" | tr -d '\r' | openssl x509 -noout -fingerprint)" \
		"$(tac "$OUT" | sed '/BEGIN/q' | tac | openssl x509 -noout -fingerprint)"
	is "... and all roots" "$(tail -n 1 "$ERR")" $(($(grep -c 'BEGIN CERTIFICATE' "$host") + 1))
else
	skip "Java's keystore" "no keytool, or no /etc/ssl/certs/java/cacerts"
fi

# ---- The key is nowhere
leash_start -- sleep 60
wait_for 10 pgrep -U "$T_UID" -f '^leash: keys'
keys=$(pgrep -U "$T_UID" -f '^leash: keys')
is "there is one signer" "$(wc -w <<<"$keys")" 1
for what in mem environ maps fd/3; do
	refute "its $what can't be read by another process of the user" as_user head -c 1 "/proc/$keys/$what"
done
is "... and none of its descriptors is a file" \
	"$(find "/proc/$keys/fd" -type l -printf '%f %l\n' 2>/dev/null | awk '$1 > 2 && $2 !~ /^socket:/')" ""
is "... it has no core" "$(awk '/core file/ {print $5}' "/proc/$keys/limits")" 0
leash_run -- sh -c 'grep -lz "^leash: keys" /proc/[0-9]*/cmdline 2>/dev/null; true'
unlike "the container does not see it" "$(out)" .
refute "no private key is in the session's directory" grep -rq 'PRIVATE KEY' "$STATE"
leash_run -- sh -c 'grep -l "PRIVATE KEY" /run/leash/* /run/* /tmp/* 2>/dev/null; true'
is "... nor in what the container has for itself" "$(out)" ""

# ---- Its death
kill -KILL "$keys"
leash_wait 15
is "without the signer the session ends" "$RC" 125
like "... and says so" "$(err)" 'signer.*killed by signal 9'

done_testing
