// What the clients of clients.sh talk to, over TLS with HTTP/1.1 and 2:
// node services.mjs TLS-DIRECTORY REQUEST-LOG FILES GIT-REPOSITORIES ADDRESS,ADDRESS…
//
//   /git/…      git's smart protocol      /events     three server-sent events
//   /ws         a WebSocket that echoes   /hold       answered when some WebSocket has said "done"
//   /hello…     a greeting                all else    a file
//
// The same is there below /forbidden: only a policy keeps it from anybody. Each request becomes one
// JSON line in the log.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, statSync } from 'node:fs';
import http2 from 'node:http2';
import path from 'node:path';

const [tlsDir, log, files, repositories, list] = process.argv.slice(2);
const HOLD_LIMIT_MS = 20000;
const TEXT = 1, CLOSE = 8;
const types = { '.html': 'text/html', '.json': 'application/json' };
const held = new Set();

function record(entry) {
	appendFileSync(log, JSON.stringify(entry) + '\n');
}

function release() {
	for (const res of held) res.end();
	held.clear();
}

function sendFile(pathname, res) {
	let file = path.join(files, path.normalize(pathname));
	try {
		if (statSync(file).isDirectory()) file = path.join(file, 'index.html');
		const content = readFileSync(file);
		res.writeHead(200, { 'content-type': types[path.extname(file)] ?? 'application/octet-stream' });
		res.end(content);
	} catch {
		res.writeHead(404);
		res.end('not here\n');
	}
}

function sendEvents(res) {
	let i = 0;
	res.writeHead(200, { 'content-type': 'text/event-stream' });
	const timer = setInterval(() => {
		res.write(`data: tick ${++i}\n\n`);
		if (i < 3) return;
		clearInterval(timer);
		res.end();
	}, 100);
}

// git http-backend speaks CGI: a header, an empty line, the body.
function serveGit(req, res, url, pathname) {
	const backend = spawn('git', ['http-backend'], {
		stdio: ['pipe', 'pipe', 'inherit'],
		env: {
			PATH: process.env.PATH, GIT_PROJECT_ROOT: repositories, GIT_HTTP_EXPORT_ALL: '1', REMOTE_USER: 'test',
			REQUEST_METHOD: req.method, PATH_INFO: pathname.slice('/git'.length), QUERY_STRING: url.search.slice(1),
			CONTENT_TYPE: req.headers['content-type'] ?? '', GIT_PROTOCOL: req.headers['git-protocol'] ?? '',
			HTTP_CONTENT_ENCODING: req.headers['content-encoding'] ?? '',
		},
	});
	let head = Buffer.alloc(0);
	const onHead = (chunk) => {
		head = Buffer.concat([head, chunk]);
		const end = head.indexOf('\r\n\r\n');
		if (end < 0) return;
		const fields = Object.fromEntries(head.subarray(0, end).toString().split('\r\n').map((l) => l.split(/: */, 2)));
		const status = parseInt(fields.Status ?? '200', 10);
		delete fields.Status;
		res.writeHead(status, fields);
		res.write(head.subarray(end + 4));
		backend.stdout.off('data', onHead).pipe(res);
	};
	backend.stdout.on('data', onHead);
	backend.stdin.on('error', () => {});
	req.pipe(backend.stdin);
}

function answer(req, res) {
	const url = new URL(req.url, 'https://x');
	const host = req.headers[':authority'] ?? req.headers.host;
	const pathname = url.pathname.replace(/^\/forbidden(?=\/)/, '');

	record({ kind: 'http', address: req.socket.localAddress, version: req.httpVersion, method: req.method, host, url: req.url });
	if (pathname.startsWith('/git/')) {
		serveGit(req, res, url, pathname);
		return;
	}
	req.resume();
	if (pathname === '/events') sendEvents(res);
	else if (pathname.startsWith('/hello')) res.end(`hello from ${host} over HTTP/${req.httpVersion}\n`);
	else if (pathname === '/hold') {
		held.add(res);
		setTimeout(release, HOLD_LIMIT_MS).unref();
	} else sendFile(pathname, res);
}

// One short frame: { opcode, text, rest }, or null where it is not all there yet.
function readFrame(bytes) {
	const length = bytes.length < 2 ? 0 : bytes[1] & 127;
	if (bytes.length < 6 + length) return null;
	const mask = bytes.subarray(2, 6);
	const text = Buffer.from(bytes.subarray(6, 6 + length).map((b, i) => b ^ mask[i % 4]));
	return { opcode: bytes[0] & 15, text, rest: bytes.subarray(6 + length) };
}

function onUpgrade(req, socket) {
	const accept = createHash('sha1').update(req.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11');
	let bytes = Buffer.alloc(0);

	record({ kind: 'upgrade', address: socket.localAddress, host: req.headers.host, url: req.url });
	socket.on('error', () => {});
	socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
		`Sec-WebSocket-Accept: ${accept.digest('base64')}\r\n\r\n`);
	socket.on('data', (chunk) => {
		bytes = Buffer.concat([bytes, chunk]);
		for (let frame; (frame = readFrame(bytes)); bytes = frame.rest) {
			if (frame.opcode === TEXT && frame.text.toString() === 'done') release();
			socket.write(Buffer.concat([Buffer.from([0x80 | frame.opcode, frame.text.length]), frame.text]));
			if (frame.opcode === CLOSE) socket.end();
		}
	});
}

await Promise.all(list.split(',').map((address) => new Promise((resolve, reject) => {
	const key = readFileSync(`${tlsDir}/good.key`);
	const cert = readFileSync(`${tlsDir}/good.pem`);
	const server = http2.createSecureServer({ key, cert, allowHTTP1: true }, answer);
	server.on('upgrade', onUpgrade);
	server.on('secureConnection', (s) => record({ kind: 'tls', address, sni: s.servername }));
	server.on('error', reject);
	server.listen(443, address, resolve);
})));
console.log('ready');
