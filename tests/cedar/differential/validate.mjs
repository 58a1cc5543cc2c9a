// Compares what libcedar and the reference find wrong in random policies: each finding's kind and place.
//
//     node validate.mjs --answer BUILD/tests/cedar/differential/validate-lines --oracle FOLDER [--cases N] [--seed N]
//
// FOLDER holds node_modules with @cedar-policy/cedar-wasm. Half of the policies are written for one request
// environment and mostly right, half are wild. Ends with `N passed, N failed, N skipped`.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { Random } from './random.mjs';

const { values: options } = parseArgs({ options: {
	answer: { type: 'string' }, oracle: { type: 'string' },
	cases: { type: 'string', default: '4000' }, seed: { type: 'string', default: '1' },
} });
const cedar = createRequire(`${options.oracle}/`)('@cedar-policy/cedar-wasm/nodejs');
const r = new Random(Number(options.seed));
const P = (p) => r.next() / 2 ** 32 < p;

const WORLDS = [{
	schema: `entity G; entity G2 in [G];
entity U in [G2] = { name: String, age?: Long, r: {a: Long, b?: String, c?: {d?: Bool}}, friend?: U, s: Set<Long>, us: Set<U>, t: Bool } tags String;
entity V in [G] = {name: String, x: decimal, age: Long, r: {a: Long, b: String}, when: datetime} tags Set<Long>;
entity E enum ["a","b"];
entity D in [U, D] = {v: Bool, e: E, owner: U, name?: String, recs: Set<{a: Long}>};
action grp; action top;
action view in [grp] appliesTo {principal:[U,V], resource:[D,U], context:{c?: Long, d: datetime, ip: ipaddr, dur?: duration, o?: U, b: Bool, dec: decimal}};
action edit in [grp, top] appliesTo {principal:[U], resource:[D], context:{b: Bool, d: datetime}};
action none; action lone appliesTo {principal:[E,V], resource:[E,G], context:{c: Long}};`,
	types: ['G', 'G2', 'U', 'V', 'E', 'D'], actions: ['grp', 'top', 'view', 'edit', 'none', 'lone'], action: ['Action'],
}, {
	schema: `namespace N { entity A in [B] = {n: Long, n2?: Long, self?: A, bb: B, tagg: Set<String>} tags Long;
entity B = {n: Long, q?: {z: {y?: Long}}} tags String; entity C;
type T = {k: Bool, l?: {m?: String}};
action a1, a2 in [ga] appliesTo {principal:[A,B], resource:[B,C], context: T}; action ga in [Action::"gb"]; action gb;
action a3 in [gb] appliesTo {principal: C, resource: [A,B,C], context: {k: Bool, e: __cedar::ipaddr, du: duration}}; }
entity Root in [N::B]; action act in [N::Action::"gb"] appliesTo {principal: Root, resource: N::A, context: {}};`,
	types: ['N::A', 'N::B', 'N::C', 'Root'], actions: ['a1', 'a2', 'a3', 'ga', 'gb', 'act'],
	action: ['N::Action', 'N::Action', 'N::Action', 'Action'],
}];
const ATTRIBUTES = ('name age r a b c d friend s us t v e owner recs x when n n2 self bb tagg q z y k l m ip dur o dec zz du').split(' ');
const WILD = {
	Bool: ['principal.t', 'resource.v', 'context.b', 'context.k', 'principal.r.c.d'],
	Long: ['principal.age', 'principal.r.a', 'context.c', 'principal.n', 'resource.n', 'principal.n2', 'resource.q.z.y', 'principal.getTag("a")'],
	String: ['principal.name', 'resource.name', 'principal.r.b', 'context.l.m', 'principal.getTag("a")', 'resource.getTag("a")', 'resource.owner.name'],
	decimal: ['principal.x', 'context.dec'], ip: ['context.ip', 'context.e'], datetime: ['context.d', 'principal.when'],
	duration: ['context.dur', 'context.du'],
	Entity: ['principal', 'resource', 'action', 'principal.friend', 'resource.owner', 'resource.e', 'context.o', 'principal.self', 'principal.bb'],
	Set: ['principal.s', 'principal.us', 'resource.recs', 'principal.tagg', 'principal.getTag("a")'],
	Record: ['principal.r', 'context', 'principal.r.c', 'resource.q', 'context.l'],
};
// For U, view and D.
const TAME = {
	Bool: ['principal.t', 'resource.v', 'context.b', '(context has c)', '(principal has age)', '(principal.r has b)', '(principal.r has c.d)',
		'(principal has friend.friend)', '(principal has friend.age)', '(resource has owner.friend.age)', '(context has o.friend)',
		'principal.hasTag("a")', 'principal.hasTag(principal.name)', 'resource.owner.hasTag("a")', '(principal has zzz)', '(context has o.zz)'],
	Long: ['principal.r.a', 'resource.owner.r.a', 'context.c', 'principal.age', 'principal.friend.age', 'resource.owner.friend.age', 'principal.friend.friend.age'],
	String: ['principal.name', 'resource.owner.name', 'resource.name', 'principal.r.b', 'principal.getTag("a")', 'principal.getTag(principal.name)', 'principal.friend.name'],
	decimal: ['context.dec', 'decimal("1.1")'], ip: ['context.ip', 'ip("10.0.0.0/8")'], datetime: ['context.d'], duration: ['context.dur', 'duration("1h")'],
	Entity: ['principal', 'resource', 'resource.owner', 'resource.e', 'principal.friend', 'context.o', 'context.o.friend', 'action', 'U::"a"', 'D::"q"', 'G::"g"', 'E::"a"'],
	Set: ['principal.s', 'principal.us', 'resource.recs', '[1,2]', '[principal]', '["a"]', '[{a:1}]', '[true,false]'],
	Record: ['principal.r', 'context', '{a:1}', '{a:1,b:"x"}', '{a: true}', '{a:false}'],
};
const GUARDS = [['(principal has age)', 'principal.age == 1'], ['(context has c)', 'context.c < 3'], ['(principal.r has b)', 'principal.r.b == "x"'],
	['(principal.r has c.d)', 'principal.r.c.d'], ['(principal has friend)', 'principal.friend == principal'], ['(principal has friend.age)', 'principal.friend.age > 2'],
	['principal.hasTag("a")', 'principal.getTag("a") == "b"'], ['(context has o)', 'context.o.t'], ['(resource has name)', 'resource.name == "q"'],
	['(principal has friend.friend)', 'principal.friend.friend in resource']];
