#!/usr/bin/python3
"""NET-07 to NET-17: what is said in HTTP and TLS. ROW=… net-http.py

permitted.test may be asked for everything but paths below /forbidden; forbidden.test may not be reached. Both
run servers that answer "hello" to anything on 80 and 443, permitted.test a gullible one on 8080 as well. Lines
and exit status are those of escape.h."""
import os
import socket
import ssl
import struct
import sys
import time

GOOD, BAD = "203.0.113.10", "203.0.113.66"
HELLO = b"hello"
status = 0


def say(word, text):
    print(word, text, flush=True)


def must_fail(reached, text):
    global status
    say("ESCAPED" if reached else "denied", text)
    if reached:
        status = 1


def must_work(works, text):
    global status
    if not works:
        say("BROKEN", text)
        status = status or 2


def tls(sock, sni, protocols=("http/1.1",)):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(list(protocols))
    return context.wrap_socket(sock, server_hostname=sni)


def read_all(s, until=None, seconds=4):
    got = b""
    s.settimeout(seconds)
    try:
        while not (until and until in got):
            more = s.recv(65536)
            if not more:
                break
            got += more
    except OSError:
        pass
    return got


def exchange(data, address=GOOD, port=80, sni=None, in_tls=False, until=HELLO):
    """What is answered to these bytes; nothing where there is no connection."""
    try:
        with socket.create_connection((address, port), 6) as sock:
            with (tls(sock, sni) if in_tls else sock) as s:
                s.sendall(data)
                return read_all(s, until)
    except OSError:
        return b""


def get(host, path="/", version=b"1.1", before=b""):
    if isinstance(host, str):
        host = host.encode()
    return before + b"GET %s HTTP/%s\r\nHost: %s\r\nConnection: close\r\n\r\n" % (path.encode(), version, host)


def resolve():
    """The program's own look-ups: what an address is decided by."""
    socket.getaddrinfo("permitted.test", 80)


# ---- NET-07: names that must agree

def names():
    resolve()
    for host in ("permitted.test", "PERMITTED.Test", "permitted.test.", "permitted.test:80"):
        must_work(HELLO in exchange(get(host)), f"the permitted host as {host}")
    for host in ("forbidden.test", "FORBIDDEN.TEST", "forbidden.test.", "forbidden.test:80", BAD, "permitted.test:81",
                 "permitted.test:99999", "permitted.test@forbidden.test", "forbidden.test@permitted.test", "a:b@permitted.test",
                 "permitted.test, forbidden.test", "permitted.test forbidden.test", "", "permitted.test%00", "permitted.test%2eforbidden.test",
                 "p%65rmitted.test", b"permitted.test\0.forbidden.test", b"permitted.test\x7f", "p\u0435rmitted.test", "xn--prmitted-8ib.test", ".permitted.test",
                 "permitted..test", "[permitted.test]", "permitted.test/", "permitted.test#", "permitted.test\\forbidden.test", "*.test"):
        must_fail(HELLO in exchange(get(host)), f"Host: {host!r}")
    for name, data in {
        "two Hosts": b"GET / HTTP/1.1\r\nHost: permitted.test\r\nHost: forbidden.test\r\n\r\n",
        "two Hosts, turned": b"GET / HTTP/1.1\r\nHost: forbidden.test\r\nHost: permitted.test\r\n\r\n",
        "no Host": b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        "a Host behind a blank": b"GET / HTTP/1.1\r\nHost : forbidden.test\r\nHost: permitted.test\r\n\r\n",
        "a folded Host": b"GET / HTTP/1.1\r\nHost: permitted.test\r\n forbidden.test\r\n\r\n",
        "an absolute target": b"GET http://forbidden.test/ HTTP/1.1\r\nHost: permitted.test\r\nConnection: close\r\n\r\n",
        "an absolute target of HTTP/1.0": b"GET http://forbidden.test/ HTTP/1.0\r\n\r\n",
        "an absolute target with userinfo": b"GET http://permitted.test@forbidden.test/ HTTP/1.1\r\nHost: permitted.test\r\n\r\n",
        "CONNECT": b"CONNECT forbidden.test:443 HTTP/1.1\r\nHost: forbidden.test\r\n\r\n",
        "CONNECT with the permitted Host": b"CONNECT forbidden.test:443 HTTP/1.1\r\nHost: permitted.test\r\n\r\n",
    }.items():
        got = exchange(data)
        must_fail(HELLO in got or b" 200 " in got[:16], name)
    for sni, host, address in (("permitted.test", "forbidden.test", GOOD), ("forbidden.test", "permitted.test", GOOD), (None, "forbidden.test", GOOD),
                               ("forbidden.test", "forbidden.test", GOOD), ("permitted.test", "permitted.test", BAD), (None, "permitted.test", BAD)):
        must_fail(HELLO in exchange(get(host), address, 443, sni, in_tls=True), f"in TLS: server name {sni}, Host {host}, address {address}")
    must_work(HELLO in exchange(get("permitted.test"), GOOD, 443, "permitted.test", in_tls=True), "the permitted host in TLS")
    must_work(HELLO in exchange(get("permitted.test"), GOOD, 443, None, in_tls=True), "the permitted host in TLS without a server name")
    with socket.create_connection((GOOD, 443), 6) as sock, tls(sock, "permitted.test") as s:
        s.sendall(get("permitted.test").replace(b"Connection: close\r\n", b""))
        must_work(HELLO in read_all(s, b"\n"), "a first request")
        s.sendall(get("forbidden.test"))
        must_fail(HELLO in read_all(s, HELLO), "a second request on the connection has another Host")


