#include "config/toml-private.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/utf8.h"

/* ---- Places and errors ------------------------------------------------------------ */

static size_t column_of(const struct toml_reader *r, size_t line_begin, size_t at)
{
	size_t column = 1;

	for (size_t i = line_begin; i < at && i < r->text.len; i++)
		column += ((unsigned char)r->text.p[i] & 0xc0) != 0x80;
	return column;
}

void toml_place(const struct toml_reader *r, size_t at, size_t *ret_line, size_t *ret_column)
{
	*ret_line = r->line;
	*ret_column = column_of(r, r->line_begin, at);
}

int toml_fail_at(struct toml_reader *r, size_t at, const char *fmt, ...)
{
	size_t line = 1, begin = 0;
	va_list args;

	for (size_t i = 0; i < at && i < r->text.len; i++)
		if (r->text.p[i] == '\n') {
			line++;
			begin = i + 1;
		}
	r->error->line = line;
	r->error->column = column_of(r, begin, at);
	va_start(args, fmt);
	(void)vsnprintf(r->error->message, sizeof(r->error->message), fmt, args);
	va_end(args);
	return -EBADMSG;
}

int toml_out_of_memory(struct toml_reader *r)
{
	(void)toml_fail_at(r, r->at, "the document is too large");
	return -ENOMEM;
}

/* ---- Blanks ---------------------------------------------------------------------- */

void toml_skip_blanks(struct toml_reader *r)
{
	while (toml_peek(r, 0) == ' ' || toml_peek(r, 0) == '\t')
		r->at++;
}

bool toml_take_newline(struct toml_reader *r)
{
	size_t len = toml_looking_at(r, "\r\n", 2) ? 2 : toml_peek(r, 0) == '\n' ? 1 : 0;

	if (!len)
		return false;
	r->at += len;
	r->line++;
	r->line_begin = r->at;
	return true;
}

int toml_skip_comment(struct toml_reader *r)
{
	int c;

	if (toml_peek(r, 0) != '#')
		return 0;
	while ((c = toml_peek(r, 0)) >= 0 && (c >= 0x20 || c == '\t') && c != 0x7f)
		r->at++;
	if (c < 0 || c == '\n' || toml_looking_at(r, "\r\n", 2))
		return 0;
	return toml_fail_at(r, r->at, "the control character U+%04X cannot stand in a comment",
			    (unsigned int)c);
}

/* Blanks, comments and newlines, as between the items of an array. */
static int skip_lines(struct toml_reader *r)
{
	do {
		int code;

		toml_skip_blanks(r);
		code = toml_skip_comment(r);
		if (code < 0)
			return code;
	} while (toml_take_newline(r));
	return 0;
}

/* Nothing but a comment may follow in the line. */
static int end_line(struct toml_reader *r)
{
	int code;

	toml_skip_blanks(r);
	code = toml_skip_comment(r);
	if (code < 0)
		return code;
	if (toml_peek(r, 0) >= 0 && !toml_take_newline(r))
		return toml_fail_at(r, r->at, "expected the end of the line");
	return 0;
}

/* ---- The tree -------------------------------------------------------------------- */

static struct toml *new_node(struct toml_reader *r, enum toml_type type, enum toml_origin origin)
{
	struct toml *node = arena_new(r->arena, struct toml);

	if (!node) {
		(void)toml_out_of_memory(r);
		return NULL;
	}
	node->type = type;
	node->origin = origin;
	return node;
}

static void append(struct toml *to, struct toml *item)
{
	if (to->last)
		to->last->next = item;
	else
		to->first = item;
	to->last = item;
	to->n_items++;
}

static void member_key(const struct toml *table, struct span key, struct buf *out)
{
	(void)buf_append(out, &table, sizeof(table));
	(void)buf_append_span(out, key);
}

static struct toml *find_member(struct toml_reader *r, const struct toml *table, struct span key)
{
	_cleanup_buf_ struct buf name = BUF_INIT(0);

	member_key(table, key, &name);
	return map_get(&r->members, buf_span(&name));
}

