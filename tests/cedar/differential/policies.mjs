// Random policies for a world: tokens first, then text with random blanks and comments, then mistakes.
import { ATTRIBUTES, EXTENSION_TEXTS, IDS, STRINGS, attributeName, entityId, quote } from './world.mjs';

const BOOL = { kind: 'bool' }, LONG = { kind: 'long' }, STRING = { kind: 'string' };
const SCALAR_KINDS = ['bool', 'long', 'string', 'decimal', 'ip', 'datetime', 'duration'];

// Precedence, lowest first; an operand that binds less gets parentheses.
const P_IF = 0, P_OR = 1, P_AND = 2, P_RELATION = 3, P_SUM = 4, P_PRODUCT = 5, P_UNARY = 6, P_MEMBER = 7;

class Maker {
	constructor(r, world) {
		this.r = r;
		this.world = world;
		this.action = r.pick(world.actions);
		this.vars = {
			principal: { kind: 'entity', name: r.pick(this.action.principals.length ? this.action.principals : world.entityNames) },
			resource: { kind: 'entity', name: r.pick(this.action.resources.length ? this.action.resources : world.entityNames) },
			action: { kind: 'entity', name: world.actionType },
			context: { kind: 'record', attributes: this.action.context },
		};
	}
	// An expression is {tokens, level}.
	wrap(e, level) {
		const needs = e.level < level || this.r.chance(4);
		return needs ? ['(', ...e.tokens, ')'] : e.tokens;
	}
	uidTokens(type, id) {
		return [...type.split('::').flatMap((part, i) => (i ? ['::', part] : [part])), '::', this.string(id)];
	}
	string(text) {
		const { r } = this;
		let out = '"';
		for (const c of text) {
			const n = c.codePointAt(0);
			if (c === '"' || c === '\\') out += '\\' + c;
			else if (c === '\n') out += r.pick(['\\n', '\n', '\\x0a', '\\u{a}']);
			else if (c === '\t') out += r.pick(['\\t', '\t']);
			else if (c === "'") out += r.pick(["'", "\\'"]);
			else if (n < 0x20) out += `\\u{${n.toString(16)}}`;
			else out += r.chance(3) ? `\\u{${n.toString(16)}}` : c;
		}
		return out + '"';
	}
	literal(tokens) {
		return { tokens, level: P_MEMBER };
	}
	binary(left, op, right, level) {
		return { tokens: [...this.wrap(left, level + (level === P_RELATION ? 1 : 0)), op, ...this.wrap(right, level + 1)], level };
	}
	member(e, ...rest) {
		return { tokens: [...this.wrap(e, P_MEMBER), ...rest], level: P_MEMBER };
	}
	call(e, name, ...args) {
		return this.member(e, '.', name, '(', ...args.flatMap((a, i) => (i ? [',', ...a.tokens] : a.tokens)), ')');
	}
	attribute(e, name) {
		return attributeName(name) === name && this.r.chance(85) ? this.member(e, '.', name) : this.member(e, '[', this.string(name), ']');
	}
	randomType(depth) {
		const { r } = this;
		const n = r.below(12);
		if (n < 2) return { kind: 'entity', name: r.pick(this.world.entityNames) };
		if (n < 4 && depth > 0) return { kind: 'set', of: this.randomType(depth - 1) };
		if (n < 5 && depth > 0) return { kind: 'record', attributes: Object.fromEntries(
			r.shuffled(ATTRIBUTES).slice(0, r.below(3)).map((k) => [k, { type: this.randomType(depth - 1) }])) };
		return { kind: r.pick(SCALAR_KINDS) };
	}
	// Paths from the variables that have the type, up to three steps long.
	paths(type) {
		const found = [];
		const walk = (e, t, steps) => {
			if (JSON.stringify(t) === JSON.stringify(type)) found.push(e);
			const attributes = t.kind === 'record' ? t.attributes : t.kind === 'entity' ? this.world.entities[t.name]?.attributes : null;
			if (steps === 0 || !attributes) return;
			for (const [name, a] of Object.entries(attributes)) walk(() => this.attribute(e(), name), a.type, steps - 1);
		};
		for (const [name, t] of Object.entries(this.vars)) walk(() => this.literal([name]), t, 3);
		return found;
	}
	// Something of a type that has attributes, and one of them.
	holder() {
		const { r } = this;
		const name = r.pick(['principal', 'resource', 'context', 'principal', 'resource']);
		let e = this.literal([name]);
		let type = this.vars[name];
		for (;;) {
			const attributes = type.kind === 'record' ? type.attributes : (this.world.entities[type.name]?.attributes ?? {});
			const names = Object.keys(attributes);
			const attribute = names.length && r.chance(85) ? r.pick(names) : r.pick(ATTRIBUTES);
			const next = attributes[attribute]?.type;
			if (!next || !['record', 'entity'].includes(next.kind) || r.chance(60)) return { e, type, attribute, attributeType: next };
			e = this.attribute(e, attribute);
			type = next;
		}
	}
	expr(type, depth) {
		const { r } = this;
		if (r.chance(3)) type = this.randomType(1);
		if (depth > 0 && r.chance(5)) return this.conditional(type, depth);
		if (r.chance(45)) {
			const found = this.paths(type);
			if (found.length) return r.pick(found)();
		}
		const make = this[`make_${type.kind}`];
		return make.call(this, depth, type);
	}
	conditional(type, depth) {
		return { tokens: ['if', ...this.expr(BOOL, depth - 1).tokens, 'then', ...this.expr(type, depth - 1).tokens, 'else',
			...this.expr(type, depth - 1).tokens], level: P_IF };
	}
	make_bool(depth) {
		const { r } = this;
		if (depth <= 0) return this.literal([r.pick(['true', 'false'])]);
		const d = depth - 1;
		switch (r.below(17)) {
		case 0: case 1: return this.guarded(d);
		case 2: case 3: return this.binary(this.expr(BOOL, d), '&&', this.expr(BOOL, d), P_AND);
		case 4: case 5: return this.binary(this.expr(BOOL, d), '||', this.expr(BOOL, d), P_OR);
		case 6: return { tokens: [...r.times(1, r.chance(10) ? 5 : 2, () => '!'), ...this.wrap(this.expr(BOOL, d), P_MEMBER)], level: P_UNARY };
		case 7: case 8: {
			const t = this.randomType(1);
			return this.binary(this.expr(t, d), r.pick(['==', '!=']), this.expr(t, d), P_RELATION);
		}
		case 9: {
			const t = { kind: r.pick(['long', 'long', 'datetime', 'duration']) };
			return this.binary(this.expr(t, d), r.pick(['<', '<=', '>', '>=']), this.expr(t, d), P_RELATION);
		}
		case 10: return this.has();
		case 11: return { tokens: [...this.wrap(this.expr(STRING, d), P_SUM), 'like', this.pattern()], level: P_RELATION };
		case 12: return this.is(d);
		case 13: return this.membership(d);
		case 14: return this.setTest(d);
		case 15: return this.extensionTest(d);
		default: return this.call(this.expr(this.entityType(), d), 'hasTag', this.expr(STRING, d));
		}
	}
	entityType() {
		const { r } = this;
		return r.chance(50) ? r.pick([this.vars.principal, this.vars.resource]) : { kind: 'entity', name: r.pick(this.world.entityNames) };
	}
	// `x has a && x.a ...`, as people write it.
	guarded(depth) {
		const h = this.holder();
		const test = { tokens: [...this.wrap(h.e, P_SUM), 'has', attributeName(h.attribute)], level: P_RELATION };
		const use = this.attribute(h.e, h.attribute);
		const type = h.attributeType ?? STRING;
		const body = type.kind === 'bool' ? use : this.binary(use, this.r.pick(['==', '!=']), this.expr(type, depth - 1), P_RELATION);
		return this.binary(test, '&&', body, P_AND);
	}
	has() {
		const { r } = this;
		const h = this.holder();
		const plain = attributeName(h.attribute) === h.attribute;
		const names = plain && r.chance(30) ? [h.attribute, ...r.times(1, 2, () => r.pick(['name', 'info', 'owner', 'level']))] : null;
		const right = names ? names.flatMap((n, i) => (i ? ['.', n] : [n])) : [plain && r.chance(80) ? h.attribute : this.string(h.attribute)];
		return { tokens: [...this.wrap(h.e, P_SUM), 'has', ...right], level: P_RELATION };
	}
	pattern() {
		const { r } = this;
		return '"' + r.times(0, 4, () => r.pick(['*', '*', 'a', 'lice', '\\*', ' ', 'é', '\\u{2a}', '\\"', 'b'])).join('') + '"';
	}
	is(depth) {
		const { r } = this;
		const t = r.chance(85) ? r.pick(this.world.entityNames) : r.pick(['Nobody', 'NS::User', this.world.actionType]);
		const left = this.wrap(this.expr(this.entityType(), depth), P_SUM);
		const tail = r.chance(30) ? ['in', ...this.wrap(this.expr(this.entityType(), depth), P_SUM)] : [];
		return { tokens: [...left, 'is', ...t.split('::').flatMap((p, i) => (i ? ['::', p] : [p])), ...tail], level: P_RELATION };
	}
	membership(depth) {
		const { r } = this;
		if (r.chance(25)) {
			const ids = r.times(1, 3, () => this.literal(this.uidTokens(this.world.actionType, r.pick(this.world.actions).id)));
			const right = r.chance(50) ? ids[0] : this.list(ids);
			return this.binary(this.literal(['action']), 'in', right, P_RELATION);
		}
		const t = this.entityType();
		const right = r.chance(40) ? { kind: 'set', of: t } : t;
		return this.binary(this.expr(this.entityType(), depth), 'in', this.expr(right, depth), P_RELATION);
	}
	list(items) {
		return this.literal(['[', ...items.flatMap((e, i) => (i ? [',', ...e.tokens] : e.tokens)),
			...(items.length && this.r.chance(5) ? [','] : []), ']']);
	}
	setTest(depth) {
		const { r } = this;
		const of = this.randomType(0);
		const set = { kind: 'set', of };
		const method = r.pick(['contains', 'containsAll', 'containsAny', 'isEmpty']);
		const left = this.expr(set, depth);
		if (method === 'isEmpty') return this.call(left, method);
		return this.call(left, method, this.expr(method === 'contains' ? of : set, depth));
	}
	extensionTest(depth) {
		const { r } = this;
		if (r.chance(50)) {
			const d = { kind: 'decimal' };
			return this.call(this.expr(d, depth), r.pick(['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual']), this.expr(d, depth));
		}
		const ip = { kind: 'ip' };
		const method = r.pick(['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast', 'isInRange']);
		return this.call(this.expr(ip, depth), method, ...(method === 'isInRange' ? [this.expr(ip, depth)] : []));
	}
	make_long(depth) {
		const { r } = this;
		if (depth <= 0 || r.chance(30)) {
			const text = r.pick(['0', '1', '2', '7', '42', '007', '9223372036854775807', '9007199254740993', ...(r.chance(5) ? ['9223372036854775808'] : [])]);
			return r.chance(20) ? { tokens: ['-', text], level: P_UNARY } : this.literal([text]);
		}
		const d = depth - 1;
		switch (r.below(6)) {
		case 0: case 1: return this.binary(this.expr(LONG, d), r.pick(['+', '-']), this.expr(LONG, d), P_SUM);
		case 2: return this.binary(this.expr(LONG, d), '*', this.expr(LONG, d), P_PRODUCT);
		case 3: return { tokens: [...r.times(1, r.chance(10) ? 5 : 2, () => '-'), ...this.wrap(this.expr(LONG, d), P_MEMBER)], level: P_UNARY };
		default: return this.call(this.expr({ kind: 'duration' }, d), r.pick(['toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays']));
		}
	}
	make_string() {
		return this.literal([this.string(this.r.pick(STRINGS))]);
	}
	make_entity(depth, type) {
		const { r } = this;
		if (depth > 0 && r.chance(15)) return this.call(this.expr(this.entityType(), depth - 1), 'getTag', this.expr(STRING, depth - 1));
		return this.literal(this.uidTokens(type.name, type.name === this.world.actionType ? r.pick(this.world.actions).id : entityId(r, this.world, type.name)));
	}
	make_set(depth, type) {
		return this.list(this.r.times(this.r.chance(10) ? 0 : 1, 3, () => this.expr(type.of, depth - 1)));
	}
	make_record(depth, type) {
		const { r } = this;
		const names = r.shuffled(Object.keys(type.attributes));
		return this.literal(['{', ...names.flatMap((name, i) => [...(i ? [','] : []), attributeName(name) === name && r.chance(80) ? name : this.string(name),
			':', ...this.expr(type.attributes[name].type, depth - 1).tokens]), ...(names.length && r.chance(5) ? [','] : []), '}']);
	}
	extension(fn) {
		const texts = EXTENSION_TEXTS[fn];
		const text = this.r.chance(94) ? this.r.pick(texts) : this.r.pick(STRINGS);
		return this.literal([fn, '(', this.string(text), ')']);
	}
	make_decimal() {
		return this.extension('decimal');
	}
	make_ip() {
		return this.extension('ip');
	}
	make_datetime(depth) {
		const { r } = this;
		const d = depth - 1;
		if (depth <= 0 || r.chance(60)) return this.extension('datetime');
		const e = this.expr({ kind: 'datetime' }, d);
		return r.chance(50) ? this.call(e, 'toDate') : this.call(e, 'offset', this.expr({ kind: 'duration' }, d));
	}
	make_duration(depth) {
		const { r } = this;
		const d = depth - 1;
		if (depth <= 0 || r.chance(60)) return this.extension('duration');
		const e = this.expr({ kind: 'datetime' }, d);
		return r.chance(50) ? this.call(e, 'toTime') : this.call(e, 'durationSince', this.expr({ kind: 'datetime' }, d));
	}

