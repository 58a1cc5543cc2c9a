#include "cli/list.h"

#include <time.h>

int list_option(int id, const char *value, void *list, struct err *err)
{
	struct list *l = list;

	(void)value;
	(void)err;
	*(id == LIST_OPTION_JSON ? &l->want_json : &l->is_quiet) = true;
	return 0;
}

void list_show_time(const char *rfc3339, struct buf *out)
{
	char text[32] = "";
	struct tm tm = { 0 };
	time_t seconds;

	if (strptime(rfc3339, "%Y-%m-%dT%H:%M:%SZ", &tm)) {
		seconds = timegm(&tm);
		if (!localtime_r(&seconds, &tm) ||
		    !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
			text[0] = 0;
	}
	(void)buf_printf(out, "%-19s", text);
}
