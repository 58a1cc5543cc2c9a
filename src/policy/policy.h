/*
 * leash's use of Cedar: which policies apply to a session, and what they say
 * about one operation.
 *
 * A policy_source collects the layers (profile, user, project, command line,
 * leash's own rules) and makes a bundle: a self-contained, checksummed block of
 * bytes with a generation number, handed to every process that decides. Each
 * process opens the bundle as a struct policy (immutable, shared by its
 * threads) and asks through a policy_decider (one per thread, holds scratch
 * memory and a cache keyed by the policy's generation).
 *
 * The bundle holds the policies as Cedar and as a decision image: tables that
 * answer most requests at once. What they cannot answer is evaluated; both
 * always agree.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* ---- Operations -------------------------------------------------------- */

enum policy_action {
	POLICY_FILE_OPEN_READ_ONLY,
	POLICY_FILE_OPEN_READ_WRITE, /* any open that can write; also read-and-write */
	POLICY_FILE_CREATE,
	POLICY_FILE_DELETE,
	POLICY_FILE_LINK,
	POLICY_FILE_SET_ATTRIBUTES,
	POLICY_PROCESS_EXEC,
	POLICY_NETWORK_LISTEN,
	POLICY_NETWORK_CONNECT,
	POLICY_DNS_RESOLVE,
	POLICY_NETWORK_DATAGRAM,
	POLICY_HTTP_REQUEST,
	POLICY_MCP_CALL,
	POLICY_ACTION_MAX,
};

/* "FileOpenReadOnly" and so on. */
const char *policy_action_name(enum policy_action action);
/* -EINVAL when unknown. */
int policy_action_from_name(struct span name, enum policy_action *ret);

/* Facts about the process that asks; fetched only when a policy mentions them. */
enum policy_fact {
	POLICY_FACT_EXE,
	POLICY_FACT_COMM,
	POLICY_FACT_CWD,
	POLICY_FACT_ANCESTORS, /* program paths separated by NUL */
	POLICY_FACT_ARGV,      /* arguments separated by NUL (ProcessExec) */
	POLICY_FACT_MAX,
};

/*
 * Returns 0 and the fact (valid until the next call of policy_decide by this
 * thread), or a negative errno: the operation is then denied.
 */
typedef int (*policy_fact_fn)(void *ctx, enum policy_fact fact, struct span *ret);

/* An address; IPv4-mapped IPv6 is normalised to IPv4 by whoever fills it. */
struct policy_address {
	unsigned char bytes[16]; /* network order; IPv4 in the first four */
	bool is_v6;
};

/* The name in lower case; of several fields of one name the order counts. */
struct policy_header {
	struct span name, value;
};

/*
 * A request of HTTP, as it goes to the server. What could be read in more than
 * one way is denied in every mode: a method that is no token, another scheme, a
 * path with a component that some server takes for "." or "..", a path or query with
 * blanks, control characters or '#', a name of a header that is not in lower case.
 * Any other bytes are text as text.h has it, so a pattern sees all of them.
 */
struct policy_http {
	struct span method, scheme; /* "GET"; "http" or "https" */
	/* The path in normal form, "/" and on, or "*"; the query without '?', empty where there is
	 * none. */
	struct span path, query;
	/* Several fields of one name are one value, joined by ", " (cookie: by "; "). */
	const struct policy_header *headers;
	size_t n_headers;
};

struct policy_request {
	enum policy_action action;
	/*
	 * Files and programs: the absolute canonical path as the container sees
	 * it, any bytes, no final slash except for "/"; other paths are denied.
	 * is_directory: the object is a directory; for FileCreate, what comes into
	 * being is one (mkdir, a directory renamed to this name; never a link). An anonymous program is "memfd:".
	 */
	struct span path;
	bool is_directory;
	/*
	 * FileCreate: what comes into being is a symbolic link. It also names
	 * whatever lies behind it, so it is denied where a forbid names something
	 * below the path.
	 */
	bool is_link;
	/* For an open that also reads: a forbid on reading denies it too. */
	bool also_reads;
	/* Network: the verified canonical name (empty where none is known), the address, the port. */
	struct span host;
	struct policy_address address;
	bool has_address;
	uint16_t port; /* 0: not known (DnsResolve) */
	struct span protocol;	  /* "tcp", "udp" */
	struct span server, tool; /* McpCall; host and port are the server's where it has them */
	/* HttpRequest. NULL: its facts are not known, policies that need them deny. */
	const struct policy_http *http;
	policy_fact_fn fact; /* NULL: facts are absent, policies that need them deny */
	void *fact_ctx;
};

