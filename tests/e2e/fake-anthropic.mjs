// A model service that speaks Anthropic's Messages API and does what a scenario says.
//
// node fake-anthropic.mjs SCENARIO.json TRANSCRIPT.jsonl ADDRESS HTTP-PORT [TLS-DIRECTORY HTTPS-PORT]
//
// The scenario is a list of steps: {"tool": NAME, "input": {…}} asks the agent to use a tool,
// {"text": "…"} closes the turn. The transcript gets one line a request, and one {"result": …} for
// each tool result that the agent sends back, in order. Requests that are not part of the main
// conversation (titles, token counts) get a short harmless answer and use up no step.
import { appendFileSync, readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

const [scenarioFile, transcript, address, httpPort, tlsDir, httpsPort] = process.argv.slice(2);
const steps = JSON.parse(readFileSync(scenarioFile));

function record(entry) {
	appendFileSync(transcript, JSON.stringify(entry) + '\n');
}

function textOf(content) {
	if (typeof content === 'string') return content;
	return (content ?? []).map((c) => c.text ?? '').join('');
}

function toolResults(messages) {
	return messages.flatMap((m) => (Array.isArray(m.content) ? m.content : [])).filter((c) => c.type === 'tool_result');
}

function blockFor(step, number) {
	if (step.tool) return { type: 'tool_use', id: `toolu_step${number}`, name: step.tool, input: step.input };
	return { type: 'text', text: step.text };
}

// The events of one streamed answer, as the service documents them.
function* streamed(message) {
	const { content, stop_reason, ...head } = message;
	yield { type: 'message_start', message: { ...head, content: [], stop_reason: null, stop_sequence: null } };
	for (const [index, block] of content.entries()) {
		if (block.type === 'text') {
			yield { type: 'content_block_start', index, content_block: { type: 'text', text: '' } };
			yield { type: 'content_block_delta', index, delta: { type: 'text_delta', text: block.text } };
		} else {
			yield { type: 'content_block_start', index, content_block: { ...block, input: {} } };
			yield {
				type: 'content_block_delta', index,
				delta: { type: 'input_json_delta', partial_json: JSON.stringify(block.input) },
			};
		}
		yield { type: 'content_block_stop', index };
	}
	yield { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 10 } };
	yield { type: 'message_stop' };
}

function send(res, body, message) {
	if (!body.stream) {
		res.writeHead(200, { 'content-type': 'application/json' });
		res.end(JSON.stringify({ ...message, stop_sequence: null }));
		return;
	}
	res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
	for (const event of streamed(message)) res.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
	res.end();
}

function messages(res, body) {
	const said = body.messages ?? [];
	for (const r of toolResults(said.slice(-1)))
		record({ result: textOf(r.content), is_error: r.is_error ?? false, id: r.tool_use_id });
	// Only the main conversation offers the tool that the first step wants.
	const isMain = (body.tools ?? []).some((t) => t.name === steps[0].tool);
	const number = toolResults(said).length;
	const block = isMain ? blockFor(steps[Math.min(number, steps.length - 1)], number) : { type: 'text', text: 'ok' };
	send(res, body, {
		id: `msg_${Date.now()}`, type: 'message', role: 'assistant', model: body.model, content: [block],
		stop_reason: block.type === 'tool_use' ? 'tool_use' : 'end_turn',
		usage: { input_tokens: 10, output_tokens: 1 },
	});
}

function handle(req, res) {
	const chunks = [];
	req.on('data', (c) => chunks.push(c));
	req.on('end', () => {
		const url = new URL(req.url, 'http://x');
		record({
			request: `${req.method} ${req.url}`, host: req.headers.host, tls: Boolean(req.socket.encrypted),
			key: req.headers['x-api-key'] ?? req.headers.authorization,
		});
		let body = {};
		try {
			body = JSON.parse(Buffer.concat(chunks).toString() || '{}');
		} catch {
			res.writeHead(400).end();
			return;
		}
		if (req.method === 'POST' && url.pathname === '/v1/messages') messages(res, body);
		else if (url.pathname === '/v1/messages/count_tokens') {
			res.writeHead(200, { 'content-type': 'application/json' });
			res.end('{"input_tokens":10}');
		} else {
			res.writeHead(404, { 'content-type': 'application/json' });
			res.end('{"type":"error","error":{"type":"not_found_error","message":"not here"}}');
		}
	});
}

const ready = [new Promise((resolve) => http.createServer(handle).listen(Number(httpPort), address, resolve))];
if (tlsDir) {
	const options = { key: readFileSync(`${tlsDir}/good.key`), cert: readFileSync(`${tlsDir}/good.pem`) };
	ready.push(new Promise((resolve) => https.createServer(options, handle).listen(Number(httpsPort), address, resolve)));
}
await Promise.all(ready);
console.log('ready');
