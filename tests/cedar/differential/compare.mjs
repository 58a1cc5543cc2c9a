// Compares libcedar with the reference, @cedar-policy/cedar-wasm, on random cases.
//
//     node compare.mjs --answer PROGRAM --oracle FOLDER [--seconds N] [--seed N] [--cases N] [--keep FOLDER]
//
// PROGRAM is cedar-answer (answer.c), FOLDER holds node_modules. A case follows from its seed: `--seed N
// --cases 1` makes it again. Prints each disagreement and ends with `N passed, N failed, N skipped`.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Random } from './random.mjs';
import { breakSchema, linksFor, makeExpression, makePolicies } from './policies.mjs';
import { makeEntities, makeRequest, makeWorld } from './world.mjs';

const { values: options } = parseArgs({ options: {
	answer: { type: 'string' }, oracle: { type: 'string' }, seconds: { type: 'string', default: '20' },
	seed: { type: 'string' }, cases: { type: 'string', default: '1000000000' }, keep: { type: 'string' },
} });
const cedar = createRequire(`${options.oracle}/`)('@cedar-policy/cedar-wasm/nodejs');

function makeCase(seed) {
	const r = new Random(seed);
	const world = makeWorld(r);
	const broken = r.chance(30);
	const parts = makePolicies(r, world, broken);
	const c = {
		seed, broken, parts, policies: parts.join(r.pick(['\n', '\n\n', ' '])), schema: r.chance(15) ? breakSchema(r, world.schema) : world.schema,
		entities: makeEntities(r, world), request: makeRequest(r, world), expression: makeExpression(r, world),
		width: r.pick([80, 80, 40, 20, 120]), indent: r.pick([2, 2, 4, 0, 8]),
	};
	// Which policies are templates the reference knows best; without mistakes it is plain to see.
	const ids = parts.map((text, i) => [text, `policy${i}`]);
	const isTemplate = (text) => /\?(principal|resource)/.test(text.replace(/"(?:[^"\\]|\\[^])*"|\/\/[^\n]*/g, ''));
	c.templates = Object.fromEntries(ids.filter(([text]) => isTemplate(text)).map(([text, id]) => [id, text]));
	c.statics = Object.fromEntries(ids.filter(([text]) => !isTemplate(text)).map(([text, id]) => [id, text]));
	c.links = broken ? [] : linksFor(r, world, Object.keys(c.templates)).map((l) => {
		const text = c.templates[l.templateId].replace(/"(?:[^"\\]|\\[^])*"|\/\/[^\n]*/g, '');
		for (const slot of Object.keys(l.values)) if (!text.includes(slot)) delete l.values[slot];
		return l;
	});
	return c;
}

// ---- What the reference says --------------------------------------------------------

function messages(answer) {
	return (answer.errors ?? []).map((e) => e.message).join('; ');
}

function isParsed(answer) {
	return answer.type === 'success';
}

function oracleAuthorize(c, withSchema) {
	const call = { ...c.request, policies: { staticPolicies: c.statics, templates: c.templates, templateLinks: c.links }, entities: c.entities };
	if (withSchema) Object.assign(call, { schema: c.schema, validateRequest: true });
	const answer = cedar.isAuthorized(call);
	if (answer.type !== 'success') return { failure: messages(answer) };
	const { decision, diagnostics } = answer.response;
	return { decision, reason: diagnostics.reason, errors: diagnostics.errors.map((e) => e.policyId) };
}

// ---- Comparing ------------------------------------------------------------------------

function canonical(value) {
	if (Array.isArray(value)) return value.map(canonical);
	if (value && typeof value === 'object') return Object.fromEntries(Object.keys(value).sort().map((k) => [k, canonical(value[k])]));
	return value;
}

const same = (a, b) => JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));
const sameSet = (a, b) => same([...new Set(a)].sort(), [...new Set(b)].sort());

