#!/usr/bin/env python3
"""The proxy with real sockets, a real resolver and real programs, in namespaces of the test's own.

Usage: test-proxy.py PROXY-HARNESS. Needs no privilege where unprivileged user namespaces work."""
import atexit
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
    # Debian's modules are for Debian's interpreter, which need not be the first one here.
    pythons = [p for p in (sys.executable, "/usr/bin/python3") if not subprocess.run([p, "-c", "import h2"], capture_output=True).returncode]
    os.execvp("unshare", ["unshare", "-Urnm", "--propagation", "private", (pythons + [sys.executable])[0], *sys.argv])

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
    "expired.test": ["203.0.113.20"], "wrong.test": ["203.0.113.21"], "self.test": ["203.0.113.22"],
    "pinned.test": ["203.0.113.23"], "plain.test": ["203.0.113.24"], "odd.test": ["203.0.113.25"],
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
    atexit.register(process.kill)
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
        inside = contexts.get(address, context).wrap_socket(c, server_side=True)
        http(inside, address, port)
        inside.unwrap()
    except ssl.SSLError as e:
        requests.append((address, port, repr(e).encode()))


def imaps(c, address, port):
    """TLS with a server inside that speaks first."""
    inside = context.wrap_socket(c, server_side=True)
    inside.sendall(b"* OK ready\r\n")
    data = inside.recv(65536)
    requests.append((address, port, data))
    inside.sendall(b"you said " + data)


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


def certificate(name, subject_names, *more):
    """A key and a certificate of the world's authority; returns a context that serves with it."""
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
        "-keyout", str(T / (name + ".key")), "-out", str(T / (name + ".csr")))
    (T / (name + ".ext")).write_text("subjectAltName=" + subject_names)
    run("openssl", "x509", "-req", "-in", str(T / (name + ".csr")), "-CA", str(T / "ca.crt"), "-CAkey", str(T / "ca.key"),
        "-CAcreateserial", "-extfile", str(T / (name + ".ext")), "-out", str(T / (name + ".crt")), *(more or ("-days", "2")))
    return serving(T / (name + ".crt"), T / (name + ".key"))


def serving(crt, key, protocols=("http/1.1",)):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, key)
    context.set_alpn_protocols(list(protocols))
    return context


def start_servers():
    global context, contexts
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=ca",
        "-keyout", str(T / "ca.key"), "-out", str(T / "ca.crt"))
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=t",
        "-addext", "subjectAltName=DNS:self.test", "-keyout", str(T / "self.key"), "-out", str(T / "self.crt"))
    context = certificate("all", ",".join(f"DNS:{n}" for n in NAMES if n not in ("wrong.test", "self.test")) + ",IP:203.0.113.25")
    contexts = {
        "203.0.113.20": certificate("expired", "DNS:expired.test", "-days", "-1"),
        "203.0.113.21": context,
        "203.0.113.22": serving(T / "self.crt", T / "self.key"),
        "203.0.113.23": context,
        "203.0.113.24": context,
    }
    for a in contexts:
        serve(a, 443, tls)
    serve("203.0.113.24", 80, http)
    serve("203.0.113.24", 993, imaps)
    serve("203.0.113.25", 443, tls)
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
    Host::"tunnel.test", Host::"*.tunnel.test", Host::"verified.test", Host::"_s._tcp.permitted.test",
    Host::"expired.test", Host::"wrong.test", Host::"self.test", Host::"plain.test", Host::"odd.test"] };
@id("pinned") @tls("passthrough") permit (principal, action == Action::"NetworkConnect", resource == Host::"pinned.test");
@id("odd-address") permit (principal, action == Action::"NetworkConnect", resource == Host::"203.0.113.25:443");
@id("no-secret") forbid (principal, action == Action::"HttpRequest", resource == Host::"plain.test") when { context.path like "/secret*" };
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
        events.unlink(missing_ok=True)
        before = len(requests)
        queries_before = len((T / "dnsmasq.log").read_text().splitlines())
        process = subprocess.Popen([HARNESS, "-r", str(T / "ca.crt"), "-c", str(T / "session.crt"), *flags, "guarded" if policy == "guarded" else str(T / "policy.cedar"), str(events),
                                    *(command if isinstance(command, list) else ["sh", "-c", command])],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                   env=os.environ | {"CURL_CA_BUNDLE": str(T / "session.crt"), "SSL_CERT_FILE": str(T / "session.crt")})
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

    @property
    def paths(self):
        """Of all requests that arrived."""
        return [r[2].split(b" ")[1].decode() for r in self.requests if r[2].startswith(b"GET ")]

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
# ---- Names that are permitted
s = Session(CURL + "http://permitted.test/ && " + CURL + "https://permitted.test/ && " + CURL + "-6 http://permitted.test/")
is_("HTTP, TLS and IPv6 to a permitted name work", (s.rc, s.out.count("hello")), (0, 3))
check("... the query is in the log", s.has(kind="dns.query", decision="allow", host="permitted.test"), s)
check("... and the connection, with process, address and policy",
      any(e["decision"] == "allow" and e["host"] == "permitted.test" and e["port"] == 443 and e["ip"] in NAMES["permitted.test"] and
          e["policies"] in (["names"], ["file:names"]) and e.get("exe") == "/usr/bin/some-agent" and e.get("pid") == 4321
          for e in s.events if e["kind"] == "net.connect"), s)
check("... and its end, with what was carried",
      any(e.get("bytes_in", 0) > 50 and e.get("bytes_out", 0) > 50 for e in s.events if e["kind"] == "net.close"), s)
s = Session(CURL + "-o /dev/null -w '%{size_download}' http://permitted.test/big")
is_("20 MB come down whole", s.out, "20000000")
check("... and are counted", any(e.get("bytes_in", 0) > 20_000_000 for e in s.events if e["kind"] == "net.close"), s)
s = Session(python("""
dial("permitted.test", 80).close()
s = dial("permitted.test", 9); s.sendall(b"y" * 5_000_000); s.shutdown(1); print(s.recv(100).decode())"""))
is_("5 MB go up whole, and a half-closed connection still answers", s.out.strip(), "5000000")
s = Session(python("""
s = dial("ssh.test", 22); print(s.recv(100).decode().strip()); s.sendall(b"hi\\n"); print(s.recv(100).decode().strip())
s.shutdown(1); print(s.recv(100).decode().strip()); print(s.recv(100) == b"")"""))
is_("a server that speaks first is heard", s.out.split("\n")[:4], ["220 at your service", "you said hi", "bye", "True"])
s = Session(python("""
s = dial("permitted.test", 22); s.sendall(b"SSH-2.0-x\\r\\n"); print(s.recv(100)); print(s.recv(100))"""))
check("a client that speaks first is passed on", "220" in s.out and "SSH-2.0-x" in s.out, s)
s = Session(CURL + "http://a.wild.test/ && " + CURL + "http://ALIAS.wild.test./")
is_("wildcards, capitals, final dots and CNAMEs work", s.out.count("hello"), 2)

# ---- Names that are not
s = Session(CURL + "http://forbidden.test/; " + CURL + "https://forbidden.test/")
is_("a name that is not permitted does not resolve", (s.rc, s.requests), (6, []))
check("... the log has it", s.has(kind="dns.query", decision="deny", host="forbidden.test"), s)
check("... and it never left", not any("forbidden" in q for q in s.queries), s.queries)
s = Session(CURL + "-w '%{http_code}' --resolve forbidden.test:80:203.0.113.66 http://forbidden.test/")
check("a request for it at its address gets 403 and says why",
      s.out.endswith("403") and json.loads(s.out[:-3])["error"] == "denied by policy" and not s.requests, s)
