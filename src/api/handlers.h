/*
 * Who answers what; routes.c has the table, openapi.json the shapes.
 */
#pragma once

#include "api/call.h"

/* answer-session.c */
void answer_health(struct api_call *c);
void answer_ready(struct api_call *c);
void answer_login(struct api_call *c);
void answer_session(struct api_call *c);
void answer_session_stop(struct api_call *c);
void answer_mode(struct api_call *c);
void answer_mode_change(struct api_call *c);
void answer_openapi(struct api_call *c);

/* answer-sessions.c */
void answer_sessions(struct api_call *c);

/* answer-metrics.c */
void answer_metrics(struct api_call *c);

/* answer-events.c */
void answer_events(struct api_call *c);
void answer_processes(struct api_call *c);

/* answer-policies.c: what is in force, and changing it. */
void answer_policies(struct api_call *c);
void answer_policies_replace(struct api_call *c);
void answer_policies_add(struct api_call *c);
void answer_policies_change(struct api_call *c);
void answer_history(struct api_call *c);
void answer_rollback(struct api_call *c);

/* answer-tools.c: questions about policies. */
void answer_validate(struct api_call *c);
void answer_complete(struct api_call *c);
void answer_explain(struct api_call *c);
void answer_format(struct api_call *c);
void answer_test(struct api_call *c);
void answer_diff(struct api_call *c);
void answer_suggest(struct api_call *c);
void answer_from_event(struct api_call *c);
void answer_replay(struct api_call *c);

/* answer-earlier.c: routes of leash's earlier API. */
void answer_earlier_persist(struct api_call *c);
void answer_earlier_lines(struct api_call *c);
void answer_earlier_add(struct api_call *c);
void answer_earlier_add_from_action(struct api_call *c);
void answer_earlier_delete(struct api_call *c);
void answer_earlier_permit_all(struct api_call *c);
void answer_earlier_enforce_apply(struct api_call *c);
