#!/usr/bin/env bash
# A developer's day under the default profile: git, npm, make, python, editors, archives, databases,
# debuggers, and programs with many threads. What works without leash works with it.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/support/world.sh"
enter_world "$@"
TIME_LIMIT=120

# works NAME SCRIPT [WANTED-OUTPUT]: the shell script succeeds inside, and says what is wanted.
works() {
	leash_run -- bash -euc "$2"
	if [ "$RC" != 0 ]; then
		not_ok "$1" "$(tail -n 5 "$OUT")"
	elif [ $# -gt 2 ] && [ "$(out)" != "$3" ]; then
		not_ok "$1" " got: $(out | head -c 600)" "want: $3"
	else
		ok "$1"
	fi
}

# ---- git, in a repository that is there
as_user sh -ec 'git init -q repo; cd repo; echo one >a; git add a; git commit -qm one; git init -q --bare ../bare.git
	git remote add origin ../bare.git; git push -q origin main'
works "git: status, diff, add, commit" 'cd repo; echo two >>a; git status --short; git diff --stat >/dev/null; git add a
	git commit -qm two; git log --format=%s' $' M a\ntwo\none'
works "git: branch, switch, merge" 'cd repo; git switch -qc topic; echo b >b; git add b; git commit -qm b
	git switch -q main; git merge -q topic; git branch -d topic >/dev/null; cat b' b
works "git: rebase" 'cd repo; git switch -qc other HEAD~1; echo c >c; git add c; git commit -qm c; git rebase -q main
	git log --format=%s | head -n 2; git switch -q main; git merge -q other' $'c\nb'
works "git: worktree" 'cd repo; git worktree add -q ../tree -b in-tree; cd ../tree; echo d >d; git add d
	git commit -qm d; git log -1 --format=%s; cd ../repo; git worktree remove ../tree; git branch --list in-tree | tr -d " "' $'d\nin-tree'
works "git: stash, reset, tag, gc, fsck" 'cd repo; echo e >>a; git stash -q; git stash pop -q; git checkout -q a
	git tag v1; git reset -q --hard v1; git gc -q; git fsck --no-progress; git status --short'
works "git: push, fetch" 'cd repo; git push -q origin main; git fetch -q; git rev-parse origin/main main | uniq | wc -l' 1
leash_run -- sh -c 'cd repo && git config core.hooksPath /tmp/evil'
is "git: the configuration, which runs programs outside, can't be changed" \
	"$([ "$RC" != 0 ] && echo denied):$(as_user git -C repo config core.hooksPath)" denied:
check "git: ... and no lock is left behind" test ! -e "$WORK/repo/.git/config.lock"
user_file "$T_HOME/open.cedar" <<'EOF'
permit (principal, action == Action::"FileOpenReadOnly", resource);
permit (principal, action == Action::"FileOpenReadWrite", resource in Dir::"${WORKSPACE}/");
permit (principal, action == Action::"FileOpenReadWrite", resource in Dir::"/tmp/");
permit (principal, action == Action::"FileOpenReadWrite", resource in Dir::"/dev/");
permit (principal, action == Action::"ProcessExec", resource);
EOF
LEASH_FLAGS=(-I --policy "$T_HOME/open.cedar")
works "git: init and clone, where the policy lets .git/config be written" \
	'git init -q fresh; git clone -q bare.git cloned; cd cloned; echo f >f; git add f; git commit -qm f; git push -q
	git clone -q --no-hardlinks . ../again; ls ../again' $'a\nb\nc\nf'
LEASH_FLAGS=(-I)

# ---- npm
mkdir -p "$T/package"
echo '{ "name": "tiny-greeting", "version": "1.0.0", "main": "index.js" }' >"$T/package/package.json"
echo 'module.exports = "hello from a package";' >"$T/package/index.js"
tar -C "$T" -czf "$T/tiny-greeting-1.0.0.tgz" package
: >"$T/registry.log"
start_service node "$WORLD_LIB/registry.mjs" 203.0.113.21 4873 "$T/registry.log" "$T/tiny-greeting-1.0.0.tgz"
user_file "$WORK/app/package.json" <<'EOF'
{ "name": "app", "version": "1.0.0", "scripts": { "start": "node -p \"require('tiny-greeting')\"" } }
EOF
works "npm: install from a registry, and use it" 'cd app
	npm install --registry http://registry.test:4873 --no-audit --no-fund tiny-greeting >/dev/null; npm start --silent' \
	"hello from a package"
check "npm: ... from that registry" grep -q 'GET /-/tiny-greeting-1.0.0.tgz' "$T/registry.log"
check_request "npm: ... and the log has the download" \
	'.decision == "allow" and (.url | test("tiny-greeting-1.0.0.tgz"))'

# ---- C
mkdir "$WORK/c"
for i in 1 2 3 4 5 6; do
	echo "int f$i(void); int f$i(void) { return $i; }" >"$WORK/c/f$i.c"
done
cat >"$WORK/c/main.c" <<'EOF'
#include <stdio.h>
int f1(void); int f2(void); int f3(void); int f4(void); int f5(void); int f6(void);
int main(void) { printf("%d\n", f1() + f2() + f3() + f4() + f5() + f6()); return 0; }
EOF
printf 'sum: main.o f1.o f2.o f3.o f4.o f5.o f6.o\n\t$(CC) -o $@ $^\nclean:\n\trm -f sum *.o\n' >"$WORK/c/Makefile"
cp "$WORLD_LIB/storm.c" "$WORK/c"
chown -R "$T_UID:$T_GID" "$WORK/c"
works "make -j2 builds a program that runs" 'cd c; make -sj2 CFLAGS=-g; ./sum; make -s clean; ls *.o 2>/dev/null | wc -l; make -sj2 CFLAGS=-g' $'21\n0'
works "gdb runs it to a breakpoint and on" \
	'cd c; gdb -q -batch -ex "break f3" -ex run -ex "print 40 + 2" -ex continue ./sum 2>/dev/null | grep -E "^21|= 42|Breakpoint 1, f3" | sed "s/ (.*//"' \
	$'Breakpoint 1, f3\n$1 = 42\n21'
works "strace follows a process and its children" \
	'cd c; strace -f -o trace sh -c "./sum; cat f1.c >/dev/null"; grep -q "f1.c.*= [0-9]" trace; grep -c exited trace' $'21\n3'
leash_run -- strace -o "$WORK/c/trace" cat "$T_HOME/.ssh/id_ed25519"
is "... and what is forbidden stays forbidden under a debugger" "$([ "$RC" != 0 ] && echo denied):$(out)" denied:

# ---- Python
works "python: venv and pip" 'python3 -m venv v; v/bin/pip --version | cut -d " " -f 1; v/bin/python -c "import sys; print(sys.prefix != sys.base_prefix)"' $'pip\nTrue'
works "python: multiprocessing" 'python3 -c "
import multiprocessing as m
if __name__ == \"__main__\":
	with m.Pool(3) as p: print(sum(p.map(abs, range(100))))"' 4950
works "python: subprocess, tempfile, sqlite3" 'python3 -c "
import sqlite3, subprocess, tempfile
with tempfile.NamedTemporaryFile() as t: t.write(b\"x\"); t.flush(); print(subprocess.check_output([\"wc\", \"-c\", t.name]).split()[0].decode())
d = sqlite3.connect(\"p.db\"); d.execute(\"pragma journal_mode=wal\"); d.execute(\"create table t(x)\"); d.executemany(\"insert into t values(?)\", [(i,) for i in range(50)]); d.commit()
print(d.execute(\"select sum(x) from t\").fetchone()[0])"' $'1\n1225'

# ---- Files
works "tar, gzip, find, xargs" 'tar -czf c.tgz c; mkdir x; tar -C x -xzf c.tgz; diff -r c x/c; find x -name "f*.c" -print0 | xargs -0 -n 2 -P 2 wc -l | wc -l; rm -r x' 9
works "rsync -a" 'rsync -a --delete c/ copy/; diff -r c copy; stat -c %a copy/sum c/sum | uniq | wc -l' 1
works "cp -a, hard links, symbolic links, FIFOs, permissions" 'cp -a c copy2; ln c/f1.c hard; ln -s c/f1.c soft; cmp hard soft
	mkfifo pipe; (echo through >pipe &); cat pipe; chmod 640 hard; stat -c "%a %h" hard; touch -d 2001-02-03 hard; stat -c %y hard | cut -c 1-10' \
	$'through\n640 2\n2001-02-03'
works "sqlite3" 'sqlite3 s.db "create table t(a); insert into t values(1),(2); select sum(a) from t;"' 3
works "sed -i, patch by rename, truncate" 'echo aaa >s; sed -i s/a/b/ s; cat s; echo new >.s.tmp; mv .s.tmp s; cat s; : >s; wc -c <s' $'baa\nnew\n0'
works "vim saves a file" 'echo before >v.txt; vim -u NONE -es -c "%s/before/after/" -c wq v.txt </dev/null; cat v.txt' after
works "flock and inotify" 'flock lock -c "echo locked"; node -e "
const fs = require(\"fs\"); const w = fs.watch(\".\", (e, f) => { if (f === \"watched\") { console.log(\"seen\"); w.close(); process.exit(); } });
fs.writeFileSync(\"watched\", \"x\");"' $'locked\nseen'
works "process substitution, here documents, /dev/fd, /dev/stdin" \
	'cat <(echo one) /dev/stdin <<<two; echo three | tee /dev/fd/1 | wc -l; (echo four >/dev/stdout) | cat; echo five | cat /proc/self/fd/0' $'one\ntwo\n2\nfour\nfive'
works "scripts with #! lines, nested" 'printf "#!/bin/sh\necho ran \$0 \$1\n" >s.sh; printf "#!/usr/bin/env -S bash -e\n./s.sh \$1\n" >t.sh; chmod +x s.sh t.sh; ./t.sh arg' "ran ./s.sh arg"
works "long paths and strange names" 'd=$(printf "%0200d" 0); mkdir -p "$d/$d/$d"; echo deep >"$d/$d/$d/f"; cat "$d/$d/$d/f"
	printf x >"$(printf "new\nline \303\244 \001")"; ls | grep -c line; rm -r "$d"' $'deep\n1'
works "many files" 'mkdir many; cd many; for i in $(seq 500); do echo $i >$i; done; cat * | awk "{ s += \$1 } END { print s }"; cd ..; rm -r many' 125250

# ---- Servers and threads
leash_start -p 18124:3000 -- sh -c 'cd app && exec node -e "
require(\"http\").createServer((q, s) => s.end(require(\"tiny-greeting\"))).listen(3000, \"127.0.0.1\", () => console.log(\"up\"))"'
wait_for 20 grep -q up "$OUT"
wait_for 10 port_is_open 127.0.0.1 18124
is "a dev server can be looked at from the host" "$(curl -sS --max-time 10 http://127.0.0.1:18124/ 2>&1)" "hello from a package"
kill -TERM "$LEASH_PID"
leash_wait 20

as_user gcc -O1 -pthread -o "$WORK/storm" -x c - <"$WORLD_LIB/storm.c"
leash_run -- ./storm "$WORK/c/f1.c" "$T_HOME/.ssh/id_ed25519" 16 "${LEASH_STORM_ROUNDS:-2000}"
is "16 threads open files under a storm of signals" "$RC:$(out)" "0:signals many, wrong 0"
is "... and every denial is in the log" \
	"$(events '.kind == "file.open" and .decision == "deny" and .path == $p' --arg p "$T_HOME/.ssh/id_ed25519" |
		jq -s 'map(.count // 1) | add')" "$((16 * ${LEASH_STORM_ROUNDS:-2000}))"
is "... and nothing was lost" "$(events '.kind == "lost"' | wc -l)" 0

done_testing