class Comparison {
	constructor() {
		this.passed = this.failed = this.skipped = 0;
		this.byKind = {};
	}
	check(c, kind, ok, detail) {
		const count = (this.byKind[kind] ??= { passed: 0, failed: 0 });
		if (ok) {
			this.passed++;
			count.passed++;
			return;
		}
		this.failed++;
		count.failed++;
		if (count.failed <= 20) console.log(`seed ${c.seed}: ${kind}: ${typeof detail === 'string' ? detail : JSON.stringify(detail, null, 1)}`);
		if (options.keep) {
			mkdirSync(options.keep, { recursive: true });
			writeFileSync(`${options.keep}/${kind}-${c.seed}.json`, `${JSON.stringify({ detail, case: c }, null, 1)}\n`);
		}
	}
	// Policies: accepted or not, laid out the same, the same JSON form.
	policies(c, ours) {
		const parts = cedar.policySetTextToParts(c.policies);
		const theirs = isParsed(parts);
		this.check(c, 'parse', ours.parse === theirs, { ours: ours.parse, ourError: ours.parseError, theirs: messages(parts), text: c.policies });
		if (!theirs || !ours.parse) return false;
		const formatted = cedar.formatPolicies({ policyText: c.policies, lineWidth: c.width, indentWidth: c.indent });
		// The reference cannot lay out some texts: its comments check is its own to fail.
		if (formatted.type !== 'success') this.skipped++;
		else this.check(c, 'format', ours.format === formatted.formatted_policy,
			{ width: c.width, indent: c.indent, ours: ours.format, theirs: formatted.formatted_policy, text: c.policies });
		return true;
	}
	json(c, ours) {
		const set = ours.policySet;
		for (const [id, text] of Object.entries(c.statics)) {
			const theirs = cedar.policyToJson(text);
			if (theirs.type === 'success') this.check(c, 'json', same(set.staticPolicies?.[id], theirs.json), { ours: set.staticPolicies?.[id], theirs: theirs.json, text });
		}
		for (const [id, text] of Object.entries(c.templates)) {
			const theirs = cedar.templateToJson(text);
			if (theirs.type === 'success') this.check(c, 'json', same(set.templates?.[id], theirs.json), { ours: set.templates?.[id], theirs: theirs.json, text });
		}
	}
	schema(c, ours) {
		const theirs = cedar.checkParseSchema(c.schema);
		this.check(c, 'schema', ours.schema === isParsed(theirs), { ours: ours.schema, ourError: ours.schemaError, theirs: messages(theirs), text: c.schema });
		if (!ours.schema || !isParsed(theirs)) return false;
		const json = cedar.schemaToJson(c.schema);
		this.check(c, 'schema-json', json.type !== 'success' || same(ours.schemaJson, json.json), { ours: ours.schemaJson, theirs: json.json, text: c.schema });
		return true;
	}
	validation(c, ours) {
		const theirs = cedar.validate({ schema: c.schema, policies: { staticPolicies: c.statics, templates: c.templates } });
		if (theirs.type !== 'success') {
			this.skipped++;
			return;
		}
		const ids = (list) => list.map((e) => e.policyId);
		this.check(c, 'validate', sameSet(ours.validate.errors, ids(theirs.validationErrors)),
			{ ours: ours.validate, theirs: theirs.validationErrors.map((e) => [e.policyId, e.error.message]), policies: c.parts, schema: c.schema });
		this.check(c, 'validate-warnings', sameSet(ours.validate.warnings, ids(theirs.validationWarnings)),
			{ ours: ours.validate, theirs: theirs.validationWarnings.map((e) => [e.policyId, e.error.message]), policies: c.parts, schema: c.schema });
	}
	authorization(c, ours, withSchema) {
		const got = withSchema ? ours.authorizeWithSchema : ours.authorize;
		const wanted = oracleAuthorize(c, withSchema);
		const ok = wanted.failure !== undefined ? got.failure !== undefined
			: got.decision === wanted.decision && sameSet(got.reason, wanted.reason) && sameSet(got.errors, wanted.errors);
		this.check(c, withSchema ? 'authorize-with-schema' : 'authorize', ok,
			{ ours: got, theirs: wanted, policies: c.parts, links: c.links, request: c.request, schema: withSchema ? c.schema : undefined });
		// Why a whole request is refused, told apart: entities alone.
		if (withSchema) {
			const entities = cedar.checkParseEntities({ entities: c.entities, schema: c.schema });
			this.check(c, 'entities', ours.entitiesWithSchema === isParsed(entities),
				{ ours: got, theirs: messages(entities), schema: c.schema, entities: c.entities });
		}
	}
	expression(c, ours) {
		const text = `permit(principal, action, resource) when { ${c.expression}\n };`;
		this.check(c, 'expression', ours.expression === isParsed(cedar.checkParsePolicySet({ staticPolicies: text })), c.expression);
	}
	case(c, ours) {
		const hasPolicies = this.policies(c, ours);
		const hasSchema = this.schema(c, ours);
		this.expression(c, ours);
		if (!hasPolicies || c.broken) return;
		this.json(c, ours);
		this.authorization(c, ours, false);
		if (!hasSchema) return;
		this.validation(c, ours);
		this.authorization(c, ours, true);
	}
}

// ---- Running ----------------------------------------------------------------------------

const program = spawn(options.answer, { stdio: ['pipe', 'pipe', 'inherit'] });
const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();

async function ask(c) {
	program.stdin.write(`${JSON.stringify({ ...c, statics: undefined, templates: undefined, parts: undefined })}\n`);
	const { value, done } = await lines.next();
	if (done) throw new Error(`seed ${c.seed}: ${options.answer} died`);
	return JSON.parse(value);
}

const comparison = new Comparison();
const began = Date.now();
let seed = options.seed === undefined ? (Date.now() & 0x3fffffff) : Number(options.seed);
console.log(`cedar-wasm ${cedar.getCedarSDKVersion()}, seeds from ${seed}`);
let n = 0;
try {
	for (; n < Number(options.cases) && Date.now() - began < 1000 * Number(options.seconds); n++, seed++) {
		const c = makeCase(seed);
		comparison.case(c, await ask(c));
	}
} catch (e) {
	comparison.failed++;
	console.log(String(e.stack ?? e));
}
program.stdin.end();
for (const [kind, { passed, failed }] of Object.entries(comparison.byKind)) console.log(`${kind}: ${passed} agree, ${failed} differ`);
console.log(`${n} cases in ${Math.round((Date.now() - began) / 1000)} s`);
console.log(`${comparison.passed} passed, ${comparison.failed} failed, ${comparison.skipped} skipped`);
process.exitCode = comparison.failed || comparison.passed === 0 ? 1 : 0;