static void add_member(struct toml_reader *r, struct toml *table, struct toml *item)
{
	_cleanup_buf_ struct buf name = BUF_INIT(0);

	member_key(table, item->key, &name);
	(void)map_put(&r->members, buf_span(&name), item);
	append(table, item);
}

/* ---- Keys ------------------------------------------------------------------------ */

bool toml_is_bare(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c == '-';
}

static int read_key_part(struct toml_reader *r, struct span *ret)
{
	size_t begin = r->at;

	if (toml_peek(r, 0) == '"' || toml_peek(r, 0) == '\'')
		return toml_read_string(r, /* is_key = */ true, ret);
	while (toml_is_bare(toml_peek(r, 0)))
		r->at++;
	if (r->at == begin)
		return toml_fail_at(r, begin, "expected a key");
	ret->p = arena_dup(r->arena, span_make(r->text.p + begin, r->at - begin));
	ret->len = r->at - begin;
	return ret->p ? 0 : toml_out_of_memory(r);
}

int toml_read_key(struct toml_reader *r, struct toml_key *ret)
{
	ret->n = 0;
	toml_place(r, r->at, &ret->line, &ret->column);
	for (;;) {
		int code;

		if (ret->n == TOML_MAX_DEPTH)
			return toml_fail_at(r, r->at, "the key has more than %d parts",
					    TOML_MAX_DEPTH);
		ret->at[ret->n] = r->at;
		code = read_key_part(r, &ret->parts[ret->n]);
		if (code < 0)
			return code;
		ret->n++;
		toml_skip_blanks(r);
		if (toml_peek(r, 0) != '.')
			return 0;
		r->at++;
		toml_skip_blanks(r);
	}
}

static struct toml *new_member(struct toml_reader *r, struct toml *table,
			       const struct toml_key *key, size_t part, enum toml_type type,
			       enum toml_origin origin)
{
	struct toml *item = new_node(r, type, origin);

	if (!item)
		return NULL;
	item->key = key->parts[part];
	item->line = item->key_line = key->line;
	item->column = item->key_column = key->column;
	item->key_begin = key->at[0];
	add_member(r, table, item);
	return item;
}

/* ---- Keys with values -------------------------------------------------------------- */

static int read_value(struct toml_reader *r, struct toml *ret);

static int already(struct toml_reader *r, const struct toml_key *key, size_t part,
		   const struct toml *other)
{
	return toml_fail_at(r, key->at[part], "\"%.*s\" was defined in line %zu already",
			    (int)(key->parts[part].len > 60 ? 60 : key->parts[part].len),
			    key->parts[part].p, other->key_line);
}

/* The table that a dotted key means with all but its last part. */
static int find_dotted(struct toml_reader *r, struct toml *table, const struct toml_key *key,
		       struct toml **ret)
{
	for (size_t i = 0; i + 1 < key->n; i++) {
		struct toml *next = find_member(r, table, key->parts[i]);

		if (!next)
			next = new_member(r, table, key, i, TOML_TABLE, TOML_DOTTED);
		else if (next->type != TOML_TABLE || next->origin == TOML_HEADER ||
			 next->origin == TOML_INLINE)
			return already(r, key, i, next);
		else
			next->origin = TOML_DOTTED;
		if (!next)
			return -ENOMEM;
		table = next;
	}
	*ret = table;
	return 0;
}

static int read_assignment(struct toml_reader *r, struct toml *table)
{
	struct toml *other, *item;
	struct toml_key key;
	int code = toml_read_key(r, &key);

	if (code < 0)
		return code;
	if (toml_peek(r, 0) != '=')
		return toml_fail_at(r, r->at, "expected `=` after the key");
	r->at++;
	toml_skip_blanks(r);
	code = find_dotted(r, table, &key, &table);
	if (code < 0)
		return code;
	other = find_member(r, table, key.parts[key.n - 1]);
	if (other)
		return already(r, &key, key.n - 1, other);
	item = new_member(r, table, &key, key.n - 1, TOML_STRING, TOML_INLINE);
	return item ? read_value(r, item) : -ENOMEM;
}

/* ---- Values ---------------------------------------------------------------------- */