s = Session(CURL + "http://203.0.113.10/; " + CURL + "-k https://203.0.113.10/; " + CURL + "-k 'https://[2001:db8::10]/'; " +
            CURL + "http://3405803786/; " + CURL + "'http://[::ffff:203.0.113.10]/'")
check("an address instead of a name fails", "hello" not in s.out and not s.requests, s)
check("... and the log has it", s.has(kind="net.connect", decision="deny", ip="203.0.113.10", port=443) and
      s.has(kind="net.connect", decision="deny", ip="2001:db8::10", port=443), s)
s = Session(python("s = dial('203.0.113.12', 9); s.sendall(b'x' * 10); s.shutdown(1); print(s.recv(9))"))
check("a permitted address works without a name", "10" in s.out and s.has(kind="net.connect", decision="allow", ip="203.0.113.12"), s)
s = Session("curl -sS --max-time 10 http://permitted.test/ && curl -sS --max-time 10 -H 'Host: 203.0.113.10' http://permitted.test/")
check("a Host that is the address is decided as that address", s.out.count("hello") == 1 and '"denied by policy"' in s.out, s)

# ---- Names that disagree
s = Session(CURL + "http://permitted.test/ && " + CURL + "-k --connect-to forbidden.test:443:permitted.test:443 https://forbidden.test/; "
            "true")
check("a server name other than the one looked up is refused", s.out.count("hello") == 1 and len(s.requests) == 1, s)
check("... and the log has it", s.has(kind="net.connect", decision="deny", host="forbidden.test"), s)
s = Session(CURL + "-k --connect-to a.wild.test:443:permitted.test:443 https://a.wild.test/; " +
            CURL + "-w '%{http_code}' -H 'Host: a.wild.test' http://permitted.test/")
check("... even when it is permitted: it has another address", "hello" not in s.out and s.out.endswith("421") and not s.requests, s)
check("... a mismatch, says the log", s.has(kind="mismatch", decision="deny", host="a.wild.test", ip="203.0.113.10"), s)
s = Session(CURL + "--resolve verified.test:80:203.0.113.14 http://verified.test/")
check("a name that was not looked up is, by the proxy", s.out.count("hello") == 1 and any("verified.test" in q for q in s.queries), s)
for name, request in {
    "two Hosts": "GET / HTTP/1.1\r\nHost: permitted.test\r\nHost: other.test\r\n\r\n",
    "no Host": "GET / HTTP/1.1\r\n\r\n",
    "userinfo": "GET / HTTP/1.1\r\nHost: permitted.test@other.test\r\n\r\n",
    "a folded line": "GET / HTTP/1.1\r\nX: a\r\n Host: other.test\r\nHost: permitted.test\r\n\r\n",
    "a bare LF": "GET / HTTP/1.1\nHost: other.test\n\n",
    "another name in its target": "GET http://other.test/ HTTP/1.1\r\nHost: permitted.test\r\n\r\n",
    "a NUL": "GET / HTTP/1.1\r\nHost: permitted.test\0.other.test\r\n\r\n",
    "a space before the colon": "GET / HTTP/1.1\r\nHost : other.test\r\nHost: permitted.test\r\n\r\n",
    "an empty line before": "\r\nGET / HTTP/1.1\r\nHost: other.test\r\n\r\n",
    "CONNECT": "CONNECT other.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n",
    "another port": "GET / HTTP/1.1\r\nHost: permitted.test:81\r\n\r\n",
    "HTTP/1.9": "GET / HTTP/1.9\r\nHost: other.test\r\n\r\n",
    "two spaces": "GET  / HTTP/1.1\r\nHost: other.test\r\n\r\n",
}.items():
    s = Session(python(f"""
s = dial("permitted.test", 80); s.sendall({request.encode()!r}); print(s.recv(1000))"""))
    check(f"a request with {name} is refused", "hello" not in s.out and not s.requests, s)
s = Session(python("""
s = dial("permitted.test", 80)
for c in b"GET / HTTP/1.1\\r\\nHost: permitted.test\\r\\n\\r\\n": s.sendall(bytes([c])); time.sleep(0.002)
print(s.recv(1000))"""))
check("a request that comes byte by byte works", "hello" in s.out, s)
s = Session(python("""
s = dial("permitted.test", 80); time.sleep(1); s.sendall(b"GET / HTTP/1.1\\r\\nHost: other.test\\r\\n\\r\\n")
try: print(s.recv(1000))
except OSError as e: print(e)
s = dial("permitted.test", 80); time.sleep(1); s.sendall(b"GET / HTTP/1.1\\r\\nHost: permitted.test\\r\\n\\r\\n"); print(s.recv(1000))"""))
check("a name that comes late is checked as well", s.out.count("hello") == 1 and not any(b"other" in r[2] for r in s.requests), s)
s = Session(python("""
resolve("permitted.test"); s = dial("203.0.113.10", 22); print(s.recv(100))
resolve("ssh.test"); resolve("in-hosts.test")
s = dial("203.0.113.12", 22); print(s.recv(100))
resolve("a.wild.test"); resolve("bad.wild.test")
try: s = dial("203.0.113.11", 80); time.sleep(0.5); s.sendall(b"x\\n"); print(s.recv(100))
except OSError as e: print(e)"""))
check("a raw connection takes its address' name, if no other name of it is forbidden", s.out.count("220") == 2 and
      s.has(kind="net.connect", decision="allow", host="permitted.test", port=22) and not any(r[0] == "203.0.113.11" for r in s.requests), s)

# ---- Addresses behind names
s = Session(CURL + "http://metadata.test/; " + CURL + "http://169.254.169.254/; " + CURL + "'http://[::ffff:169.254.169.254]/'; " +
            CURL + "http://nat64.test/")
check("a permitted name that leads to a forbidden address fails", "hello" not in s.out and not s.requests and
      any(e["decision"] == "deny" and e["ip"] == "169.254.169.254" and e.get("host") == "metadata.test" and
          e["policies"][0].endswith("link-local") for e in s.events if e["kind"] == "net.connect"), s)
check("... through NAT64 as well", any(e["decision"] == "deny" and e.get("host") == "nat64.test" for e in s.events
                                       if e["kind"] == "net.connect"), s)
s = Session(CURL + "http://rebind.test/; " + CURL + "--resolve rebind.test:80:203.0.113.66 http://rebind.test/")
check("rebinding to the host's loopback fails", "hello" not in s.out and not s.requests, s)
s = Session(CURL + "http://myhost.test/; " + CURL + "http://secret-host.test/")
check("a name of the host itself gets a synthetic address and is decided as the real one", "hello from 127.0.1.1:80" in s.out and
      s.has(kind="net.connect", decision="allow", host="myhost.test", ip="127.0.1.1") and s.out.count("hello") == 1, s)
s = Session(python("""
print(resolve("myhost.test")[2][0:2] == bytes([198, 18])); print(resolve("myhost.test", 28)[2][:6] == bytes.fromhex("fd6c65617368"))
print(resolve("ads.test")); print(resolve("localhost")[2]); print(resolve("in-hosts.test")[2])"""))
is_("... of 198.18/15 or fd6c:6561:7368::/48; other names of the file as they are", s.out.split("\n")[:2] + s.out.split("\n")[3:5],
    ["True", "True", str(b"\x7f\0\0\1"), str(socket.inet_aton("203.0.113.12"))])
