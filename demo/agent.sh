#!/bin/sh
# What an agent might do: some work, and two things that the policy forbids.
say() {
	if [ -n "${DEMO_BOLD:-}" ]; then
		printf '\n\033[1m$ %s\033[0m\n' "$*"
	else
		printf '\n$ %s\n' "$*"
	fi
}

say "echo 'int main(void) { return 0; }' > main.c"
echo 'int main(void) { return 0; }' > main.c
say "cat main.c"
cat main.c
say "cat private/token"
cat private/token
say "echo pwned > private/new"
echo pwned > private/new
say "getent hosts example.com"
getent hosts example.com || echo "(no answer)"
exit 0