	// ---- Scope and policy
	scopeOf(name) {
		const { r } = this;
		const type = r.chance(85) ? this.vars[name].name : r.pick(this.world.entityNames);
		const target = r.chance(12) ? [`?${name}`] : this.uidTokens(type, entityId(r, this.world, type));
		const typeTokens = type.split('::').flatMap((p, i) => (i ? ['::', p] : [p]));
		switch (r.below(8)) {
		case 0: return [name, '==', ...target];
		case 1: return [name, 'in', ...target];
		case 2: return [name, 'is', ...typeTokens];
		case 3: return [name, 'is', ...typeTokens, 'in', ...target];
		default: return [name];
		}
	}
	actionScope() {
		const { r } = this;
		const one = () => this.uidTokens(r.chance(95) ? this.world.actionType : 'Other::Action', r.chance(70) ? this.action.id : r.pick(this.world.actions).id);
		switch (r.below(5)) {
		case 0: return ['action', '==', ...one()];
		case 1: return ['action', 'in', ...one()];
		case 2: return ['action', 'in', ...this.list(r.times(r.chance(10) ? 0 : 1, 3, () => this.literal(one()))).tokens];
		default: return ['action'];
		}
	}
	policy() {
		const { r } = this;
		const annotations = r.shuffled(['id', 'reason', 'if', '_x', 'permit']).slice(0, r.pick([0, 0, 0, 1, 1, 2, 3]))
			.flatMap((key) => ['@', key, ...(r.chance(80) ? ['(', this.string(r.pick([...STRINGS, 'p1'])), ')'] : [])]);
		const conditions = r.times(0, r.chance(20) ? 4 : 1, () => [r.chance(70) ? 'when' : 'unless', '{', ...this.expr(BOOL, r.pick([1, 2, 2, 3, 3, 4, 5])).tokens, '}']).flat();
		return [...annotations, r.chance(60) ? 'permit' : 'forbid', '(', ...this.scopeOf('principal'), ',', ...this.actionScope(), ',',
			...this.scopeOf('resource'), ...(r.chance(3) ? [','] : []), ')', ...conditions, ';'];
	}
}

