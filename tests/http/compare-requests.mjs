// Whatever leash's HTTP/1 reader accepts, Node's (llhttp, strict) must read the same way: requests
// made at random of good and bad parts, with a byte changed now and then. Prints `N passed, N failed,
// N skipped`.
//
// compare-requests.mjs DESCRIBE-REQUESTS [CASES [SEED]]
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const [program, cases = '3000', seed = '1'] = process.argv.slice(2);

// A small generator of our own, so that a seed gives the same cases everywhere (mulberry32's recurrence).
let state = Number(seed) >>> 0;
function random(n) {
	state = (state + 0x6d2b79f5) >>> 0;
	let t = state;
	t = Math.imul(t ^ (t >>> 15), t | 1);
	t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
	return ((t ^ (t >>> 14)) >>> 0) % n;
}
const pick = (list) => list[random(list.length)];

const fields = ['X: a', 'x-b:  two words \t', 'X:', 'Accept: */*', 'X-Y: \xe9', 'X;: a', 'X : a', ' X: a', 'X\t: a', 'X: a\r\n b',
	'X: \x01', 'Host: h.test', 'Content-Length: 3', 'Content-Length: +3', 'Content-Length: 3, 3', 'Content-Length: 03',
	'Content-Length: 3 ', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked ', 'Transfer-Encoding: gzip, chunked',
	'Transfer-Encoding: ,chunked', 'Transfer-Encoding: x', 'Connection: keep-alive', 'Cookie: a=b; c="d"'];
const bodies = ['', 'abc', 'abcd', '3\r\nabc\r\n0\r\n\r\n', '3;x=y\r\nabc\r\n0\r\n\r\n', '03\r\nabc\r\n00\r\nX: y\r\n\r\n',
	'3 \r\nabc\r\n0\r\n\r\n', '3\nabc\n0\n\n', '0\r\n\r\n', '3\r\nabc0\r\n\r\n', 'g\r\n'];

function request() {
	const line = `${pick(['GET', 'GET', 'GET', 'POST', 'POST', 'PUT', 'DELETE', 'get', 'G T'])} ${pick(['/', '/', '/', '/a?b', '/%61', 'http://h.test/x', '*', '/a b', '/\xe9', ''])}` +
		` ${pick(['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/1.2', 'http/1.1', 'HTTP/1.1 '])}`;
	const chosen = random(8) ? ['Host: h.test'] : [];
	for (let n = random(3); n > 0; n--)
		chosen.push(pick(fields));
	// a length that fits, mostly
	if (random(3) === 0)
		chosen.push(pick(['Content-Length: 3', 'Transfer-Encoding: chunked']));
	const end = random(20) ? '\r\n' : '\n';
	return line + '\r\n' + chosen.map((f) => f + end).join('') + '\r\n' + pick(bodies);
}

function stream() {
	let text = '';
	for (let n = 1 + random(3); n > 0; n--)
		text += request();
	const bytes = Buffer.from(text, 'latin1');
	if (random(3) === 0)
		bytes[random(bytes.length)] = pick([0, 9, 10, 13, 32, 58, 127, 255]);
	return bytes;
}

const hex = (text) => Buffer.from(text, 'latin1').toString('hex');

// What Node's parser makes of the bytes: the requests that it read whole. It is asked itself, because an
// http.Server throws a request away when what follows it is malformed.
const { HTTPParser, methods, allMethods = methods } = process.binding('http_parser');
function byNode(bytes) {
	const requests = [];
	const parser = new HTTPParser();
	let names = [], url = '', current;
	const add = (list) => {
		for (let i = 0; i < list.length; i += 2)
			names.push([hex(list[i].toLowerCase()), hex(list[i + 1])]);
	};
	parser.initialize(HTTPParser.REQUEST, {});
	parser[HTTPParser.kOnHeaders | 0] = (list, target) => { if (!current) { add(list); url += target; } };
	parser[HTTPParser.kOnHeadersComplete | 0] = (major, minor, list, method, target) => {
		if (list)
			add(list);
		current = [hex(allMethods[method]), hex(url + (target ?? '')), names, ''];
		names = [];
		url = '';
		return 0;
	};
	parser[HTTPParser.kOnBody | 0] = (b, start, length) => {
		current[3] += (length === undefined ? b : b.subarray(start, start + length)).toString('hex');
	};
	parser[HTTPParser.kOnMessageComplete | 0] = () => { requests.push(current); current = undefined; };
	parser.execute(bytes);
	return requests;
}

const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
let passed = 0, failed = 0, read = 0;
for (let i = 0; i < Number(cases); i++) {
	const bytes = stream();
	child.stdin.write(bytes.toString('hex') + '\n');
	const ours = JSON.parse((await answers.next()).value);
	const theirs = byNode(bytes);
	// One may refuse what the other takes; what both take must be the same.
	const n = Math.min(ours.length, theirs.length);
	read += n;
	if (JSON.stringify(ours.slice(0, n)) === JSON.stringify(theirs.slice(0, n))) {
		passed++;
		continue;
	}
	failed++;
	if (failed <= 10)
		console.log(`read differently: ${JSON.stringify(bytes.toString('latin1'))}\n ours   ${JSON.stringify(ours)}\n theirs ${JSON.stringify(theirs)}`);
}
child.stdin.end();
console.log(`${read} requests were taken by both`);
if (read < Number(cases) / 20) {
	console.log('too few to mean anything');
	failed++;
}
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed ? 1 : 0);
