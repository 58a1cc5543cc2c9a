#!/usr/bin/env python3
"""A server that tells what it was asked, in many ways: echo.py LOG ADDRESS PORT

The log gets every head and body."""
import base64
import gzip
import http.server
import sys
import urllib.parse


class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        head = self.requestline + "\n" + "".join(f"{k.lower()}: {v}\n" for k, v in self.headers.items())
        with open(sys.argv[1], "a") as log:
            log.write(head.replace("\n", " ") + body.decode(errors="replace") + "\n")
        url = urllib.parse.urlsplit(self.path)
        how = url.path.rsplit("/", 1)[-1]
        said, fields, status, reason = head.encode() + body, {}, 200, "OK"
        key = self.headers.get("x-api-key", "")
        if how == "redirect":
            status, fields = 302, {"Location": urllib.parse.parse_qs(url.query)["to"][0]}
        elif how == "error":
            status, said = 500, b"<h1>cannot use " + key.encode() + b"</h1>"
        elif how == "fields":
            fields = {"X-You-Said": key, "Set-Cookie": f"session={key}; Path=/", "WWW-Authenticate": f'Bearer realm="{key}"', "ETag": f'"{key}"'}
        elif how == "reason":
            reason = "not " + key
        elif how == "base64":
            said = base64.b64encode(said)
        elif how == "base64x":
            said = base64.b64encode(b"x" + said)
        elif how == "base64url":
            said = base64.urlsafe_b64encode(said)
        elif how == "hex":
            said = said.hex().encode()
        elif how == "gzip":
            said, fields = gzip.compress(said), {"Content-Encoding": "gzip"}
        self.send_response(status, reason)
        for f in fields.items():
            self.send_header(*f)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        step = 1 if how == "slow" else len(said) or 1
        for i in range(0, len(said), step):
            self.wfile.write(said[i:i + step])
            self.wfile.flush()

    do_GET = do_POST = do_TRACE = answer

    def log_message(self, *a):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


server = Server((sys.argv[2], int(sys.argv[3])), Echo)
print("ready", flush=True)
server.serve_forever()