const COMMENTS = ['// a comment', '//', '// permit (principal, action, resource);', '//x"y', '// ü 日本', '//  trailing  ', '// }'];

// Text of the tokens; style 0 is plain, 1 has odd blanks, 2 has comments too.
function layout(r, tokens, style) {
	let out = '';
	let before = '';
	for (const token of tokens) {
		const tight = /[\w"]$/.test(before) && /^[\w"]/.test(token);
		const mayJoin = !tight && !(before === '-' && token === '-') && before !== '' ;
		if (style === 0) out += before ? ' ' : '';
		else if (style === 2 && r.chance(7)) out += `${r.pick(['', ' ', '\n'])}${r.pick(COMMENTS)}\n${r.pick(['', '\t', '\n\n'])}`;
		else out += mayJoin && r.chance(40) ? '' : r.pick([' ', ' ', ' ', '\n', '\t', '  ', '\r\n', '\n\n', ...(style === 2 ? ['\u00a0'] : [])]);
		out += token;
		before = token;
	}
	return out;
}

const PIECES = ['(', ')', '{', '}', '[', ']', ',', ';', ':', '::', '.', '==', '=', '<', '!', '-', '&&', '||', '+', '*', '/', '%', '@', '?', '?principal', '?resource', '?x',
	'if', 'then', 'else', 'in', 'is', 'has', 'like', 'true', 'principal', 'action', 'resource', 'context', 'when', 'unless', 'permit', 'forbid', '__cedar', 'Action',
	'"a"', '"', '\\', '1', '9223372036854775808', 'ip', 'contains', '//', '#', '\u0000', '\ufeff', 'ü', "'a'", 'decimal("1.0")', 'getTag', 'isEmpty()'];

