#!/usr/bin/env python3
"""The proxy with real sockets, a real resolver and real programs, in namespaces of the test's own.

Usage: test-proxy.py PROXY-HARNESS. Needs no privilege where unprivileged user namespaces work."""
import ctypes
import json
import os
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

HARNESS = os.path.abspath(sys.argv[1])
NEEDED = ["ip", "nft", "dnsmasq", "curl", "openssl", "unshare", "mount"]
os.environ["PATH"] += ":/usr/sbin:/sbin"

if os.environ.get("IN_WORLD") is None:
    missing = [n for n in NEEDED if not shutil.which(n)]
    if missing:
        print("1..0 # SKIP missing programs: " + " ".join(missing))
        sys.exit(77)
    os.environ["IN_WORLD"] = "1"
    if subprocess.run(["unshare", "-Urnm", "true"], capture_output=True).returncode:
        print("1..0 # SKIP no unprivileged user namespaces here")
        sys.exit(77)
    os.execvp("unshare", ["unshare", "-Urnm", "--propagation", "private", sys.executable, *sys.argv])

T = pathlib.Path(tempfile.mkdtemp(prefix="leash-proxy."))
count = failures = 0


def ok(passed, name, detail=""):
    global count, failures
    count += 1
    print(("ok" if passed else "not ok"), count, "-", name, flush=True)
    if not passed:
        failures += 1
        for line in str(detail).splitlines():
            print("#  ", line)


def is_(name, got, wanted):
    ok(got == wanted, name, f"got    {got!r}\nwanted {wanted!r}")


# ---- The world outside the container

NAMES = {
    "permitted.test": ["203.0.113.10", "2001:db8::10"], "other.test": ["203.0.113.10"],
    "forbidden.test": ["203.0.113.66"], "unmentioned.test": ["203.0.113.66"],
    "a.wild.test": ["203.0.113.11"], "bad.wild.test": ["203.0.113.11"],
    "ssh.test": ["203.0.113.12"], "closed.test": ["203.0.113.13"],
    "rebind.test": ["127.0.0.1"], "metadata.test": ["169.254.169.254"],
    "nat64.test": ["64:ff9b::a9fe:a9fe"], "mapped.test": ["::ffff:169.254.169.254"],
    "many.test": ["203.0.113.%d" % n for n in range(100, 140)],
    "verified.test": ["203.0.113.14"],
}
requests = []  # (address, port, first bytes) of everything that arrived anywhere


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def make_network():
    run("ip", "link", "set", "lo", "up")
    run("sysctl", "-qw", "net.ipv6.bindv6only=0") if shutil.which("sysctl") else None
    for addresses in NAMES.values():
        for a in addresses:
            if a.startswith(("127.", "64:", "::ffff")):
                continue
            subprocess.run(["ip", "addr", "add", a + ("/128" if ":" in a else "/32"), "dev", "lo"] +
                           (["nodad"] if ":" in a else []), capture_output=True)
    (T / "hosts").write_text("127.0.0.1 localhost\n127.0.1.1 myhost.test secret-host.test\n203.0.113.12 in-hosts.test\n"
                             "0.0.0.0 ads.test\n")
    (T / "resolv.conf").write_text("nameserver 127.0.0.53\noptions timeout:1\n")
    run("mount", "--bind", str(T / "hosts"), "/etc/hosts")
    run("mount", "--bind", str(T / "resolv.conf"), "/etc/resolv.conf")
    args = [f"--host-record={name},{a}" for name, addresses in NAMES.items() for a in addresses if a[:4] != "::ff"]
    log = open(T / "dnsmasq.log", "w")
    process = subprocess.Popen(
        ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--pid-file=", "--no-resolv",
         "--no-hosts", "--listen-address=127.0.0.53", "--bind-interfaces", "--log-queries", "--log-facility=-", "--cache-size=0",
         "--address=/tunnel.test/203.0.113.10", "--address=/wild.test/203.0.113.11", "--txt-record=permitted.test," + "x" * 200 + ",some,text",
         "--mx-host=permitted.test,mail.permitted.test,5", "--srv-host=_s._tcp.permitted.test,permitted.test,99,1,2",
         "--cname=alias.wild.test,permitted.test", "--local=/test/", *args], stderr=log)
    for _ in range(100):
        if "started" in (T / "dnsmasq.log").read_text():
            return process
        time.sleep(0.05)
    print("Bail out! dnsmasq does not start:", (T / "dnsmasq.log").read_text())
    sys.exit(1)