s = Session(CURL + "http://myhost.test:18080/; " + CURL + "http://myhost.test/", flags=("-a", "-o", "18080"))
check("leash's own port is out of reach", s.out.count("hello") == 1 and s.has(kind="net.connect", decision="deny", port=18080), s)
s = Session(CURL + "http://myhost.test:18080/; " + CURL + "http://myhost.test/", flags=("-a", "-o", "18080", "-m", "record"))
check("... when recording, too", s.out.count("hello") == 1 and s.has(kind="net.connect", decision="deny", port=18080), s)
s = Session(CURL + "http://permitted.test/; " + CURL + "http://metadata.test/; " + CURL + "http://myhost.test/", policy="guarded")
check("the guarded profile: anywhere but link-local and the host's loopback", s.out.count("hello") == 1 and
      s.out.count("denied by policy") == 2, s)

# ---- Modes and processes
s = Session(CURL + "http://forbidden.test/", flags=("-a", "-m", "shadow"))
check("shadow lets pass and says so", "hello" in s.out and s.has(kind="net.connect", decision="would-deny", host="forbidden.test") and
      s.has(kind="dns.query", decision="would-deny", host="forbidden.test"), s)
s = Session(CURL + "http://unmentioned.test/")
check("a policy can ask for the program", "hello" in s.out, s)
started = time.monotonic()
s = Session(CURL + "http://unmentioned.test/; " + CURL + "http://permitted.test/", flags=())
check("... which denies an unknown one; others go on without", s.out.count("hello") == 1 and "denied by policy" in s.out, s)
ok(time.monotonic() - started < 6, "... after a bounded wait")
s = Session(CURL + "-w '%{http_code}' http://closed.test/")
check("what cannot be reached is 502", s.out.endswith("502") and s.has(kind="net.close", host="closed.test", error="ECONNREFUSED") or
      s.out.endswith("502"), s)
s = Session(python("""
for p in (1080,):
    try: s = dial("127.0.0.1", p); print(s.recv(10))
    except OSError as e: print("reset")"""))
check("a connection to the proxy itself is refused", s.out.strip() == "reset" and s.has(kind="net.connect", decision="deny"), s)

# ---- TLS that is looked into
s = Session(CURL + "https://plain.test/a && " + CURL + "-w '%{http_code}' https://plain.test/secret")
check("a request in TLS is decided: one passes, the other gets 403", s.out.count("hello") == 1 and s.out.endswith("403") and
      "no-secret" in s.out and s.paths == ["/a"], s)
check("... and both are in the log with their URL", s.has(kind="http.request", decision="allow", url="https://plain.test/a", status=200) and
      s.has(kind="http.request", decision="deny", url="https://plain.test/secret"), s)
s = Session(CURL + "https://plain.test/a https://plain.test/b https://plain.test/secret/c https://plain.test/d")
check("... each of a connection by itself", s.paths == ["/a", "/b", "/d"], s)
s = Session(CURL + "--tls-max 1.2 https://plain.test/ && " + CURL + "--http1.1 https://plain.test/ && " + CURL + "--no-alpn https://plain.test/ && " +
            CURL + "-o /dev/null -w '%{size_download}' https://plain.test/big")
check("TLS 1.2, without ALPN, and 20 MB", s.out.count("hello") == 3 and s.out.endswith("20000000"), s)
s = Session(CURL + "--no-alpn -w '%{http_code}' https://plain.test/secret")
check("no ALPN is no way around", s.out.endswith("403") and not s.paths, s)
for name, why in {"expired.test": "expired", "wrong.test": "mismatch", "self.test": "self"}.items():
    s = Session(CURL + f"-k -w '%{{http_code}}' https://{name}/")
    check(f"a server with a bad certificate ({name}) is refused, and the client is told why", s.out.endswith("502") and why in s.out and
          not any(r[2].startswith(b"GET") for r in s.requests), s)
    check("... and so is the log", any(e["kind"] == "net.close" and e["host"] == name and why in e["message"] for e in s.events), s)
s = Session(CURL + "https://203.0.113.25/")
check("an address has a certificate of its own", s.out.count("hello") == 1, s)
s = Session(CURL + f"--cacert {T}/self.crt https://plain.test/; sleep 2")
check("a client that does not trust the authority gets an event with the remedy", not s.paths and
      any(e["kind"] == "net.close" and "/run/leash/ca.crt" in e["message"] and "passthrough" in e["message"] for e in s.events), s)
s = Session(python("""
import ssl
resolve("plain.test"); rejected = 0
for i in range(20):
    c = dial("203.0.113.24", 443)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    fd = c.detach()
    inside = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_socket(socket.socket(fileno=fd), server_hostname="plain.test", do_handshake_on_connect=False)
    try: inside.do_handshake()
    except ssl.SSLCertVerificationError: rejected += 1
    inside.close()
time.sleep(1)
print(rejected)"""))
check("... however fast it goes", s.out == "20\n" and sum("/run/leash/ca.crt" in e.get("message", "") for e in s.events) == 20, s)
s = Session(CURL + f"--cacert {T}/ca.crt https://pinned.test/ && " + CURL + "https://pinned.test/; true")
check("what a policy passes through has the server's own certificate", s.out.count("hello") == 1 and
      any(e["kind"] == "net.connect" and "pinned" in str(e["policies"]) for e in s.events), s)
s = Session(CURL + f"-k --connect-to plain.test:443:pinned.test:443 https://plain.test/; true")
check("... but for its own name only", "hello" not in s.out and not s.requests, s)
s = Session(python(f"""
import ssl
c = ssl.create_default_context(cafile="{T}/session.crt")
s = c.wrap_socket(dial("plain.test", 993), server_hostname="plain.test"); print(s.recv(100)); s.sendall(b"a1 noop\\r\\n"); print(s.recv(100))
print(s.getpeercert()["subject"], s.getpeercert()["issuer"])
s = c.wrap_socket(dial("plain.test", 993), server_hostname="plain.test"); print(s.recv(100))
time.sleep(0.5); s.sendall(b"GET /secret HTTP/1.1\\r\\nHost: plain.test\\r\\n\\r\\n"); print(s.recv(100))"""))
check("another protocol in TLS is passed on, the server may speak first", "* OK ready" in s.out and "you said a1 noop" in s.out, s)
check("... and a request on it is a request", "403" in s.out and not any(b"secret" in r[2] for r in s.requests), s)
s = Session(CURL + "-w '%{http_code}' --resolve forbidden.test:443:203.0.113.66 https://forbidden.test/")
check("a name that is not permitted is refused in TLS with the reason", s.out.endswith("403") and "denied by policy" in s.out and not s.requests, s)
s = Session(python(f"""
import ssl
c = ssl.create_default_context(cafile="{T}/session.crt"); c.check_hostname = False
s = c.wrap_socket(dial("plain.test", 443), server_hostname="plain.test")
s.sendall(b"GET / HTTP/1.1\\r\\nHost: permitted.test\\r\\n\\r\\n"); print(s.recv(1000))
s = c.wrap_socket(dial("plain.test", 443), server_hostname="plain.test")
s.sendall(b"GET http://permitted.test/ HTTP/1.1\\r\\nHost: plain.test\\r\\n\\r\\n"); print(s.recv(1000))
s = c.wrap_socket(dial("plain.test", 443), server_hostname="plain.test")
s.sendall(b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n"); print(s.recv(1000))"""))
check("another Host inside TLS is misdirected, HTTP/2 without ALPN refused", s.out.count("421") == 2 and not s.paths, s)

