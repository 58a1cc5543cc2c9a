#include "daemon/housekeeping.h"

#include <signal.h>

#include "base/log.h"

/* By then the command has started, and a short session is over. */
#define DELAY_MS 2000

static void on_exit(uv_process_t *process, int64_t status, int term_signal)
{
	struct housekeeping *h = process->data;

	(void)status;
	(void)term_signal;
	h->is_running = false;
	uv_close((uv_handle_t *)process, NULL);
}

static void on_time(uv_timer_t *timer)
{
	struct housekeeping *h = timer->data;
	char *argv[] = { (char[]){ "leash" }, (char[]){ "sessions" }, (char[]){ "prune" },
			 (char[]){ "--quiet" }, NULL };
	uv_process_options_t options = { .file = "/proc/self/exe",
					 .args = argv,
					 .exit_cb = on_exit };
	int r;

	h->process.data = h;
	r = uv_spawn(timer->loop, &h->process, &options);
	h->is_running = r == 0;
	if (r < 0)
		log_debug("old sessions stay: %s", uv_strerror(r));
}

void housekeeping_start(struct housekeeping *h, uv_loop_t *loop)
{
	h->timer.data = h;
	if (uv_timer_init(loop, &h->timer) == 0)
		(void)uv_timer_start(&h->timer, on_time, DELAY_MS, 0);
}

void housekeeping_stop(struct housekeeping *h)
{
	if (h->is_running)
		(void)uv_process_kill(&h->process, SIGTERM);
}