def serve(address, port, handler):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen(1100)

    def loop():
        while True:
            c, _ = s.accept()
            threading.Thread(target=guarded, args=(handler, c, address, port), daemon=True).start()
    threading.Thread(target=loop, daemon=True).start()


def guarded(handler, c, address, port):
    try:
        handler(c, address, port)
    except OSError:
        pass
    finally:
        c.close()


def http(c, address, port):
    head = b""
    while b"\r\n\r\n" not in head:
        more = c.recv(65536)
        if not more:
            return
        head += more
    requests.append((address, port, head))
    path = head.split(b" ")[1]
    if path.startswith(b"/big"):
        body = b"x" * 20_000_000
    else:
        body = b"hello from %s:%d\n" % (address.encode(), port)
    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)


def tls(c, address, port):
    try:
        http(context.wrap_socket(c, server_side=True), address, port)
    except ssl.SSLError as e:
        requests.append((address, port, repr(e).encode()))


def banner(c, address, port):
    requests.append((address, port, b""))
    c.sendall(b"220 at your service\r\n")
    while True:
        data = c.recv(65536)
        if not data:
            break
        requests.append((address, port, data))
        c.sendall(b"you said " + data)
    c.sendall(b"bye\r\n")


def mute(c, address, port):
    requests.append((address, port, b""))
    total = 0
    while True:
        data = c.recv(65536)
        if not data:
            break
        total += len(data)
    c.sendall(b"%d\n" % total)


