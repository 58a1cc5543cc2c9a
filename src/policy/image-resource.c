/* What the compiler knows about the resource: its type, what it is in, its attributes. */
#include "policy/host.h"
#include "policy/image-compile.h"
#include "policy/image-hash.h"

enum request_class request_class_of(enum policy_action action)
{
	if (action < POLICY_PROCESS_EXEC)
		return REQUEST_FILE;
	if (action == POLICY_PROCESS_EXEC)
		return REQUEST_EXEC;
	if (action == POLICY_DNS_RESOLVE)
		return REQUEST_DNS;
	if (action == POLICY_HTTP_REQUEST)
		return REQUEST_HTTP;
	return action == POLICY_MCP_CALL ? REQUEST_MCP : REQUEST_NETWORK;
}

struct span resource_type(const struct compiler *c)
{
	if (c->class == REQUEST_FILE || c->class == REQUEST_EXEC)
		return TYPE_FILE;
	return c->class == REQUEST_MCP ? TYPE_MCP_TOOL : TYPE_HOST;
}

/* ---- Tests -------------------------------------------------------------------- */

static bool is_too_deep(const struct test *t)
{
	char separator = t->subject == IMAGE_HOST ? '.' : '/';
	size_t depth = 0;

	for (size_t i = 0; i < t->text.len; i++)
		depth += t->text.p[i] == separator;
	return depth >= IMAGE_MAX_DEPTH;
}

void add_test(struct compiler *c, struct test_list *list, const struct test *t)
{
	uint32_t number;

	if (t->text.len > IMAGE_NODE_MAX_TEXT || is_too_deep(t))
		list->is_maybe = true;
	else if (atoms_test(&c->atoms, t, &number))
		vec_push(&list->tests, number);
	else
		c->formula.is_out_of_memory = true;
}

void add_text_test(struct compiler *c, struct test_list *list, enum test_kind kind,
		   enum image_subject subject, struct span text, uint32_t port)
{
	add_test(c, list, &(struct test){ kind, subject, port, text });
}

void add_ports(struct compiler *c, struct test_list *list, int64_t low, int64_t high)
{
	char text[4];

	low = MAX(low, 0);
	high = MIN(high, UINT16_MAX);
	if (low > high)
		return;
	text[0] = (char)(low >> 8);
	text[1] = (char)low;
	text[2] = (char)(high >> 8);
	text[3] = (char)high;
	add_text_test(c, list, TEST_RANGE, IMAGE_PORT, span_make(text, 4), ANY_PORT);
}

void add_address(struct compiler *c, struct test_list *list, const struct policy_address *a,
		 unsigned int prefix, uint32_t port)
{
	size_t len = (prefix + 7) / 8;
	char text[17];

	text[0] = (char)prefix;
	memcpy(text + 1, a->bytes, 16);
	if (prefix % 8)
		text[len] = (char)((unsigned char)text[len] & (0xff00u >> prefix % 8));
	add_text_test(c, list, TEST_BITS, a->is_v6 ? IMAGE_ADDRESS_V6 : IMAGE_ADDRESS_V4,
		      span_make(text, 1 + len), port);
}

struct rails rails_of_tests(struct compiler *c, struct test_list *list, uint32_t definer)
{
	struct rails r;
	uint32_t atom;

	if (list->is_maybe) {
		r = rails_maybe(&c->formula);
	} else if (list->is_always || !list->tests.len) {
		r = rails_known(&c->formula, list->is_always);
		if (definer)
			r = rails_and(&c->formula, rails_atom(&c->formula, definer, definer), r);
	} else if (atoms_any(&c->atoms, list->tests.items, list->tests.len, &atom)) {
		r = rails_atom(&c->formula, atom, definer);
	} else {
		c->formula.is_out_of_memory = true;
		r = rails_maybe(&c->formula);
	}
	vec_done(&list->tests);
	return r;
}

/* ---- Files --------------------------------------------------------------------- */

static void file_in(struct compiler *c, struct test_list *list, struct cedar_entity_uid uid)
{
	struct span dir = uid.id;

	if (span_eq(uid.type, TYPE_FILE))
		add_text_test(c, list, TEST_EQUAL, IMAGE_PATH, uid.id, ANY_PORT);
	if (!span_eq(uid.type, TYPE_DIR))
		return;
	if (dir.len == 0 || dir.p[0] != '/') {
		list->is_maybe = true;
		return;
	}
	while (dir.len && dir.p[dir.len - 1] == '/')
		dir.len--;
	add_text_test(c, list, TEST_DIR, IMAGE_PATH, dir, ANY_PORT);
}

/* ---- Hosts ---------------------------------------------------------------------- */

