// What the scripted model services share.
//
// node fake-NAME.mjs SCENARIO.json TRANSCRIPT.jsonl ADDRESS HTTP-PORT [TLS-DIRECTORY HTTPS-PORT]
//
// The scenario is a list of steps: {"tool": NAME, "input": {…}} asks the agent to use a tool,
// {"text": "…"} closes the turn. The transcript gets one line a request, and one {"result": …} for
// each tool result that the agent sends back, in order.
import { appendFileSync, readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

const [scenarioFile, transcript, address, httpPort, tlsDir, httpsPort] = process.argv.slice(2);
const steps = JSON.parse(readFileSync(scenarioFile));
let recorded = 0; // tool results of the present conversation that are in the transcript

function record(entry) {
	appendFileSync(transcript, JSON.stringify(entry) + '\n');
}

export const firstTool = steps[0].tool;

// The step that follows when the conversation holds these results (texts, oldest first).
export function nextStep(results) {
	if (results.length < recorded) recorded = 0;
	for (const result of results.slice(recorded)) record({ result });
	recorded = results.length;
	return { number: results.length, ...steps[Math.min(results.length, steps.length - 1)] };
}

export function sendEvents(res, events) {
	res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
	for (const event of events) res.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
	res.end();
}

export function sendJson(res, status, value) {
	res.writeHead(status, { 'content-type': 'application/json' });
	res.end(JSON.stringify(value));
}

// routes: "METHOD /path" to a function (res, body); all else is 404.
export async function serve(routes) {
	const handle = (req, res) => {
		const chunks = [];
		req.on('data', (c) => chunks.push(c));
		req.on('end', () => {
			record({
				request: `${req.method} ${req.url}`, host: req.headers.host, tls: Boolean(req.socket.encrypted),
				key: req.headers['x-api-key'] ?? req.headers.authorization,
			});
			const route = routes[`${req.method} ${req.url.split('?')[0]}`];
			if (!route) {
				sendJson(res, 404, { error: { type: 'not_found_error', message: 'not here' } });
				return;
			}
			try {
				route(res, JSON.parse(Buffer.concat(chunks).toString() || '{}'));
			} catch (e) {
				sendJson(res, 400, { error: { type: 'invalid_request_error', message: String(e) } });
			}
		});
	};
	const listen = (server, port) => new Promise((resolve) => server.listen(Number(port), address, resolve));
	await listen(http.createServer(handle), httpPort);
	if (tlsDir) {
		const key = readFileSync(`${tlsDir}/good.key`);
		const cert = readFileSync(`${tlsDir}/good.pem`);
		await listen(https.createServer({ key, cert }, handle), httpsPort);
	}
	console.log('ready');
}
