#!/usr/bin/env bash
# Conditions as Cedar has them, in a live session: what a condition forbids fails and is in the log under
# its policy, and the act beside it, which differs in just the one thing, works.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/support/world.sh"
enter_world "$@"
world_serve

policy=$T_HOME/conditions.cedar
LEASH_FLAGS=(-I --policy "$policy")
curl=(curl -sSf --max-time 15 -o /dev/null -w '%{http_code}')
all='permit (principal, action in [Action::"FileOpen", Action::"ProcessExec", Action::"NetworkListen", Action::"NetworkConnect"], resource);'

# use TEXT: the policy of the next sessions, beside a permit for everything.
use() {
	user_file "$policy" <<<"$all
$1"
}
# file NAME: one in the workspace that holds its name.
file() {
	printf '%s\n' "${1##*/}" | user_file "$WORK/$1"
}
# reads NAME PATH [COMMAND…]: it can be read, by cat unless something else is given.
reads() {
	local name=$1 path=$2
	shift 2
	[ $# -gt 0 ] || set -- cat
	leash_run -- "$@" "$path"
	is "$name: allowed" "$RC:$(out)" "0:${path##*/}"
}
# unread ID NAME PATH [COMMAND…]: it can't, because of the policy ID.
unread() {
	local id=$1 name=$2 path=$3
	shift 3
	[ $# -gt 0 ] || set -- cat
	leash_run -- "$@" "$path"
	is "$name: denied" "$([ "$RC" != 0 ] && echo fails):$(out)" "fails:"
	check_event "... by $id, and the log says so" \
		'.kind == "file.open" and .decision == "deny" and .path == $p and by($i)' --arg p "$WORK/$path" --arg i "$id"
}

# ---- Files
for name in un/open un/shut and/a.key and/a.txt or/x.a or/x.b or/x.c not/public-1 not/private 'like/x1y*z' 'like/x1y_z' \
	if/one if/two two/kept two/free two/other far/n deep/n exe/f set/one set/two set/three; do
	file "$name"
done
use '@id("un") forbid (principal, action == Action::"FileOpenReadOnly", resource in Dir::"${WORKSPACE}/un/")
	unless { resource == File::"${WORKSPACE}/un/open" };
@id("and") forbid (principal, action == Action::"FileOpenReadOnly", resource in Dir::"${WORKSPACE}/and/")
	when { resource.path like "*.key" && context.comm == "cat" };
@id("or") forbid (principal, action == Action::"FileOpenReadOnly", resource in Dir::"${WORKSPACE}/or/")
	when { resource.path like "*.a" || resource.path like "*.b" };
@id("not") forbid (principal, action == Action::"FileOpenReadOnly", resource is File in Dir::"${WORKSPACE}/not/")
	when { !(resource.path like "*/public-*") && resource != File::"${WORKSPACE}/not" };
@id("like") forbid (principal, action == Action::"FileOpenReadOnly", resource)
	when { resource.path like "*/like/x*y\*z" };
@id("if") forbid (principal, action == Action::"FileOpenReadOnly", resource in Dir::"${WORKSPACE}/if/")
	when { if context.comm == "cat" then resource.path like "*/one" else resource.path like "*/two" };
@id("two") forbid (principal, action == Action::"FileOpenReadOnly", resource in Dir::"${WORKSPACE}/two/")
	when { resource.path like "*e*" } unless { resource.path like "*/free" };
@id("above") forbid (principal, action == Action::"FileOpenReadOnly", resource in Dir::"${WORKSPACE}/far/")
	when { context.ancestors.contains("/usr/bin/timeout") };
@id("cwd") forbid (principal, action == Action::"FileOpenReadOnly", resource in Dir::"${WORKSPACE}/deep/")
	unless { context.cwd == "${WORKSPACE}" };
@id("exe") forbid (principal, action == Action::"FileOpenReadWrite", resource in Dir::"${WORKSPACE}/exe/")
	unless { context.exe like "*/tee" };
@id("set") forbid (principal, action == Action::"FileOpenReadOnly", resource in Dir::"${WORKSPACE}/set/")
	when { [File::"${WORKSPACE}/set/one", File::"${WORKSPACE}/set/two"].contains(resource) };'
unread un "unless: what it does not except" un/shut
reads "unless: what it excepts" un/open
unread and "&&: both hold" and/a.key
reads "&&: only the right one holds" and/a.txt
reads "&&: only the left one holds" and/a.key head
unread or "||: the left one holds" or/x.a
unread or "||: the right one holds" or/x.b
reads "||: neither holds" or/x.c
unread not "!: what is negated does not hold" not/private
reads "!: what is negated holds" not/public-1
unread like "like: wildcard, and a star that is one" 'like/x1y*z'
reads "like: another character there" 'like/x1y_z'
unread if "if: then" if/one
reads "if: then, not" if/two
unread if "if: else" if/two head
reads "if: else, not" if/one head
unread two "when and unless: when holds" two/kept
reads "when and unless: unless holds too" two/free
unread above "ancestors.contains: below that program" far/n timeout 9 cat
reads "ancestors.contains: not below it" far/n
unread cwd "context.cwd: another directory" deep/n sh -c 'cd /usr && cat "$OLDPWD/$1"' sh
reads "context.cwd: that directory" deep/n
unread set "a set of files: a member" set/two
reads "a set of files: no member" set/three
leash_run -- sh -c 'echo evil >exe/f'
is "context.exe: another program can't write" "$(cat "$WORK/exe/f")" f
check_event "... by exe, and the log says so" '.decision == "deny" and .path == $p and by("exe")' --arg p "$WORK/exe/f"
leash_run -- sh -c 'echo good | tee exe/f'
is "context.exe: that program can" "$(cat "$WORK/exe/f")" good

user_file "$policy" <<'EOF'
permit (principal, action in [Action::"FileOpenReadOnly", Action::"ProcessExec"], resource);
permit (principal, action in Action::"FileOpenReadWrite", resource in Dir::"/dev/");
@id("only-tee") permit (principal, action in Action::"FileOpenReadWrite", resource in Dir::"${WORKSPACE}/exe/")
	when { context.comm == "tee" && !(resource.path like "*.lock") };
EOF
leash_run -- sh -c 'echo better | tee exe/f; echo evil | tee exe/a.lock; echo evil >exe/g'
is "a permit with a condition: what meets it" "$(cat "$WORK/exe/f")" better
check_event "... by its id" '.decision == "allow" and .path == $p and by("only-tee")' --arg p "$WORK/exe/f"
is "... and not what does not" "$(ls "$WORK/exe")" f
check_event "... which the log has" '.decision == "deny" and .path == $p' --arg p "$WORK/exe/a.lock"
check_event "... both" '.decision == "deny" and .path == $p' --arg p "$WORK/exe/g"

# ---- Programs
use '@id("contains") forbid (principal, action == Action::"ProcessExec", resource == File::"/usr/bin/printf")
	when { context.argv.contains("-rf") };
@id("all") forbid (principal, action == Action::"ProcessExec", resource == File::"/usr/bin/echo")
	when { context.argv.containsAll(["push", "--force"]) };
@id("any") forbid (principal, action == Action::"ProcessExec", resource == File::"/usr/bin/basename")
	when { context.argv.containsAny(["-a", "--multiple"]) } unless { context.argv.contains("-z") };
@id("args") forbid (principal, action == Action::"ProcessExec", resource)
	when { context.args like "*one  secret*" || (resource.path like "*/dirname" && context.args like "* two *") };
@id("from") forbid (principal, action == Action::"ProcessExec", resource == File::"/usr/bin/uname")
	unless { context.comm == "sh" };'
# runs NAME WANTED COMMAND…
runs() {
	local name=$1 want=$2
	shift 2
	leash_run -- "$@"
	is "$name: runs" "$RC:$(out)" "0:$want"
}
# stopped ID NAME PROGRAM COMMAND…
stopped() {
	local id=$1 name=$2 program=$3
	shift 3
	leash_run -- "$@"
	is "$name: does not run" "$([ "$RC" != 0 ] && echo fails):$(out)" "fails:"
	check_event "... by $id, and the log says so" \
		'.kind == "proc.exec" and .decision == "deny" and .path == $p and by($i)' --arg p "$program" --arg i "$id"
}
stopped contains "argv.contains" /usr/bin/printf env printf '%s' -rf
runs "argv.contains: another argument" -fr env printf '%s' -fr
runs "argv.contains: a part of an argument" x-rf env printf '%s' x-rf
stopped all "argv.containsAll" /usr/bin/echo env echo --force push
runs "argv.containsAll: one is missing" push env echo push
stopped any "argv.containsAny" /usr/bin/basename env basename --multiple /a/b
runs "argv.containsAny: none" b env basename /a/b
stopped args "args like" /usr/bin/env env echo one ' secret'
runs "args like: otherwise" 'one secret' env echo one secret
stopped args "|| and && together" /usr/bin/dirname env dirname a two b
runs "|| and && together: the other half is missing" "$(printf '.\n.')" env dirname a b
stopped from "unless with context.comm: another asks" /usr/bin/uname env uname
runs "unless with context.comm: that one asks" Linux sh -c 'uname; true'

# ---- Network
# reached NAME URL [CURL-ARGUMENT…], unreached ID NAME PORT URL […]
reached() {
	local name=$1 url=$2
	shift 2
	: >"$REQUESTS"
	leash_run -- "${curl[@]}" "$@" "$url"
	is "$name: reached" "$RC:$(out)" 0:200
}
unreached() {
	local id=$1 name=$2 port=$3 url=$4
	shift 4
	: >"$REQUESTS"
	leash_run -- "${curl[@]}" "$@" "$url"
	is "$name: not reached" "$([ "$RC" != 0 ] && echo fails):$(wc -l <"$REQUESTS")" "fails:0"
	check_event "... by $id, and the log says so" \
		'(.kind == "net.connect" or .kind == "http.request") and .decision == "deny" and .port == $p and by($i)' \
		--argjson p "$port" --arg i "$id"
}
use '@id("range") forbid (principal, action == Action::"NetworkConnect", resource)
	when { context has ip && context.ip.isInRange(ip("203.0.113.64/26")) };'
unreached range "ip().isInRange: inside" 443 https://forbidden.test/ -4
reached "ip().isInRange: outside" https://permitted.test/ -4
unreached range "ip().isInRange: an address without a name" 80 http://203.0.113.66/
reached "ip().isInRange: an address outside" http://203.0.113.10/
use '@id("range6") forbid (principal, action == Action::"NetworkConnect", resource)
	when { context has ip && context.ip.isInRange(ip("2001:db8::60/124")) };
@id("v6") forbid (principal, action == Action::"NetworkConnect", resource == Host::"permitted.test:8443")
	when { context has ip && context.ip.isIpv6() };'
unreached range6 "isInRange of IPv6: inside" 443 https://forbidden.test/ -6
reached "isInRange of IPv6: outside" https://permitted.test/ -6
unreached v6 "isIpv6: it is" 8443 https://permitted.test:8443/ -6
reached "isIpv6: it is not" https://permitted.test:8443/ -4
use '@id("ports") forbid (principal, action == Action::"NetworkConnect", resource)
	when { context has port && (context.port < 80 || context.port > 443) };
@id("names") forbid (principal, action == Action::"NetworkConnect", resource)
	when { context has hostname && context.hostname like "*.wild.*" && !(context has port && context.port == 80) };'
unreached ports "ports: beyond" 8443 https://permitted.test:8443/
reached "ports: at the edge" https://permitted.test/
unreached names "hostname like, and not: the name matches" 443 https://api.wild.test/
reached "hostname like, and not: what is negated holds" http://api.wild.test/
reached "hostname like: another name" http://permitted.test/
use '@id("elsewhere") forbid (principal, action == Action::"NetworkConnect", resource)
	unless { resource in [Host::"permitted.test", DnsZone::"wild.test", IpRange::"203.0.113.16/28"] };
@id("program") forbid (principal, action == Action::"NetworkConnect", resource == Host::"api.wild.test:443")
	unless { context.exe like "*/curl" };'
: >"$REQUESTS"
leash_run -- "${curl[@]}" https://forbidden.test/
is "unless a list of places: another is not reached" "$([ "$RC" != 0 ] && echo fails):$(wc -l <"$REQUESTS")" "fails:0"
check_event "... by elsewhere, and the log says so" '.decision == "deny" and .host == "forbidden.test" and by("elsewhere")'
reached "unless a list of places: one of them" https://permitted.test/
reached "unless a list of places: a zone" https://api.wild.test/
: >"$REQUESTS"
leash_run -- python3 -c 'import urllib.request as u; print(u.urlopen("https://api.wild.test/").read())'
is "unless that program: another does not reach it" "$([ "$RC" != 0 ] && echo fails):$(wc -l <"$REQUESTS")" "fails:0"
check_event "... by program, and the log says so" '.kind == "net.connect" and .decision == "deny" and by("program")'
leash_run -- python3 -c 'import urllib.request as u; print(u.urlopen("https://permitted.test/").status)'
is "... and reaches the rest" "$(out)" 200

user_file "$policy" <<'EOF'
permit (principal, action in [Action::"FileOpen", Action::"ProcessExec"], resource);
@id("one-port") permit (principal, action == Action::"NetworkConnect", resource == Host::"permitted.test")
	when { context.port == 443 && context.protocol == "tcp" };
EOF
reached "a permit with a port: that port" https://permitted.test/
check_event "... by its id" '.kind == "net.connect" and .decision == "allow" and by("one-port")'
: >"$REQUESTS"
leash_run -- "${curl[@]}" http://permitted.test/
is "... and no other" "$([ "$RC" != 0 ] && echo fails):$(wc -l <"$REQUESTS")" "fails:0"
check_event "... which the log has" '.kind == "net.connect" and .decision == "deny" and .port == 80'

done_testing
