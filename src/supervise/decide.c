#include "supervise/decide.h"

#include <errno.h>

#include "base/clock.h"
#include "supervise/memory.h"
#include "supervise/worker.h"

static int fact_argv(struct worker *w, struct span *ret)
{
	int r;

	if (!w->has_argv) {
		buf_reset(&w->argv);
		r = w->is_exec ? memory_read_strings((pid_t)w->call->pid, w->argv_address,
						     LIMIT_ARGV, &w->argv, &w->is_argv_cut)
			       : process_arguments(w->process->dir_fd, &w->argv, &w->is_argv_cut);
		if (r < 0)
			return r;
		if (!worker_is_call_valid(w))
			return -ESRCH;
		w->has_argv = true;
	}
	/* what was cut off could be the very argument that a policy forbids */
	if (w->is_argv_cut)
		return -E2BIG;
	*ret = buf_span(&w->argv);
	return 0;
}

static int fact_ancestors(struct worker *w, struct span *ret)
{
	int r;

	buf_reset(&w->ancestors);
	r = process_ancestors(w->s, w->process, &w->ancestors);
	if (r < 0)
		return r;
	*ret = buf_span(&w->ancestors);
	return 0;
}

static int fact_comm(struct worker *w, struct span *ret)
{
	int r = process_status_field(w->process->dir_fd, "Name", w->comm, sizeof(w->comm));

	if (r < 0)
		return r;
	*ret = span_of(w->comm);
	return 0;
}

static int fact_cwd(struct worker *w, struct span *ret)
{
	ssize_t n = process_read_cwd(w->process, w->cwd, sizeof(w->cwd));

	if (n <= 0)
		return n < 0 ? (int)n : -ENOENT;
	*ret = span_make(w->cwd, (size_t)n);
	return 0;
}

static int fact(void *ctx, enum policy_fact which, struct span *ret)
{
	struct worker *w = ctx;

	switch (which) {
	case POLICY_FACT_EXE:
		*ret = span_of(w->process->exe);
		return 0;
	case POLICY_FACT_COMM:
		return fact_comm(w, ret);
	case POLICY_FACT_CWD:
		return fact_cwd(w, ret);
	case POLICY_FACT_ANCESTORS:
		return fact_ancestors(w, ret);
	case POLICY_FACT_ARGV:
		return fact_argv(w, ret);
	case POLICY_FACT_MAX:
		break;
	}
	return -EINVAL;
}

bool decide_request(struct worker *w, struct policy_request *r, struct verdict *v)
{
	bool may;

	r->fact = fact;
	r->fact_ctx = w;
	policy_decide(w->decider, w->policy, r, &v->decision);
	may = policy_permits(w->policy, &v->decision);
	if (v->decision.verdict == DECISION_ALLOW)
		v->outcome = may ? EVENT_ALLOW : EVENT_DENY;
	else
		v->outcome = may ? EVENT_WOULD_DENY : EVENT_DENY;
	return may;
}

/* One of several questions of a call: the record shows the one that was, or would have been, refused. */
static bool decide_next(struct worker *w, struct policy_request *r, struct verdict *v)
{
	struct verdict one = { 0 };
	bool may = decide_request(w, r, &one);

	if (!may || v->outcome == EVENT_DECISION_NONE || v->outcome == EVENT_ALLOW)
		*v = one;
	return may;
}

bool decide_path(struct worker *w, enum policy_action action, struct span path, bool is_directory,
		 bool also_reads, struct verdict *v)
{
	struct policy_request r = { .action = action,
				    .path = path,
				    .is_directory = is_directory,
				    .also_reads = also_reads };

	return decide_next(w, &r, v);
}

bool decide_create(struct worker *w, struct span path, mode_t type, struct verdict *v)
{
	struct policy_request r = { .action = POLICY_FILE_CREATE,
				    .path = path,
				    .is_directory = S_ISDIR(type),
				    .is_link = S_ISLNK(type) };

	return decide_next(w, &r, v);
}

bool decide_would_permit(struct worker *w, enum policy_action action, struct span path,
			 bool is_directory)
{
	struct verdict v = { 0 };

	return decide_path(w, action, path, is_directory, false, &v);
}

void decide_note(struct worker *w, struct event *e, enum event_decision outcome)
{
	const struct process *p = w->process;

	e->backend = EVENT_BACKEND_SUPERVISOR;
	e->decision = outcome;
	if (p) {
		e->pid = p->tgid;
		e->ppid = p->ppid;
		e->uid = p->uid;
		e->has_uid = true;
		e->exe = span_of(p->exe);
		e->comm = span_of(p->comm);
		e->cwd = span_of(p->cwd);
	} else {
		e->pid = (int32_t)w->call->pid;
	}
	e->generation = policy_generation(w->policy);
	e->mode = span_of(policy_mode_name(policy_session_mode(w->policy)));
	e->latency_us = (uint32_t)((clock_monotonic_ns() - w->started_ns) / 1000);
	event_ring_write(w->s->ring, e);
}

void decide_record(struct worker *w, struct event *e, const struct verdict *v)
{
	buf_reset(&w->reasons);
	if (policy_reasons(&v->decision, &w->reasons) == 0)
		e->policies = buf_span(&w->reasons);
	decide_note(w, e, v->outcome);
}