# ---- DNS
s = Session(python("""
print(ask(query("forbidden.test"))[3] & 15, ask_tcp(query("forbidden.test"))[3] & 15)
print(len(ask(query("permitted.test", 16))) > 200, b"some" in ask_tcp(query("permitted.test", 16)))
print(resolve("permitted.test", 15)[1], resolve("_s._tcp.permitted.test", 33)[1])
print(b"PeRmItTeD" in ask(query("PeRmItTeD.TeSt")))
print(resolve("permitted.test", 65)[:2], resolve("permitted.test", 10)[0], resolve("permitted.test", 255)[0])
a = ask(query("many.test")); print(len(a) <= 512, bool(a[2] & 2)); print(len(ask(query("many.test", edns=1232))) > 512)
print(struct.unpack(">H", ask_tcp(query("many.test"))[6:8])[0])
print(resolve("nothing.wild.test")[0], ask(query("alias.wild.test"))[7])
print(ask(query("permitted.test"), to="2001:db8::53")[7])"""))
is_("DNS: denied is REFUSED over UDP and TCP", s.out.split("\n")[0], "5 5")
is_("... TXT, MX, SRV pass", s.out.split("\n")[1:3], ["True True", "1 1"])
is_("... the question keeps its case", s.out.split("\n")[3], "True")
is_("... HTTPS records are empty; NULL and ANY refused", s.out.split("\n")[4], "(0, 0) 5 5")
is_("... what is too long is cut and says so, EDNS and TCP get it whole", s.out.split("\n")[5:8], ["True True", "True", "40"])
is_("... names that do not exist, CNAMEs, IPv6", s.out.split("\n")[8:10] and s.out.split("\n")[9], "1")
s = Session(python(r"""
def rcode(a): return a and a[3] & 15
print(rcode(ask(query("permitted.test", qclass=3))), rcode(ask(query("permitted.test", flags=0x0900))))
print(ask(query("permitted.test", flags=0x8100), timeout=1), ask(b"\0" * 5, timeout=1))
print(rcode(ask(query("permitted.test", extra=b"x"))))
print(rcode(ask(query("per mitted.test"))), rcode(ask(query("a/b.permitted.test"))), rcode(ask(query("\xff.permitted.test".encode("latin-1").decode("latin-1"))))) if 0 else None
two = query("permitted.test"); two = two[:4] + b"\0\2" + two[6:] + two[12:]; print(rcode(ask(two)))
loop = query("permitted.test")[:12] + b"\xc0\x0c\0\1\0\1"; print(rcode(ask(loop)))
print(rcode(ask(query("permitted.test"))))"""))
is_("malformed and foreign queries get no answer or an error, and nothing breaks", s.out.split("\n")[:2] + s.out.split("\n")[-4:-1],
    ["5 4", "None None", "1", "1", "0"])
s = Session(python(r"""
import random
codes = []
for i in range(200):
    label = "".join(random.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(60))
    codes.append(ask(query(label + ".tunnel.test"))[3] & 15)
print(codes.count(0), codes.count(5)); print(ask(query("tunnel.test"))[3] & 15)"""))
passed = int(s.out.split()[0])
ok(0 < passed < 60 and s.out.split()[2] == "0", "data in the names of a permitted zone is stopped; the zone still works", s)
ok(len([q for q in s.queries if "tunnel" in q]) <= passed + 1, "... and does not leave", len(s.queries))
check("... and is in the log", any(e["decision"] == "deny" and "tunnel" in e["message"] for e in s.events if e["kind"] == "dns.query"), s)

# ---- HTTP/2 in clear
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
try:
    import h2peer
except ImportError:
    h2peer = None

H2_POLICY = POLICY + """
@id("no-posts") forbid (principal, action == Action::"HttpRequest", resource == Host::"permitted.test") when { context.method == "PUT" };
@id("no-admin") forbid (principal, action == Action::"HttpRequest", resource == Host::"permitted.test") when { context.path like "/admin/*" };
@id("no-host") forbid (principal, action == Action::"HttpRequest", resource == Host::"permitted.test")
    when { context.path == "/needs-host" } unless { context.headers has "host" };
@id("no-cookie") forbid (principal, action == Action::"HttpRequest", resource == Host::"permitted.test")
    when { context.headers has "cookie" && context.headers["cookie"] like "*a=1; b=2*" };
"""
H2CURL = CURL + "--http2-prior-knowledge "


h2_connections = 0


def h2_server(c, address, port):
    global h2_connections
    h2_connections += 1

    def arrived(fields, note):
        requests.append((address, port, note.encode() or b"\n".join(b"%s: %s" % (k.encode(), v.encode()) for k, v in fields)))
    try:
        h2peer.Server(c, arrived).serve()
    except h2peer.h2.exceptions.ProtocolError as e:
        requests.append((address, port, b"broken " + repr(e).encode()))


def h2client(code):
    return python(f"import sys; sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r})\nfrom h2peer import *\n" + code)


def heads(s):
    """The heads of requests that arrived at a server."""
    return [r[2].decode() for r in s.requests if r[2].startswith(b":method")]


def http_events(s, **wanted):
    return [e for e in s.events if e["kind"] == "http.request" and all(e.get(k) == v for k, v in wanted.items())]