# ---- NET-11: TLS that is not what it seems

def add_extension(hello, kind, content):
    """A ClientHello in one record, with one extension more."""
    body = bytearray(hello[9:])
    at = 34
    at += 1 + body[at]
    at += 2 + struct.unpack(">H", body[at:at + 2])[0]
    at += 1 + body[at]
    extensions = body[at + 2:] + struct.pack(">HH", kind, len(content)) + content
    body = body[:at] + struct.pack(">H", len(extensions)) + extensions
    handshake = b"\1" + struct.pack(">I", len(body))[1:] + bytes(body)
    return hello[:3] + struct.pack(">H", len(handshake)) + handshake


def client_hello(sni):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(incoming, outgoing, server_hostname=sni).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def is_server(data):
    """The server's own certificate, which TLS 1.2 sends in clear."""
    return b"leash test server" in data


def hidden():
    """permitted.test has @tls("passthrough") here: its bytes are passed on, once they are decided."""
    resolve()
    plain = client_hello("permitted.test")
    ech = b"\0" + struct.pack(">HHBH", 1, 1, 7, 32) + os.urandom(32) + struct.pack(">H", 64) + os.urandom(64)
    must_work(is_server(exchange(plain, port=443, until=b"leash test server")), "a ClientHello with a server name")
    # Browsers send this in each of theirs; what is inside TLS that is passed on nobody sees in any case. It must be recorded.
    must_work(is_server(exchange(add_extension(plain, 0xfe0d, ech), port=443, until=b"leash test server")), "a ClientHello that encrypts another (ECH)")
    must_fail(is_server(exchange(client_hello("forbidden.test"), port=443, until=b"leash test server")), "a ClientHello with another server name")
    must_fail(is_server(exchange(plain, BAD, port=443, until=b"leash test server")), "the server name at another address")


def beside_tls():
    resolve()
    for path in ("/forbidden", "/x/../forbidden", "//forbidden", "/%66orbidden", "/./forbidden"):
        must_fail(HELLO in exchange(get("permitted.test", path), port=8443, sni="permitted.test", in_tls=True), f"TLS on another port: {path}")
    must_work(HELLO in exchange(get("permitted.test", "/x"), port=8443, sni="permitted.test", in_tls=True), "TLS on another port")
    must_fail(HELLO in exchange(get("permitted.test", "/forbidden"), port=8080), "HTTP on another port")
    for name, first in (("a blank line", b"\r\n\r\n"), ("a line end", b"\n"), ("a byte", b"\x16"), ("SSH", b"SSH-2.0-x\r\n"), ("a record that is none", b"\x16\3\1\0\0")):
        must_fail(HELLO in exchange(first + get("permitted.test", "/forbidden"), port=8080), f"a request behind {name}")
    # What can be read by its two ends alone could hold any request.
    must_fail(b"2.0" in exchange(b"\x80\x2e\1\3\1\0\x15\0\0\0\x10" + b"2.0\r\n\r\n" + get("permitted.test", "/forbidden"), port=8080, until=b"2.0"), "SSLv2")


# ---- NET-12: one request that looks like another to the server

SMUGGLED = b"GET /forbidden/smuggled HTTP/1.1\r\nHost: permitted.test\r\n\r\n"


