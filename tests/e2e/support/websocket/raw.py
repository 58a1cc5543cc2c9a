"""A WebSocket's peers that send what they are told, byte by byte if need be.

raw.py serve ADDRESS PORT LOG        answers an upgrade as the request's path says; the log has a JSON line for each request
                                     before it is answered, its path, and one with what came behind it, in hexadecimal
raw.py talk HOST PORT PATH [FIELD: VALUE…] [HEX…]
                                     upgrades, sends each HEX and prints the status, and all bytes that come until the end

The path is /NAME?HEX,HEX…: what the server sends, with a pause behind each part; then it waits for a close frame. NAMEs
change the answer, see answer(). In /echo… the server sends the value of X-Api-Key, cut as the NAME says."""
import base64
import hashlib
import json
import socket
import sys
import threading
import time

PAUSE = 0.2
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def frame(first, payload):
    length = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2, "big")
    return bytes([first]) + length + payload


def read_head(s):
    head = b""
    while b"\r\n\r\n" not in head:
        more = s.recv(65536)
        if not more:
            break
        head += more
    head, _, rest = head.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    return lines[0], {k.lower(): v.strip() for k, _, v in (l.partition(":") for l in lines[1:])}, rest


def answer(name, fields):
    """The response's fields, right but for what the name says."""
    accept = base64.b64encode(hashlib.sha1((fields.get("sec-websocket-key", "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
    out = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept}
    if name == "bad-accept":
        out["Sec-WebSocket-Accept"] = accept.swapcase()
    if name == "no-accept":
        del out["Sec-WebSocket-Accept"]
    if name == "extension":
        out["Sec-WebSocket-Extensions"] = "permessage-deflate"
    if name == "protocol":
        out["Sec-WebSocket-Protocol"] = "never-asked-for"
    if name == "first-protocol":
        out["Sec-WebSocket-Protocol"] = fields.get("sec-websocket-protocol", "").split(",")[0]
    if name == "other":
        out["Upgrade"] = "h2c"
    return "".join(f"{k}: {v}\r\n" for k, v in out.items())


def echoes(name, key):
    """The parts in which a secret is sent back."""
    half = len(key) // 2
    if name == "echo-frame":
        return [frame(0x81, b"key " + key)]
    if name == "echo-binary":
        return [frame(0x82, key)]
    if name == "echo-frames":
        return [frame(0x01, key[:7]), frame(0x89, b"ping") + frame(0x00, key[7:half]), frame(0x80, key[half:])]
    if name == "echo-reads":
        whole = frame(0x81, key + b"!")
        return [whole[:12], whole[12:half], whole[half:]]
    if name == "echo-ping":
        return [frame(0x89, key), frame(0x88, b"\x03\xe8" + key)]
    if name == "echo-beginning":
        return [frame(0x81, key[:20]), frame(0x81, b"%d" % (time.time() * 1000 + 1000 * PAUSE))]
    return []


def note(log, **said):
    with open(log, "a") as f:
        f.write(json.dumps(said) + "\n")


def serve_one(s, log):
    line, fields, data = read_head(s)
    if not line:
        return
    path = line.split(" ")[1]
    name, _, query = path[1:].partition("?")
    note(log, path=path)
    s.sendall(("HTTP/1.1 101 Switching Protocols\r\n" + answer(name, fields) + "\r\n").encode())
    s.settimeout(10)
    try:
        for part in [bytes.fromhex(h) for h in query.split(",") if h] + echoes(name, fields.get("x-api-key", "").encode()):
            s.sendall(part)
            time.sleep(PAUSE)
        while b"\x88" not in data and (more := s.recv(65536)):
            data += more
        s.shutdown(socket.SHUT_WR)
    except OSError as e:
        data += repr(e).encode()
    note(log, path=path, extensions=fields.get("sec-websocket-extensions"), got=data.hex())
    s.close()


def serve(address, port, log):
    with socket.create_server((address, port)) as listener:
        print("ready", flush=True)
        while True:
            s, _ = listener.accept()
            threading.Thread(target=serve_one, args=(s, log), daemon=True).start()


def talk(host, port, path, *rest):
    fields = {"Host": f"{host}:{port}", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY,
              "Sec-WebSocket-Extensions": "permessage-deflate"}
    fields.update(r.split(": ", 1) for r in rest if ": " in r)
    s = socket.create_connection((host, port), 10)
    s.sendall((f"{fields.pop('Method', 'GET')} {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items()) + "\r\n").encode())
    line, got, data = read_head(s)
    print(line, got.get("sec-websocket-extensions", "plain"), got.get("sec-websocket-protocol", "none"), flush=True)
    s.settimeout(10)
    try:
        for part in [bytes.fromhex(r) for r in rest if ": " not in r]:
            s.sendall(part)
            time.sleep(PAUSE)
        while data or (data := s.recv(65536)):
            print(data.hex(), int(time.time() * 1000), flush=True)
            data = b""
        print("end")
    except OSError as e:
        print(repr(e))


if sys.argv[1] == "serve":
    serve(sys.argv[2], int(sys.argv[3]), sys.argv[4])
else:
    talk(sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
