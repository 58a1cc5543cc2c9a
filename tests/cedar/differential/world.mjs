// A random schema, with entities and requests that mostly fit it.
//
// Types are {kind, ...}: bool, long, string, decimal, ip, datetime, duration,
// {kind: 'entity', name}, {kind: 'set', of}, {kind: 'record', attributes: {name: {type, optional}}}.

const SCALARS = ['bool', 'long', 'string', 'decimal', 'ip', 'datetime', 'duration'];
const SCHEMA_NAMES = { bool: 'Bool', long: 'Long', string: 'String', decimal: 'decimal', ip: 'ipaddr', datetime: 'datetime', duration: 'duration' };
export const ATTRIBUTES = ['name', 'age', 'level', 'owner', 'tags_', 'addr', 'since', 'info', 'members', 'flag', 'a b', 'has', 'ü'];
export const IDS = ['alice', 'bob', 'a', '', 'x y', 'q"uote', 'ü', '1', 'back\\slash', '*'];

function isIdentifier(name) {
	return /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !/^(true|false|if|then|else|in|is|like|has|__cedar)$/.test(name);
}

export function quote(text) {
	let out = '"';
	for (const c of text) {
		const n = c.codePointAt(0);
		if (c === '"' || c === '\\') out += '\\' + c;
		else if (n < 0x20 || n === 0x7f) out += `\\u{${n.toString(16)}}`;
		else out += c;
	}
	return out + '"';
}

export function attributeName(name) {
	return isIdentifier(name) ? name : quote(name);
}

function randomType(r, world, depth) {
	const n = r.below(10);
	if (depth > 0 && n === 0) return { kind: 'set', of: randomType(r, world, depth - 1) };
	if (depth > 0 && n === 1) return { kind: 'record', attributes: randomAttributes(r, world, depth - 1, 3) };
	if (n <= 3) return { kind: 'entity', name: r.pick(world.entityNames) };
	return { kind: r.pick(SCALARS) };
}

function randomAttributes(r, world, depth, max) {
	const attributes = {};
	for (const name of r.shuffled(ATTRIBUTES).slice(0, r.below(max + 1)))
		attributes[name] = { type: randomType(r, world, depth), optional: r.chance(35) };
	return attributes;
}

export function typeText(type) {
	switch (type.kind) {
	case 'entity': return type.name;
	case 'set': return `Set<${typeText(type.of)}>`;
	case 'record': return `{${Object.entries(type.attributes)
		.map(([name, a]) => `${attributeName(name)}${a.optional ? '?' : ''}: ${typeText(a.type)}`).join(', ')}}`;
	default: return SCHEMA_NAMES[type.kind];
	}
}

function schemaText(world) {
	const lines = [];
	for (const e of Object.values(world.entities)) {
		const name = world.namespace ? e.name.slice(world.namespace.length + 2) : e.name;
		if (e.ids) {
			lines.push(`entity ${name} enum [${e.ids.map(quote).join(', ')}];`);
			continue;
		}
		lines.push(`entity ${name}${e.parents.length ? ` in [${e.parents.join(', ')}]` : ''}` +
			` ${typeText({ kind: 'record', attributes: e.attributes })}${e.tags ? ` tags ${typeText(e.tags)}` : ''};`);
	}
	for (const a of world.actions) {
		const groups = a.parents.length ? ` in [${a.parents.map(quote).join(', ')}]` : '';
		const applies = a.principals.length ? ` appliesTo { principal: [${a.principals.join(', ')}], resource: [${a.resources.join(', ')}],` +
			` context: ${typeText({ kind: 'record', attributes: a.context })} }` : '';
		lines.push(`action ${quote(a.id)}${groups}${applies};`);
	}
	const body = lines.join('\n');
	return world.namespace ? `namespace ${world.namespace} {\n${body}\n}\n` : `${body}\n`;
}

