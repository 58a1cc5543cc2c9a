#include "api/handlers.h"
#include "api/private.h"

static const struct api_route routes[] = {
	{ "GET", "/healthz", answer_health, API_ROUTE_OPEN },
	{ "GET", "/readyz", answer_ready, API_ROUTE_OPEN },
	{ "GET", "/health/policy", answer_ready, API_ROUTE_OPEN },
	{ "GET", "/metrics", answer_metrics, 0 },
	{ "GET", "/api", live_join, 0 },
	{ "GET", "/api/openapi.json", answer_openapi, 0 },
	{ "POST", "/api/login", answer_login, API_ROUTE_OPEN },
	{ "GET", "/api/session", answer_session, 0 },
	{ "DELETE", "/api/session", answer_session_stop, 0 },
	{ "GET", "/api/sessions", answer_sessions, 0 },
	{ "GET", "/api/events", answer_events, 0 },
	{ "GET", "/api/processes", answer_processes, 0 },
	{ "GET", "/api/mode", answer_mode, 0 },
	{ "PUT", "/api/mode", answer_mode_change, 0 },
	{ "GET", "/api/policies", answer_policies, 0 },
	{ "PUT", "/api/policies", answer_policies_replace, 0 },
	{ "POST", "/api/policies", answer_policies_add, API_ROUTE_TEXT },
	{ "PATCH", "/api/policies", answer_policies_change, 0 },
	{ "POST", "/api/policies/validate", answer_validate, API_ROUTE_TEXT },
	{ "POST", "/api/policies/complete", answer_complete, 0 },
	{ "POST", "/api/policies/explain", answer_explain, 0 },
	{ "POST", "/api/policies/format", answer_format, 0 },
	{ "POST", "/api/policies/test", answer_test, 0 },
	{ "POST", "/api/policies/diff", answer_diff, 0 },
	{ "POST", "/api/policies/suggest", answer_suggest, 0 },
	{ "POST", "/api/policies/from-event", answer_from_event, 0 },
	{ "POST", "/api/policies/replay", answer_replay, 0 },
	{ "GET", "/api/policies/history", answer_history, 0 },
	{ "POST", "/api/policies/rollback", answer_rollback, 0 },
	{ "POST", "/api/policies/persist", answer_earlier_persist, API_ROUTE_TEXT },
	{ "GET", "/api/policies/lines", answer_earlier_lines, 0 },
	{ "POST", "/api/policies/add", answer_earlier_add, API_ROUTE_TEXT },
	{ "POST", "/api/policies/add-from-action", answer_earlier_add_from_action, 0 },
	{ "POST", "/api/policies/delete", answer_earlier_delete, 0 },
	{ "DELETE", "/api/policies/delete", answer_earlier_delete, 0 },
	{ "POST", "/api/policies/permit-all", answer_earlier_permit_all, 0 },
	{ "POST", "/api/policies/enforce-apply", answer_earlier_enforce_apply, 0 },
};

/* Whatever is not the API's is the page's. */
static const struct api_route page = { "GET", "/", page_serve, API_ROUTE_OPEN };

static bool is_page(struct span path)
{
	return !span_eq_str(path, "/api") && !span_starts_with(path, SPAN("/api/"));
}

const struct api_route *api_route_find(struct span method, struct span path, bool *ret_is_known)
{
	/* RFC 9110 §9.3.2: as GET, without the body. */
	struct span wanted = span_eq_str(method, "HEAD") ? SPAN("GET") : method;
	bool is_known = false;

	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		if (!span_eq_str(path, routes[i].path))
			continue;
		is_known = true;
		if (span_eq_str(wanted, routes[i].method)) {
			*ret_is_known = true;
			return &routes[i];
		}
	}
	*ret_is_known = is_known || is_page(path);
	return !is_known && is_page(path) && span_eq_str(wanted, "GET") ? &page : NULL;
}

void api_route_methods(struct span path, struct buf *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		if (!span_eq_str(path, routes[i].path))
			continue;
		if (span_eq_str(SPAN("GET"), routes[i].method))
			(void)buf_append_str(out, out->len ? ", GET, HEAD" : "GET, HEAD");
		else
			(void)buf_printf(out, "%s%s", out->len ? ", " : "", routes[i].method);
	}
	if (!out->len)
		(void)buf_append_str(out, "GET, HEAD");
}

const struct api_route *api_routes(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(routes);
	return routes;
}
