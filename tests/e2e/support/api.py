"""A client of leash's API: HTTP and WebSocket by hand, so that what is sent can be wrong."""

import base64
import glob
import hashlib
import json
import os
import socket
import struct
import subprocess
import time


class Reply:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body

    def json(self):
        return json.loads(self.body)

    def get(self, name):
        return self.fields.get(name)


class Connection:
    """One connection; requests may follow each other on it."""

    def __init__(self, host, port, timeout=20):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.rest = b""

    def send(self, data):
        self.socket.sendall(data)

    def read_some(self):
        data = self.socket.recv(65536)
        self.rest += data
        return bool(data)

    def read_head(self):
        while b"\r\n\r\n" not in self.rest:
            if not self.read_some():
                raise EOFError("the connection ended before an answer: %r" % self.rest)
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        fields = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            fields[name.lower()] = value.strip()
        return int(lines[0].split(" ")[1]), fields

    def read_reply(self, has_body=True):
        status, fields = self.read_head()
        while status == 100:
            status, fields = self.read_head()
        length = int(fields.get("content-length", 0)) if has_body else 0
        while len(self.rest) < length:
            if not self.read_some():
                raise EOFError("the body is cut off")
        body, self.rest = self.rest[:length], self.rest[length:]
        return Reply(status, fields, body)

    def close(self):
        self.socket.close()


class Api:
    def __init__(self, port, token=None, host="127.0.0.1", on_reply=None):
        self.host, self.port, self.token, self.on_reply = host, port, token, on_reply

    def fields(self, method, fields, body):
        all_fields = {"Host": "%s:%d" % (self.host, self.port)}
        if self.token:
            all_fields["Authorization"] = "Bearer " + self.token
        if body is not None:
            all_fields["Content-Length"] = str(len(body))
            all_fields["Content-Type"] = "application/json"
        for name, value in (fields or {}).items():
            if value is None:
                all_fields.pop(name, None)
            else:
                all_fields[name] = value
        return all_fields

    def request(self, method, path, body=None, fields=None, raw=None, timeout=30):
        data = json.dumps(body).encode() if body is not None else raw
        connection = Connection(self.host, self.port, timeout)
        head = "%s %s HTTP/1.1\r\n" % (method, path)
        for name, value in self.fields(method, fields, data).items():
            head += "%s: %s\r\n" % (name, value)
        connection.send(head.encode("latin-1") + b"\r\n" + (data or b""))
        reply = connection.read_reply(method != "HEAD")
        connection.close()
        if self.on_reply:
            self.on_reply(method, path, reply)
        return reply

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.request("POST", path, body, **more)


class WebSocket:
    def __init__(self, api, path="/api", fields=None, timeout=20):
        self.connection = Connection(api.host, api.port, timeout)
        key = base64.b64encode(os.urandom(16)).decode()
        all_fields = {
            "Host": "%s:%d" % (api.host, api.port), "Upgrade": "websocket", "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key, "Authorization": "Bearer %s" % api.token,
        }
        for name, value in (fields or {}).items():
            if value is None:
                all_fields.pop(name, None)
            else:
                all_fields[name] = value
        self.connection.send(("GET %s HTTP/1.1\r\n" % path + "".join("%s: %s\r\n" % f for f in all_fields.items())
                              + "\r\n").encode())
        self.status, self.fields = self.connection.read_head()
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        self.is_open = self.status == 101 and self.fields.get("sec-websocket-accept") == accept.decode()
        self.close_code = None
        self.pings = 0

    def send(self, message, opcode=1, final=True, mask=True):
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        head = bytes([opcode | (0x80 if final else 0)])
        bit = 0x80 if mask else 0
        if len(data) < 126:
            head += bytes([bit | len(data)])
        elif len(data) < 65536:
            head += bytes([bit | 126]) + struct.pack(">H", len(data))
        else:
            head += bytes([bit | 127]) + struct.pack(">Q", len(data))
        if mask:
            key = os.urandom(4)
            head += key
            data = bytes(b ^ key[i % 4] for i, b in enumerate(data))
        self.connection.send(head + data)

    def need(self, n):
        while len(self.connection.rest) < n:
            if not self.connection.read_some():
                raise EOFError
        data, self.connection.rest = self.connection.rest[:n], self.connection.rest[n:]
        return data

    def frame(self):
        first, second = self.need(2)
        length = second & 0x7F
        assert not second & 0x80, "the server masks"
        if length == 126:
            (length,) = struct.unpack(">H", self.need(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self.need(8))
        return first, self.need(length)

    def receive(self, timeout=10):
        """The next message, or None when the connection is over or nothing comes."""
        self.connection.socket.settimeout(timeout)
        try:
            while True:
                first, data = self.frame()
                if first & 0x0F == 9:
                    self.pings += 1
                    self.send(data, opcode=10)
                elif first & 0x0F == 8:
                    self.close_code = struct.unpack(">H", data[:2])[0] if len(data) >= 2 else 0
                    return None
                elif first & 0x0F == 1:
                    return json.loads(data)
        except (EOFError, socket.timeout, ConnectionError):
            return None

    def settle(self):
        """What was sent before has been read: a ping behind it is answered. What comes meanwhile is dropped."""
        self.send(b"settled", opcode=9)
        self.connection.socket.settimeout(20)
        while self.frame() != (0x8A, b"settled"):
            pass

    def until(self, found, timeout=20):
        """Messages up to the one for which found(message) is true."""
        messages, end = [], time.monotonic() + timeout
        while time.monotonic() < end:
            message = self.receive(max(0.1, end - time.monotonic()))
            if message is None:
                return messages
            messages.append(message)
            if found(message):
                return messages
        return messages

    def close(self):
        self.connection.close()


def events_of(messages):
    return [event for message in messages if isinstance(message, list) for event in message]


def token_of(port):
    """What the session that serves there has left for its user."""
    for path in glob.glob(os.path.expanduser("~/.local/state/leash/run/*.json")):
        with open(path) as file:
            said = json.load(file)
        if said["url"].rstrip("/").endswith(":%d" % port):
            return said["token"]
    raise LookupError("no token for port %d" % port)


class Session:
    """A session with a shell in it that does as told."""

    def __init__(self, leash, flags=(), environment=None):
        self.leash = leash
        self.environment = {**os.environ, **(environment or {})}
        self.errors = open(os.path.join(os.environ["T_ERRORS"], "leash-%d" % time.monotonic_ns()), "w+b")
        self.process = subprocess.Popen([leash, "-I", "-V", *flags, "--", "sh"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.errors, env=self.environment)
        self.count = 0

    def said(self):
        self.errors.flush()
        with open(self.errors.name, "rb") as file:
            return file.read().decode(errors="replace")

    def url(self, timeout=15):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            for word in self.said().split():
                if word.startswith("http://"):
                    return word
            time.sleep(0.05)
        raise TimeoutError("no URL: " + self.said())

    def api(self, **more):
        port = int(self.url().rstrip("/").rsplit(":", 1)[1])
        return Api(port, token_of(port), **more)

    def tell(self, command):
        """Runs a command inside: (status, output)."""
        self.count += 1
        self.process.stdin.write(b"{ %s; } 2>&1; printf '\\ntold-%%d:%%d\\n' %d $?\n" % (command.encode(), self.count))
        self.process.stdin.flush()
        lines = []
        while True:
            line = self.process.stdout.readline().decode(errors="replace")
            if not line:
                raise EOFError("the session ended: " + self.said())
            if line.startswith("told-%d:" % self.count):
                return int(line.split(":")[1]), "".join(lines)[:-1]
            lines.append(line)

    def end(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()