def test_h2():
    serve("203.0.113.10", 8080, h2_server)
    serve("203.0.113.11", 8080, h2_server)
    serve("203.0.113.10", 8082, lambda c, *to: (c.recv(1, socket.MSG_PEEK), h2_server(c, *to)))
    s = Session(H2CURL + "-i http://permitted.test:8080/hello?key=secret", policy=H2_POLICY)
    check("HTTP/2: curl is answered", s.out.startswith("HTTP/2 200") and "hello over HTTP/2 from permitted.test:8080" in s.out, s)
    check("... Alt-Svc is dropped, other fields are kept", "alt-svc" not in s.out and "x-kept: yes" in s.out, s)
    check("... the request is in the log with its status, without its query", http_events(
        s, decision="allow", method="GET", status=200, host="permitted.test", url="http://permitted.test:8080/hello?…"), s)
    is_("... its query arrives", ":path: /hello?key=secret" in (heads(s) or [""])[0], True)
    s = Session(H2CURL + "-w ' %{http_code} %{http_version}' -T /etc/hosts http://permitted.test:8080/x", policy=H2_POLICY)
    check("a forbidden method gets 403, and the policy's name", s.out.endswith(" 403 2") and "no-posts" in s.out, s)
    check("... nothing arrives", not heads(s), s)
    check("... and the log has it", http_events(s, decision="deny", method="PUT", url="http://permitted.test:8080/x"), s)
    for path in ["/admin/x", "/x/../admin/x", "/%61dmin/x", "//x/..//../admin/x"]:
        s = Session(H2CURL + f"--path-as-is -o /dev/null -w '%{{http_code}}' 'http://permitted.test:8080{path}'", policy=H2_POLICY)
        ok(s.out == "403" and not heads(s), f"a forbidden path gets 403: {path}", s)
    s = Session(H2CURL + "--path-as-is http://permitted.test:8080/find/%2e/./%61", policy=H2_POLICY)
    check("a path arrives in its normal form", ":path: /find/a" in (heads(s) or [""])[0], s)
    s = Session(H2CURL + "-I http://permitted.test:8080/x; " + H2CURL + "-i http://permitted.test:8080/empty; " +
                H2CURL + "-i http://permitted.test:8080/not-modified; " + H2CURL + "-I -X HEAD http://permitted.test:8080/admin/x", policy=H2_POLICY)
    check("HEAD, 204 and 304 have no body", s.rc == 0 and "content-length: 55" in s.out and "HTTP/2 204" in s.out and
          "HTTP/2 304" in s.out and "HTTP/2 403" in s.out, s)
    s = Session(H2CURL + "-v http://permitted.test:8080/interim", policy=H2_POLICY)
    check("interim responses are passed on", "< HTTP/2 103" in s.err and "< HTTP/2 200" in s.err and "after it" in s.out, s)

    s = Session(h2client("""
s = dial("permitted.test", 8080); b = PREFACE + F.SettingsFrame(0).serialize() + Client().head(1, "/admin/x").serialize()
for x in b: s.sendall(bytes([x])); time.sleep(0.002)
s.settimeout(5); got = b""
try:
    while b"no-admin" not in got: got += s.recv(65536)
except OSError: pass
print(b"no-admin" in got)
c = Client(port=8082, delay=1); c.send(c.head(1, "/admin/x", authority="permitted.test:8082"), c.head(3, "/hello", authority="permitted.test:8082"))
c.answer(1, 3); print(c.stream(1).status, c.stream(3).status)
c = Client(delay=1); c.send(c.head(1, "/admin/x"), c.head(3, "/hello")); c.answer(1, 3); print(c.stream(1).status, c.stream(3).status, c.is_closed)"""),
                policy=H2_POLICY)
    check("a client that speaks byte by byte, or late, is judged", s.out.startswith("True\n403 200\n") and len(heads(s)) == 1, s)
    check("... one that lets the server speak first is closed, and the log says so", s.out.endswith("None None True\n") and
          any("spoke before" in e.get("message", "") for e in s.events if e["kind"] == "net.connect" and e["decision"] == "deny"), s)
    s = Session(h2client("c = Client(); c.get(1); c.answer(1); print(len(c.settings) > 0, 8 in c.settings)"), policy=H2_POLICY)
    is_("WebSocket over HTTP/2 is not offered, though the server has it", s.out, "True False\n")
    s = Session(h2client("""
c = Client(host="203.0.113.66"); c.get(1, authority="203.0.113.66:8080"); print(c.answer(1), c.is_closed)"""), policy=H2_POLICY)
    check("a connection that is denied is closed", "None" in s.out and "True" in s.out and not s.requests and
          s.has(kind="net.connect", decision="deny", ip="203.0.113.66"), s)

    s = Session(h2client("""
c = Client()
c.send(c.head(1, "/admin/x"), c.head(3, "/hello"), c.head(5, "/admin/y"), c.head(7, "/hello"))
c.answer(1, 3, 5, 7); print(*[c.stream(i).status for i in (1, 3, 5, 7)])
c.get(9, "/hello", authority="other.test:8080"); print(c.answer(9).status)
c.get(11, "/hello", authority="a.wild.test:8080"); print(c.answer(11).status)
c.get(13, "/hello", authority="permitted.test:80"); print(c.answer(13).status)
c.get(15, fields=[(":method", "GET"), (":scheme", "https"), (":authority", "permitted.test:8080"), (":path", "/hello")]); print(c.answer(15).status)
c.get(17, "/hello", authority="PERMITTED.test.:8080"); print(c.answer(17).status)
c.get(19, fields=[(":method", "GET"), (":scheme", "http"), (":path", "/needs-host"), ("host", "permitted.test:8080")]); print(c.answer(19).reset)
c.get(21, extra=[("cookie", "a=1"), ("cookie", "b=2")]); print(c.answer(21).status)
c.get(23, extra=[("cookie", "b=2"), ("cookie", "a=1")]); print(c.answer(23).status)
c.send(F.PingFrame(0, b"12345678")); c.until(lambda c: c.pings); print(c.pings, c.goaway)
"""), policy=H2_POLICY)
    lines = s.out.split("\n")
    is_("denied streams beside permitted ones", lines[0], "403 200 403 200")
    is_("an authority that is not the connection's gets 421: another, a permitted one, another port, another scheme", lines[1:5], ["421"] * 4)
    is_("... the same by another spelling does not", lines[5], "200")
    check("... and is written anew", ":authority: permitted.test:8080" in heads(s)[2], s)
    check("Host instead of :authority is seen and written as that", any("/needs-host" in h and ":authority: permitted.test:8080" in h and
                                                                      "\nhost:" not in h for h in heads(s)), s)
    is_("cookies are seen whole", lines[7:9], ["403", "200"])
    check("... and arrive so", "cookie: b=2; a=1" in heads(s)[-1], s)
    check("a PING is answered, and the connection goes on", "12345678" in lines[9] and lines[9].endswith("None"), s)
    is_("mismatches are in the log", sum(e["kind"] == "mismatch" and e["decision"] == "deny" for e in s.events), 4)
    is_("... denied requests, too", len(http_events(s, decision="deny")), 3)
    is_("... and nothing refused arrived", len(heads(s)), 5)

    P = '(":method", "GET"), (":scheme", "http"), (":authority", "permitted.test:8080"), (":path", "/hello")'
    for name, fields in {
        "no :method": '(":scheme", "http"), (":authority", "permitted.test:8080"), (":path", "/hello")',
        "no :scheme": '(":method", "GET"), (":authority", "permitted.test:8080"), (":path", "/hello")',
        "no :path": '(":method", "GET"), (":scheme", "http"), (":authority", "permitted.test:8080")',
        "an empty :path": '(":method", "GET"), (":scheme", "http"), (":authority", "permitted.test:8080"), (":path", "")',
        "a :path that is none": '(":method", "GET"), (":scheme", "http"), (":authority", "permitted.test:8080"), (":path", "hello")',
        "an absolute :path": '(":method", "GET"), (":scheme", "http"), (":authority", "permitted.test:8080"), (":path", "http://other.test/")',
        "a blank in :path": '(":method", "GET"), (":scheme", "http"), (":authority", "permitted.test:8080"), (":path", "/a HTTP/1.1")',
        "a blank in :method": '(":method", "GET /x HTTP/1.1"), (":scheme", "http"), (":authority", "permitted.test:8080"), (":path", "/a")',
        "no authority": '(":method", "GET"), (":scheme", "http"), (":path", "/hello")',
        "two :authority": P + ', (":authority", "other.test")',
        "two :path": '(":path", "/x"), ' + P,
        "a pseudo field behind others": '(":method", "GET"), (":scheme", "http"), (":authority", "permitted.test:8080"), ("x", "y"), (":path", "/hello")',
        "an unknown pseudo field": '(":foo", "bar"), ' + P,
        ":status": '(":status", "200"), ' + P,
        "extended CONNECT": '(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":authority", "permitted.test:8080"), (":path", "/x")',
        "CONNECT": '(":method", "CONNECT"), (":authority", "permitted.test:8080")',
        "another Host": P + ', ("host", "other.test")',
        "two Hosts": '(":method", "GET"), (":scheme", "http"), (":path", "/hello"), ("host", "permitted.test:8080"), ("host", "other.test")',
        "userinfo": '(":method", "GET"), (":scheme", "http"), (":authority", "permitted.test@other.test"), (":path", "/hello")',
        "Connection": P + ', ("connection", "close")',
        "Transfer-Encoding": P + ', ("transfer-encoding", "chunked")',
        "Upgrade": P + ', ("upgrade", "h2c")',
        "Keep-Alive": P + ', ("keep-alive", "1")',
        "HTTP2-Settings": P + ', ("http2-settings", "x")',
        "TE that is not trailers": P + ', ("te", "gzip")',
        "capitals in a name": P + ', ("X-Foo", "bar")',
        "CR and LF in a value": P + ', ("x", "a\\r\\nhost: other.test")',
        "a LF in a value": P + ', ("x", "a\\nb")',
        "a NUL in a value": P + ', ("x", "a\\0b")',
        "a colon in a name": P + ', ("x: y", "b")',
        "an empty name": P + ', ("", "b")',
        "two lengths": P + ', ("content-length", "0"), ("content-length", "5")',
        "a length and no body": P + ', ("content-length", "5")',
        "a negative length": P + ', ("content-length", "-1")',
        "too many fields": P + ', *[("x", "y")] * 250',
        "too long fields": P + ', *[("x", "y" * 3000)] * 30',
    }.items():
        s = Session(h2client(f"""
c = Client()
f = c.head(1, fields=[{fields}])
if len(f.data) > 16384:
    parts = [f.data[i:i + 16384] for i in range(0, len(f.data), 16384)]
    c.send(F.HeadersFrame(1, parts[0], flags=["END_STREAM"]), *[F.ContinuationFrame(1, p) for p in parts[1:-1]], F.ContinuationFrame(1, parts[-1], flags=["END_HEADERS"]))
else:
    c.send(f)
print(c.answer(1), c.goaway); c.get(3); print(c.answer(3).status)"""), policy=H2_POLICY)
        lines = s.out.split("\n")
        refused = lines[0].startswith(("400", "421", "None")) and "reset None" not in lines[0] or lines[0].startswith(("400", "421"))
        refused |= "long" in name and lines[0].endswith("11")
        ok(refused and len(heads(s)) == (lines[1] == "200"), f"a request with {name} is refused, and only that", s)
        check("... and the log has it", any(e["kind"] in ("http.request", "mismatch") and e["decision"] == "deny" and e.get("message") for e in s.events), s)

    s = Session(h2client("""
c = Client()
c.get(1, "/echo", method="POST", end=False, extra=[("content-length", "5")]); c.data(1, b"123456789", end=True); print(c.answer(1))
c.get(3, "/echo", method="POST", end=False, extra=[("content-length", "5")]); c.data(3, b"123", end=True); print(c.answer(3))
c.get(5, "/echo", method="POST", end=False, extra=[("content-length", "5")]); c.data(5, b"12345", end=True); print(c.answer(5))"""), policy=H2_POLICY)
    lines = s.out.split("\n")
    check("a body that is not as long as it says is no request", [l.split()[-1] for l in lines[:2]] == ["1", "1"] and "200 b'5'" in lines[2], s)
    is_("... never is its end sent on", [r[2] for r in s.requests if not r[2].startswith((b":", b"reset"))], [b"end 5"])
    check("... and the log says why", len([e for e in http_events(s, decision="deny") if "content-length" in e["message"]]) == 2 and
          len(http_events(s, decision="allow")) == 3, s)

    for name, code, wanted in [
        ("streams that are given up at once", """
for i in range(1, 4001, 2): c.send(c.head(i, end=False), F.RstStreamFrame(i, 8))""", 11),
        ("streams that are broken at once", """
for i in range(1, 4001, 2): c.send(c.head(i, end=False), F.WindowUpdateFrame(i, 2**31 - 1).serialize())""", 11),
        ("SETTINGS", "c.send(F.SettingsFrame(0, settings={4: 70000}).serialize() * 5000)", 11),
        ("PING", "c.send(F.PingFrame(0, b'12345678').serialize() * 5000)", 11),
        ("PRIORITY", "c.send(F.PriorityFrame(7, depends_on=5).serialize() * 5000)", 11),
        ("unknown frames", "c.send(b'\\0\\0\\0\\x77\\0\\0\\0\\0\\0' * 5000)", 11),
        ("empty DATA", "c.send(c.head(1, '/echo', method='POST', end=False)); c.send(F.DataFrame(1, b'').serialize() * 5000)", 11),
        ("empty CONTINUATION", "c.send(F.HeadersFrame(1, b'')); c.send(F.ContinuationFrame(1, b'').serialize() * 5000)", 11),
        ("long CONTINUATION", "c.send(F.HeadersFrame(1, b'')); c.send(F.ContinuationFrame(1, b'\\x82' * 16000).serialize() * 10)", 11),
        ("CONTINUATION of a stream that was given up", """
c.send(c.head(1, end=False), F.RstStreamFrame(1, 8)); c.send(F.HeadersFrame(1, b'')); c.send(F.ContinuationFrame(1, b'').serialize() * 5000)""", 11),
        ("a head that another frame interrupts", "c.send(F.HeadersFrame(1, b'\\x82'), F.PingFrame(0, b'12345678'))", 1),
        ("PUSH_PROMISE", "c.send(F.PushPromiseFrame(1, 2, c.encoder.encode([(':method', 'GET')]), flags=['END_HEADERS']))", 1),
        ("a frame that is too long", "c.send(b'\\xff\\xff\\xff\\0\\0\\0\\0\\0\\1')", 6),
        ("DATA on no stream", "c.send(F.DataFrame(9, b'x'))", 1),
        ("garbage in a head", "c.send(F.HeadersFrame(1, b'\\xff\\xff\\xff\\xff\\xff\\xff\\xff', flags=['END_HEADERS']))", 9),
    ]:
        s = Session(h2client("c = Client()\n" + code + "\nprint(c.is_told_off())"), policy=H2_POLICY)
        told = s.out.strip() or s.err
        ok(told == str(wanted), f"a client is told off for {name}", s)
        check("... and the log has it", http_events(s, decision="deny"), s)
        ok(len(heads(s)) < 700, "... what arrives of it is bounded", len(heads(s)))

    s = Session(h2client("""
c = Client(); c.send(c.head(1, '/never-reads', method='POST', end=False)); [c.data(1, b'x' * 16384) for _ in range(100)]
c.until(lambda c: c.stream(1).reset is not None); print(c.stream(1).reset); c.get(3); print(c.answer(3).status)"""), policy=H2_POLICY)
    is_("a stream that sends more than it may is reset", s.out, "3\n200\n")
    check("... and the log has it", any("more data" in e["message"] for e in http_events(s, decision="deny")), s)

    s = Session(h2client("""
c = Client()
c.get(1, "/trailers", method="POST", end=False, extra=[("te", "trailers"), ("content-type", "application/grpc")]); c.data(1, b"abc")
c.send(F.HeadersFrame(1, c.encoder.encode([("x-sum", "7")]), flags=["END_HEADERS", "END_STREAM"]))
r = c.answer(1); print(r.status, r.body, r.trailers)
c.get(3, "/trailers", method="POST", end=False); c.send(F.HeadersFrame(3, c.encoder.encode([(":path", "/admin/x")]), flags=["END_HEADERS", "END_STREAM"])); print(c.answer(3))
c.get(5, "/trailers", method="POST", end=False); c.send(F.HeadersFrame(5, c.encoder.encode([("x", "y")]), flags=["END_HEADERS"])); print(c.answer(5))"""),
                policy=H2_POLICY)
    check("trailers go both ways", "'grpc-status': '0'" in s.out and "{'x-sum': '7'}" in s.out and "te: trailers" in heads(s)[0], s)
    is_("... malformed ones do not", [l.split()[-1] for l in s.out.split("\n")[1:3]], ["1", "1"])

    s = Session(h2client("""
c = Client()
c.get(1, "/reset"); print(c.answer(1).reset)
c.get(3, "/never-reads", method="POST", end=False); c.until(lambda c: c.stream(3).status); c.send(F.RstStreamFrame(3, 5)); time.sleep(0.3)
c.get(5, "/echo", method="POST", end=False); time.sleep(0.3); c.send(F.RstStreamFrame(5, 8)); time.sleep(0.3)
c.get(7, "/early", method="POST", end=False); r = c.answer(7); print(r.status, r.body)
while r.reset is None and not c.is_closed: c.data(7, b"z" * 8192); c.until(lambda c: r.reset is not None, 0.01)
print(r.reset)
c.get(9, "/hello"); print(c.answer(9).status)"""), policy=H2_POLICY)
    is_("a reset is passed on with its code; an early answer arrives whole; the connection goes on", s.out.split("\n")[:4], ["13", "413 b'no thanks'", "0", "200"])
    check("... the client's, too", b"reset 8" in [r[2] for r in s.requests], s)
    check("... and a request that was given up before its answer is in the log", any("gave the request up" in e.get("message", "") and "status" not in e and
                                                                                    e["url"].endswith("/echo") for e in http_events(s, decision="allow")), s)
    s = Session(h2client("""
c = Client(); c.send(c.head(1, "/goaway"), c.head(3, "/hello")); print(c.answer(1).status, c.until(lambda c: c.goaway is not None).goaway); print(c.until(lambda c: False, 3).is_closed)
c = Client(); c.get(1, "/goaway-unprocessed"); print(c.answer(1).reset, c.goaway)
c = Client(); c.get(1, "/cut"); print(c.answer(1).reset, c.until(lambda c: c.is_closed, 4).is_closed)
c = Client(); c.get(1, "/garbage"); print(c.answer(1).status)
c = Client(); c.get(1, "/push"); print(c.answer(1).status)"""), policy=H2_POLICY)
    is_("a server's GOAWAY ends the connection once what it took is answered", s.out.split("\n")[:2], ["200 0", "True"])
    is_("... what it did not take may be asked for again", s.out.split("\n")[2].split()[0], "7")
    is_("... a cut connection is seen as such", s.out.split("\n")[3], "2 True")
    is_("... a server that does not keep to HTTP/2, or pushes, is 502", s.out.split("\n")[4:6], ["502", "502"])
    check("... which the log says", any("pushed" in e.get("message", "") for e in http_events(s)), s)
    for path in ["/bad-field", "/bad-status", "/bad-upgrade", "/bad-pseudo", "/bad-value"]:
        s = Session(h2client(f"c = Client(); c.get(1, '{path}'); print(c.answer(1).status); c.get(3); print(c.answer(3).status)"), policy=H2_POLICY)
        ok(s.out == "502\n200\n" and any(e.get("message") for e in http_events(s, decision="allow")), f"a malformed response is 502: {path}", s)
    s = Session(h2client("c = Client(); c.get(1, '/bad-length'); r = c.answer(1); print(r.reset)"), policy=H2_POLICY)
    is_("... one that is not as long as it says is cut off", s.out, "2\n")

    s = Session(H2CURL + "-o /dev/null -w '%{size_download} ' http://permitted.test:8080/big; head -c 20000000 /dev/zero >" + str(T) + "/up; " +
                H2CURL + "--data-binary @" + str(T) + "/up http://permitted.test:8080/echo", policy=H2_POLICY)
    is_("20 MB go down and up", s.out, "20000000 20000000")

    def watch(events):
        top = 0
        for _ in range(120):
            try:
                pid = json.loads(events.read_text().splitlines()[0])["pid"]
                top = max(top, int(pathlib.Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]))
            except (OSError, IndexError, ValueError):
                if top:
                    break
            time.sleep(0.05)
        return top

    s = Session(h2client("""
clients = [Client(settings={4: 2**20}) for _ in range(2)] + [Client() for _ in range(2)]
for c in clients[:2]: c.send(F.WindowUpdateFrame(0, 2**30))
for c in clients:
    c.gives_room = False
    for i in range(1, 80, 2): c.get(i, "/big")
    for i in range(81, 120, 2): c.get(i, "/never-reads", method="POST", end=False)
    for i in range(81, 120, 2): [c.data(i, b"y" * 16384) for _ in range(3)]
# the first two do not read at all, the others read and give no room
for _ in range(10): [c.until(lambda c: False, 0.2) for c in clients[2:]]
"""), policy=H2_POLICY, meanwhile=watch)
    ok(0 < s.seen < 12000 + 4 * 4096, f"slow readers of 160 big bodies: memory stays bounded ({s.seen} KiB)", s)
    if shutil.which("nghttpd") and shutil.which("h2load"):
        (T / "www").mkdir(exist_ok=True)
        (T / "www" / "file").write_bytes(b"z" * 3000)
        server = subprocess.Popen(["nghttpd", "--no-tls", "-d", str(T / "www"), "-a", "203.0.113.10", "8081"], stdout=subprocess.DEVNULL)
        time.sleep(0.5)
        s = Session("h2load -n 5000 -c 2 -m 100 http://permitted.test:8081/file; h2load -n 200 -c 2 -m 100 http://permitted.test:8081/admin/x", policy=H2_POLICY)
        server.kill()
        check("100 parallel streams", "5000 succeeded, 0 failed, 0 errored" in s.out, s)
        check("... each is in the log", len(http_events(s, decision="allow", status=200)) == 5000 and len(http_events(s, decision="deny")) == 200, s)
    else:
        ok(True, "100 parallel streams # SKIP no nghttpd or h2load")


