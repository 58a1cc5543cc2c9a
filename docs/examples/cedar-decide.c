/*
 * Decides one request with libcedar: who may read a document?
 *
 *     cc cedar-decide.c $(pkg-config --cflags --libs libcedar) -o cedar-decide
 *     ./cedar-decide POLICIES.cedar User::alice read Document::plan
 *
 * The principal belongs to Group::staff. Ends with 0 for allow, 2 for deny and
 * 1 for an error, as Cedar's own command does.
 */
#include <cedar/cedar.h>

#include <stdio.h>
#include <string.h>

/* "Type::id" without quotes, as this program's arguments are. */
static struct cedar_entity_uid uid_of(const char *text)
{
	const char *separator = NULL;

	for (const char *s = text; (s = strstr(s, "::")); s += 2)
		separator = s;
	if (!separator)
		return (struct cedar_entity_uid){ span_of("Unknown"), span_of(text) };
	return (struct cedar_entity_uid){ span_make(text, (size_t)(separator - text)),
					  span_of(separator + 2) };
}

static int read_file(const char *name, struct buf *text)
{
	FILE *f = fopen(name, "r");
	char part[4096];
	size_t n;

	if (!f) {
		perror(name);
		return -1;
	}
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		if (buf_append(text, part, n) < 0)
			break;
	fclose(f);
	return text->failed ? -1 : 0;
}

/* Every mistake, each with its line and a caret. */
static void show(const struct cedar_diagnostics *found, const char *name, struct span text)
{
	struct buf out = BUF_INIT(0);

	for (size_t i = 0; i < found->len; i++)
		cedar_diagnostic_print(&found->items[i], name, text, /* color = */ false, &out);
	if (out.len)
		fputs(out.data, stderr);
	buf_done(&out);
}

/* One entity: the principal, a member of Group::staff, with the attribute level. */
static struct cedar_entities *make_entities(struct cedar_entity_uid principal)
{
	struct cedar_entities *entities = cedar_entities_new();
	struct arena *arena = cedar_entities_arena(entities);
	struct cedar_entity_uid staff = uid_of("Group::staff");
	struct cedar_record_entry level = { SPAN("level"), cedar_value_long(arena, 3) };
	const struct cedar_value *attributes = cedar_value_record(arena, &level, 1);
	struct err err = { 0 };

	if (cedar_entities_add(entities, principal, attributes, NULL, &staff, 1, &err) == 0 &&
	    cedar_entities_close(entities, &err) == 0)
		return entities;
	fprintf(stderr, "%s\n", err.text);
	cedar_entities_free(entities);
	return NULL;
}

static int decide(const struct cedar_policy_set *policies, const struct cedar_request *request,
		  struct cedar_entities *entities, struct arena *arena)
{
	struct cedar_entity_source source = cedar_entities_source(entities);
	struct cedar_response response = { 0 };

	if (cedar_authorize(policies, request, &source, arena, &response) < 0) {
		fputs("out of memory: denied\n", stderr);
		return 1;
	}
	printf("%s\n", response.allow ? "ALLOW" : "DENY");
	for (size_t i = 0; i < response.n_reasons; i++)
		printf("  because of %.*s\n", SPAN_ARG(response.reasons[i]->id));
	for (size_t i = 0; i < response.n_errors; i++)
		printf("  %.*s was skipped: %s\n", SPAN_ARG(response.errors[i].policy->id),
		       response.errors[i].error.message);
	return response.allow ? 0 : 2;
}

int main(int argc, char **argv)
{
	struct arena arena = ARENA_INIT(1024 * 1024);
	struct buf text = BUF_INIT(8 * 1024 * 1024);
	struct cedar_diagnostics found = { 0 };
	struct cedar_policy_set *policies = NULL;
	struct cedar_entities *entities = NULL;
	struct cedar_request request;
	int code = 1;

	if (argc != 5) {
		fprintf(stderr, "usage: %s POLICIES PRINCIPAL ACTION RESOURCE\n", argv[0]);
		return 1;
	}
	request.principal = uid_of(argv[2]);
	request.action = (struct cedar_entity_uid){ SPAN("Action"), span_of(argv[3]) };
	request.resource = uid_of(argv[4]);
	request.context = cedar_value_record(&arena, NULL, 0);
	if (read_file(argv[1], &text) == 0) {
		if (cedar_policy_set_parse(buf_span(&text), &found, &policies) == 0)
			entities = make_entities(request.principal);
		show(&found, argv[1], buf_span(&text));
	}
	if (entities && request.context)
		code = decide(policies, &request, entities, &arena);
	cedar_entities_free(entities);
	cedar_policy_set_free(policies);
	cedar_diagnostics_done(&found);
	buf_done(&text);
	arena_done(&arena);
	return code;
}
