#include "cli/subcommand.h"

#include <string.h>

#include "base/log.h"
#include "base/nearest.h"
#include "cli/command.h"

const struct subcommand *subcommand_find(const struct subcommand_group *g, const char *name)
{
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(name, g->items[i].name) == 0)
			return &g->items[i];
	return NULL;
}

void subcommand_list(const struct subcommand_group *g, int width, struct buf *out)
{
	for (size_t i = 0; i < g->n; i++)
		(void)buf_printf(out, "  %-*s %s\n", width, g->items[i].name, g->items[i].summary);
}

static int unknown(const struct subcommand_group *g, const char *name)
{
	struct nearest nearest = { .word = span_of(name) };

	for (size_t i = 0; i < g->n; i++)
		nearest_offer(&nearest, g->items[i].name);
	if (nearest.best)
		log_error("unknown: leash %s %s; did you mean %s?", g->name, name, nearest.best);
	else
		log_error("unknown: leash %s %s; `leash %s --help` lists what there is", g->name,
			  name, g->name);
	return EXIT_USAGE;
}

int subcommand_run(const struct subcommand_group *g, int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	const struct subcommand *found;

	if (!name) {
		(void)g->print_help();
		return EXIT_USAGE;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "-help") == 0 ||
	    strcmp(name, "help") == 0)
		return g->print_help();
	found = subcommand_find(g, name);
	return found ? found->run(argc - 1, argv + 1) : unknown(g, name);
}