def start_servers():
    global context
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=t",
        "-addext", "subjectAltName=DNS:permitted.test", "-keyout", str(T / "key"), "-out", str(T / "crt"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(T / "crt", T / "key")
    for a in ["203.0.113.10", "2001:db8::10", "203.0.113.11", "203.0.113.14", "203.0.113.66", "127.0.0.1", "127.0.1.1", "169.254.169.254"]:
        serve(a, 80, http)
        serve(a, 443, tls)
    for a in ["203.0.113.10", "203.0.113.12", "203.0.113.66"]:
        serve(a, 22, banner)
        serve(a, 9, mute)
    serve("127.0.1.1", 18080, http)


# ---- Sessions

POLICY = """
@id("names") permit (principal, action == Action::"NetworkConnect", resource) when { resource in [
    Host::"permitted.test", Host::"*.wild.test", Host::"ssh.test:22", Host::"rebind.test", Host::"metadata.test",
    Host::"nat64.test", Host::"closed.test", Host::"myhost.test", Host::"in-hosts.test", Host::"many.test",
    Host::"tunnel.test", Host::"*.tunnel.test", Host::"verified.test"] };
@id("address") permit (principal, action == Action::"NetworkConnect", resource == Host::"203.0.113.12:9");
@id("no-bad") forbid (principal, action == Action::"NetworkConnect", resource == Host::"bad.wild.test");
@id("link-local") forbid (principal, action == Action::"NetworkConnect", resource in IpRange::"169.254.0.0/16");
@id("loopback") forbid (principal, action == Action::"NetworkConnect", resource == Host::"127.0.0.1");
@id("exe") permit (principal, action == Action::"NetworkConnect", resource == Host::"unmentioned.test")
    when { context.exe == "/usr/bin/some-agent" };
@id("resolve") permit (principal, action == Action::"DnsResolve", resource == Host::"unmentioned.test");
"""


class Session:
    def __init__(self, command, policy=POLICY, flags=("-a",), timeout=60, meanwhile=None):
        (T / "policy.cedar").write_text(policy)
        events = T / "events"
        before = len(requests)
        queries_before = len((T / "dnsmasq.log").read_text().splitlines())
        process = subprocess.Popen([HARNESS, *flags, "guarded" if policy == "guarded" else str(T / "policy.cedar"), str(events),
                                    *(command if isinstance(command, list) else ["sh", "-c", command])],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        if meanwhile:
            self.seen = meanwhile(events)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
        self.rc, self.out, self.err = process.returncode, out.decode(errors="replace"), err.decode(errors="replace")
        self.events = [json.loads(line) for line in events.read_text().splitlines()]
        self.requests = requests[before:]
        self.queries = [q for q in (T / "dnsmasq.log").read_text().splitlines()[queries_before:] if "query[" in q]

    def has(self, **wanted):
        return any(all(e.get(k) == v for k, v in wanted.items()) for e in self.events)

    def __repr__(self):
        return f"rc {self.rc}\nout {self.out[-600:]}\nerr {self.err[-600:]}\n" + "\n".join(map(str, self.events[-12:]))


def check(name, passed, s):
    ok(passed, name, s)


def python(code):
    return [sys.executable, "-c", PRELUDE + code]


PRELUDE = """
import socket, struct, sys, time
def query(name, qtype=1, qclass=1, flags=0x100, edns=None, extra=b""):
    labels = b"".join(bytes([len(l)]) + l for l in name.encode().split(b".")) + b"\\0"
    q = struct.pack(">6H", 7, flags, 1, 0, 0, 1 if edns else 0) + labels + struct.pack(">2H", qtype, qclass)
    if edns: q += b"\\0" + struct.pack(">HHIH", 41, edns, 0, 0)
    return q + extra
def ask(message, timeout=5, to="192.0.2.1"):
    s = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(timeout)
    s.sendto(message, (to, 53))
    try: return s.recv(65536)
    except OSError as e: return None
def ask_tcp(message):
    s = socket.create_connection(("192.0.2.1", 53), 5); s.sendall(struct.pack(">H", len(message)) + message)
    n = struct.unpack(">H", s.recv(2))[0]; a = b""
    while len(a) < n: a += s.recv(n - len(a))
    return a
def resolve(name, qtype=1):
    a = ask(query(name, qtype)); n = struct.unpack(">H", a[6:8])[0]
    return (a[3] & 15, n, a[-4:] if qtype == 1 else a[-16:])
def dial(host, port, timeout=5):
    return socket.create_connection((host, port), timeout)
"""
exec(PRELUDE)
CURL = "curl -sS --max-time 10 "

dnsmasq = make_network()
start_servers()

# ---- Names that are permitted
s = Session(CURL + "http://permitted.test/ && " + CURL + "-k https://permitted.test/ && " + CURL + "-6 http://permitted.test/")
check("HTTP, TLS and IPv6 to a permitted name work",
      s.rc == 0 and s.out.split("\n")[:2] == ["hello from 2001:db8::10:80", "hello from 2001:db8::10:443"] or s.out.count("hello") == 3, s)
check("... the query is in the log", s.has(kind="dns.query", decision="allow", host="permitted.test"), s)
check("... and the connection, with process, address and policy",
      any(e["kind"] == "net.connect" and e["decision"] == "allow" and e["host"] == "permitted.test" and e["port"] == 443 and
          e["ip"] in ("203.0.113.10", "2001:db8::10") and e["policies"] == ["names"] and e["exe"] == "/usr/bin/some-agent" and
          e["pid"] == 4321 for e in s.events if e["kind"] == "net.connect"), s)
check("... and its end, with what was carried", any(e["kind"] == "net.close" and e.get("bytes_in", 0) > 50 and
                                                    e.get("bytes_out", 0) > 50 for e in s.events), s)

print(f"1..{count}")
dnsmasq.terminate()
shutil.rmtree(T, ignore_errors=True)
sys.exit(1 if failures else 0)