/* ---- Answers ----------------------------------------------------------- */

enum decision {
	DECISION_DENY = 0, /* zeroed memory denies */
	DECISION_ASK,
	DECISION_ALLOW,
};

/* "allow" or "deny". */
const char *policy_verdict_name(enum decision verdict);

#define POLICY_MAX_REASONS 8

struct policy_decision {
	enum decision verdict;
	bool is_own_rule;     /* a rule of leash itself denied: holds in every mode */
	uint64_t generation;
	size_t n_reasons;     /* 0: no policy decided (default deny) */
	const char *reasons[POLICY_MAX_REASONS]; /* policy ids, valid as long as the policy */
	size_t n_more_reasons; /* those that did not fit */
	bool has_error;	      /* a policy erred while being evaluated; an erring forbid denies */
};

/* Is the policy among the reasons? "file:keys" is called "keys" as well. */
bool policy_decision_names(const struct policy_decision *d, const char *id);

/* What a session does with verdicts. */
enum policy_mode {
	POLICY_ENFORCE = 0,
	POLICY_SHADOW,
	POLICY_RECORD,
};

const char *policy_mode_name(enum policy_mode mode);
int policy_mode_from_name(struct span name, enum policy_mode *ret);

/* ---- Use: in every process that decides -------------------------------- */

struct policy;
struct policy_decider;

/* Maps and checks a sealed bundle. -EBADMSG for a damaged or foreign one. Takes no ownership of fd. */
int policy_open(int bundle_fd, struct policy **ret, struct err *err) _must_check_;
struct policy *policy_ref(struct policy *p);
void policy_unref(struct policy *p);

/*
 * HttpRewrite: a header to be set in every request to a host. The value may hold
 * "${secret:NAME}" for whoever sends the request to fill in; all of it is secret.
 */
struct policy_instruction {
	struct span policy; /* its id */
	struct span host;   /* a name, "*.name", or an address */
	uint16_t port;	    /* 0: any */
	struct span header; /* in lower case */
	struct span value;
};

/* Those for the session's agent; they live as long as the policy. */
const struct policy_instruction *policy_instructions(const struct policy *p, size_t *ret_n);

uint64_t policy_generation(const struct policy *p);
enum policy_mode policy_session_mode(const struct policy *p);

/* max_cached bounds the cache's entries. */
struct policy_decider *policy_decider_new(size_t max_cached);
void policy_decider_free(struct policy_decider *d);
/* For tests and measurements: decides without the image from now on. */
void policy_decider_evaluate_only(struct policy_decider *d);
/* Of the decision image, in bytes; 0 where there is none. */
size_t policy_image_size(const struct policy *p);
/* How many decisions were left to the evaluator (or its cache). */
uint64_t policy_decider_asked(const struct policy_decider *d);

/*
 * Decides one operation. Never fails: whatever goes wrong is a deny. The
 * decider forgets its cache when it sees another generation.
 */
void policy_decide(struct policy_decider *d, const struct policy *p, const struct policy_request *r,
		   struct policy_decision *ret);

/*
 * Does the policy, leash's own rules aside, ever answer such a request otherwise
 * than by allowing it? True also where that cannot be told.
 */
bool policy_restricts(const struct policy *p, enum policy_action action);

/* Was it a permit with @tls("passthrough") that allowed it, alone or among others? */
bool policy_passes_tls(const struct policy *p, const struct policy_decision *d);

/* Is the operation to go ahead, given verdict and mode? */
bool policy_permits(const struct policy *p, const struct policy_decision *d);
/* The determining ids separated by NUL, for the event. Appends to out. */
int policy_reasons(const struct policy_decision *d, struct buf *out);