static int read_array(struct toml_reader *r, struct toml *ret)
{
	size_t begin = r->at++;

	ret->type = TOML_ARRAY;
	for (;;) {
		struct toml *item;
		int code = skip_lines(r);

		if (code < 0)
			return code;
		if (toml_peek(r, 0) == ']')
			break;
		if (toml_peek(r, 0) < 0)
			return toml_fail_at(r, begin, "the array does not end");
		item = new_node(r, TOML_STRING, TOML_INLINE);
		if (!item)
			return -ENOMEM;
		append(ret, item);
		code = read_value(r, item);
		if (code >= 0)
			code = skip_lines(r);
		if (code < 0)
			return code;
		if (toml_peek(r, 0) == ',')
			r->at++;
		else if (toml_peek(r, 0) >= 0 && toml_peek(r, 0) != ']')
			return toml_fail_at(r, r->at, "expected `,` or `]` in the array");
	}
	r->at++;
	return 0;
}

/* In one line, and without a comma at the end. */
static int read_inline_table(struct toml_reader *r, struct toml *ret)
{
	r->at++;
	ret->type = TOML_TABLE;
	toml_skip_blanks(r);
	if (toml_peek(r, 0) == '}') {
		r->at++;
		return 0;
	}
	for (;;) {
		int code;

		toml_skip_blanks(r);
		code = read_assignment(r, ret);
		if (code < 0)
			return code;
		toml_skip_blanks(r);
		if (toml_peek(r, 0) == '}')
			break;
		if (toml_peek(r, 0) != ',')
			return toml_fail_at(r, r->at, "expected `,` or `}` in the inline table");
		r->at++;
	}
	r->at++;
	return 0;
}

static int read_nested(struct toml_reader *r, struct toml *ret)
{
	int code;

	if (r->depth == TOML_MAX_DEPTH)
		return toml_fail_at(r, r->at, "more than %d levels", TOML_MAX_DEPTH);
	r->depth++;
	code = toml_peek(r, 0) == '[' ? read_array(r, ret) : read_inline_table(r, ret);
	r->depth--;
	return code;
}

static int read_any(struct toml_reader *r, struct toml *ret)
{
	switch (toml_peek(r, 0)) {
	case '"':
	case '\'':
		ret->type = TOML_STRING;
		return toml_read_string(r, /* is_key = */ false, &ret->text);
	case '[':
	case '{':
		return read_nested(r, ret);
	default:
		return toml_read_scalar(r, ret);
	}
}

static int read_value(struct toml_reader *r, struct toml *ret)
{
	int code;

	toml_place(r, r->at, &ret->line, &ret->column);
	ret->begin = r->at;
	code = read_any(r, ret);
	ret->end = r->at;
	return code;
}

/* ---- Headers --------------------------------------------------------------------- */

/* The table that a header means with all but its last part. */
static int find_above(struct toml_reader *r, struct toml *table, const struct toml_key *key,
		      struct toml **ret)
{
	for (size_t i = 0; i + 1 < key->n; i++) {
		struct toml *next = find_member(r, table, key->parts[i]);

		if (!next)
			next = new_member(r, table, key, i, TOML_TABLE, TOML_IMPLICIT);
		if (!next)
			return -ENOMEM;
		if (next->origin == TOML_OF_TABLES)
			next = next->last;
		else if (next->type != TOML_TABLE || next->origin == TOML_INLINE)
			return already(r, key, i, next);
		table = next;
	}
	*ret = table;
	return 0;
}

static int open_table(struct toml_reader *r, struct toml *above, const struct toml_key *key,
		      struct toml **ret)
{
	struct toml *table = find_member(r, above, key->parts[key->n - 1]);

	if (!table) {
		table = new_member(r, above, key, key->n - 1, TOML_TABLE, TOML_HEADER);
	} else if (table->type != TOML_TABLE || table->origin != TOML_IMPLICIT) {
		return already(r, key, key->n - 1, table);
	} else {
		table->origin = TOML_HEADER;
		table->key_line = key->line;
		table->key_column = key->column;
	}
	*ret = table;
	return table ? 0 : -ENOMEM;
}