const LITERALS = {
	Bool: () => r.pick(['true', 'false']), Long: () => r.pick(['0', '1', '-5', '42']), String: () => r.pick(['"a"', '"b"', '""']),
	decimal: () => P(0.85) ? `decimal("${r.pick(['1.0', '0.5', 'x', '1'])}")` : 'decimal(principal.name)',
	ip: () => P(0.85) ? `ip("${r.pick(['1.1.1.1', '::1', 'foo'])}")` : 'ip(context.x)',
	datetime: () => P(0.9) ? `datetime("${r.pick(['2024-01-01', 'zz'])}")` : 'datetime("2024-01-01","b")',
	duration: () => P(0.9) ? `duration("${r.pick(['1h', '5', '1d'])}")` : 'duration()',
};

let world, paths, isTame;
const attribute = () => r.pick(ATTRIBUTES);
const type = () => P(0.07) ? r.pick(['Foo', 'Action', 'X::Action']) : r.pick(world.types);
const entity = () => `${P(0.04) ? 'Foo' : r.pick(world.types)}::"${r.pick(['a', 'b', 'c'])}"`;
const anyUid = () => P(0.12) ? `${r.pick(world.action)}::"${P(0.1) ? 'zz' : r.pick(world.actions)}"` : entity();
const kinds = () => r.pick(Object.keys(WILD));