export function makeWorld(r) {
	const namespace = r.pick(['', '', 'NS', 'App::Core']);
	const full = (name) => (namespace ? `${namespace}::${name}` : name);
	const names = ['User', 'Group', 'Doc', 'Kind'].slice(0, 2 + r.below(3)).map(full);
	const world = { namespace, entityNames: names, entities: {}, actions: [], actionType: full('Action') };
	names.forEach((name, i) => {
		if (i === 3 && r.chance(70)) {
			world.entities[name] = { name, ids: ['red', 'green', 'b"'], parents: [], attributes: {} };
			return;
		}
		world.entities[name] = { name, parents: r.some(names.slice(0, 3), 40), attributes: randomAttributes(r, world, 2, 5),
			tags: r.chance(30) ? randomType(r, world, 1) : null };
	});
	// A type without members can have no enumerated ancestor either way; that is the schema's business.
	for (const e of Object.values(world.entities)) e.parents = e.parents.filter((p) => !world.entities[p].ids);
	['view', 'edit', 'all', 'x y'].slice(0, 2 + r.below(3)).forEach((id, i, list) => {
		const isGroup = id === 'all' && r.chance(50);
		world.actions.push({ id, parents: i < 2 && list.length > 2 && r.chance(60) ? ['all'] : [],
			principals: isGroup ? [] : r.shuffled(names).slice(0, 1 + r.below(2)),
			resources: isGroup ? [] : r.shuffled(names).slice(0, 1 + r.below(2)),
			context: randomAttributes(r, world, 2, 4) });
	});
	world.schema = schemaText(world);
	return world;
}

export function entityId(r, world, type) {
	const ids = world.entities[type]?.ids;
	return ids && r.chance(90) ? r.pick(ids) : r.pick(IDS);
}

const DATES = ['2024-01-01', '1969-12-31T23:59:59.999Z', '2024-02-29T12:00:00+0130', '0001-01-01', '9999-12-31T23:59:59Z'];
const DURATIONS = ['1h', '-1d', '1d2h3m4s5ms', '0ms', '90m'];
const DECIMALS = ['0.0', '1.5', '-3.1416', '922337203685477.5807', '00.10'];
const ADDRESSES = ['127.0.0.1', '10.0.0.0/8', '192.168.1.7/24', '::1', 'ff00::/8', '2001:db8::1', '0.0.0.0/0'];
export const EXTENSION_TEXTS = { datetime: DATES, duration: DURATIONS, decimal: DECIMALS, ip: ADDRESSES };
export const STRINGS = ['', 'a', 'alice', 'hello world', 'a*b', 'tab\there', 'q"uote', 'back\\slash', 'é', '日本', 'e\u0301', 'line\nbreak', '\u{1f600}'];
const INTEGERS = [0, 1, -1, 2, 7, 42, 100, 9007199254740991, -9007199254740991];

// A value in the form of entity JSON.
export function randomValue(r, world, type, depth = 3) {
	switch (type.kind) {
	case 'bool': return r.chance(50);
	case 'long': return r.pick(INTEGERS);
	case 'string': return r.pick(STRINGS);
	case 'entity': return { __entity: { type: type.name, id: entityId(r, world, type.name) } };
	case 'set': return depth ? r.times(0, 3, () => randomValue(r, world, type.of, depth - 1)) : [];
	case 'record': return randomRecord(r, world, type.attributes, depth);
	default: return { __extn: { fn: type.kind, arg: r.pick(EXTENSION_TEXTS[type.kind]) } };
	}
}

export function randomRecord(r, world, attributes, depth = 3) {
	const record = {};
	for (const [name, a] of Object.entries(attributes)) {
		if (a.optional && r.chance(40)) continue;
		if (r.chance(1)) continue;
		record[name] = randomValue(r, world, r.chance(99) ? a.type : { kind: r.pick(SCALARS) }, depth - 1);
	}
	return record;
}

// Parents go to later ids only, so that there is no cycle (but for a rare one).
export function makeEntities(r, world) {
	const list = [];
	for (const e of Object.values(world.entities)) {
		for (const id of r.some(e.ids ?? IDS, 55)) {
			const parents = [];
			for (const p of e.parents)
				for (const parent of r.some(IDS, 15))
					if (IDS.indexOf(parent) > IDS.indexOf(id) || (p !== e.name && world.entityNames.indexOf(p) > world.entityNames.indexOf(e.name)))
						parents.push({ type: p, id: parent });
			const entity = { uid: { type: e.name, id }, attrs: randomRecord(r, world, e.attributes), parents };
			if (e.tags && r.chance(60))
				entity.tags = Object.fromEntries(r.some(['k', 'key two', ''], 50).map((k) => [k, randomValue(r, world, e.tags, 2)]));
			list.push(entity);
		}
	}
	return list;
}

export function makeRequest(r, world) {
	const action = r.pick(world.actions.filter((a) => a.principals.length)) ?? world.actions[0];
	const type = (list) => (list.length && r.chance(95) ? r.pick(list) : r.pick(world.entityNames));
	const principal = type(action.principals);
	const resource = type(action.resources);
	return {
		principal: { type: principal, id: entityId(r, world, principal) },
		action: { type: world.actionType, id: r.chance(97) ? action.id : 'unknown' },
		resource: { type: resource, id: entityId(r, world, resource) },
		context: randomRecord(r, world, action.context),
	};
}
