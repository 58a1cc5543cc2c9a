"""HTTP/2 peers for the proxy's tests: a server that does what the path asks for, and a client that sends frames as it is told."""
import socket
import struct
import time

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
import hpack
from hyperframe import frame as F

BIG = memoryview(b"x" * 20_000_000)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


# ---- The server

class Server:
    """One connection to the server. arrived(fields, note) is called for each request's head, and what else is worth a note."""

    def __init__(self, c, arrived):
        self.c, self.arrived = c, arrived
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=False, validate_inbound_headers=False, header_encoding="utf-8"))
        self.requests, self.bodies, self.pending = {}, {}, {}
        self.given_up = set()

    def serve(self):
        self.h2.initiate_connection()
        # Not for the client's ears: what it offers over it could not be followed (RFC 8441).
        self.h2.update_settings({h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL: 1})
        self.flush()
        while True:
            data = self.c.recv(65536)
            if not data:
                return
            events = self.h2.receive_data(data)
            # A reset may be read together with its request, which can then not be answered any more.
            self.given_up |= {e.stream_id for e in events if isinstance(e, h2.events.StreamReset)}
            for event in events:
                self.take(event)
            self.push()
            self.flush()

    def flush(self):
        self.c.sendall(self.h2.data_to_send())

    def take(self, e):
        if isinstance(e, h2.events.RequestReceived):
            self.requests[e.stream_id] = dict(e.headers)
            self.bodies[e.stream_id] = 0
            self.arrived(e.headers, "")
            self.begin(e.stream_id, self.requests[e.stream_id][":path"])
        elif isinstance(e, h2.events.DataReceived):
            self.bodies[e.stream_id] += len(e.data)
            if not self.requests[e.stream_id][":path"].startswith("/never-reads"):
                self.h2.acknowledge_received_data(e.flow_controlled_length, e.stream_id)
        elif isinstance(e, h2.events.TrailersReceived):
            self.requests[e.stream_id]["trailers"] = dict(e.headers)
        elif isinstance(e, h2.events.StreamEnded):
            self.arrived([], f"end {self.bodies[e.stream_id]}")
            self.finish(e.stream_id, self.requests[e.stream_id][":path"])
        elif isinstance(e, h2.events.StreamReset):
            self.arrived([], f"reset {int(e.error_code)}")
            self.pending.pop(e.stream_id, None)

    def reply(self, stream, body=b"", fields=(), trailers=None, status="200"):
        self.h2.send_headers(stream, [(":status", status), *fields])
        self.pending[stream] = [body, trailers]

    # What does not wait for the request's end.
    def begin(self, stream, path):
        if stream in self.given_up:
            return
        if path == "/early":
            self.reply(stream, b"no thanks", status="413")
        elif path == "/never-reads":
            self.reply(stream, b"")
        elif path == "/reset":
            self.h2.reset_stream(stream, 13)
        elif path == "/push":
            self.flush()
            block = self.h2.encoder.encode([(":method", "GET"), (":scheme", "http"), (":authority", "permitted.test"), (":path", "/x")])
            self.c.sendall(F.PushPromiseFrame(stream, 2, block, flags=["END_HEADERS"]).serialize())
        elif path == "/goaway":
            self.c.sendall(F.GoAwayFrame(0, last_stream_id=stream, error_code=0).serialize())
        elif path == "/goaway-unprocessed":
            self.c.sendall(F.GoAwayFrame(0, last_stream_id=0, error_code=0).serialize())
        elif path == "/cut":
            self.c.shutdown(socket.SHUT_RDWR)
        elif path == "/garbage":
            self.c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        elif path.startswith("/bad-"):
            fields = {"/bad-field": [(":status", "200"), ("connection", "x")], "/bad-status": [(":status", "abc")],
                      "/bad-upgrade": [(":status", "101")], "/bad-pseudo": [(":status", "200"), ("x", "y"), (":path", "/")],
                      "/bad-length": [(":status", "200"), ("content-length", "5")],
                      "/bad-value": [(":status", "200"), ("x", "a\r\nset-cookie: b")]}[path]
            self.flush()
            self.c.sendall(F.HeadersFrame(stream, self.h2.encoder.encode(fields), flags=["END_HEADERS"]).serialize() +
                           F.DataFrame(stream, b"123", flags=["END_STREAM"]).serialize())

    def finish(self, stream, path):
        if stream in self.given_up:
            return
        if path == "/interim":
            self.h2.send_headers(stream, [(":status", "103"), ("link", "</a>")])
            self.reply(stream, b"after it")
        elif path == "/trailers":
            self.reply(stream, b"body", [("trailer", "grpc-status")],
                       [("grpc-status", "0"), ("got", str(self.requests[stream].get("trailers")))])
        elif path.startswith("/big"):
            self.reply(stream, BIG)
        elif path == "/empty":
            self.h2.send_headers(stream, [(":status", "204")], end_stream=True)
        elif path == "/not-modified":
            self.h2.send_headers(stream, [(":status", "304"), ("content-length", "77")], end_stream=True)
        elif self.requests[stream][":method"] == "HEAD":
            self.h2.send_headers(stream, [(":status", "200"), ("content-length", "55")], end_stream=True)
        elif path == "/goaway" or path.startswith(("/hello", "/find", "/a", "//", "/goaway-")) or path == "/":
            self.reply(stream, b"hello over HTTP/2 from %s" % self.requests[stream][":authority"].encode(),
                       [("alt-svc", 'h3=":443"'), ("x-kept", "yes")])
        elif path.startswith("/echo"):
            self.reply(stream, b"%d" % self.bodies[stream])

    def push(self):
        for stream, (body, trailers) in list(self.pending.items()):
            while body:
                n = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(body))
                if n <= 0:
                    break
                self.h2.send_data(stream, bytes(body[:n]))
                body = body[n:]
                self.flush()
            self.pending[stream][0] = body
            if not body:
                del self.pending[stream]
                if trailers:
                    self.h2.send_headers(stream, trailers, end_stream=True)
                else:
                    self.h2.end_stream(stream)
                if self.requests[stream][":path"] == "/early":
                    self.h2.reset_stream(stream, 0)


