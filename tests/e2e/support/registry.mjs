// A package registry with one package in it: node registry.mjs ADDRESS PORT TARBALL REQUEST-LOG
import { appendFileSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { createHash } from 'node:crypto';

const [address, port, file, log] = process.argv.slice(2);
const tarball = readFileSync(file);
const integrity = 'sha512-' + createHash('sha512').update(tarball).digest('base64');

http.createServer((req, res) => {
	appendFileSync(log, `${req.method} ${req.url}\n`);
	if (req.url === '/tiny-greeting') {
		const dist = { tarball: `http://${req.headers.host}/tiny-greeting-1.0.0.tgz`, integrity };
		const version = { name: 'tiny-greeting', version: '1.0.0', main: 'index.js', dist };
		res.setHeader('content-type', 'application/json');
		res.end(JSON.stringify({
			name: 'tiny-greeting', 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': version },
		}));
	} else if (req.url === '/tiny-greeting-1.0.0.tgz') {
		res.end(tarball);
	} else {
		res.writeHead(404).end('{}');
	}
}).listen(Number(port), address, () => console.log('ready'));