static int open_item(struct toml_reader *r, struct toml *above, const struct toml_key *key,
		     struct toml **ret)
{
	struct toml *list = find_member(r, above, key->parts[key->n - 1]);
	struct toml *item;

	if (!list)
		list = new_member(r, above, key, key->n - 1, TOML_ARRAY, TOML_OF_TABLES);
	else if (list->origin != TOML_OF_TABLES)
		return already(r, key, key->n - 1, list);
	item = list ? new_node(r, TOML_TABLE, TOML_HEADER) : NULL;
	if (!item)
		return -ENOMEM;
	item->line = key->line;
	item->column = key->column;
	append(list, item);
	*ret = item;
	return 0;
}

static int read_header(struct toml_reader *r, struct toml *root, struct toml **ret)
{
	bool is_item = toml_looking_at(r, "[[", 2);
	struct toml *above = NULL;
	size_t begin = r->at;
	struct toml_key key;
	int code;

	r->at += is_item ? 2 : 1;
	toml_skip_blanks(r);
	code = toml_read_key(r, &key);
	if (code < 0)
		return code;
	if (!toml_looking_at(r, "]]", is_item ? 2 : 1))
		return toml_fail_at(r, r->at, "expected `%s` after the table's name",
				    is_item ? "]]" : "]");
	r->at += is_item ? 2 : 1;
	code = find_above(r, root, &key, &above);
	if (code >= 0)
		code = is_item ? open_item(r, above, &key, ret) : open_table(r, above, &key, ret);
	if (code < 0)
		return code;
	(*ret)->begin = begin;
	(*ret)->end = r->at;
	code = end_line(r);
	(*ret)->own_end = r->at;
	return code;
}

/* ---- All ------------------------------------------------------------------------ */

static int read_document(struct toml_reader *r, struct toml *root)
{
	struct toml *table = root;

	for (;;) {
		int code = skip_lines(r);

		if (code < 0 || toml_peek(r, 0) < 0)
			return code;
		if (toml_peek(r, 0) == '[') {
			code = read_header(r, root, &table);
		} else {
			code = read_assignment(r, table);
			if (code >= 0)
				code = end_line(r);
			table->own_end = r->at;
		}
		if (code < 0)
			return code;
	}
}

static int check_utf8(struct toml_reader *r)
{
	for (size_t at = 0; at < r->text.len;) {
		uint32_t scalar;
		size_t len = utf8_decode(span_from(r->text, at), &scalar);

		if (!len)
			return toml_fail_at(r, at, "the text is not UTF-8 here");
		at += len;
	}
	return 0;
}

int toml_parse(struct arena *a, struct span text, struct toml **ret, struct toml_error *error)
{
	struct toml_reader r = { .arena = a, .text = text, .line = 1, .error = error };
	struct toml *root;
	int code;

	*error = (struct toml_error){ 0 };
	root = new_node(&r, TOML_TABLE, TOML_HEADER);
	if (!root)
		return -ENOMEM;
	root->line = root->column = 1;
	code = check_utf8(&r);
	if (code >= 0)
		code = read_document(&r, root);
	map_done(&r.members, NULL);
	if (code >= 0)
		*ret = root;
	return code;
}

const struct toml *toml_get_span(const struct toml *table, struct span key)
{
	if (!table || table->type != TOML_TABLE)
		return NULL;
	for (const struct toml *item = table->first; item; item = item->next)
		if (span_eq(item->key, key))
			return item;
	return NULL;
}

const struct toml *toml_get(const struct toml *table, const char *key)
{
	return toml_get_span(table, span_of(key));
}

const char *toml_type_name(enum toml_type type)
{
	static const char *const names[] = {
		[TOML_STRING] = "string",   [TOML_INTEGER] = "integer",	  [TOML_FLOAT] = "float",
		[TOML_BOOLEAN] = "boolean", [TOML_DATETIME] = "datetime", [TOML_ARRAY] = "array",
		[TOML_TABLE] = "table",
	};

	return (size_t)type < ARRAY_SIZE(names) ? names[type] : "?";
}