function wildPath() {
	let e = r.pick(['principal', 'resource', 'context', 'principal', 'resource', 'context', 'action']);
	for (let n = 1 + r.below(3); n > 0; n--)
		e += P(0.9) ? `.${attribute()}` : `["${attribute()}"]`;
	return e;
}

// A test and a use of what was tested, in ways that keep and lose what was learnt.
function guarded(d) {
	const [a, use] = r.pick(GUARDS), [b, use2] = r.pick(GUARDS);
	return r.pick([
		() => `(${a} && ${use})`, () => `(${a} && (${gen('Bool', d - 1)} && ${use}))`, () => `((${a} || ${b}) && ${use})`,
		() => `((${a} && ${b}) && (${use} || ${use2}))`, () => `(if ${a} then ${use} else ${gen('Bool', d - 1)})`,
		() => `((if ${a} then ${b} else ${b}) && ${use2})`, () => `(!${a} || ${use})`,
		() => `(((${a} && ${b}) || (${b} && ${gen('Bool', d - 1)})) && ${use2})`,
		() => `((if ${gen('Bool', 1)} then (${a} && ${b}) else ${a}) && ${use})`,
	])();
}

function has(d) {
	const path = r.pick([...paths.Record, ...paths.Entity]), a = attribute();
	const test = P(0.3) ? `${path} has ${a}.${attribute()}` : P(0.1) ? `${path} has "${a}"` : `${path} has ${a}`;
	return P(0.25) ? `(${test})` : `(${test} && ${path}.${a} == ${gen(kinds(), d - 1)})`;
}

function tag(d) {
	const e = gen('Entity', d - 1), t = P(0.7) ? '"a"' : gen('String', d - 1);
	return P(0.3) ? `${e}.hasTag(${t})` : `(${e}.hasTag(${t}) && ${e}.getTag(${t}) == ${gen(r.pick(['String', 'Long', 'Set']), d - 1)})`;
}

function genIn(d) {
	const list = () => `[${anyUid()}${P(0.5) ? `, ${anyUid()}` : ''}]`;
	return `(${gen('Entity', d - 1)} in ${P(0.6) ? gen('Entity', d - 1) : P(0.5) ? list() : gen('Set', d - 1)})`;
}

function bool(d) {
	const both = (kind, op) => `(${gen(kind, d - 1)} ${op} ${gen(kind, d - 1)})`;
	const forms = [
		[4, () => both('Bool', '&&')], [2, () => both('Bool', '||')], [1, () => `!(${gen('Bool', d - 1)})`],
		[3, () => both(kinds(), r.pick(['==', '!=']))], [5, () => has(d)], [1, () => tag(d)], [2, () => genIn(d)],
		[1, () => both(r.pick(['Long', 'Long', 'datetime', 'duration']), r.pick(['<', '<=', '>', '>=']))],
		[1, () => `(${gen('Entity', d - 1)} is ${type()}${P(0.3) ? ` in ${gen('Entity', d - 1)}` : ''})`],
		[1, () => `(${gen('String', d - 1)} like "a*")`],
		[1, () => `${gen('Set', d - 1)}.contains(${gen(r.pick(['Long', 'Entity', 'String', 'Record']), d - 1)})`],
		[1, () => `${gen('Set', d - 1)}.${r.pick(['containsAll', 'containsAny'])}(${gen('Set', d - 1)})`],
		[1, () => `${gen('Set', d - 1)}.isEmpty()`], [1, () => `${gen('decimal', d - 1)}.lessThan(${gen('decimal', d - 1)})`],
		[1, () => `${gen('ip', d - 1)}.${r.pick(['isIpv4', 'isLoopback', 'isMulticast'])}(${P(0.08) ? '1' : ''})`],
		[1, () => `${gen('ip', d - 1)}.isInRange(${gen('ip', d - 1)}${P(0.1) ? `, ${gen('ip', 0)}` : ''})`],
	].flatMap(([weight, form]) => Array(weight).fill(form));
	return r.pick(forms)();
}