def smuggling():
    resolve()
    post = b"POST /x HTTP/1.1\r\nHost: permitted.test\r\n"
    length = b"Content-Length: %d\r\n" % len(SMUGGLED)
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)
    for name, data in {
        "both lengths": post + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        "both lengths, turned": post + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
        "a folded coding": post + length + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        "a blank before the colon": post + length + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        "an unknown coding": post + length + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        "chunked twice": post + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + chunk + SMUGGLED,
        "chunked, then identity": post + b"Transfer-Encoding: chunked, identity\r\n\r\n" + chunk + SMUGGLED,
        "a coding behind a tab": post + length + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        "two lengths": post + b"Content-Length: 0\r\n" + length + b"\r\n" + SMUGGLED,
        "a list of lengths": post + b"Content-Length: 0, %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED,
        "a length with a sign": post + b"Content-Length: +0\r\n\r\n" + SMUGGLED,
        "a length in hexadecimal": post + b"Content-Length: 0x0\r\n\r\n" + SMUGGLED,
        "a length that overflows": post + b"Content-Length: 18446744073709551616\r\n\r\n" + SMUGGLED,
        "bare line ends": b"GET /x HTTP/1.1\nHost: permitted.test\n\n" + SMUGGLED,
        "a bare CR": b"GET /x HTTP/1.1\r\nHost: permitted.test\r\nX: a\rY: b\r\n\r\n" + SMUGGLED,
        "a NUL": b"GET /x HTTP/1.1\r\nHost: permitted.test\r\nX: a\0b\r\n\r\n" + SMUGGLED,
        "a size with a prefix": post + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + SMUGGLED,
        "a size that overflows": post + b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n" + SMUGGLED,
        "a chunk that is longer than it says": post + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n" + SMUGGLED,
        "an extension with a line end": post + b"Transfer-Encoding: chunked\r\n\r\n0;a=\n\r\n\r\n" + SMUGGLED,
        "a second request behind the first": get("permitted.test", "/x").replace(b"Connection: close\r\n", b"") + SMUGGLED,
        "a request behind a GET's body": b"GET /x HTTP/1.1\r\nHost: permitted.test\r\nContent-Length: 3\r\n\r\nabc" + SMUGGLED,
        "CONNECT, and a request in it": b"CONNECT permitted.test:8080 HTTP/1.1\r\nHost: permitted.test:8080\r\n\r\n" + SMUGGLED,
        "an upgrade that nobody knows": b"GET /x HTTP/1.1\r\nHost: permitted.test\r\nConnection: Upgrade\r\nUpgrade: tunnel\r\n\r\n" + SMUGGLED,
        "an upgrade to HTTP/2": b"GET /x HTTP/1.1\r\nHost: permitted.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n\r\n" + SMUGGLED,
        "HTTP/0.9": b"GET /forbidden/smuggled\r\n\r\n",
        "another version": b"GET /forbidden/smuggled HTTP/1.2\r\nHost: permitted.test\r\n\r\n",
    }.items():
        got = exchange(data.replace(b"permitted.test\r\n", b"permitted.test:8080\r\n"), port=8080, until=b"\0never")
        # Two answers, or one to the request that must not be made.
        must_fail(got.count(HELLO) > (0 if b"smuggled" in data.split(b"\r\n")[0] else 1), name)
    must_work(exchange(get("permitted.test:8080", "/x").replace(b"Connection: close\r\n", b"") * 2, port=8080, until=b"\0never").count(HELLO) == 2, "two requests in turn")

    sent = 0
    try:
        with socket.create_connection((GOOD, 8080), 6) as s:
            s.settimeout(6)
            s.sendall(b"GET /x HTTP/1.1\r\nHost: permitted.test:8080\r\n")
            while sent < 1 << 30:
                s.sendall(b"X-%d: " % sent + b"x" * 60000 + b"\r\n")
                sent += 60000
    except OSError:
        pass
    must_fail(sent >= 1 << 30, f"a head of 1 GB (closed after {sent >> 20} MB)")

    sent = 0
    try:
        with socket.create_connection((GOOD, 8080), 6) as s:
            s.settimeout(6)
            s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0) + frame(1, 0, 1, b"\x82"))
            while sent < 1 << 26:
                s.sendall(frame(9, 0, 1, b"\x82" * 1000) * 50)
                sent += 50000
    except OSError:
        pass
    must_fail(sent >= 1 << 26, f"CONTINUATION without end (closed after {sent >> 10} KB)")


# ---- NET-14: where servers send one to

