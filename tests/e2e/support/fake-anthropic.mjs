// A model service that speaks Anthropic's Messages API; see fake-service.mjs. Requests that are not
// part of the main conversation (titles, token counts) get a short answer and use up no step.
import { firstTool, nextStep, sendEvents, sendJson, serve } from './fake-service.mjs';

function textOf(content) {
	if (typeof content === 'string') return content;
	return (content ?? []).map((c) => c.text ?? '').join('');
}

function toolResults(messages) {
	return messages.flatMap((m) => (Array.isArray(m.content) ? m.content : []))
		.filter((c) => c.type === 'tool_result').map((c) => textOf(c.content));
}

function nextBlock(body) {
	// Only the main conversation offers the tool that the first step wants.
	if (!(body.tools ?? []).some((t) => t.name === firstTool)) return { type: 'text', text: 'ok' };
	const step = nextStep(toolResults(body.messages ?? []));
	if (!step.tool) return { type: 'text', text: step.text };
	return { type: 'tool_use', id: `toolu_step${step.number}`, name: step.tool, input: step.input };
}

// The events of one streamed answer with one block, as the service documents them.
function* streamed({ content: [block], stop_reason, ...head }) {
	yield { type: 'message_start', message: { ...head, content: [], stop_reason: null, stop_sequence: null } };
	if (block.type === 'text') {
		yield { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } };
		yield { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: block.text } };
	} else {
		const delta = { type: 'input_json_delta', partial_json: JSON.stringify(block.input) };
		yield { type: 'content_block_start', index: 0, content_block: { ...block, input: {} } };
		yield { type: 'content_block_delta', index: 0, delta };
	}
	yield { type: 'content_block_stop', index: 0 };
	yield { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 10 } };
	yield { type: 'message_stop' };
}

await serve({
	'POST /v1/messages': (res, body) => {
		const block = nextBlock(body);
		const message = {
			id: `msg_${Date.now()}`, type: 'message', role: 'assistant', model: body.model, content: [block],
			stop_reason: block.type === 'tool_use' ? 'tool_use' : 'end_turn',
			usage: { input_tokens: 10, output_tokens: 1 },
		};
		if (body.stream) sendEvents(res, streamed(message));
		else sendJson(res, 200, { ...message, stop_sequence: null });
	},
	'POST /v1/messages/count_tokens': (res) => sendJson(res, 200, { input_tokens: 10 }),
});