if h2peer:
    test_h2()
else:
    ok(True, "HTTP/2 # SKIP no python3-h2")

s = Session(CURL + "http://permitted.test/", flags=("-a", "-l"))
check("what is asked before the policy is there waits for it", s.out.count("hello") == 1, s)

# ---- Published ports
def visit(events):
    for _ in range(100):
        try:
            c = socket.create_connection(("127.0.0.1", 18123), 2)
            c.sendall(b"GET /a HTTP/1.0\r\n\r\n")
            got = c.recv(1000)
            if got:
                return got
        except OSError:
            pass
        time.sleep(0.05)


s = Session(python("""
l = socket.create_server(("127.0.0.1", 3000)); c, _ = l.accept(); print(c.recv(100)); c.sendall(b"published"); c.close(); time.sleep(0.2)"""),
            flags=("-a", "-p", "18123:3000"), meanwhile=visit)
check("a published port leads into the container", s.seen == b"published" and "GET /a" in s.out, s)
check("... and is in the log", any("published port" in e.get("message", "") and e["port"] == 3000 for e in s.events), s)

# ---- Connections that one client leaves to the next
connections = 0


def keeping(c, address, port):
    """Serves until the client goes; each response has the number of its connection and its own on that."""
    global connections
    connections += 1
    mine, n, buffered = connections, 0, b""
    if port == 4443:
        c = context.wrap_socket(c, server_side=True)
    while True:
        while b"\r\n\r\n" not in buffered:
            more = c.recv(65536)
            if not more:
                return
            buffered += more
        head, _, buffered = buffered.partition(b"\r\n\r\n")
        n += 1
        requests.append((address, port, head))
        path = head.split(b" ")[1]
        if path == b"/early":
            time.sleep(1.5)
        body = b"%d.%d " % (mine, n)
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n" % (len(body), b"Connection: close\r\n" if path == b"/last" else b"") + body)
        if path in (b"/last", b"/gone"):
            return
        if path == b"/unasked":
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nevil ")


