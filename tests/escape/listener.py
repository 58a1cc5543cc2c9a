#!/usr/bin/env python3
"""The most gullible web server there is: listener.py LOG ADDRESS PORT

It writes down every byte that arrives and takes each empty line for the end of a request, whatever came
before. What must not arrive is then looked for in the log."""
import socketserver
import sys


class Gullible(socketserver.BaseRequestHandler):
    def handle(self):
        seen = answered = 0
        tail = b""
        while True:
            try:
                data = self.request.recv(65536)
            except OSError:
                return
            if not data:
                return
            with open(sys.argv[1], "ab") as log:
                log.write(data)
            seen += (tail + data).count(b"\r\n\r\n") + (tail + data).count(b"\n\n")
            tail = data[-3:] if b"\n\n" not in data[-3:] else b""
            for _ in range(answered, seen):
                self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nAlt-Svc: h3=\":443\"\r\n\r\nhello\n")
            answered = seen


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024


server = Server((sys.argv[2], int(sys.argv[3])), Gullible)
print("ready", flush=True)
server.serve_forever()
