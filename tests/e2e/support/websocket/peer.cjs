// Both ends of a WebSocket by npm's ws: peer.cjs serve ADDRESS PORT, or peer.cjs talk URL.
// What they say to each other is the same as in peer.py.
const WebSocket = require('ws');

const MIB = 1 << 20;

function sendInFragments(socket, parts) {
	parts.forEach((part, i) => socket.send(part, { fin: i === parts.length - 1 }));
}

function answer(socket) {
	socket.on('message', (data, isBinary) => {
		const text = isBinary ? '' : String(data);
		if (text === 'fragments') sendInFragments(socket, ['a', 'b\u00e9', 'c']);
		else if (text === 'ping') {
			socket.once('pong', () => socket.send('ponged'));
			socket.ping('are you there');
		} else if (text === 'close') socket.close(4001, 'bye');
		else socket.send(data, { binary: isBinary });
	});
}

function serve(address, port) {
	const server = new WebSocket.Server({ host: address, port: Number(port), perMessageDeflate: true });
	server.on('connection', answer);
	server.on('listening', () => console.log('ready'));
}

const opened = (socket) => new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
const next = (socket, what) => new Promise((resolve) => socket.once(what, (...all) => resolve(all)));

async function say(socket, message) {
	const answered = next(socket, 'message');
	if (Array.isArray(message)) sendInFragments(socket, message);
	else socket.send(message);
	const [data, isBinary] = await answered;
	return isBinary ? data : String(data);
}

async function talk(url) {
	const socket = new WebSocket(url);
	await opened(socket);
	console.log(await say(socket, 'hello'));
	console.log(await say(socket, ['x', 'y\u20ac', 'z']));
	console.log(await say(socket, 'fragments'));
	const big = Buffer.from(Array.from({ length: MIB }, (_, i) => i & 255));
	const text = '\u20ac'.repeat(MIB);
	console.log((await say(socket, big)).equals(big) ? 'True' : 'False', (await say(socket, text)) === text ? 'True' : 'False');
	const pong = next(socket, 'pong');
	socket.ping();
	await pong;
	console.log('pong', await say(socket, 'ping'));
	console.log('extensions', socket.extensions);
	socket.send('close');
	const [code, reason] = await next(socket, 'close');
	console.log(code, String(reason));
	const second = new WebSocket(url);
	await opened(second);
	second.close(3001, 'done');
	console.log('closed', (await next(second, 'close'))[0]);
}

if (process.argv[2] === 'serve') serve(process.argv[3], process.argv[4]);
else talk(process.argv[3]);
