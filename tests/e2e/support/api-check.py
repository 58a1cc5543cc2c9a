"""The checks of tests/e2e/api.sh, as the user, in the workspace: api-check.py LEASH OPENAPI"""

import datetime
import json
import os
import re
import selectors
import socket
import subprocess
import sys
import threading
import time

from api import Api, Connection, Session, WebSocket, events_of

LEASH, OPENAPI = sys.argv[1:3]
HOME = os.environ["HOME"]
WORK = os.getcwd()
OPEN = 'Action::\\"FileOpen\\"'
description = json.load(open(OPENAPI, encoding="utf-8"))
replies = []


def ok(name, good, *more):
    print("%s %s" % ("PASS" if good else "FAIL", name), flush=True)
    if not good:
        for line in more:
            print("  " + str(line)[:1500], flush=True)
    return good


def same(name, got, want):
    return ok(name, got == want, "got: %r" % (got,), "want: %r" % (want,))


def forbid(path, extra=""):
    return '%sforbid (principal, action in Action::"FileOpen", resource == File::"%s");\n' % (extra, path)


def export(session_id):
    out = subprocess.run([LEASH, "export", "--jsonl", session_id], check=True, capture_output=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def comes_true(test, seconds=15):
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def answers(api):
    try:
        return api.get("/healthz").status == 200
    except (OSError, EOFError):
        return False


def free_port(host="127.0.0.1"):
    """One that nobody has, as the kernel chooses it."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as s:
        s.bind((host, 0))
        return s.getsockname()[1]


def check_auth(api):
    stranger = Api(api.port)
    same("no token: 401", stranger.get("/api/session").status, 401)
    same("a wrong token: 401", Api(api.port, "0" * 64).get("/api/session").status, 401)
    same("a token cut short: 401", Api(api.port, api.token[:-1]).get("/api/session").status, 401)
    same("the token: 200", api.get("/api/session").status, 200)
    same("metrics need it too", stranger.get("/metrics").status, 401)
    same("what does not exist is not told without it", stranger.get("/api/nothing").status, 401)
    same("health needs none", stranger.get("/healthz").body, b"ok\n")
    same("nor does readiness", stranger.get("/readyz").status, 200)
    same("nor does the page", stranger.get("/").status, 200)
    for host in ("evil.example:%d" % api.port, "127.0.0.1", "127.0.0.1:%d" % (api.port + 1), "localhost.evil.example:%d" % api.port,
                 "127.0.0.2:%d" % api.port, "[::2]:%d" % api.port, ""):
        same("Host %r: 403" % host, api.get("/api/session", fields={"Host": host}).status, 403)
    same("a foreign Host does not get the page", stranger.get("/", fields={"Host": "evil.example:%d" % api.port}).status, 403)
    for host in ("localhost:%d" % api.port, "LocalHost:%d" % api.port, "[::1]:%d" % api.port):
        same("Host %s: 200" % host, api.get("/api/session", fields={"Host": host}).status, 200)
    for origin in ("http://evil.example", "null", "http://localhost:%d" % api.port, "https://127.0.0.1:%d" % api.port, "http://127.0.0.1"):
        same("Origin %s: 403" % origin, api.get("/api/session", fields={"Origin": origin}).status, 403)
    same("our own Origin: 200", api.get("/api/session", fields={"Origin": "http://127.0.0.1:%d" % api.port}).status, 200)
    for site in ("cross-site", "same-site"):
        same("Sec-Fetch-Site %s: 403" % site, api.get("/api/session", fields={"Sec-Fetch-Site": site}).status, 403)
    same("a refusal has its mark", stranger.get("/", fields={"Host": "evil.example"}).get("cross-origin-opener-policy"), "same-origin")
    same("a link from elsewhere opens the page", stranger.get("/", fields={"Sec-Fetch-Site": "cross-site"}).status, 200)

    same("login with a wrong token: 401", stranger.post("/api/login", {"token": "f" * 64}).status, 401)
    login = stranger.post("/api/login", {"token": api.token})
    cookie = login.get("set-cookie") or ""
    same("login: 204", login.status, 204)
    ok("the cookie is HttpOnly, SameSite=Strict and named after the port",
       re.fullmatch(r"leash-%d=[0-9a-f]{64}; Path=/; HttpOnly; SameSite=Strict" % api.port, cookie), cookie)
    ok("its value is not the token", api.token not in cookie)
    pair = cookie.split(";")[0]
    same("the cookie: 200", stranger.get("/api/session", fields={"Cookie": "a=b; " + pair + "; c=d"}).status, 200)
    same("its value is no token", Api(api.port, pair.split("=")[1]).get("/api/session").status, 401)
    same("a wrong cookie: 401", stranger.get("/api/session", fields={"Cookie": "leash-%d=%s" % (api.port, "0" * 64)}).status, 401)
    same("another session's cookie: 401",
         stranger.get("/api/session", fields={"Cookie": "leash-1=" + pair.split("=")[1]}).status, 401)
    same("a wrong token beside the cookie: 401",
         stranger.get("/api/session", fields={"Cookie": pair, "Authorization": "Bearer " + "0" * 64}).status, 401)
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", None):
        same("with the cookie a body of %s: 415" % kind,
             stranger.request("PUT", "/api/mode", raw=b'{"mode":"shadow"}', fields={"Cookie": pair, "Content-Type": kind}).status, 415)
    same("form POST: 415", api.post("/api/policies/format", raw=b"text=x",
                                    fields={"Content-Type": "application/x-www-form-urlencoded"}).status, 415)
    preflight = api.request("OPTIONS", "/api/policies", fields={"Origin": "http://evil.example", "Access-Control-Request-Method": "PUT"})
    ok("no CORS", preflight.status in (403, 405) and "access-control-allow-origin" not in preflight.fields, preflight.status)

    reply = stranger.get("/")
    policy = reply.get("content-security-policy") or ""
    ok("the policy of content has no unsafe-inline", "default-src 'none'" in policy and "unsafe" not in policy, policy)
    for name, value in (("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"),
                        ("cross-origin-opener-policy", "same-origin"), ("cross-origin-resource-policy", "same-origin")):
        same("%s of an error too" % name, stranger.get("/api/session").get(name), value)


def raw_status(api, data, close_early=False):
    connection = Connection(api.host, api.port)
    connection.send(data)
    if close_early:
        connection.socket.shutdown(1)
    try:
        return connection.read_reply().status
    except EOFError:
        return None
    finally:
        connection.close()


def check_http(api):
    head = "Host: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\n" % (api.port, api.token)
    same("no HTTP at all: 400", raw_status(api, b"\x16\x03\x01\x02\x00\r\n\r\n"), 400)
    same("no Host: 400", raw_status(api, b"GET /healthz HTTP/1.1\r\n\r\n"), 400)
    same("two lengths: 400", raw_status(api, ("POST /api/login HTTP/1.1\r\n%sContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx" % head).encode()), 400)
    same("a length beside chunks: 400", raw_status(api, ("POST /api/login HTTP/1.1\r\n%sContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n" % head).encode()), 400)
    same("a head without end: 400", raw_status(api, b"GET /" + b"a" * 70000), 400)
    connection = Connection(api.host, api.port)
    connection.send(("GET /api/nothing HTTP/1.1\r\n%s\r\n" % head).encode())
    same("another path: 404, in words too", connection.socket.recv(65536).split(b"\r\n")[0], b"HTTP/1.1 404 Not Found")
    connection.close()
    same("a path with dots is no other path", api.get("/api/../healthz").status, 404)
    wrong = api.request("DELETE", "/api/policies")
    same("another method: 405", (wrong.status, wrong.get("allow")), (405, "GET, HEAD, PUT, POST, PATCH"))
    same("the page takes no POST", api.post("/", {}).status, 405)
    head_reply = api.request("HEAD", "/api/session")
    ok("HEAD is like GET without the body", head_reply.status == 200 and int(head_reply.get("content-length")) > 100, head_reply.fields)
    big = b'{"text":"' + b"a" * (1024 * 1024) + b'"}'
    same("a body over 1 MiB: 413", api.post("/api/policies/format", raw=big).status, 413)
    connection = Connection(api.host, api.port)
    connection.send(("POST /api/policies/format HTTP/1.1\r\n%sContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" % head).encode())
    try:
        for _ in range(80):
            connection.send(b"4000\r\n" + b"a" * 0x4000 + b"\r\n")
    except OSError:
        pass
    same("in chunks too", connection.read_reply().status, 413)
    connection.close()
    same("a body at the limit is read", api.post("/api/policies/format", raw=b'{"text":"' + b" " * (1024 * 1024 - 12) + b'"}').status, 200)
    same("Expect: 100-continue", api.post("/api/policies/format", {"text": ""}, fields={"Expect": "100-continue"}).status, 200)
    unknown = api.post("/api/policies/format", {"text": "", "colour": 1})
    same("an unknown key: 400 with its name", (unknown.status, unknown.json()["key"]), (400, "colour"))
    unknown = api.get("/api/events?colour=1")
    same("an unknown parameter likewise", (unknown.status, unknown.json()["key"]), (400, "colour"))
    same("no JSON: 400", api.post("/api/policies/format", raw=b"{").status, 400)
    same("a key twice: 400", api.post("/api/policies/format", raw=b'{"text":"","text":""}').status, 400)
    same("of the wrong type: 400", api.post("/api/policies/format", {"text": 1}).status, 400)
    same("errors are problems", unknown.get("content-type"), "application/problem+json")

    connection = Connection(api.host, api.port)
    request = ("GET /healthz HTTP/1.1\r\n%s\r\n" % head).encode()
    connection.send(request * 3 + request[:20])
    same("requests that come together are answered in turn", [connection.read_reply().status for _ in range(3)], [200] * 3)
    connection.send(request[20:])
    same("and the connection stays", connection.read_reply().status, 200)
    connection.send(("POST /api/policies/format HTTP/1.1\r\n%sContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "5\r\n{\"tex\r\n6\r\nt\":\"\"}\r\n0\r\n\r\n" % head).encode())
    same("a body in chunks", connection.read_reply().status, 200)
    connection.close()
    for size in (1, 2, 7):
        connection = Connection(api.host, api.port)
        for at in range(0, len(request), size):
            connection.send(request[at:at + size])
        same("a head in pieces of %d" % size, connection.read_reply().status, 200)
        connection.close()

    held = [Connection(api.host, api.port) for _ in range(256)]
    for connection in held:
        connection.send(request)
    same("256 connections at once", [c.read_reply().status for c in held], [200] * 256)
    extra = Connection(api.host, api.port)
    same("the connection after the 256th is closed", extra.socket.recv(1), b"")
    for connection in held + [extra]:
        connection.close()
    ok("and there is room again", comes_true(lambda: answers(api)))


def check_session(session, api):
    said = api.get("/api/session").json()
    same("the session: state, mode, workspace", (said["state"], said["mode"], said["workspace"]), ("running", "enforce", WORK))
    same("its command", said["command"], ["sh"])
    session.tell("cat one; cat ~/.ssh/id_ed25519")
    page = api.get("/api/events?decision=deny").json()
    ok("denied events are found", any(e.get("path", "").endswith("id_ed25519") for e in page["events"]), page)
    every, since = [], 0
    while since is not None:
        page = api.get("/api/events?limit=7&since=%d" % since).json()
        every += page["events"]
        since = page["next"]
    same("pages follow each other without gap or double", [e["seq"] for e in every], list(range(1, len(every) + 1)))
    same("and are what is exported", every, export(said["id"])[:len(every)])
    newest = api.get("/api/events?order=newest&limit=5").json()
    ok("the newest first", [e["seq"] for e in newest["events"]] == sorted((e["seq"] for e in newest["events"]), reverse=True)
       and newest["next"] == newest["events"][-1]["seq"] - 1, newest)
    lines = api.get("/api/events?limit=3", fields={"Accept": "application/x-ndjson"})
    same("as lines", ([json.loads(l)["seq"] for l in lines.body.splitlines()], lines.get("leash-next")), ([1, 2, 3], "3"))
    for query in ("kind=nothing", "path=relative", "limit=10001", "pid=x", "text=%", "text=%00", "order=up"):
        same("events?%s: 400" % query, api.get("/api/events?" + query).status, 400)
    some = api.get("/api/events?kind=file&path=" + WORK).json()["events"]
    ok("by kind and path", some and all(e["kind"].startswith("file.") and e["path"].startswith(WORK) for e in some), some[:2])
    processes = api.get("/api/processes").json()["processes"]
    ok("processes with their counts", any(p.get("comm") == "cat" and p["denied"] > 0 for p in processes), processes[-3:])
    metrics = api.get("/metrics").body.decode()
    ok("metrics", re.search(r'^leash_events_total\{kind="file.open",decision="deny"\} [1-9]', metrics, re.M)
       and re.search(r"^leash_ready 1$", metrics, re.M), metrics[:800])


def check_sessions(session, api):
    """Other sessions: listed, and their records read."""
    mine = api.get("/api/session").json()["id"]
    subprocess.run([LEASH, "-I", "--listen", "", "--", "sh", "-c", "cat two; cat ~/.ssh/id_ed25519"], capture_output=True)
    subprocess.run([LEASH, "-I", "--listen", "", "--", "true", "x" * 5000], capture_output=True)
    page = api.get("/api/sessions").json()
    cut, earlier = page["sessions"][:2]
    same("the newest come first", (cut["command"], cut.get("command_cut"), earlier["command"][:2]), (["true"], True, ["sh", "-c"]))
    same("how one stands", (earlier["state"], earlier["current"], earlier["workspace"], earlier["denied"] > 0), ("ended", False, WORK, True))
    same("this one is among them", [(s["id"], s["state"]) for s in page["sessions"] if s["current"]], [(mine, "running")])
    first = api.get("/api/sessions?limit=1").json()
    second = api.get("/api/sessions?limit=1&before=" + first["next"]).json()
    same("by pages", [s["id"] for s in first["sessions"] + second["sessions"]], [cut["id"], earlier["id"]])
    same("the last page says so", api.get("/api/sessions?limit=1&before=" + min(s["id"] for s in page["sessions"])).json(), {"sessions": [], "next": None})
    its = "session=" + earlier["id"]
    same("its events", api.get("/api/events?" + its).json()["events"], export(earlier["id"]))
    denied = api.get("/api/events?decision=deny&%s" % its).json()["events"]
    ok("... filtered", denied and all(e["decision"] == "deny" and e["session"] == earlier["id"] for e in denied), denied)
    processes = api.get("/api/processes?" + its).json()["processes"]
    ok("its processes", any(p.get("comm") == "cat" and p["denied"] > 0 for p in processes), processes)
    event = next(e for e in denied if e.get("path", "").endswith("id_ed25519"))
    same("what the policy in force says of its events",
         api.post("/api/policies/explain", {"seq": event["seq"], "session": earlier["id"]}).json()["policies"], event["policies"])
    same("this one by its id", api.get("/api/events?limit=1&session=" + mine).json()["events"][0]["session"], mine)
    none = "20010101-000000-aaaa"
    for path in ("/api/events?session=" + none, "/api/processes?session=" + none):
        same("%s: 404" % path, api.get(path).status, 404)
    same("explain, of no session: 404", api.post("/api/policies/explain", {"seq": 1, "session": none}).status, 404)
    for query in ("events?session=..", "events?session=../" + earlier["id"][:17], "events?session=%2e%2e", "processes?session=20010101-000000-/aaa",
                  "processes?x=1", "sessions?before=x", "sessions?limit=201", "sessions?x=1"):
        same("%s: 400" % query, api.get("/api/" + query).status, 400)
    # What others ask about the newest session is to be answered by this one.
    same("they are removed", [subprocess.run([LEASH, "sessions", "rm", i]).returncode for i in (cut["id"], earlier["id"])], [0, 0])
    same("... and gone", api.get("/api/events?" + its).status, 404)
    same("a session without seq: 400", api.post("/api/policies/explain", {"operation": "read", "object": "/x", "session": mine}).status, 400)


def check_live(session, api):
    session_id = api.get("/api/session").json()["id"]
    same("a WebSocket without token: 401", WebSocket(api, fields={"Authorization": None}).status, 401)
    same("from another origin: 403", WebSocket(api, fields={"Origin": "http://evil.example"}).status, 403)
    same("under another name: 403", WebSocket(api, fields={"Host": "evil.example:%d" % api.port}).status, 403)
    same("GET alone: 426", api.get("/api").status, 426)
    same("an old version: 400", WebSocket(api, fields={"Sec-WebSocket-Version": "8"}).status, 400)

    # Clients join while the session is busy, each at its own moment and with its own history.
    stop = threading.Event()
    busy = threading.Thread(target=lambda: [session.tell("for i in 1 2 3 4 5 6 7 8; do cat one; done") for _ in iter(stop.is_set, True)])
    busy.start()
    clients = []
    newest = lambda: api.get("/api/events?order=newest&limit=1").json()["events"][0]["seq"]
    # The session goes on, whatever the machine's pace.
    goes_on = lambda n: (lambda begin: comes_true(lambda: newest() >= begin + n))(newest())
    for n in range(12):
        if n % 3 == 0:
            client = WebSocket(api, "/api?history=%d" % (n * 11))
        else:
            client = WebSocket(api)
            if n % 3 == 1:
                client.send({"history": n * 7})
        clients.append(client)
        goes_on(5)
    received = [client.until(lambda m: isinstance(m, dict) and m["type"] == "ready") for client in clients]
    goes_on(100)
    stop.set()
    busy.join()
    session.tell("cat last-one")
    for client, messages in zip(clients, received):
        messages += client.until(lambda m: isinstance(m, list) and any(e.get("path", "").endswith("/last-one") for e in m))
        client.close()
    recorded = {e["seq"]: e for e in export(session_id)}
    good, why = True, ""
    for messages in received:
        hello = messages[0] if messages else {}
        events = events_of(messages)
        seqs = [e["seq"] for e in events]
        ready = [m["seq"] for m in messages if isinstance(m, dict) and m["type"] == "ready"]
        first = hello.get("first") or hello.get("last", 0) + 1
        if not (hello.get("type") == "hello" and len(ready) == 1 and seqs and seqs == list(range(first, first + len(seqs)))
                and all(recorded[e["seq"]] == e for e in events)):
            good, why = False, (hello, ready, seqs[:5], seqs[-5:], len(seqs))
    ok("12 clients: history and live without gap or double, as recorded", good, why)
    last = max(recorded)

    client = WebSocket(api)
    client.send({"since": last - 20})
    messages = client.until(lambda m: isinstance(m, dict) and m["type"] == "ready")
    seqs = [e["seq"] for e in events_of(messages)]
    ok("after a pause everything since then", seqs and seqs == list(range(last - 19, seqs[-1] + 1)) and seqs[-1] >= last, seqs)
    client.close()

    client = WebSocket(api, "/api?history=0")
    client.until(lambda m: isinstance(m, dict) and m["type"] == "ready")
    delays = []
    for _ in range(5):
        time.sleep(0.2)  # a pause is what it is about
        session.tell(": <one")  # an open by the shell itself, and nothing else
        event = events_of(client.until(lambda m: isinstance(m, list) and any(e.get("path") == WORK + "/one" for e in m)))[-1]
        began = datetime.datetime.fromisoformat(event["time"][:26] + "+00:00").timestamp()
        delays.append(round((time.time() - began) * 1000))
    ok("after a pause an event goes out at once (%d ms at best)" % min(delays), min(delays) < 30, delays)
    client.close()

    client = WebSocket(api)
    client.send({"history": 5, "filter": {"kinds": ["file"], "decisions": ["deny"]}})
    messages = client.until(lambda m: isinstance(m, dict) and m["type"] == "ready")
    old = events_of(messages)
    ok("a filter holds for history", 0 < len(old) <= 5 and all(e["decision"] == "deny" for e in old), old)
    session.tell("cat one; cat ~/.ssh/id_ed25519; cat one")
    live = events_of(client.until(lambda m: isinstance(m, list), 5))
    ok("and for what is live", live and all(e["decision"] == "deny" and e["kind"].startswith("file.") for e in live), live)
    client.send({"filter": {}})
    client.settle()
    session.tell("cat one")
    live = events_of(client.until(lambda m: isinstance(m, list), 5))
    ok("it can be taken off", any(e.get("decision") == "allow" for e in live), live)
    client.close()

    client = WebSocket(api, "/api?history=0&rate=3")
    client.until(lambda m: isinstance(m, dict) and m["type"] == "ready")
    session.tell("for i in 1 2 3 4 5 6; do cat one; done")
    messages = client.until(lambda m: isinstance(m, dict) and m["type"] == "lost")
    ok("above a rate events are counted", messages and messages[-1].get("count", 0) > 0 and len(events_of(messages)) <= 6, messages[-1:])
    client.close()

    for name, send in (("no JSON", lambda c: c.send(b"nonsense")), ("an unknown key", lambda c: c.send({"colour": 1})),
                       ("a bad filter", lambda c: c.send({"filter": {"path": "relative"}})),
                       ("too long a message", lambda c: c.send(b" " * 20000)), ("bytes", lambda c: c.send(b"{}", opcode=2)),
                       ("a frame that is not masked", lambda c: c.send(b"{}", mask=False)),
                       ("a reserved opcode", lambda c: c.send(b"", opcode=3)), ("no UTF-8", lambda c: c.send(b"\xff"))):
        client = WebSocket(api)
        send(client)
        client.until(lambda m: False, 5)
        ok("%s ends a WebSocket" % name, (client.close_code or 0) >= 1002, client.close_code)
        client.close()
    client = WebSocket(api)
    client.send(b'{"his', final=False)
    client.send(b'', opcode=9)
    client.send(b'tory":1}', opcode=0)
    messages = client.until(lambda m: isinstance(m, dict) and m["type"] == "ready")
    same("a message in pieces, with a ping between", len(events_of(messages)), 1)
    client.send(b"\x03\xe8", opcode=8)
    client.until(lambda m: False, 5)
    same("a close is answered", client.close_code, 1000)

    # Who does not read is cut off, and the others do not notice.
    lazy = WebSocket(api, "/api?history=0")
    eager = WebSocket(api, "/api?history=0")
    eager.until(lambda m: isinstance(m, dict) and m["type"] == "ready")
    lazy.connection.socket.setsockopt(1, 8, 4096)
    seen = []
    reader = threading.Thread(target=lambda: seen.extend(eager.until(
        lambda m: isinstance(m, list) and any(e.get("path", "").endswith("/end-of-storm") for e in m), 60)))
    reader.start()
    session.tell("i=0; while [ $i -lt 12000 ]; do : < one; i=$((i+1)); done; cat end-of-storm")
    reader.join()
    seqs = [e["seq"] for e in events_of(seen)]
    ok("the eager client has all of %d events" % len(seqs), len(seqs) > 12000 and seqs == list(range(seqs[0], seqs[0] + len(seqs)))
       and any(e.get("path", "").endswith("/end-of-storm") for e in events_of(seen)))
    has_clients = lambda n: comes_true(lambda: api.get("/api/session").json()["clients"] == n)
    ok("the lazy one is cut off, and only that one", has_clients(1))
    eager.close()
    ok("who is gone is not counted", has_clients(0))
    lazy.close()


def drain(watchers, end):
    """Reads what comes, as little as can be done with it, until each has had the text: who has, and why others have not."""
    os.nice(10)
    tails = {w.connection.socket: b"" for w in watchers}
    done = set()
    poll = selectors.DefaultSelector()
    for s in tails:
        s.setblocking(False)
        poll.register(s, selectors.EVENT_READ)
    until = time.monotonic() + 120
    while len(done) < len(tails) and time.monotonic() < until:
        for key, _ in poll.select(1):
            data = key.fileobj.recv(1 << 18)
            if end in tails[key.fileobj] + data:
                done.add(key.fileobj)
            tails[key.fileobj] = data[-len(end):]
            if not data or key.fileobj in done:
                poll.unregister(key.fileobj)
    return len(done)


# With pauses, in which a reader that gets what little processor time there is comes to the end of what waits for it.
OPENS, PAUSES = 1000, 10
LOOP = """import os, time
took = 0
for _ in range(%d):
    began = time.monotonic()
    for _ in range(%d):
        os.close(os.open('one', os.O_RDONLY))
    took += time.monotonic() - began
    time.sleep(%s)
print(took)"""


def check_watchers(session, api):
    """Fifty who watch do not slow the session; one more that never reads is cut off."""
    def loop(pause=0.3):
        return float(session.tell('python3 -c "%s"' % (LOOP % (PAUSES, OPENS, pause)))[1])

    before = api.get("/api/session").json()["counters"]
    alone = min(loop(), loop())
    watchers = [WebSocket(api, "/api?history=0") for _ in range(50)]
    lazy = WebSocket(api, "/api?history=0")
    ok("fifty watch, and one that never reads", all(w.is_open for w in watchers) and lazy.is_open)
    for w in watchers:
        w.until(lambda m: isinstance(m, dict) and m["type"] == "ready")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        # Another process, for this one's lock would be the readers' bottle neck.
        os.write(writer, b"%d" % drain(watchers, b"sentinel-of-watchers"))
        os._exit(0)
    os.close(writer)
    for w in watchers:
        w.close()
    watched = min(loop(), loop())
    session.tell("cat sentinel-of-watchers")
    with os.fdopen(reader) as f:
        n = f.read()
    os.waitpid(child, 0)
    same("each of them is sent the last event", n, "50")
    # The readers need processors, too, and machines have few: only what the session would wait for shows.
    ok("%d opens take %.2f s with them, %.2f s without" % (OPENS * PAUSES, watched, alone), watched <= 6 * alone + 1)
    after = api.get("/api/session").json()
    same("nothing was lost", after["counters"]["lost"] - before["lost"], 0)
    loop(pause=0)
    loop(pause=0)
    ok("who never reads is cut off", comes_true(lambda: api.get("/api/session").json()["clients"] == 0), after["clients"])
    lazy.close()


def check_policies(session, api):
    same("before: the file can be read", session.tell("cat one")[0], 0)
    applied = api.request("PUT", "/api/policies", {"text": forbid(WORK + "/one", '@id("no-one") ')})
    same("a policy is applied", (applied.status, applied.json()["stored"], applied.json()["ids"]), (200, "file", ["user:no-one"]))
    same("the very next open fails", session.tell("cat one")[0], 1)
    generation = applied.json()["generation"]
    denied = api.get("/api/events?decision=deny&order=newest&limit=1").json()["events"][0]
    same("by that policy and generation", (denied["policies"], denied["generation"]), (["user:no-one"], generation))
    file = HOME + "/.config/leash/policy.cedar"
    same("the file has it", (open(file).read(), oct(os.stat(file).st_mode & 0o777)), (forbid(WORK + "/one", '@id("no-one") '), "0o600"))
    time.sleep(0.3)  # what does not happen cannot be waited for: longer than changes of files are gathered
    same("writing it is no second change", api.get("/api/session").json()["generation"], generation)
    shown = api.get("/api/policies").json()
    layer = [l for l in shown["layers"] if l["editable"]][0]
    policy = [p for p in shown["policies"] if p["id"] == "user:no-one"][0]
    same("it is shown with its place and in words",
         (layer["text"].encode()[policy["offset"]:policy["offset"] + policy["length"]].decode(), policy["sentence"], policy["editable"]),
         (policy["text"], "Forbids opening %s/one." % WORK, True))

    wrong = 'permit (principal, action == Action::"FileOpn", resource);\n\npermit (principal action, resource);\nforbid (principal, action, resource) when { context.exee == "é" };\n'
    for path, body, status in (("/api/policies", {"text": wrong}, 422), ("/api/policies/validate", {"text": wrong}, 200)):
        reply = api.request("PUT" if status == 422 else "POST", path, body)
        found = reply.json()["findings"]
        same("%s: invalid Cedar" % path, (reply.status, [(f["line"], f["column"]) for f in found]), (status, [(3, 19)]))
        same("its place in bytes", wrong.encode()[found[0]["offset"]:found[0]["offset"] + found[0]["length"]], b"action")
    wrong = wrong.replace("principal action", "principal, action")
    reply = api.request("PUT", "/api/policies", {"text": wrong})
    found = reply.json()["findings"]
    same("every finding is told", (reply.status, sorted({f["line"] for f in found})), (422, [1, 4]))
    ok("each with code, message and a suggestion for what is misspelt",
       all(f["code"] and f["message"] for f in found) and "FileOpen" in found[0].get("suggestion", ""), found)
    same("and nothing has changed", (api.get("/api/session").json()["generation"], open(file).read()), (generation, layer["text"]))
    same("an old base: 409", api.request("PUT", "/api/policies", {"text": "", "base": generation - 1}).status, 409)

    added = api.post("/api/policies", {"text": forbid(WORK + "/two")})
    same("one is added", (added.status, added.json()["ids"]), (200, ["user:policy1"]))
    same("both hold", (session.tell("cat one")[0], session.tell("cat two")[0]), (1, 1))
    changed = api.request("PATCH", "/api/policies", {"remove": [{"id": "user:no-one"}], "base": added.json()["generation"],
                                                     "replace": [{"id": "user:policy1", "text": forbid(WORK + "/three")}]})
    same("changed by id", changed.status, 200)
    same("in force", [session.tell("cat " + f)[0] for f in ("one", "two", "three")], [0, 0, 1])
    same("of an unknown id: 404", api.request("PATCH", "/api/policies", {"remove": [{"id": "user:nothing"}]}).status, 404)
    history = api.get("/api/policies/history").json()["entries"]
    same("the history", [e["number"] for e in history], [3, 2, 1, 0])
    same("going back", api.post("/api/policies/rollback", {"number": 2}).status, 200)
    same("is in force", [session.tell("cat " + f)[0] for f in ("one", "two", "three")], [1, 1, 0])
    same("to nothing", api.post("/api/policies/rollback", {"number": 0}).status, 200)
    same("takes the file away", (session.tell("cat one")[0], os.path.exists(file)), (0, False))
    same("to what never was: 404", api.post("/api/policies/rollback", {"number": 99}).status, 404)

    # Two at once: each is answered when it holds.
    results = []
    threads = [threading.Thread(target=lambda n=n: results.append(api.post("/api/policies", {"text": forbid(WORK + "/%s" % n)}).status))
               for n in ("one", "two", "three")]
    [t.start() for t in threads]
    [t.join() for t in threads]
    same("changes that come together are all made", (results, [session.tell("cat " + f)[0] for f in ("one", "two", "three")]), ([200] * 3, [1] * 3))
    with open(file, "a") as out:
        out.write(forbid(WORK + "/four"))
    ok("an editor's change is taken up as before", comes_true(lambda: session.tell("cat four")[0] == 1))
    ok("and can be seen", "/four" in [l for l in api.get("/api/policies").json()["layers"] if l["editable"]][0]["text"])
    api.request("PUT", "/api/policies", {"text": ""})

    same("the mode changes", (api.request("PUT", "/api/mode", {"mode": "record"}).json()["mode"], session.tell("cat ~/.ssh/id_ed25519")[0]), ("record", 0))
    event = api.get("/api/events?decision=would-deny&order=newest&limit=1").json()["events"][0]
    same("and events say so", event["mode"], "record")
    same("leash's own rules hold all the same", session.tell("cat ~/.config/leash/policy.cedar ~/.local/state/leash/run/*")[0], 1)
    api.request("PUT", "/api/mode", {"mode": "enforce"})
    same("and back", session.tell("cat ~/.ssh/id_ed25519")[0], 1)
    same("there is no mode of that name", api.request("PUT", "/api/mode", {"mode": "off"}).status, 400)


def check_tools(session, api):
    session.tell("cat one two three; cat ~/.ssh/id_ed25519; touch sub/a.txt sub/b.txt sub/c.txt sub/d.txt; cat sub/a.txt")
    text = "permit ( principal,action , resource );"
    same("format", api.post("/api/policies/format", {"text": text}).json(),
         {"text": "permit (principal, action, resource);\n", "formatted": False})
    same("format of nonsense: 422", api.post("/api/policies/format", {"text": "permit ("}).status, 422)
    explained = api.post("/api/policies/explain", {"operation": "read", "object": "~/.ssh/id_ed25519"}).json()
    ok("explain", explained["decision"] == "deny" and "profile:credentials-ssh" in explained["policies"] and explained["reasons"][0]["text"], explained)
    event = api.get("/api/events?decision=deny&path=%s/.ssh&order=newest&limit=1" % HOME).json()["events"][0]
    same("explain an event", api.post("/api/policies/explain", {"seq": event["seq"]}).json()["policies"], event["policies"])
    same("of none: 404", api.post("/api/policies/explain", {"seq": 10 ** 9}).status, 404)
    tested = api.post("/api/policies/test", {"cases": [
        {"operation": "read", "object": "one", "expect": "allow"},
        {"operation": "read", "object": "one", "expect": "deny"},
        {"operation": "connect", "object": "example.com:443", "expect": "allow"}], "text": forbid(WORK + "/one")}).json()
    same("test, with another text", (tested["passed"], tested["failed"], [c["passed"] for c in tested["cases"]]), (2, 1, [False, True, True]))
    diff = api.post("/api/policies/diff", {"text": forbid(WORK + "/one")}).json()
    ok("diff", diff["differences"] > 0 and [p["in"] for p in diff["policies"]] == ["new"]
       and any(d["object"] == WORK + "/one" and d["new"] == "deny" for d in diff["decisions"]), diff)

    replayed = api.post("/api/policies/replay", {"text": forbid(WORK + "/one")}).json()
    ok("replay, with another text", replayed["decided"] > replayed["changed"] > 0
       and any((c["object"], c["before"], c["after"], c["kind"]) == (WORK + "/one", "allow", "deny", "file.open") and c["count"] > 0
               for c in replayed["changes"]), replayed)
    same("of no session: 404, of no policy: 422", (api.post("/api/policies/replay", {"session": "20200101-000000-aaaa"}).status,
                                                   api.post("/api/policies/replay", {"text": "permit ("}).status), (404, 422))

    opened = [e for e in api.get("/api/events?kind=file.open&path=%s/one&order=newest&limit=50" % WORK).json()["events"] if e["decision"] == "allow"][0]
    seq = opened["seq"]
    made = api.post("/api/policies/from-event", {"seq": seq, "effect": "forbid", "breadth": "file"}).json()
    same("a policy from an event", made["text"], forbid(WORK + "/one"))
    ok("says what it covers and changes", made["events"] >= made["changed"] > 0 and seq in made["seqs"] and made["breadths"] == ["file", "directory"], made)
    wide = api.post("/api/policies/from-event", {"seq": seq, "effect": "forbid", "breadth": "directory"}).json()
    ok("the directory covers more", wide["events"] > made["events"] and 'Dir::"%s/"' % WORK in wide["text"], wide)
    ending = api.get("/api/events?kind=file.open&path=%s/sub/a.txt&order=newest&limit=1" % WORK).json()["events"][0]["seq"]
    pattern = api.post("/api/policies/from-event", {"seq": ending, "effect": "permit", "breadth": "pattern"}).json()
    ok("a pattern", 'like "%s/sub/*.txt"' % WORK in pattern["text"] and pattern["changed"] == 0 and pattern["note"], pattern)
    same("of another kind: 409", api.post("/api/policies/from-event", {"seq": seq, "effect": "forbid", "breadth": "zone"}).status, 409)
    same("of no operation: 409", api.post("/api/policies/from-event", {"seq": 1, "effect": "forbid", "breadth": "file"}).status, 409)
    same("nothing was applied", session.tell("cat one")[0], 0)
    same("applying is another call", (api.post("/api/policies", {"text": made["text"]}).status, session.tell("cat one")[0]), (200, 1))
    api.request("PUT", "/api/policies", {"text": ""})

    suggested = api.post("/api/policies/suggest", {}).json()
    ok("suggestions cover what they say", suggested["covered"] > 0 and suggested["covered"] == sum(l["events"] for l in suggested["lines"]), suggested["covered"])
    ok("the directory in which four files were written", any('FileOpenReadWrite' in l["text"] and 'Dir::"%s/sub/"' % WORK in l["text"] for l in suggested["lines"]),
       [l["text"] for l in suggested["lines"]])
    valid = api.post("/api/policies/validate", {"text": suggested["text"]}).json()
    ok("they are valid", valid["valid"], valid["findings"][:3])

    def complete(before, after="", **more):
        items = api.post("/api/policies/complete", {"text": before + after, "offset": len(before.encode()), **more}).json()["items"]
        return items, [i["label"] for i in items]

    same("completion at the start", complete("")[1][:2], ["forbid", "permit"])
    items, labels = complete('permit (principal, action == Action::"FileOpenR', '", resource);')
    same("of an action", labels, ["FileOpenReadOnly"])
    same("it replaces the string", (items[0]["insertText"], items[0]["range"]["start"]["offset"], items[0]["range"]["end"]["offset"]), ("FileOpenReadOnly", 38, 47))
    items, labels = complete('permit (principal, action == Action::"FileOpenReadOnly", resource == File::"%s/on' % WORK)
    ok("of a path that was seen, with the quote that is missing", any(i["insertText"] == WORK + '/one"' for i in items), labels)
    ok("of a context key", "exe" in complete("permit (principal, action, resource) when { context.")[1])
    same("by its beginning", complete("permit (principal, action, resource) when { context.ex")[1], ["exe"])
    same("not in a comment", complete("// per")[1], [])
    by_place = api.post("/api/policies/complete", {"cedar": "\npermit (", "cursor": {"line": 2, "column": 9}, "maxItems": 3, "idHints": {"tools": ["search"]}}).json()
    same("by line and column", [i["label"] for i in by_place["items"]], ["principal"])
    same("a bad cursor: 400", api.post("/api/policies/complete", {"cedar": "", "cursor": {"line": 0, "column": 1}}).status, 400)


def check_same_answers():
    """What `leash policy diff` and `test` say of two files, and the API of a session with the one."""
    old = ('@id("keys") forbid (principal, action in Action::"FileOpen", resource in Dir::"%s/sub/");\n'
           'forbid (principal, action == Action::"ProcessExec", resource == File::"/usr/bin/env") when { context.argv.contains("-x") };\n'
           'permit (principal, action, resource);\n' % WORK)
    new = old.replace('"keys"', '"other (name)"').replace("-x", "-y").replace("permit (principal, action, resource);", '''permit (principal, action, resource)
unless { resource in Host::"[2001:db8::7]:443" || resource in MCP::Server::"a.example" };''')
    for name, text in (("old.cedar", old), ("new.cedar", new)):
        open(name, "w").write(text)
    with open("cases.toml", "w") as out:
        for expect, by in (("deny", "keys"), ("deny", "file:keys"), ("deny", "policy2"), ("allow", "keys")):
            out.write('[[case]]\nname = "%s by %s"\nread = "sub/a.txt"\nexpect = "%s"\nby = "%s"\n' % (expect, by, expect, by))
    ask = lambda *words: json.loads(subprocess.run([LEASH, "policy", *words], capture_output=True, check=False).stdout)
    session = Session(LEASH, ["--policy", "old.cedar"])
    try:
        api = session.api()
        session.tell("true")
        said, answered = ask("diff", "--json", "old.cedar", "new.cedar"), api.post("/api/policies/diff", {"text": new}).json()
        for policy in said["policies"] + answered["policies"]:
            policy.pop("file")
        same("diff: leash policy diff --json and the API say the same", answered, said)
        ok("... with facts, and of policies that have another name only, nothing",
           any("argv" in d.get("facts", "") for d in answered["decisions"]) and len(answered["policies"]) == 4, answered)
        same("... hosts and tools by their ids", [o for o in ("[2001:db8::7]:443", "a.example/other-tool") if not any(d["object"] == o for d in answered["decisions"])], [])
        said = ask("test", "--json", "--cases", "cases.toml", "old.cedar")
        cases = [{"name": c["name"], "operation": "read", "object": "sub/a.txt", "expect": c["expected"], "by": [c["name"].split()[-1]]} for c in said["cases"]]
        answered = api.post("/api/policies/test", {"cases": cases}).json()
        for case in said["cases"]:
            del case["file"], case["line"]
        same("test: leash policy test --json and the API say the same", answered, said)
        same("... a policy is called by its id with and without its layer", [c["passed"] for c in answered["cases"]], [True, True, False, False])
    finally:
        session.end()


def check_earlier(session, api):
    """Scripts for leash's earlier API, given the token."""
    P = {"active", "file", "runtime", "cedarRuntime", "cedarFile", "cedarBaseline", "enforcementMode"}
    lines = api.get("/api/policies/lines").json()["lines"]
    same("lines", lines, [])
    reply = api.post("/api/policies", {"cedar": forbid(WORK + "/one")})
    ok("POST policies", reply.status == 200 and P <= set(reply.json()), reply.body)
    same("replaces the session's layer", (reply.json()["cedarRuntime"], reply.json()["cedarFile"], session.tell("cat one")[0]), (forbid(WORK + "/one"), "", 1))
    same("rules", [(r["action"], r["operation"], r["path"]) for r in reply.json()["runtime"]["lsm"]], [("deny", "file.open", WORK + "/one")])
    hosts = "".join('forbid (principal, action == Action::"NetworkConnect", resource in Host::"%s");\n' % h
                    for h in ("[2001:db8::7]", "[2001:db8::8]:443", "example.com:80", "*.example.org"))
    same("hosts and ports of rules", [(r["hostname"], r.get("port"), r["isWildcard"]) for r in api.post("/api/policies", {"cedar": hosts}).json()["runtime"]["lsm"]],
         [("2001:db8::7", None, False), ("[2001:db8::8]", 443, False), ("example.com", 80, False), ("*.example.org", None, True)])
    reply = api.request("POST", "/api/policies", raw=forbid(WORK + "/two").encode(), fields={"Content-Type": "text/plain"})
    same("as text", (reply.status, session.tell("cat one")[0], session.tell("cat two")[0]), (200, 0, 1))
    reply = api.post("/api/policies/add", {"cedar": forbid(WORK + "/one")})
    same("add", (reply.status, session.tell("cat one")[0]), (200, 1))
    again = api.post("/api/policies/add", {"cedar": forbid(WORK + "/one")})
    same("the same again changes nothing", (again.status, again.json()["generation"]), (200, reply.json()["generation"]))
    reply = api.post("/api/policies/add-from-action", {"effect": "forbid", "action": {"type": "file/open", "name": WORK + "/three"}})
    same("add-from-action", (reply.status, session.tell("cat three")[0]), (200, 1))
    for action, want in (({"type": "net/connect", "name": "https://api.example.com:8443/x"}, 'Host::"api.example.com:8443"'),
                         ({"type": "dns/resolve", "name": "example.org"}, 'Host::"example.org"'),
                         ({"type": "proc/exec", "name": "/usr/bin/perl -e 1"}, 'File::"/usr/bin/perl"'),
                         ({"type": "mcp/call", "server": "s.example", "tool": "search"}, 'MCP::Tool::"search"')):
        reply = api.post("/api/policies/add-from-action", {"effect": "forbid", "action": action})
        ok("add-from-action %s" % action["type"], reply.status == 200 and want in reply.json()["cedarRuntime"], reply.body[:600])
    same("of no such type: 400", api.post("/api/policies/add-from-action", {"effect": "forbid", "action": {"type": "x"}}).status, 400)
    reply = api.post("/api/policies/persist", {"cedar": forbid(WORK + "/four")})
    same("persist", (reply.status, reply.json()["cedarFile"], session.tell("cat four")[0]), (200, forbid(WORK + "/four"), 1))
    same("persist?force=1", api.post("/api/policies/persist?force=1", {"cedar": forbid(WORK + "/five")}).status, 200)
    same("persist of nonsense", api.post("/api/policies/persist", {"cedar": "permit ("}).status, 422)
    lines = api.get("/api/policies/lines").json()["lines"]
    ok("lines name what can be changed", lines[0]["cedar"] == forbid(WORK + "/five").strip() and lines[0]["effect"] == "forbid"
       and {"id", "effect", "humanized", "cedar", "sequence"} == set(lines[0]), lines[:2])
    same("delete by id", api.post("/api/policies/delete", {"id": lines[0]["id"]}).status, 200)
    reply = api.request("DELETE", "/api/policies/delete", {"cedar": forbid(WORK + "/one").strip()})
    same("delete by text, with DELETE", (reply.status, session.tell("cat one")[0]), (200, 0))
    same("delete of nothing: 404", api.post("/api/policies/delete", {"id": "policy-9-0"}).status, 404)
    valid = api.post("/api/policies/validate", {"cedar": 'permit (principal, action in [Action::"FileOpen", Action::"NetworkConnect"], resource);\nforbid (principal, action == Action::"ProcessExec", resource in Dir::"/x/");'}).json()
    same("validate counts", [valid[k] for k in ("allowOpen", "allowExec", "allowConnect", "denyOpen", "denyExec", "denyConnect", "allowAllConnect")], [1, 0, 1, 0, 1, 0, True])
    ok("and lints", isinstance(valid["issues"], list), valid)
    same("of {}: 400", api.post("/api/policies/validate", {}).status, 400)
    reply = api.post("/api/policies/permit-all")
    same("permit-all", (reply.status, reply.json()["enforcementMode"], session.tell("cat two")[0]), (200, "permit-all", 0))
    reply = api.post("/api/policies/enforce-apply")
    same("enforce-apply", (reply.status, reply.json()["enforcementMode"], session.tell("cat two")[0]), (200, "enforce", 1))
    patched = api.request("PATCH", "/api/policies", {"add": [{"effect": "forbid", "action": {"type": "file/open", "name": WORK + "/six"}}], "remove": [], "applyMode": "enforce"})
    same("PATCH of an action", (patched.status, session.tell("cat six")[0]), (200, 1))
    same("health/policy", api.get("/health/policy").body.split()[0], b"ready")
    api.post("/api/policies", {"cedar": " "})
    api.request("PUT", "/api/policies", {"text": ""})


def check_memory(session, api):
    """The user's file cannot be written: the session keeps the text."""
    directory = HOME + "/.config/leash"
    os.chmod(directory, 0o500)
    applied = api.request("PUT", "/api/policies", {"text": forbid(WORK + "/one")})
    same("a file that cannot be written", (applied.status, applied.json()["stored"], session.tell("cat one")[0]), (200, "memory", 1))
    layer = [l for l in api.get("/api/policies").json()["layers"] if l["editable"]][0]
    same("is kept in memory, and that is said", (layer["stored"], layer["text"]), ("memory", forbid(WORK + "/one")))
    os.chmod(directory, 0o700)
    same("until it can be", api.request("PUT", "/api/policies", {"text": forbid(WORK + "/two")}).json()["stored"], "file")
    api.request("PUT", "/api/policies", {"text": ""})


def is_reached(session, words):
    """By any of its answers, a refusal too: they all have this field (see check_auth)."""
    return "cross-origin-opener-policy" in session.tell("curl -sS -m 3 -D - -o /dev/null " + words)[1].lower()


def check_inside(session, api):
    """From inside nothing reaches the API."""
    own = [line for line in subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split()]
    names = ["127.0.0.1", "localhost", "[::1]", "127.0.0.2", "0.0.0.0", "[::ffff:127.0.0.1]"] + ["[%s]" % a if ":" in a else a for a in own]
    for name in names:
        ok("inside, %s does not lead to it" % name, not is_reached(session, "http://%s:%d/healthz" % (name, api.port)))
    ok("nor as a proxy", not is_reached(session, "-x http://127.0.0.1:%d http://example.com/" % api.port))
    said = session.tell("ls -la ~/.local/state/leash ~/.local/state/leash/run; cat ~/.local/state/leash/run/*.json")
    ok("the token's file cannot be read", api.token not in said[1] and said[0] != 0, said)
    said = session.tell("cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline /run/leash/* | tr '\\0' '\\n' | grep -a '%s' " % api.token[:16])
    ok("nor is the token anywhere else", api.token not in said[1], said)
    # A user's own permit for the address does not help.
    api.request("PUT", "/api/policies", {"text": 'permit (principal, action in Action::"NetworkConnect", resource);\n'})
    for name in ["127.0.0.1"] + own:
        name = "[%s]" % name if ":" in name else name
        ok("not even when %s is permitted" % name, not is_reached(session, "--noproxy '*' http://%s:%d/healthz" % (name, api.port)))
    api.request("PUT", "/api/policies", {"text": ""})


def check_commands(session, api):
    run = lambda *words, **more: subprocess.run([LEASH, *words], capture_output=True, text=True, **more)
    same("leash token", run("token").stdout.strip(), api.token)
    same("leash token --url", run("token", "--url").stdout.strip(), "http://127.0.0.1:%d/#token=%s" % (api.port, api.token))
    same("leash ui without a display prints the URL", run("ui").stdout.strip(), "http://127.0.0.1:%d/#token=%s" % (api.port, api.token))
    files = [f for f in os.listdir(HOME + "/.local/state/leash/run") if f.endswith(".json")]
    same("the token's file is the user's alone", oct(os.stat(HOME + "/.local/state/leash/run/" + files[0]).st_mode & 0o777), "0o600")
    second = Session(LEASH)
    other = second.api()
    ok("a second session takes the next port", other.port != api.port and other.token != api.token, other.port)
    same("its token is not the first one's", Api(other.port, api.token).get("/api/session").status, 401)
    same("stop it", other.request("DELETE", "/api/session").status, 202)
    same("it ends by SIGTERM", second.process.wait(15), 128 + 15)
    tokens = lambda: len([f for f in os.listdir(HOME + "/.local/state/leash/run") if f.endswith(".json")])
    ok("its token's file is gone", comes_true(lambda: tokens() == 1))
    for n in range(12):
        run("-I", "-V", "--", "sleep", "0.0%d" % n)
    same("nor do sessions leave one that end as soon as they have begun", tokens(), 1)
    same("leash token of what does not run", run("token", sorted(os.listdir(HOME + "/.local/state/leash/sessions"))[-1]).returncode, 1)
    for words, env, host in ((["--listen", ""], {}, None), ([], {"LEASH_LISTEN": ""}, None), (["-l", "PORT"], {}, "127.0.0.1"),
                             ([], {"LEASH_LISTEN": "127.0.0.1:PORT"}, "127.0.0.1"), (["--listen=localhost:PORT"], {"LEASH_LISTEN": ""}, "127.0.0.1"),
                             (["--listen", "[::1]:PORT"], {}, "::1")):
        port = free_port(host) if host else None
        third = Session(LEASH, [w.replace("PORT", str(port)) for w in words], {k: v.replace("PORT", str(port)) for k, v in env.items()})
        third.tell("true")
        if host:
            comes_true(lambda: "http://" in third.said())
        third.end()
        said = re.search(r"http://([^/]*):(\d+)/", third.said())
        same("%s %s" % (words, env), int(said[2]) if said else None, port)
        ok("... its token is for terminals only", "token" not in third.said(), third.said())
    taken = run("--listen", str(api.port), "-I", "--", "true")
    ok("a port that was asked for and is taken is an error", taken.returncode == 125 and "--listen" in taken.stderr, taken)
    port = free_port("0.0.0.0")
    for address in ("0.0.0.0", "0.0.0.0:PORT", "[::]:PORT", "192.0.2.1:1"):
        refused = run("--listen", address.replace("PORT", str(port)), "-I", "--", "true")
        ok("%s needs --insecure-listen" % address, refused.returncode == 125 and "--insecure-listen" in refused.stderr, refused)
    open_one = Session(LEASH, ["--listen", "0.0.0.0:%d" % port, "--insecure-listen"])
    ok("and is served with it", Api(port, open_one.api().token).get("/api/session").status == 200)
    same("by addresses only", Api(port, open_one.api().token).get("/api/session", fields={"Host": "evil.example:%d" % port}).status, 403)
    open_one.end()
    for bad in ("99999", "a:b", "1.2.3.4:0", "evil.example:80", "[::1"):
        same("--listen %s" % bad, run("--listen", bad, "-I", "--", "true").returncode, 2)
    quiet = run("-I", "--", "true")
    same("no URL where nobody looks", quiet.stderr, "")


def resolve(schema):
    while "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def check_description(api):
    """The description against the handlers, and every answer so far against its schema."""
    try:
        import jsonschema
    except ImportError:
        print("SKIP answers against their schemas (python3-jsonschema)", flush=True)
        return
    served = api.get("/api/openapi.json").json()
    same("the description that is served", served, description)
    for path, methods in description["paths"].items():
        for method in methods:
            if method in ("get", "put", "post", "patch", "delete") and path not in ("/api/session", "/api"):
                reply = Connection(api.host, api.port)
                reply.send(("%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n["
                            % (method.upper(), path, api.port, api.token)).encode())
                status = reply.read_reply().status
                ok("%s %s is there" % (method.upper(), path), status not in (404, 405), status)
    source = open(os.environ["T_ROUTES"]).read()
    handled = set(re.findall(r'\{ "([A-Z]+)", "(/[^"]*)", \w+, ', source)) - {("GET", "/")}
    described = {(m.upper(), p) for p, ms in description["paths"].items() for m in ms}
    same("every handler is described, and nothing else", sorted(handled ^ described), [])
    store = {"$id": "leash:", "components": description["components"]}
    bad = {}
    n = 0
    for method, path, reply in replies:
        path = path.split("?")[0]
        operation = description["paths"].get(path, {}).get("get" if method == "HEAD" else method.lower())
        if not operation or method == "HEAD":
            continue
        response = operation["responses"].get(str(reply.status))
        if response is None:
            bad[(method, path, reply.status)] = "is not described"
            continue
        kind = (reply.get("content-type") or "").split(";")[0]
        content = response.get("content", {})
        if reply.status != 204 and content and kind not in content:
            bad[(method, path, reply.status)] = "type %s is not described" % kind
        if kind in ("application/json", "application/problem+json") and kind in content:
            n += 1
            schema = {**store, **json.loads(json.dumps(content[kind]["schema"]))}
            error = next(jsonschema.Draft202012Validator(schema).iter_errors(reply.json()), None)
            if error:
                bad[(method, path, reply.status)] = "%s at %s" % (error.message[:300], list(error.absolute_path))
    ok("%d answers are as described" % n, n > 100 and not bad, *bad.items())


def main():
    for name in ("one", "two", "three", "four", "five", "six", "last-one", "end-of-storm"):
        open(name, "w").write(name + "\n")
    os.mkdir("sub")
    session = Session(LEASH)
    api = session.api(on_reply=lambda method, path, reply: replies.append((method, path, reply)))
    try:
        session.tell("true")
        comes_true(lambda: Api(api.port).get("/readyz").status == 200)
        for check in (check_auth, check_http):
            check(api)
        for check in (check_session, check_sessions, check_live, check_watchers, check_policies, check_tools, check_earlier, check_memory, check_inside, check_commands):
            check(session, api)
        check_same_answers()
        check_description(api)
        watcher = WebSocket(api, "/api?history=0")
        watcher.until(lambda m: isinstance(m, dict) and m["type"] == "ready")
        session.end()
        messages = watcher.until(lambda m: False, 10)
        ok("watchers are told of the end", any(isinstance(m, dict) and m.get("state") == "ending" for m in messages) and watcher.close_code == 1001,
           messages, watcher.close_code)
        last = [e for m in messages if isinstance(m, list) for e in m][-1:]
        same("... and see its last event", [e["kind"] for e in last], ["session.stop"])
    finally:
        session.end()
    ok("the log is whole", subprocess.run([LEASH, "verify"], capture_output=True).returncode == 0)


main()