function gen(kind, d) {
	if (P(isTame ? 0.02 : 0.07))
		kind = kinds();
	if (kind === 'Bool' && isTame && d > 0 && P(0.35))
		return guarded(d);
	if (d <= 0 || P(0.12))
		return P(0.5) && LITERALS[kind] ? LITERALS[kind]() : P(0.85) ? r.pick(paths[kind]) : wildPath();
	if (P(0.05))
		return `(if ${gen('Bool', d - 1)} then ${gen(kind, d - 1)} else ${gen(kind, d - 1)})`;
	if (P(0.03))
		return `{a: ${gen(kind, d - 1)}, b: 1}.a`;
	const one = (...forms) => r.pick(forms)();
	switch (kind) {
	case 'Bool': return bool(d);
	case 'Long': return one(() => `(${gen('Long', d - 1)} ${r.pick(['+', '-', '*'])} ${gen('Long', d - 1)})`, () => `-(${gen('Long', d - 1)})`,
		() => `${gen('duration', d - 1)}.toDays()`, LITERALS.Long);
	case 'String': return one(LITERALS.String, () => r.pick(paths.String));
	case 'datetime': return one(() => `${gen('datetime', d - 1)}.offset(${gen('duration', d - 1)})`, () => `${gen('datetime', d - 1)}.toDate()`, LITERALS.datetime);
	case 'duration': return one(() => `${gen('datetime', d - 1)}.durationSince(${gen('datetime', d - 1)})`, () => `${gen('datetime', d - 1)}.toTime()`, LITERALS.duration);
	case 'Entity': return one(() => r.pick(paths.Entity), anyUid);
	case 'Set': {
		const of = r.pick(['Long', 'String', 'Entity', 'Record', 'Bool']), n = P(0.1) ? 0 : 1 + r.below(3);
		return P(0.4) ? r.pick(paths.Set) : `[${Array.from({ length: n }, () => gen(of, d - 1)).join(', ')}]`;
	}
	case 'Record': return P(0.5) ? r.pick(paths.Record) :
		`{${['a', 'b', 'k'].slice(0, r.below(3)).map((k) => `${P(0.2) ? `"${k}"` : k}: ${gen(kinds(), d - 1)}`).join(', ')}}`;
	default: return LITERALS[kind]();
	}
}

function scope(variable, isTemplate) {
	const value = () => isTemplate && P(0.5) ? `?${variable}` : P(0.03) ? anyUid() : entity();
	return r.pick([variable, variable, variable, `${variable} == ${value()}`, `${variable} in ${value()}`, `${variable} is ${type()}`,
		`${variable} is ${type()} in ${value()}`]);
}

function actionScope() {
	const uid = () => `${P(0.03) ? 'Z::Action' : r.pick(world.action)}::"${P(0.04) ? 'zz' : r.pick(world.actions)}"`;
	return r.pick(['action', 'action', `action == ${uid()}`, `action in ${uid()}`, `action in [${uid()}]`, `action in [${uid()}, ${uid()}]`,
		P(0.2) ? 'action in []' : 'action']);
}

function makeCase() {
	isTame = P(0.5);
	world = isTame ? WORLDS[0] : r.pick(WORLDS);
	paths = isTame ? TAME : WILD;
	const isTemplate = P(0.2);
	let text = isTame ? 'permit(principal is U, action == Action::"view", resource is D)' :
		`${r.pick(['permit', 'forbid'])}(${scope('principal', isTemplate)}, ${actionScope()}, ${scope('resource', isTemplate)})`;
	for (let n = r.below(4); n > 0; n--)
		text += ` ${P(0.75) ? 'when' : 'unless'} { ${gen('Bool', 1 + r.below(4))} }`;
	return { schema: world.schema, policies: `${text};`, mode: 'strict' };
}

// ---- Findings in one form ------------------------------------------------------------