function mutate(r, tokens) {
	const copy = [...tokens];
	for (let n = 1 + r.below(2); n > 0 && copy.length; n--) {
		const at = r.below(copy.length);
		switch (r.below(5)) {
		case 0: copy.splice(at, 1); break;
		case 1: copy.splice(at, 0, r.pick(PIECES)); break;
		case 2: copy[at] = r.pick(PIECES); break;
		case 3: copy.splice(at, 0, copy[r.below(copy.length)]); break;
		default: {
			const other = r.below(copy.length);
			[copy[at], copy[other]] = [copy[other], copy[at]];
		}
		}
	}
	return copy;
}

// Policies as a list of texts (without mistakes unless `broken`).
export function makePolicies(r, world, broken) {
	const style = r.pick([0, 1, 1, 2, 2]);
	return r.times(1, r.chance(20) ? 12 : 4, () => {
		let tokens = new Maker(r, world).policy();
		if (broken && r.chance(60)) tokens = mutate(r, tokens);
		let text = layout(r, tokens, style);
		if (style === 2 && r.chance(30)) text = `${r.pick(COMMENTS)}\n${r.pick(['', '\n'])}${text}`;
		if (broken && r.chance(3)) {
			const characters = [...text]; // never between the halves of one
			characters.splice(r.below(characters.length + 1), 0, r.pick(PIECES));
			text = characters.join('');
		}
		return text;
	});
}

export function makeExpression(r, world) {
	const maker = new Maker(r, world);
	return layout(r, maker.expr(r.chance(50) ? BOOL : maker.randomType(1), 3).tokens, 1);
}

// A schema text with one mistake.
export function breakSchema(r, text) {
	const tokens = text.match(/"(?:[^"\\]|\\.)*"|\w+|::|[^\s\w]/g) ?? [];
	return mutate(r, tokens).join(' ');
}

export function linksFor(r, world, ids) {
	return ids.map((id, i) => ({ templateId: id, newId: `link${i}`, values: Object.fromEntries(['?principal', '?resource'].map((slot) => {
		const type = r.pick(world.entityNames);
		return [slot, { type, id: r.pick(IDS) }];
	})) }));
}
