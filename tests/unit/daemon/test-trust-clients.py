#!/usr/bin/env python3
"""Real clients against a server with a certificate of the signer's: accepted with what a container is
given to trust, refused without, each by the file and the variable that it would use in a container.

Usage: test-trust-clients.py TRUST-TOOL LEASH-PROXY"""
import atexit
import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import http.server

TOOL, PROXY = (os.path.abspath(a) for a in sys.argv[1:3])
T = pathlib.Path(tempfile.mkdtemp(prefix="leash-trust."))
atexit.register(shutil.rmtree, T, ignore_errors=True)
BUNDLE, AUTHORITY, KEYSTORE = T / "ca-bundle.crt", T / "ca.crt", T / "cacerts"
HOSTS = ["localhost", "127.0.0.1"]
count = failures = 0


def ok(passed, name, detail=""):
    global count, failures
    count += 1
    print("ok" if passed else "not ok", count, "-", name, flush=True)
    if not passed:
        failures += 1
        for line in str(detail).splitlines()[:20]:
            print("#  ", line)


def skip(name, why):
    global count
    count += 1
    print("ok", count, "-", name, "# SKIP", why, flush=True)


subprocess.run([TOOL, PROXY, T, *HOSTS], check=True)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "8")
        self.end_headers()
        self.wfile.write(b"greeting")

    def log_message(self, *args):
        pass


def serve(host):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(T / f"{host}.pem", T / "key.pem")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *args: None
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"https://{host}:{server.server_address[1]}/"


URLS = [serve(h) for h in HOSTS]

(T / "client.mjs").write_text("""
const answer = await fetch(process.argv[2]); process.stdout.write(await answer.text());
""")
(T / "https.cjs").write_text("""
require('https').get(process.argv[2], r => r.pipe(process.stdout)).on('error', e => { console.error(e); process.exit(1); });
""")
(T / "client.py").write_text("""
import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=20).read().decode(), end='')
""")
(T / "with-requests.py").write_text("""
import sys, requests; print(requests.get(sys.argv[1], timeout=20).text, end='')
""")
(T / "Client.java").write_text("""
public class Client { public static void main(String[] a) throws Exception {
  System.out.write(new java.net.URL(a[0]).openStream().readAllBytes()); System.out.flush(); } }
""")
(T / "client.go").write_text("""package main
import ("io"; "net/http"; "os"; "fmt")
func main() { r, err := http.Get(os.Args[1]); if err != nil { fmt.Fprintln(os.Stderr, err); os.Exit(1) }
 io.Copy(os.Stdout, r.Body) }
""")
(T / "client.pl").write_text("""
use IO::Socket::SSL; my ($h, $p) = $ARGV[0] =~ m{//(.*):(\\d+)/};
my $s = IO::Socket::SSL->new(PeerHost => $h, PeerPort => $p) or die $SSL_ERROR; print 'greeting';
""")

PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable


def has_module(name):
    return subprocess.run([PYTHON, "-c", f"import {name}"], capture_output=True).returncode == 0


# Name, program that must be there, command (URL is appended), variables with the container's trust.
CLIENTS = [
    ("curl", "curl", ["curl", "-sSf"], {"CURL_CA_BUNDLE": BUNDLE}),
    ("curl by SSL_CERT_FILE", "curl", ["curl", "-sSf"], {"SSL_CERT_FILE": BUNDLE}),
    ("python", PYTHON, [PYTHON, T / "client.py"], {"SSL_CERT_FILE": BUNDLE}),
    ("python requests", PYTHON if has_module("requests") else "requests of Python", [PYTHON, T / "with-requests.py"],
     {"REQUESTS_CA_BUNDLE": BUNDLE}),
    ("node fetch", "node", ["node", T / "client.mjs"], {"NODE_EXTRA_CA_CERTS": AUTHORITY}),
    ("node https", "node", ["node", T / "https.cjs"], {"NODE_EXTRA_CA_CERTS": AUTHORITY}),
    ("go", "go", [T / "client"], {"SSL_CERT_FILE": BUNDLE}),
    ("perl", "perl" if subprocess.run(["perl", "-MIO::Socket::SSL", "-e", "1"], capture_output=True).returncode == 0
     else "IO::Socket::SSL of Perl", ["perl", T / "client.pl"], {"SSL_CERT_FILE": BUNDLE}),
]


def run(command, variables=None, arguments=()):
    environment = {"PATH": os.environ["PATH"], "HOME": str(T), "LANG": "C.UTF-8"}
    environment.update({k: str(v) for k, v in (variables or {}).items()})
    return subprocess.run([str(c) for c in [*command, *arguments]], env=environment, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=120)


def judge(name, trusting, plain):
    for url in URLS:
        r = trusting(url)
        ok(r.returncode == 0 and r.stdout == b"greeting", f"{name} trusts {url.split(':')[1][2:]}", r.stderr.decode())
    r = plain(URLS[0])
    ok(r.returncode != 0 and r.stdout != b"greeting", "... and without the authority it does not", r.stdout.decode())


if shutil.which("go"):
    built = run(["go", "build", "-o", T / "client", T / "client.go"], {"GOFLAGS": "-mod=mod", "GO111MODULE": "off"})
    if built.returncode:
        print("#", built.stderr.decode())

for name, needed, command, variables in CLIENTS:
    if not shutil.which(needed):
        skip(name, f"{needed} is not here")
        continue
    judge(name, lambda url: run(command, variables, [url]), lambda url: run(command, None, [url]))

# Programs that take no variable but look into the one file of the system.
if shutil.which("wget"):
    judge("wget", lambda url: run(["wget", "-qO-", f"--ca-certificate={BUNDLE}"], None, [url]),
          lambda url: run(["wget", "-qO-"], None, [url]))
else:
    skip("wget", "wget is not here")

if shutil.which("git"):
    # There is no repository: what counts is how far it gets.
    r = run(["git", "ls-remote"], {"GIT_SSL_CAINFO": BUNDLE}, [URLS[0]])
    ok(b"certificate" not in r.stderr, "git trusts localhost", r.stderr.decode())
    r = run(["git", "ls-remote"], None, [URLS[0]])
    ok(b"certificate" in r.stderr, "... and without the authority it does not", r.stderr.decode())
else:
    skip("git", "git is not here")

if shutil.which("java"):
    judge("java", lambda url: run(["java", f"-Djavax.net.ssl.trustStore={KEYSTORE}", T / "Client.java"], None, [url]),
          lambda url: run(["java", T / "Client.java"], None, [url]))
else:
    skip("java", "java is not here")

if shutil.which("keytool"):
    r = run(["keytool", "-list", "-keystore", KEYSTORE, "-storepass", "changeit"])
    listed = r.stdout.count(b"trustedCertEntry")
    ok(r.returncode == 0 and listed == BUNDLE.read_text().count("-----BEGIN CERTIFICATE-----"),
       "keytool reads the keystore with the usual password, and finds all of the bundle", r.stdout.decode()[-300:])
else:
    skip("keytool", "keytool is not here")

for host in HOSTS:
    kind = ["-verify_ip", host] if host[0].isdigit() else ["-verify_hostname", host]
    r = run(["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", BUNDLE, *kind, T / f"{host}.pem"])
    ok(r.returncode == 0, f"openssl verifies {host}, strictly", r.stderr.decode())

print(f"1..{count}")
sys.exit(1 if failures else 0)
