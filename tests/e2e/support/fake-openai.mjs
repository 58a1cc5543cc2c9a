// A model service that speaks OpenAI's Responses API; see fake-service.mjs.
import { nextStep, sendEvents, sendJson, serve } from './fake-service.mjs';

function textOf(output) {
	if (typeof output === 'string') return output;
	return (output ?? []).map((c) => c.text ?? '').join('');
}

function nextItem(input) {
	const step = nextStep(input.filter((i) => i.type === 'function_call_output').map((i) => textOf(i.output)));
	if (!step.tool) {
		return {
			type: 'message', id: `msg_${step.number}`, role: 'assistant', status: 'completed',
			content: [{ type: 'output_text', text: step.text, annotations: [] }],
		};
	}
	return {
		type: 'function_call', id: `fc_${step.number}`, call_id: `call_${step.number}`, status: 'completed',
		name: step.tool, arguments: JSON.stringify(step.input),
	};
}

await serve({
	'POST /v1/responses': (res, body) => {
		const item = nextItem(body.input ?? []);
		const response = { id: `resp_${Date.now()}`, object: 'response', model: body.model, status: 'in_progress', output: [] };
		const usage = {
			input_tokens: 10, input_tokens_details: { cached_tokens: 0 }, output_tokens: 10,
			output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 20,
		};
		sendEvents(res, [
			{ type: 'response.created', sequence_number: 0, response },
			{ type: 'response.output_item.added', sequence_number: 1, output_index: 0, item },
			{ type: 'response.output_item.done', sequence_number: 2, output_index: 0, item },
			{
				type: 'response.completed', sequence_number: 3,
				response: { ...response, status: 'completed', output: [item], usage },
			},
		]);
	},
	'GET /v1/models': (res) => sendJson(res, 200, { object: 'list', data: [], models: [] }),
});
