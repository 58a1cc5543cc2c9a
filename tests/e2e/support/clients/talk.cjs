// A WebSocket's echo, and a stream of events: talk.cjs BASE-URL
const WebSocket = require('ws');

async function main(base) {
	const response = await fetch(base + '/events');
	if (!response.ok) throw new Error(`status ${response.status}`);
	const text = await response.text();
	console.log('events:', [...text.matchAll(/data: (.*)/g)].map((m) => m[1]).join(' '));
	const socket = new WebSocket(base.replace('https:', 'wss:') + '/ws');
	await new Promise((resolve, reject) => {
		socket.on('error', reject);
		socket.on('open', () => socket.send('hello'));
		socket.on('message', (m) => resolve(console.log('socket: echo of', String(m))));
	});
	socket.close();
}

main(process.argv[2]).catch((e) => {
	console.log(String(e));
	process.exit(1);
});