def kept(text):
    """[(connection, request), ...] with connections numbered from 1 on."""
    pairs = [tuple(map(int, p.split("."))) for p in text.split()]
    order = sorted({a for a, _ in pairs})
    return [(order.index(a) + 1, b) for a, b in pairs]


POOL_POLICY = POLICY + '@id("other") permit (principal, action == Action::"NetworkConnect", resource == Host::"other.test");'
serve("203.0.113.10", 4443, keeping)
serve("203.0.113.10", 4080, keeping)
TLS, CLEAR = CURL + "https://permitted.test:4443", CURL + "http://permitted.test:4080"
AGAIN, NEW = [(1, 1), (1, 2)], [(1, 1), (2, 1)]
PAUSE = "; sleep 0.2; "
for name, command, wanted in [
    ("a second client gets the first one's connection in TLS", TLS + "/a" + PAUSE + TLS + "/b", AGAIN),
    ("... and in clear", CLEAR + "/a" + PAUSE + CLEAR + "/b", AGAIN),
    ("... not by another name", TLS + "/a" + PAUSE + TLS.replace("permitted", "other") + "/b", NEW),
    ("... not where the server could choose another protocol", TLS + "/a" + PAUSE + TLS + "/b --http1.1; " + TLS + "/c --no-alpn; " + TLS + "/d",
     [(1, 1), (2, 1), (3, 1), (1, 2)]),
    ("... not what the server does not keep", TLS + "/last" + PAUSE + TLS + "/b", NEW),
    ("... not what the server closes", TLS + "/gone" + PAUSE + TLS + "/b", NEW),
    ("... not what the server goes on speaking on", CLEAR + "/unasked" + PAUSE + CLEAR + "/b", NEW),
    ("... not what waits for a response", TLS.replace("10", "1") + "/early; " + TLS + "/b", [(1, 1)]),
    ("... not what is somebody's own", TLS + "/a -H 'Authorization: Negotiate abc'" + PAUSE + TLS + "/b", NEW),
    ("... not for long", TLS + "/a; sleep 4; " + TLS + "/b", NEW),
    ("... one at a time", f"for i in 1 2 3; do {TLS}/early & done; wait; {TLS}/b; {TLS}/c", None),
]:
    s = Session(command, policy=POOL_POLICY)
    got = kept(s.out) if "evil" not in s.out else s.out
    ok(got == wanted if wanted else [b for _, b in got[:3]] == [1, 1, 1] and [b for _, b in got[3:]] == [2, 3], name, s)