static uint32_t port_condition(const struct host_id *h)
{
	return h->port ? h->port : ANY_PORT;
}

static void host_in_every(struct compiler *c, struct test_list *list, uint16_t port)
{
	/* A tool's server may have no host. */
	if (c->class == REQUEST_MCP)
		add_text_test(c, list, TEST_BELOW, IMAGE_HOST, SPAN(""), port ? port : ANY_PORT);
	else if (port)
		add_ports(c, list, port, port);
	else
		list->is_always = true;
}

static void host_in_host(struct compiler *c, struct test_list *list, struct span id)
{
	struct host_id h;

	if (!host_id_parse(id, &h))
		return;
	if (h.is_wildcard && h.name.len == 0)
		host_in_every(c, list, h.port);
	else if (h.has_address)
		add_address(c, list, &h.address, h.address.is_v6 ? 128 : 32, port_condition(&h));
	else
		add_text_test(c, list, h.is_wildcard ? TEST_BELOW : TEST_EQUAL, IMAGE_HOST, h.name,
			      port_condition(&h));
}

static void host_in_range(struct compiler *c, struct test_list *list, struct span id)
{
	struct policy_address nat64 = { .bytes = { 0x00, 0x64, 0xff, 0x9b }, .is_v6 = true };
	struct ip_range range;

	if (!ip_range_parse(id, &range))
		return;
	add_address(c, list, &range.address, range.prefix, ANY_PORT);
	if (range.address.is_v6)
		return;
	memcpy(nat64.bytes + 12, range.address.bytes, 4);
	add_address(c, list, &nat64, 96 + range.prefix, ANY_PORT);
}

static void host_in(struct compiler *c, struct test_list *list, struct cedar_entity_uid uid)
{
	if (span_eq(uid.type, TYPE_HOST)) {
		host_in_host(c, list, uid.id);
	} else if (span_eq(uid.type, TYPE_DNS_ZONE)) {
		add_text_test(c, list, TEST_EQUAL, IMAGE_HOST, uid.id, ANY_PORT);
		if (uid.id.len)
			add_text_test(c, list, TEST_BELOW, IMAGE_HOST, uid.id, ANY_PORT);
	} else if (span_eq(uid.type, TYPE_IP_RANGE)) {
		host_in_range(c, list, uid.id);
	}
}

/* ---- All ------------------------------------------------------------------------- */

void resource_in(struct compiler *c, struct test_list *list, struct cedar_entity_uid uid)
{
	if (c->class == REQUEST_FILE || c->class == REQUEST_EXEC)
		file_in(c, list, uid);
	else if (c->class == REQUEST_MCP && span_eq(uid.type, TYPE_MCP_TOOL))
		add_text_test(c, list, TEST_EQUAL, IMAGE_TOOL, uid.id, ANY_PORT);
	else if (c->class == REQUEST_MCP && span_eq(uid.type, TYPE_MCP_SERVER))
		add_text_test(c, list, TEST_EQUAL, IMAGE_SERVER, uid.id, ANY_PORT);
	else
		host_in(c, list, uid);
}

struct rails resource_in_uid(struct compiler *c, struct cedar_entity_uid uid)
{
	struct test_list list = { 0 };

	resource_in(c, &list, uid);
	return rails_of_tests(c, &list, 0);
}

/* A request's id is in normal form, so no other id equals it. */
static bool is_normal_host(struct span id)
{
	_cleanup_buf_ struct buf normal = BUF_INIT(0);

	return host_id_normalise(id, &normal) >= 0 && span_eq(buf_span(&normal), id);
}

static struct rails host_equals(struct compiler *c, struct span id)
{
	struct test_list list = { 0 };
	struct rails r;
	struct host_id h;

	if (!is_normal_host(id) || !host_id_parse(id, &h) || h.is_wildcard)
		return rails_known(&c->formula, false);
	if (!h.has_address) {
		add_text_test(c, &list, TEST_EQUAL, IMAGE_HOST, h.name, h.port);
		return rails_of_tests(c, &list, 0);
	}
	/* The id is the address only where no name is known. */
	add_address(c, &list, &h.address, h.address.is_v6 ? 128 : 32, h.port);
	r = rails_of_tests(c, &list, 0);
	return rails_and(&c->formula, r, rails_not(rails_atom(&c->formula, IMAGE_HAS_HOST, 0)));
}

struct rails resource_equals(struct compiler *c, struct cedar_entity_uid uid)
{
	if (!span_eq(uid.type, resource_type(c)))
		return rails_known(&c->formula, false);
	if (span_eq(uid.type, TYPE_HOST))
		return host_equals(c, uid.id);
	return resource_in_uid(c, uid);
}