# ---- The client

class Stream:
    def __init__(self):
        self.heads, self.body, self.trailers, self.is_ended, self.reset = [], b"", None, False, None

    @property
    def status(self):
        return self.heads[-1].get(":status") if self.heads else None

    def __repr__(self):
        return f"{self.status} {self.body[:60]!r} ended {self.is_ended} reset {self.reset}"


class Client:
    """Frames as they are told. What comes back is in streams, goaway and is_closed."""

    def __init__(self, host="permitted.test", port=8080, settings=None, timeout=5, delay=0):
        self.s = socket.create_connection((host, port), 5)
        time.sleep(delay)
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.streams, self.goaway, self.is_closed, self.pings, self.settings = {}, None, False, [], {}
        self.rest, self.acks = b"", 0
        self.timeout, self.gives_room = timeout, True
        self.s.sendall(PREFACE + F.SettingsFrame(0, settings=settings or {}).serialize())

    def send(self, *frames):
        try:
            self.s.sendall(b"".join(f if isinstance(f, bytes) else f.serialize() for f in frames))
        except OSError:
            self.is_closed = True

    def head(self, stream, path="/hello", method="GET", authority="permitted.test:8080", extra=(), end=True, fields=None):
        if fields is None:
            fields = [(":method", method), (":scheme", "http"), (":authority", authority), (":path", path), *extra]
        # huffman off: bytes that no field may have go as they are
        return F.HeadersFrame(stream, self.encoder.encode(fields, huffman=False), flags=["END_HEADERS"] + (["END_STREAM"] if end else []))

    def get(self, stream, *args, **kwargs):
        self.send(self.head(stream, *args, **kwargs))

    def data(self, stream, data, end=False):
        self.send(F.DataFrame(stream, data, flags=["END_STREAM"] if end else []))

    def stream(self, i):
        return self.streams.setdefault(i, Stream())

    def take(self, f):
        if isinstance(f, F.HeadersFrame):
            fields = {(k if isinstance(k, str) else k.decode()): (v if isinstance(v, str) else v.decode()) for k, v in self.decoder.decode(f.data)}
            if ":status" in fields:
                self.stream(f.stream_id).heads.append(fields)
            else:
                self.stream(f.stream_id).trailers = fields
        elif isinstance(f, F.DataFrame):
            self.stream(f.stream_id).body += f.data
            if self.gives_room and f.flow_controlled_length:
                n = f.flow_controlled_length
                self.send(F.WindowUpdateFrame(0, n), *([] if "END_STREAM" in f.flags else [F.WindowUpdateFrame(f.stream_id, n)]))
        elif isinstance(f, F.RstStreamFrame):
            self.stream(f.stream_id).reset = f.error_code
        elif isinstance(f, F.GoAwayFrame):
            self.goaway = f.error_code
        elif isinstance(f, F.PingFrame):
            self.pings.append(f.opaque_data)
        elif isinstance(f, F.SettingsFrame):
            if "ACK" in f.flags:
                self.acks += 1
            else:
                self.settings.update(f.settings)
                self.send(F.SettingsFrame(0, flags=["ACK"]))
        if "END_STREAM" in getattr(f, "flags", ()):
            self.stream(f.stream_id).is_ended = True

    def read(self):
        """Reads once. False where there is nothing more to come."""
        try:
            data = self.s.recv(65536)
        except OSError as e:
            self.is_closed |= not isinstance(e, TimeoutError)
            return False
        if not data:
            self.is_closed = True
            return False
        self.rest += data
        while len(self.rest) >= 9:
            f, n = F.Frame.parse_frame_header(memoryview(self.rest[:9]))
            if len(self.rest) < 9 + n:
                break
            f.parse_body(memoryview(self.rest[9:9 + n]))
            self.rest = self.rest[9 + n:]
            self.take(f)
        return True

    def until(self, done, timeout=None):
        end = time.monotonic() + (timeout or self.timeout)
        while not done(self) and not self.is_closed and time.monotonic() < end:
            self.s.settimeout(max(0.01, end - time.monotonic()))
            if not self.read():
                break
        return self

    def answer(self, *streams):
        """Waits until these have ended one way or the other."""
        self.until(lambda c: all(c.stream(i).is_ended or c.stream(i).reset is not None for i in streams))
        return [self.stream(i) for i in streams] if len(streams) > 1 else self.stream(streams[0])

    def is_told_off(self):
        """Waits for the end of the connection: the code of its GOAWAY."""
        self.until(lambda c: c.goaway is not None or c.is_closed)
        return self.goaway