def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def h2_status(authority, path=b"/x"):
    """The first byte of the response's head on a connection to permitted.test: 0x88 is 200."""
    with socket.create_connection((GOOD, 443), 6) as sock, tls(sock, "permitted.test", ("h2",)) as s:
        head = b"".join(literal(*f) for f in ((b":method", b"GET"), (b":scheme", b"https"), (b":authority", authority), (b":path", path)))
        s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0) + frame(1, 5, 1, head))
        s.settimeout(5)
        got = b""
        try:
            while True:
                while len(got) >= 9 and len(got) >= 9 + int.from_bytes(got[:3], "big"):
                    n = int.from_bytes(got[:3], "big")
                    if got[3] == 1:
                        return got[9]
                    got = got[9 + n:]
                more = s.recv(65536)
                if not more:
                    return 0
                got += more
        except OSError:
            return 0


def elsewhere():
    resolve()
    for path in ("/redirect?to=http://forbidden.test/x", "/redirect?to=http://203.0.113.66/x", "/redirect?to=http://permitted.test/forbidden/x",
                 "/redirect?to=//forbidden.test/x"):
        location = exchange(get("permitted.test", path), until=b"\r\n\r\n").lower().partition(b"location: ")[2].split(b"\r\n")[0].decode()
        must_work(location, f"the redirection {path}")
        host, _, rest = location.partition("//")[2].partition("/")
        must_fail(HELLO in exchange(get(host, "/" + rest), {"permitted.test": GOOD}.get(host, BAD)), f"where {path} leads to")
    must_fail(b"alt-svc" in exchange(get("permitted.test:8080", "/x"), port=8080).lower(), "Alt-Svc arrives")
    must_work(h2_status(b"permitted.test") == 0x88, "HTTP/2")
    for authority in (b"forbidden.test", b"other.test", b"permitted.test:444", b"permitted.test@forbidden.test"):
        must_fail(h2_status(authority) == 0x88, f"HTTP/2 with the authority {authority.decode()} on the permitted one's connection")
    must_fail(h2_status(b"permitted.test", b"/forbidden/x") == 0x88, "HTTP/2 with a forbidden path")


# ---- NET-15: what a permitted host can be used for

def scopes():
    resolve()
    for method, path in (("GET", "/repos/me/code"), ("POST", "/repos/me/issues"), ("POST", "/me/code.git/git-upload-pack"),
                         ("PUT", "/my-bucket/object"), ("GET", "/some-package")):
        must_work(HELLO in exchange(get("permitted.test", path).replace(b"GET", method.encode())), f"{method} {path}")
    for method, path in (("POST", "/gists"), ("POST", "/repos/other/issues"), ("PATCH", "/repos/me/code"), ("POST", "/other/code.git/git-receive-pack"),
                         ("POST", "/me/../other/code.git/git-receive-pack"), ("PUT", "/other-bucket/object"), ("PUT", "/my-bucket/../other-bucket/object"),
                         ("PUT", "/my-bucket/%2e%2e/other-bucket/object"), ("PUT", "/some-package"), ("DELETE", "/some-package"), ("get", "/gists"),
                         ("POST", "/%67ists"), ("POST", "//gists"), ("POST", "/gists?x=/repos/me/")):
        must_fail(HELLO in exchange(get("permitted.test", path).replace(b"GET", method.encode())), f"{method} {path}")


# ---- NET-17: who takes everything

def exhaustion():
    resolve()
    held = []

    def hold(data, n, port=80, reads=False):
        for _ in range(n):
            try:
                s = socket.create_connection((GOOD, port), 6)
                s.sendall(data)
                held.append(s)
            except OSError:
                return

    hold(b"GET / HTTP/1.1\r\nHost: permitted.test\r\nX-Slow: ", 300)
    hold(b"\x16\3\1\2\0\1", 100, 443)
    hold(get("permitted.test").replace(b"Connection: close\r\n", b""), 300)
    hold(get("permitted.test", "/big?bytes=500000000"), 40)
    hold(get("permitted.test", "/stream"), 50)
    started = time.monotonic()
    works = HELLO in exchange(get("permitted.test"), until=HELLO)
    must_work(works and time.monotonic() - started < 5, f"another request meanwhile ({time.monotonic() - started:.1f} s)")
    must_work(len(held) > 700, f"so many connections ({len(held)})")
    print("holding", len(held), flush=True)
    time.sleep(float(os.environ.get("HOLD", "3")))
    for s in held:
        s.close()


{"names": names, "hidden": hidden, "beside-tls": beside_tls, "smuggling": smuggling, "elsewhere": elsewhere, "scopes": scopes,
 "exhaustion": exhaustion}[os.environ["ROW"]]()
sys.exit(status)
