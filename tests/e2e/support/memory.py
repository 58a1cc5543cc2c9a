"""memory.py PID VALUE…: looks for the values in the memory, environment and arguments of every process of the
container that PID's session runs, and in the arguments of those around it. Prints how many processes of the
container there were, and how often a value was found; where, on standard error."""
import os
import sys

WANTED = [v.encode() for v in sys.argv[2:]]


def below(root):
    todo, pids = [root], []
    while todo:
        pids.append(todo.pop())
        try:
            for t in os.listdir(f"/proc/{pids[-1]}/task"):
                todo += map(int, open(f"/proc/{pids[-1]}/task/{t}/children").read().split())
        except OSError:
            pids.pop()  # it has ended
    return pids


def pieces(pid):
    """What the process holds, each with a name."""
    for name in ("environ", "cmdline"):
        yield name, open(f"/proc/{pid}/{name}", "rb").read()
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in open(f"/proc/{pid}/maps"):
            where, rights = line.split()[:2]
            a, b = (int(x, 16) for x in where.split("-"))
            if rights[0] != "r" or "[v" in line:
                continue
            try:
                memory.seek(a)
                yield line.strip(), memory.read(b - a)
            except (OSError, ValueError, OverflowError):
                pass


def search(pid):
    found = 0
    for name, content in pieces(pid):
        if any(v in content for v in WANTED):
            found += 1
            print(pid, open(f"/proc/{pid}/comm").read().strip(), name, file=sys.stderr)
    return found


looked = found = 0
for pid in below(int(sys.argv[1])):
    try:
        if os.readlink(f"/proc/{pid}/ns/pid") == os.readlink(f"/proc/{sys.argv[1]}/ns/pid"):
            found += any(v in open(f"/proc/{pid}/cmdline", "rb").read() for v in WANTED)
            continue
        found += search(pid)
        looked += 1
    except OSError:
        pass  # it has ended
print(looked, found)
