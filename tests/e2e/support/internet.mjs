// The servers of the tests' small internet.
// node internet.mjs TLS-DIRECTORY REQUEST-LOG BAD-CERTIFICATE-ADDRESS ADDRESS,ADDRESS…
// Each request becomes one JSON line in the log, so that a test can tell what really arrived.
import { appendFileSync, readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import dgram from 'node:dgram';
import net from 'node:net';
import { createHash } from 'node:crypto';

const [tlsDir, log, badAddress, list] = process.argv.slice(2);
const addresses = list.split(',');
const tls = (name) => ({ key: readFileSync(`${tlsDir}/${name}.key`), cert: readFileSync(`${tlsDir}/${name}.pem`) });

function record(entry) {
	appendFileSync(log, JSON.stringify(entry) + '\n');
}

function answer(req, res) {
	const url = new URL(req.url, 'http://x');
	const host = req.headers[':authority'] ?? req.headers.host;
	const hash = createHash('sha256');
	let length = 0;
	req.on('data', (chunk) => {
		hash.update(chunk);
		length += chunk.length;
	});
	req.on('end', () => {
		record({
			kind: 'http', address: req.socket.localAddress, port: req.socket.localPort, sni: req.socket.servername,
			version: req.httpVersion, method: req.method, host, url: req.url, headers: req.headers, length,
		});
		if (url.pathname === '/big') {
			const n = Number(url.searchParams.get('bytes'));
			res.writeHead(200, { 'content-length': n });
			const block = Buffer.alloc(65536, 'x');
			let left = n;
			const push = () => {
				while (left > 0) {
					const part = block.subarray(0, Math.min(left, block.length));
					left -= part.length;
					if (!res.write(part)) {
						res.once('drain', push);
						return;
					}
				}
				res.end();
			};
			push();
		} else if (url.pathname === '/stream') {
			res.writeHead(200, { 'content-type': 'text/event-stream' });
			let i = 0;
			const timer = setInterval(() => {
				res.write(`data: tick ${++i} ${Date.now()}\n\n`);
				if (i === 3) {
					clearInterval(timer);
					res.end();
				}
			}, 1000);
		} else if (url.pathname === '/redirect') {
			res.writeHead(302, { location: url.searchParams.get('to') });
			res.end();
		} else if (url.pathname === '/never') {
			// no answer
		} else if (url.pathname === '/echo') {
			res.end(`${req.method} ${length} ${hash.digest('hex')}\n`);
		} else {
			res.end(`hello from ${host} over HTTP/${req.httpVersion}\n`);
		}
	});
}

const listening = [];

function listen(server, port, address) {
	listening.push(new Promise((resolve, reject) => {
		server.on('error', reject);
		server.listen(port, address, resolve);
	}));
}

for (const address of addresses) {
	const options = tls(address === badAddress ? 'bad' : 'good');
	for (const port of [443, 8443]) {
		const server = http2.createSecureServer({ ...options, allowHTTP1: true }, answer);
		server.on('secureConnection', (s) => record({ kind: 'tls', address, port, sni: s.servername }));
		listen(server, port, address);
	}
	const clear = http.createServer(answer);
	// A response with two lengths.
	clear.prependListener('request', (req, res) => {
		if (req.url === '/malformed')
			res.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab');
	});
	// It agrees to any upgrade: what it is to is the client's affair.
	clear.on('upgrade', (req, socket) => {
		socket.on('error', () => {});
		const accept = createHash('sha1').update(req.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11');
		socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ' + req.headers.upgrade +
			`\r\nSec-WebSocket-Accept: ${accept.digest('base64')}\r\n\r\n`);
	});
	clear.on('connection', () => record({ kind: 'tcp', address, port: 80 }));
	listen(clear, 80, address);
	// A protocol in which the server speaks first.
	listen(net.createServer((s) => {
		record({ kind: 'tcp', address, port: 2222 });
		s.on('error', () => {});
		s.write('220 at your service\r\n');
		s.once('data', (d) => s.end(`you said ${d}`));
	}), 2222, address);
	const udp = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4');
	udp.on('message', (m, from) => {
		record({ kind: 'udp', address, port: 7777, text: m.toString() });
		udp.send(`udp ${m}`, from.port, from.address);
	});
	listening.push(new Promise((resolve) => udp.bind(7777, address, resolve)));
}

await Promise.all(listening);
console.log('ready');
