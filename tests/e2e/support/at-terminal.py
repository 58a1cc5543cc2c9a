#!/usr/bin/env python3
"""Runs COMMAND at a terminal of its own: at-terminal.py [WANT SEND]... -- COMMAND...

Waits until WANT (a regular expression) shows in what came since the last one, then types SEND, in which
\\r, \\x03 and the like are escapes. Prints all that was shown; ends with the command's exit code, 128 + n
by signal n, or 99 where WANT never came.
"""
import os
import pty
import re
import select
import sys
import time

TIMEOUT = 30

at = sys.argv.index("--")
script = [(sys.argv[i], sys.argv[i + 1]) for i in range(1, at, 2)]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[at + 1], sys.argv[at + 1:])

shown, start, failed = b"", 0, False
deadline = time.monotonic() + TIMEOUT
while True:
    while script:
        found = re.search(script[0][0].encode(), shown[start:])
        if not found:
            break
        start += found.end()
        os.write(fd, script.pop(0)[1].encode().decode("unicode_escape").encode("latin-1"))
        deadline = time.monotonic() + TIMEOUT
    left = deadline - time.monotonic()
    if left <= 0 or not select.select([fd], [], [], left)[0]:
        failed = True
        os.kill(pid, 9)
        break
    try:
        piece = os.read(fd, 65536)
    except OSError:
        break
    if not piece:
        break
    shown += piece
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.write(shown.decode(errors="replace").replace("\r\n", "\n"))
if failed or script:
    sys.stdout.write(f"\nnever shown: {script[0][0] if script else 'the end'}\n")
    sys.exit(99)
sys.exit(status if status >= 0 else 128 - status)