/* ---- Making: in the daemon and the CLI ---------------------------------- */

enum policy_layer {
	POLICY_LAYER_OWN,     /* leash's own forbids */
	POLICY_LAYER_PROFILE,
	POLICY_LAYER_USER,
	POLICY_LAYER_PROJECT, /* may only forbid unless trusted */
	POLICY_LAYER_FILE,    /* --policy: replaces profile and user */
	POLICY_LAYER_SESSION,
};

/* What the policies' placeholders and leash's own rules stand for. */
struct policy_environment {
	const char *agent;     /* the principal: Agent::"claude" */
	const char *home, *workspace;
	const char *profile;   /* "guarded", "permissive", "locked" */
	const char *policy_file; /* replaces profile and user policy: no agent may change it; or NULL */
	const char *const *own_paths; /* directories no agent may open, create or change; NULL-terminated */
	enum policy_mode mode;
	bool is_image; /* files of the system are an image's: what they hold is not the machine's
			  secret */
};

/* What was found in a policy's text; strings are the list's. */
struct policy_finding {
	bool is_error;		    /* else a warning */
	const char *code;	    /* stable, see docs/CEDAR.md; static */
	char *policy;		    /* id, or NULL where the text could not be read that far */
	char *file, *source;	    /* the whole source line */
	char *message, *suggestion; /* the latter or NULL */
	size_t line, column, end_line,
		end_column; /* from 1; the end is behind the last character */
	size_t begin, end;  /* the same in bytes of the text, from 0 */
};

struct policy_findings {
	struct policy_finding *items;
	size_t len, cap;
};

void policy_findings_done(struct policy_findings *f);

struct policy_source;
struct cedar_scope;

struct policy_source *policy_source_new(const struct policy_environment *env);
void policy_source_free(struct policy_source *s);
/* Findings of what is added from now on are also put into the list; NULL: no longer. */
void policy_source_collect(struct policy_source *s, struct policy_findings *list);
/* The user vouches for the project's policy: permits of its layer count. */
void policy_source_trust_project(struct policy_source *s);
bool policy_source_is_trusted(const struct policy_source *s);
/* Permits of the project that were left out, for nobody vouches for them. */
size_t policy_source_ignored(const struct policy_source *s);
/* For tests: policies that err on purpose are taken without validation. */
void policy_source_skip_validation(struct policy_source *s);

/* Adds the built-in profile and leash's own rules. -EINVAL for an unknown profile name. */
int policy_source_add_builtin(struct policy_source *s, bool with_profile, struct err *err) _must_check_;
/*
 * Adds a layer: the text is parsed, read as leash reads it, and validated
 * against leash's schema. On an error returns -EINVAL and appends all findings,
 * each with code, policy id, file, line, column, source line, caret and
 * suggestion, to report (which may also get warnings on success). The built-in
 * layers are validated by a test instead. color as log_want_color.
 */
int policy_source_add_text(struct policy_source *s, enum policy_layer layer, const char *file_name,
			   struct span text, bool color, struct buf *report, struct err *err) _must_check_;
/* A policy file, which may have LIMIT_POLICY_FILE bytes. */
int policy_file_read(const char *file, struct buf *text, struct err *err) _must_check_;
/* As above, from a file. An empty file (no policy at all) is an error. */
int policy_source_add_file(struct policy_source *s, enum policy_layer layer, const char *file,
			   bool color, struct buf *report, struct err *err) _must_check_;
/* The same where the file's text was read before. */
int policy_source_add_file_text(struct policy_source *s, enum policy_layer layer, const char *file,
				struct span text, bool color, struct buf *report,
				struct err *err) _must_check_;
size_t policy_source_len(const struct policy_source *s);
/* One policy of a source; strings live as long as that. */
struct policy_item {
	const char *id, *file;
	size_t line;
	enum policy_layer layer;
	bool is_forbid;
	struct span text;     /* as written */
	struct span expanded; /* as leash reads it: Cedar that means the same to any evaluator */
	size_t text_index;    /* of policy_source_text_at: the text that it is in, */
	size_t begin, end;    /* at these bytes */
	const struct cedar_scope *action, *resource; /* of what leash reads */
};