s = Session(TLS + "/a; " + TLS + "/b -o /dev/null", policy=POOL_POLICY)
ends = [e for e in s.events if e["kind"] == "net.close" and "bytes_in" in e]
check("... each has its own end in the log, with its own bytes", len(ends) == 2 and len({e["bytes_in"] for e in ends}) == 1 and
      len({e["bytes_out"] for e in ends}) == 1, s)
# ---- Many records of TLS in one segment, its end among them, while the socket stays open
TLS_ALONE = """
import socket, ssl, time
class Alone:
    def __init__(self, s, context, **kind):
        self.s, self.n, self.out = s, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.n, self.out, **kind)
    def take(self):
        more = self.s.recv(65536)
        self.n.write(more) if more else self.n.write_eof()
    def send(self):
        self.s.sendall(self.out.read())
    def until(self, what, and_send=True):
        while True:
            try:
                return what()
            except ssl.SSLWantReadError:
                pass
            finally:
                if and_send: self.send()
            self.take()
    def finish(self):
        try: self.tls.unwrap()
        except ssl.SSLError: pass
"""
exec(TLS_ALONE)


def at_once(c, address, port):
    a = Alone(c, context, server_side=True)
    a.until(a.tls.do_handshake)
    requests.append((address, port, a.until(lambda: a.tls.read(65536))))
    a.tls.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    for n in range(1000):
        a.tls.write(b"%03d " % n)
    a.finish()
    a.send()
    time.sleep(8)


serve("203.0.113.10", 4445, at_once)
started = time.time()
s = Session(CURL + "https://permitted.test:4445/", policy=POOL_POLICY)
check("a response and the end of TLS in one segment", s.out == "".join(f"{n:03} " for n in range(1000)) and time.time() - started < 6, s)
s = Session(python(TLS_ALONE + """
import os
context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
a = Alone(dial("permitted.test", 4443), context, server_hostname="permitted.test")
while True:
    try:
        a.tls.do_handshake(); break
    except ssl.SSLWantReadError:
        a.send(); a.take()
for n in range(3):
    a.tls.write(b"GET /%d HTTP/1.1\\r\\nHost: permitted.test:4443\\r\\n\\r\\n" % n)
a.finish()
a.send()
started, got = time.time(), b""
while got.count(b"HTTP/1.1 200") < 3:
    more = a.until(lambda: a.tls.read(65536), and_send=False)
    if not more: break
    got += more
print(got.count(b"HTTP/1.1 200"), time.time() - started < 4)
"""), policy=POOL_POLICY)
check("requests and the end of TLS in one segment with the handshake's", s.out == "3 True\n", s)
# ---- The client sees every connection succeed: what its own choice of addresses was for is done here
OTHER = """
resolve("permitted.test"); resolve("permitted.test", 28)
s = dial("2001:db8::10", 4080); s.sendall(b"GET /x HTTP/1.1\\r\\nHost: permitted.test:4080\\r\\n\\r\\n"); print(s.recv(999))"""
s = Session(python(OTHER), policy=POOL_POLICY)
check("an address that does not answer: another one of the name does", "200 OK" in s.out and len(s.requests) == 1 and
      s.has(kind="net.connect", decision="allow", ip="203.0.113.10", port=4080), s)
s = Session(python(OTHER), policy=POOL_POLICY + 'forbid (principal, action == Action::"NetworkConnect", resource in IpRange::"203.0.113.0/24");')
check("... unless a policy forbids that", "502" in s.out and not s.requests, s)

if h2peer:
    h2_context = serving(T / "all.crt", T / "all.key", ("h2",))
    serve("203.0.113.10", 4444, lambda c, *to: h2_server(h2_context.wrap_socket(c, server_side=True), *to))
    for name, url in ("in clear", "http://permitted.test:8080"), ("in TLS", "https://permitted.test:4444"):
        for path, wanted in ("/hello", 1), ("/goaway", 3):
            before = h2_connections
            s = Session("for i in 1 2 3; do " + CURL + ("--http2 " if "TLS" in name else "--http2-prior-knowledge ") + url + path +
                        "; sleep 0.1; done", policy=H2_POLICY)
            check(f"... with HTTP/2 {name}: {wanted} for three that ask for {path}", len(heads(s)) == 3 and h2_connections - before == wanted, s)

# ---- The end, the confinement, many connections
s = Session("(" + CURL + "-d x http://permitted.test:9/never &); sleep 0.5")
check("a request that is not answered before the end is recorded", s.has(kind="http.request", method="POST", decision="allow"), s)
check("... and so is its connection's end", s.has(kind="net.close", host="permitted.test", port=9), s)
def kill_proxy(events):
    for _ in range(200):
        lines = events.read_text().splitlines() if events.exists() else []
        if lines and json.loads(lines[0])["kind"] == "proxy":
            pid = json.loads(lines[0])["pid"]
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            for _ in range(100):
                if len(requests) > before:
                    break
                time.sleep(0.05)
            os.kill(pid, 9)
            return status
        time.sleep(0.02)


before = len(requests)
s = Session(CURL + "http://permitted.test/; sleep 0.3; " + CURL + "http://permitted.test/", meanwhile=kill_proxy)
check("the proxy's death leaves no way out", s.out.count("hello") <= 1 and s.rc == 95, s)
check("the proxy has no new privileges, a filter and no capability", "NoNewPrivs:\t1" in s.seen and "Seccomp:\t2" in s.seen and
      "CapEff:\t0000000000000000" in s.seen and "CapPrm:\t0000000000000000" in s.seen, s.seen)
rss = int(s.seen.split("VmRSS:")[1].split()[0])
print(f"# resident: {rss} KiB")
ok(rss < 12000 if "VmRSS" in s.seen else False, "... and is small", rss)

FLOOD = """
import resource
socks = []
for i in range(900):
    s = socket.socket(); s.settimeout(10); s.connect(("permitted.test", 9)) if i < 1 else s.connect(("203.0.113.10", 9)); socks.append(s)
for s in socks: s.sendall(b"z" * 1000)
for s in socks: s.shutdown(1)
print(sum(int(s.recv(100)) for s in socks))"""
s = Session(python(FLOOD))
is_("900 connections, all of whose bytes arrive", s.out.strip(), "900000")
s = Session(python("""
dial("ssh.test", 22).close(); socks = [dial("203.0.113.12", 22, 20) for i in range(500)]
print(sum(s.recv(100).startswith(b"220") for s in socks))"""))
is_("... and 500 that are open at a time", s.out.strip(), "500")

print(f"1..{count}")
dnsmasq.terminate()
shutil.rmtree(T, ignore_errors=True)
sys.exit(1 if failures else 0)