/* ---- Attributes ------------------------------------------------------------------- */

static struct operand string_operand(enum image_subject subject, uint32_t definer)
{
	return (struct operand){ .kind = OPERAND_STRING, .subject = subject, .definer = definer };
}

static struct operand port_operand(void)
{
	return (struct operand){ .kind = OPERAND_PORT, .definer = IMAGE_HAS_PORT };
}

static bool is_connection(const struct compiler *c)
{
	return c->class == REQUEST_NETWORK || c->class == REQUEST_HTTP;
}

struct operand resource_attribute(struct compiler *c, struct span name)
{
	if (span_eq(resource_type(c), TYPE_FILE) && span_eq(name, SPAN("path")))
		return string_operand(IMAGE_PATH, 0);
	if (is_connection(c) && span_eq(name, SPAN("port")))
		return port_operand();
	if ((is_connection(c) || c->class == REQUEST_DNS) && span_eq(name, SPAN("name"))) {
		c->needs_host_name |= is_connection(c);
		return string_operand(IMAGE_HOST, 0);
	}
	return (struct operand){ .kind = OPERAND_ERROR };
}

static struct operand network_key(const struct compiler *c, enum context_key key)
{
	if (key == CONTEXT_HOSTNAME)
		return string_operand(IMAGE_HOST, IMAGE_HAS_HOST);
	if (c->class == REQUEST_DNS)
		return (struct operand){ .kind = OPERAND_UNKNOWN };
	if (key == CONTEXT_IP)
		return (struct operand){ .kind = OPERAND_IP, .definer = IMAGE_HAS_IP };
	if (key == CONTEXT_PORT)
		return port_operand();
	return string_operand(IMAGE_PROTOCOL, IMAGE_HAS_PROTOCOL);
}

/* Requests for which facts about the process, or those of HTTP, are missing never get to an image.
 */
struct operand context_attribute(struct compiler *c, struct span name)
{
	bool is_file = c->class == REQUEST_FILE || c->class == REQUEST_EXEC;
	int key = context_key_index(name);

	switch (key) {
	case CONTEXT_EXE:
		return string_operand(IMAGE_EXE, 0);
	case CONTEXT_COMM:
		return string_operand(IMAGE_COMM, 0);
	case CONTEXT_CWD:
		return string_operand(IMAGE_CWD, 0);
	case CONTEXT_ANCESTORS:
		return (struct operand){ .kind = OPERAND_STRINGS, .subject = IMAGE_ANCESTORS };
	case CONTEXT_ARGS:
		if (c->class == REQUEST_EXEC)
			return string_operand(IMAGE_ARGS, 0);
		break;
	case CONTEXT_ARGV:
		if (c->class == REQUEST_EXEC)
			return (struct operand){ .kind = OPERAND_STRINGS, .subject = IMAGE_ARGV };
		break;
	case CONTEXT_NOW:
		return (struct operand){ .kind = OPERAND_NOW };
	case CONTEXT_IP:
	case CONTEXT_PORT:
	case CONTEXT_PROTOCOL:
	case CONTEXT_HOSTNAME:
		if (!is_file)
			return network_key(c, (enum context_key)key);
		break;
	case CONTEXT_METHOD:
	case CONTEXT_SCHEME:
	case CONTEXT_PATH:
	case CONTEXT_QUERY:
	case CONTEXT_HEADERS:
		if (c->class == REQUEST_HTTP)
			return (struct operand){ .kind = OPERAND_UNKNOWN };
		break;
	default:
		break;
	}
	return (struct operand){ .kind = OPERAND_ERROR };
}

static struct rails operand_exists(struct compiler *c, const struct cedar_expr *e,
				   const struct operand *o)
{
	if (o->kind == OPERAND_ERROR)
		return rails_known(&c->formula, false);
	/* `has a.b` goes on to ask for an attribute of what is no record. */
	if (e->n_names > 1 || o->kind == OPERAND_UNKNOWN)
		return maybe(c, e);
	if (!o->definer)
		return rails_known(&c->formula, true);
	return rails_atom(&c->formula, o->definer, 0);
}

struct rails resource_has(struct compiler *c, const struct cedar_expr *e)
{
	bool needs_host_name = c->needs_host_name;
	struct operand o = resource_attribute(c, e->names[0]);

	c->needs_host_name = needs_host_name;
	return operand_exists(c, e, &o);
}

struct rails context_has(struct compiler *c, const struct cedar_expr *e)
{
	struct operand o = context_attribute(c, e->names[0]);

	if (c->class == REQUEST_HTTP && e->n_names == 1 && context_key_is_of_http(e->names[0]))
		return rails_known(&c->formula, true);
	return operand_exists(c, e, &o);
}