/* i below policy_source_len. */
struct policy_item policy_source_at(const struct policy_source *s, size_t i);
/* Appends the policy in words, for people who read no Cedar: "Permits reading /etc/hosts." */
int policy_source_say(const struct policy_source *s, size_t i, struct buf *out);

/* One of the texts that were added, with all that stands in it; valid as long as the source. */
struct policy_text {
	enum policy_layer layer;
	const char *file;
	struct span text;
};

size_t policy_source_n_texts(const struct policy_source *s);
struct policy_text policy_source_text_at(const struct policy_source *s, size_t i);
/* "user", "project", ...; "leash" for its own rules. */
const char *policy_layer_name(enum policy_layer layer);
/* leash's schema, as Cedar. */
struct span policy_schema(void);
/* Makes the sealed bundle. Returns its fd. */
int policy_source_bundle(struct policy_source *s, uint64_t generation, struct err *err) _must_check_;

/* How a policy is carried out. */
enum policy_handling {
	POLICY_EXACT,	      /* by the decision image in every case */
	POLICY_PARTLY_ASKS,   /* where what `blame` asks about matters, by evaluating: slower, the
				 same answer */
	POLICY_NEVER_APPLIES, /* no request can satisfy it: `blame` never holds here */
};

struct policy_report {
	const char *id, *file; /* valid as long as the source */
	size_t line;
	enum policy_layer layer;
	enum policy_handling handling;
	char *blame; /* a sub-expression, or the scope, as Cedar; NULL where exact */
};

/* One report per policy, in the source's order; free with policy_reports_free. */
int policy_source_report(struct policy_source *s, struct policy_report **ret, size_t *ret_n,
			 struct err *err) _must_check_;
void policy_reports_free(struct policy_report *reports, size_t n);

/*
 * Looks at all policies together: those that can never apply here, that change
 * nothing beside others, or that a forbid swallows. Warnings go to the report;
 * nothing here makes a policy invalid. reports are of the same source, or NULL
 * where there are none. For `policy check`: a session need not wait.
 */
int policy_source_review(struct policy_source *s, const struct policy_report *reports, bool color,
			 struct buf *report, struct err *err) _must_check_;

/*
 * Directories that some permit lets be written, as far as literals tell:
 * newly allocated, NULL-terminated; "/" where a permit is not bounded by a path.
 */
char **policy_source_writable(const struct policy_source *s);

/* The text of a built-in profile, or an empty span. */
struct span policy_profile_text(const char *name);

/* What came of one condition; a condition is a part of a policy's when and unless that must hold.
 */
enum policy_condition_result {
	POLICY_CONDITION_HOLDS,
	POLICY_CONDITION_FAILS,
	POLICY_CONDITION_ERRS,
	POLICY_CONDITION_OPEN, /* depends on the connection that a look-up of a name is for */
};

/* "holds", "does not hold", ... */
const char *policy_condition_result_name(enum policy_condition_result result);

struct policy_condition {
	char *text; /* as leash reads it */
	enum policy_condition_result result;
};

/* A policy with its conditions for one request. Strings and text live as long as the policy. */
struct policy_reason {
	const char *id, *file;
	size_t line;
	enum policy_layer layer;
	bool is_forbid;
	struct span text; /* as written */
	struct policy_condition *conditions;
	size_t n_conditions;
};

struct policy_explanation {
	struct policy_reason *reasons; /* those that decided */
	size_t n_reasons;
	/* Where nothing permits: some permits whose scope fits but whose conditions do not hold. */
	struct policy_reason *almost;
	size_t n_almost;
};

/* -EINVAL where no policy could be asked; *ret is then empty. */
int policy_explanation_make(const struct policy *p, const struct policy_request *r,
			    const struct policy_decision *d,
			    struct policy_explanation *ret) _must_check_;
void policy_explanation_done(struct policy_explanation *x);

/*
 * Explains a decision in sentences: verdict, the policies with file and line
 * and their text, and what would have to change. Appends to out.
 */
int policy_explain(const struct policy *p, const struct policy_request *r,
		   const struct policy_decision *d, bool color, struct buf *out);
