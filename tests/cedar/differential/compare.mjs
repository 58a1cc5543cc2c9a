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

// Reading a schema is what takes the reference longest, so each serves several policy sets.
const SETS = 6;
const CODE = /"(?:[^"\\]|\\[^])*"|\/\/[^\n]*/g;
const codeOf = (text) => text.replace(CODE, '');
const hasSlot = (text) => /\?(principal|resource)/.test(codeOf(text));

function makeGroup(seed) {
	const r = new Random(seed);
	const world = makeWorld(r);
	const schema = r.chance(15) ? breakSchema(r, world.schema) : world.schema;
	const entities = makeEntities(r, world);
	return { seed, schema, entities, sets: r.times(SETS, SETS, (number) => makeSet(r, world, { seed, number, schema, entities })) };
}

function makeSet(r, world, c) {
	const broken = r.chance(30);
	const parts = makePolicies(r, world, broken);
	const byId = (wanted) => Object.fromEntries(parts.map((text, i) => [`policy${i}`, text]).filter(([, text]) => hasSlot(text) === wanted));
	Object.assign(c, { broken, parts, policies: parts.join(r.pick(['\n', '\n\n', ' '])), request: makeRequest(r, world),
		expression: makeExpression(r, world), width: r.pick([80, 80, 40, 20, 120]), indent: r.pick([2, 2, 4, 0, 8]),
		statics: byId(false), templates: byId(true) });
	c.links = broken ? [] : linksFor(r, world, Object.keys(c.templates)).map((l) => {
		const code = codeOf(c.templates[l.templateId]);
		for (const slot of Object.keys(l.values)) if (!code.includes(slot)) delete l.values[slot];
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

// The schema of the group was read before, under this name.
const SCHEMA = 'schema';

function oracleAuthorize(c, withSchema) {
	const policies = { staticPolicies: c.statics, templates: c.templates, templateLinks: c.links };
	const prepared = withSchema && cedar.preparsePolicySet('policies', policies);
	if (prepared && !isParsed(prepared)) return { failure: messages(prepared) };
	const call = { ...c.request, entities: c.entities };
	const answer = withSchema ? cedar.statefulIsAuthorized({ ...call, preparsedPolicySetId: 'policies', preparsedSchemaName: SCHEMA, validateRequest: true })
		: cedar.isAuthorized({ ...call, policies });
	if (answer.type !== 'success') return { failure: messages(answer) };
	const { decision, diagnostics } = answer.response;
	return { decision, reason: diagnostics.reason, errors: diagnostics.errors.map((e) => e.policyId) };
}

// The comments of a text, in order.
function commentsOf(text) {
	return (text.match(CODE) ?? []).filter((t) => t.startsWith('//')).map((t) => t.trimEnd());
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
		if (count.failed <= 20) console.log(`seed ${c.seed}, set ${c.number}: ${kind}: ${typeof detail === 'string' ? detail : JSON.stringify(detail, null, 1)}`);
		if (options.keep) {
			mkdirSync(options.keep, { recursive: true });
			writeFileSync(`${options.keep}/${kind}-${c.seed}-${c.number}.json`, `${JSON.stringify({ detail, case: c }, null, 1)}\n`);
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
		// It loses comments behind a comma that is the last of its list; ours must not.
		else if (commentsOf(formatted.formatted_policy).length < commentsOf(c.policies).length)
			this.check(c, 'format-comments', same(commentsOf(ours.format ?? ''), commentsOf(c.policies)), { ours: ours.format, text: c.policies });
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
		const theirs = cedar.preparseSchema(SCHEMA, c.schema);
		this.check(c, 'schema', ours.schema === isParsed(theirs), { ours: ours.schema, ourError: ours.schemaError, theirs: messages(theirs), text: c.schema });
		if (!ours.schema || !isParsed(theirs)) return false;
		const json = cedar.schemaToJson(c.schema);
		this.check(c, 'schema-json', json.type !== 'success' || same(ours.schemaJson, json.json), { ours: ours.schemaJson, theirs: json.json, text: c.schema });
		return true;
	}
	// All sets at once; ids carry the number of theirs.
	validation(group, answers) {
		const named = (c, list) => Object.entries(list).map(([id, text]) => [`${c.number}.${id}`, text]);
		const sets = group.sets.filter((c) => answers[c.number].validate && !c.broken);
		const theirs = cedar.validate({ schema: group.schema, policies: {
			staticPolicies: Object.fromEntries(sets.flatMap((c) => named(c, c.statics))),
			templates: Object.fromEntries(sets.flatMap((c) => named(c, c.templates))) } });
		if (theirs.type !== 'success') {
			this.skipped++;
			return;
		}
		for (const c of sets) {
			const ours = answers[c.number].validate;
			const of = (list) => list.filter((e) => e.policyId.startsWith(`${c.number}.`));
			const ids = (list) => of(list).map((e) => e.policyId.slice(`${c.number}.`.length));
			const detail = (list) => ({ ours, theirs: of(list).map((e) => [e.policyId, e.error.message]), policies: c.parts, schema: c.schema });
			this.check(c, 'validate', sameSet(ours.errors, ids(theirs.validationErrors)), detail(theirs.validationErrors));
			this.check(c, 'validate-warnings', sameSet(ours.warnings, ids(theirs.validationWarnings)), detail(theirs.validationWarnings));
		}
	}
	authorization(c, ours, withSchema) {
		const got = withSchema ? ours.authorizeWithSchema : ours.authorize;
		const wanted = oracleAuthorize(c, withSchema);
		const ok = wanted.failure !== undefined ? got.failure !== undefined
			: got.decision === wanted.decision && sameSet(got.reason, wanted.reason) && sameSet(got.errors, wanted.errors);
		this.check(c, withSchema ? 'authorize-with-schema' : 'authorize', ok,
			{ ours: got, theirs: wanted, policies: c.parts, links: c.links, request: c.request, schema: withSchema ? c.schema : undefined });
	}
	// Why a whole request is refused, told apart: entities alone.
	entities(c, ours) {
		const theirs = cedar.checkParseEntities({ entities: c.entities, schema: c.schema });
		this.check(c, 'entities', ours.entitiesWithSchema === isParsed(theirs),
			{ ours: ours.authorizeWithSchema, theirs: messages(theirs), schema: c.schema, entities: c.entities });
	}
	expression(c, ours) {
		const text = `permit(principal, action, resource) when { ${c.expression}\n };`;
		this.check(c, 'expression', ours.expression === isParsed(cedar.checkParsePolicySet({ staticPolicies: text })), c.expression);
	}
	set(c, ours, hasSchema) {
		const hasPolicies = this.policies(c, ours);
		this.expression(c, ours);
		if (!hasPolicies || c.broken) return;
		this.json(c, ours);
		this.authorization(c, ours, false);
		if (hasSchema) this.authorization(c, ours, true);
	}
	group(g, answers) {
		const hasSchema = this.schema(g.sets[0], answers[0]);
		for (const c of g.sets) this.set(c, answers[c.number], hasSchema);
		if (!hasSchema) return;
		this.validation(g, answers);
		const whole = g.sets.find((c) => answers[c.number].entitiesWithSchema !== undefined);
		if (whole) this.entities(whole, answers[whole.number]);
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
		const g = makeGroup(seed);
		const answers = [];
		for (const c of g.sets) answers.push(await ask(c));
		comparison.group(g, answers);
	}
} catch (e) {
	comparison.failed++;
	console.log(String(e.stack ?? e));
}
program.stdin.end();
for (const [kind, { passed, failed }] of Object.entries(comparison.byKind)) console.log(`${kind}: ${passed} agree, ${failed} differ`);
console.log(`${n} schemas with ${SETS} policy sets each in ${Math.round((Date.now() - began) / 1000)} s`);
console.log(`${comparison.passed} passed, ${comparison.failed} failed, ${comparison.skipped} skipped`);
process.exitCode = comparison.failed || comparison.passed === 0 ? 1 : 0;
