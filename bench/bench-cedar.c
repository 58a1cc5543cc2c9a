/*
 * How long one authorization takes: 60 policies over paths, an entity source
 * that derives the hierarchy from the paths themselves, and requests of which
 * some are allowed and some are not. Every policy is evaluated. Processor time,
 * so that a busy machine does not count.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "cedar/cedar.h"

#define N_ROUNDS 20000

static const struct cedar_value *file_attributes(void *ctx, struct cedar_entity_uid uid)
{
	(void)uid;
	return ctx;
}

static bool is_below(void *ctx, struct cedar_entity_uid child, struct cedar_entity_uid parent)
{
	(void)ctx;
	return span_starts_with(child.id, parent.id) && child.id.len > parent.id.len &&
	       (span_ends_with(parent.id, SPAN("/")) || child.id.p[parent.id.len] == '/');
}

static void write_policies(struct buf *out)
{
	for (int i = 0; i < 12; i++) {
		(void)buf_printf(out,
				 "permit(principal, action == Action::\"open\", resource in "
				 "Dir::\"/usr/share/p%d\");\n",
				 i);
		(void)buf_printf(out,
				 "permit(principal, action in [Action::\"open\", "
				 "Action::\"write\"], resource is File) when { resource.path like "
				 "\"/workspace/p%d/*/src/*.c\" };\n",
				 i);
		(void)buf_printf(out,
				 "forbid(principal, action, resource) when { resource.path like "
				 "\"*/.secret%d*\" || resource.path like \"/etc/shadow%d\" };\n",
				 i, i);
		(void)buf_printf(out,
				 "permit(principal == Process::\"p%d\", action, resource) when { "
				 "context has argv && context.argv.contains(\"x\") };\n",
				 i);
		(void)buf_printf(out,
				 "permit(principal, action == Action::\"connect\", resource) when "
				 "{ context.ip.isInRange(ip(\"10.%d.0.0/16\")) };\n",
				 i);
	}
}

static int run(const struct cedar_policy_set *set, struct span path, struct arena *arena)
{
	const struct cedar_record_entry entry = { SPAN("path"), cedar_value_string(arena, path) };
	const struct cedar_value *attributes = cedar_value_record(arena, &entry, 1);
	struct cedar_entity_source source = {
		.ctx = (void *)(uintptr_t)attributes,
		.is_in = is_below,
		.attributes = file_attributes,
	};
	const struct cedar_request request = {
		.principal = { SPAN("Process"), SPAN("agent") },
		.action = { SPAN("Action"), SPAN("open") },
		.resource = { SPAN("File"), path },
	};
	struct cedar_response response;

	if (cedar_authorize(set, &request, &source, arena, &response) < 0)
		exit(1);
	return response.allow;
}

int main(void)
{
	static const char *const paths[] = {
		"/workspace/p7/lib/src/parser.c",
		"/usr/share/p3/locale/de/messages.mo",
		"/home/dev/.secret5/key",
		"/usr/lib/x86_64-linux-gnu/libc.so.6",
	};
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	_cleanup_arena_ struct arena arena = ARENA_INIT((size_t)1 << 20);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set;
	struct timespec a, b;
	size_t n_allowed = 0;
	size_t most = 0;

	write_policies(&text);
	if (cedar_policy_set_parse(buf_span(&text), &diags, &set) < 0)
		return 1;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
	for (size_t i = 0; i < N_ROUNDS; i++) {
		n_allowed += (size_t)run(set, span_of(paths[i % ARRAY_SIZE(paths)]), &arena);
		most = MAX(most, arena.used);
		arena_reset(&arena);
	}
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
	(void)printf("%zu policies, %d requests, %zu allowed: %.2f us each, at most %zu bytes of "
		     "arena\n",
		     cedar_policy_set_len(set), N_ROUNDS, n_allowed,
		     ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) /
			     N_ROUNDS / 1e3,
		     most);
	cedar_policy_set_free(set);
	cedar_diagnostics_done(&diags);
	return 0;
}