const CODES = [[/unrecognized entity type/, 'unknown_entity_type'], [/unrecognized action/, 'unknown_action'],
	[/enumerated entity type/, 'invalid_enum_id'], [/unexpected type/, 'unexpected_type'], [/are not compatible/, 'incompatible_types'],
	[/access to optional attribute/, 'optional_attribute'], [/attribute .* not found/, 'unknown_attribute'], [/access to tag/, 'unsafe_tag'],
	[/wrong number/, 'wrong_arity'], [/argument validation/, 'invalid_literal'], [/empty set/, 'empty_set'],
	[/extension constructors/, 'non_literal_constructor'], [/unable to find an applicable/, 'no_applicable_action'],
	[/impossible/, 'impossible_policy']];
const codeOf = (message) => CODES.find(([re]) => re.test(message))?.[1] ?? message;

// Where the bracket at i is closed, one further.
function closing(text, i) {
	for (let depth = 0; i < text.length; i++) {
		if (text[i] === '"')
			for (i++; text[i] !== '"'; i++)
				i += text[i] === '\\';
		else if ('([{'.includes(text[i]))
			depth++;
		else if (')]}'.includes(text[i]) && --depth === 0)
			return i + 1;
	}
	return i;
}

// The reference's place of a part of a chain of accesses is the whole chain, and a negative literal's is its digits.
function theirPlace(text, f) {
	const part = text.slice(f.begin, f.end);
	if (/^-\d+$/.test(part))
		return `${f.begin + 1}-${f.end}`;
	const isBracket = /^[[{]/.test(part) && closing(text, f.begin) === f.end;
	const isLiteral = /^([\w:]+::)?"[^"]*"$/.test(part);
	if (f.severity === 'warning' || isLiteral || isBracket || !/[.([]/.test(part))
		return `${f.begin}-${f.end}`;
	let end = f.end;
	for (;;) {
		const more = text.slice(end).match(/^\s*\.\s*\w+/)?.[0].length ?? 0;
		if (!more && text[end] !== '[')
			return `${f.begin}-${end}`;
		end += more;
		if (text[end] === '(' || text[end] === '[')
			end = closing(text, end);
	}
}

function actionPlace(text) {
	const begin = text.indexOf('action in [');
	return `${begin}-${text.indexOf(']', begin) + 1}`;
}

function theirs(c) {
	const policies = c.policies.includes('?') ? { templates: { t: c.policies } } : { staticPolicies: c.policies };
	const answer = cedar.validate({ schema: c.schema, policies, validationSettings: { mode: 'strict' } });
	if (answer.type !== 'success')
		return ['does not parse'];
	const form = (severity) => ({ error }) => {
		const place = error.sourceLocations?.[0];
		return `${severity} ${codeOf(error.message)} ${place ? `${place.start}-${place.end}` : actionPlace(c.policies)}`;
	};
	return [...answer.validationErrors.map(form('error')), ...answer.validationWarnings.map(form('warning'))];
}

function ours(c, answer) {
	return answer.parses ? answer.findings.map((f) => `${f.severity} ${f.code} ${theirPlace(c.policies, f)}`) : ['does not parse'];
}

const cases = Array.from({ length: Number(options.cases) }, makeCase);
const input = cases.map((c) => `${JSON.stringify(c)}\n`).join('');
const answers = execFileSync(options.answer, { input, maxBuffer: 2 ** 30 }).toString().trim().split('\n').map((l) => JSON.parse(l));
let failed = 0;
cases.forEach((c, i) => {
	const [a, b] = [theirs(c), ours(c, answers[i])].map((list) => [...new Set(list)].sort());
	if (JSON.stringify(a) === JSON.stringify(b))
		return;
	failed++;
	console.log(c.policies, '\n  only the reference:', a.filter((x) => !b.includes(x)), '\n  only ours:', b.filter((x) => !a.includes(x)));
});
console.log(`${cases.length - failed} passed, ${failed} failed, 0 skipped`);
process.exit(failed ? 1 : 0);
