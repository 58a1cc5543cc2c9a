// A package registry with a few packages in it: node registry.mjs ADDRESS PORT REQUEST-LOG TARBALL…
// Port 0: any; the line that says it is ready has it.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { basename } from 'node:path';

const [address, port, log, ...files] = process.argv.slice(2);
const packages = new Map();
const tarballs = new Map();
for (const file of files) {
	const manifest = JSON.parse(execFileSync('tar', ['-xOzf', file, 'package/package.json']));
	packages.set(`/${manifest.name}`, { manifest, file: basename(file) });
	tarballs.set(`/-/${basename(file)}`, readFileSync(file));
}

const server = http.createServer((req, res) => {
	appendFileSync(log, `${req.method} ${req.url}\n`);
	const found = packages.get(req.url);
	const tarball = tarballs.get(req.url);
	if (found) {
		const bytes = tarballs.get(`/-/${found.file}`);
		const { name, version } = found.manifest;
		const dist = {
			tarball: `http://${req.headers.host}/-/${found.file}`,
			integrity: 'sha512-' + createHash('sha512').update(bytes).digest('base64'),
		};
		res.setHeader('content-type', 'application/json');
		res.end(JSON.stringify({ name, 'dist-tags': { latest: version }, versions: { [version]: { ...found.manifest, dist } } }));
	} else if (tarball) {
		res.end(tarball);
	} else {
		res.writeHead(404).end('{}');
	}
});
server.listen(Number(port), address, () => console.log(`ready ${server.address().port}`));
