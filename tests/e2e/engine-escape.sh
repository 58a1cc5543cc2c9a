#!/usr/bin/env bash
# The escape suite's files and processes in a container engine, as a user of the image with the
# number of the one outside: what holds natively holds there. LEASH_GROUPS names other groups.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/support/engine.sh"
make_user
enter_engine
# The suite has a user of its own.
chmod 666 "$ENGINE_SOCKET"

# This machine's programs on a root of their own.
mkdir -p "$T/host"/{etc,root,tmp,var/tmp,usr,home}
for link in bin sbin lib lib32 lib64; do
	[ ! -L "/$link" ] || ln -s "usr/$link" "$T/host/$link"
done
cp /etc/passwd /etc/group /etc/nsswitch.conf /etc/ld.so.cache "$T/host/etc/"
cp -r /etc/alternatives "$T/host/etc/"
printf "[user]\n\tname = Test\n\temail = test@example.com\n" >"$T/host/etc/gitconfig"
image host

cat >"$T/in-engine" <<END
#!/bin/bash
export DOCKER_HOST=unix://$ENGINE_SOCKET
case \$1 in
export | events | sessions | verify | token | policy | version) exec "$LEASH" "\$@" ;;
esac
image=host-\$(id -u):test
docker image inspect "\$image" >/dev/null 2>&1 ||
	printf 'FROM host:test\nUSER %s:%s\nENV HOME=%s\n' "\$(id -u)" "\$(id -g)" "\$HOME" | docker build -q -t "\$image" - >/dev/null 2>&1
exec "$LEASH" --image "\$image" -v /usr:/usr:ro -v "\$HOME/escape:\$HOME/escape:ro" "\$@"
END
chmod 755 "$T/in-engine"
read -ra groups <<<"${LEASH_GROUPS:-files ipc}"
ROUNDS=${ROUNDS:-2000} EXEC_ROUNDS=${EXEC_ROUNDS:-200} LEASH=$T/in-engine bash "$ROOT/tests/escape/run.sh" "${groups[@]}"
exit
