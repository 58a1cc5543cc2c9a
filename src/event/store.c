#include "event/store.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"
#include "base/vec.h"
#include "event/checkpoint.h"
#include "event/dictionary.h"
#include "event/event-private.h"
#include "event/store-private.h"

/* JSON needs at most six bytes for one of a ring's records, plus keys. */
#define LINE_MAX_LEN ((size_t)2 * 1024 * 1024)
/* Records that wait in memory for the database; more than a start or a checkpoint's pause brings.
 */
#define WAITING_MAX 8192
/* At its end a session waits so long for those who have the database locked. */
#define FINISH_MS 5000
/* When so much of the write-ahead log is not in the database yet, it is moved there. */
#define CHECKPOINT_PAGES 4096

enum statement {
	INSERT_ACTION,
	INSERT_PROCESS,
	INSERT_DIRECTORY,
	INSERT_EVENT,
	INSERT_DETAIL,
	SEE_PROCESS,
	SEE_DIRECTORY,
	PUT_BLOCK,
	BEGIN,
	COMMIT,
	N_STATEMENTS,
};

static const char *const statement_texts[N_STATEMENTS] = {
	[INSERT_ACTION] = "INSERT INTO action VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
	[INSERT_PROCESS] = "INSERT INTO process VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
	[INSERT_DIRECTORY] = "INSERT INTO directory VALUES(?1,?2)",
	[INSERT_EVENT] = "INSERT INTO event VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
	[INSERT_DETAIL] = ("INSERT INTO detail VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,"
			   "?13,?14,?15,?16,?17,?18)"),
	[SEE_PROCESS] = "INSERT OR IGNORE INTO process_seen VALUES(?1,?2)",
	[SEE_DIRECTORY] = "INSERT OR IGNORE INTO directory_seen VALUES(?1,?2)",
	[PUT_BLOCK] = "INSERT OR REPLACE INTO block VALUES(?1,?2,?3)",
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
};

/* A record that has its place in the chain, and not yet in the database. */
struct waiting {
	struct event *event;
	uint64_t seq;
	unsigned char hash[SHA256_LEN];
};

/* The rows that an event's row refers to. */
struct refs {
	struct dictionary_entry *action, *process;
	struct dictionary_entry *directory; /* NULL: it has no path, or one without a slash */
	struct span name;
};

struct event_store {
	char *path, *session;
	int lock_fd, db_fd;
	int error;
	uint64_t seq, written_seq;
	char head[SHA256_HEX_LEN + 1], written_head[SHA256_HEX_LEN + 1]; /* the last one's hash */
	struct buf line;
	uint64_t waiting_since_ns;
	VEC(struct waiting) waiting;

	sqlite3 *db;
	sqlite3_stmt *statements[N_STATEMENTS];
	bool is_in_transaction, has_wal, is_durable, is_finished;
	struct dictionary actions, processes, directories;
	uint64_t block, first_time, last_time; /* the present block, and its events' times */
	struct checkpoint *checkpoint;
	int n_wal_pages, n_pages_then; /* in the write-ahead log; when a checkpoint began last */
};

/* ---- Making it ------------------------------------------------------------- */

static int create_file(const char *directory, const char *name, int *ret_fd, struct err *err)
{
	_cleanup_free_ char *path = path_join(directory, name);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(err, -errno, "create %s", path);
	*ret_fd = fd;
	return 0;
}

int event_store_create(const char *directory, const char *session, struct event_store **ret,
		       struct err *err)
{
	_cleanup_close_ int lock_fd = -1;
	struct event_store *s;
	int db_fd;
	int r = create_file(directory, EVENT_LOCK_NAME, &lock_fd, err);

	if (r < 0)
		return r;
	/* A file system without locks only leaves others unsure whether the session still runs. */
	r = lock_take(lock_fd);
	(void)r;
	/* Closing it would drop SQLite's locks on the file: it stays open until the end. */
	r = create_file(directory, EVENT_DB_NAME, &db_fd, err);
	if (r < 0)
		return r;
	s = xnew(struct event_store);
	s->path = path_join(directory, EVENT_DB_NAME);
	s->session = xstrdup(session);
	s->lock_fd = TAKE_FD(lock_fd);
	s->db_fd = db_fd;
	s->line.max = LINE_MAX_LEN;
	memset(s->head, '0', SHA256_HEX_LEN);
	memcpy(s->written_head, s->head, sizeof(s->head));
	dictionary_init(&s->actions, 64);
	dictionary_init(&s->processes, 128);
	dictionary_init(&s->directories, 1024);
	*ret = s;
	return 0;
}

static int fail(struct event_store *s, int r)
{
	if (r < 0 && !s->error) {
		s->error = r;
		s->seq = s->written_seq;
		memcpy(s->head, s->written_head, sizeof(s->head));
		s->waiting_since_ns = 0;
	}
	return s->error;
}

static int on_wal(void *ctx, sqlite3 *db, const char *name, int n_pages)
{
	struct event_store *s = ctx;

	(void)db;
	(void)name;
	s->n_wal_pages = n_pages;
	return SQLITE_OK;
}

static int insert_session(struct event_store *s)
{
	sqlite3_stmt *statement = NULL;
	int r = sql_prepare(s->db, "INSERT INTO session VALUES(?1)", &statement);

	if (r == 0) {
		sql_bind_text(statement, 1, span_of(s->session));
		r = sql_run(statement);
	}
	(void)sqlite3_finalize(statement);
	return r;
}

/*
 * The first transaction makes the whole form, under a rollback journal and
 * without a sync: whoever is killed in it leaves an empty file, and there is
 * nothing yet that a power cut could take.
 */
static int make_database(struct event_store *s)
{
	_cleanup_free_ char *form = xasprintf("PRAGMA application_id=%d;PRAGMA user_version=%d;%s",
					      EVENT_DB_APPLICATION, EVENT_DB_VERSION, EVENT_SCHEMA);
	int r = sql_open(s->path, SQLITE_OPEN_READWRITE, &s->db);

	if (r < 0)
		return r;
	/* Who waits for his turn waits in memory, and not here. */
	(void)sqlite3_busy_timeout(s->db, 0);
	r = sql_exec(s->db, "PRAGMA synchronous=OFF;BEGIN IMMEDIATE");
	if (r < 0)
		return r;
	s->is_in_transaction = true;
	r = sql_exec(s->db, form);
	for (size_t i = 0; i < N_STATEMENTS && r == 0; i++)
		r = sql_prepare(s->db, statement_texts[i], &s->statements[i]);
	return r < 0 ? r : insert_session(s);
}

/* ---- Rows ------------------------------------------------------------------ */

static sqlite3_stmt *statement_of(struct event_store *s, enum statement which)
{
	return s->statements[which];
}

static void bind_number(sqlite3_stmt *q, int i, uint64_t n)
{
	(void)sqlite3_bind_int64(q, i, (sqlite3_int64)n);
}

static void bind_number_if(sqlite3_stmt *q, int i, bool is_there, uint64_t n)
{
	if (is_there)
		bind_number(q, i, n);
	else
		(void)sqlite3_bind_null(q, i);
}

static int insert_action(struct event_store *s, const struct event *e, int64_t id)
{
	sqlite3_stmt *q = statement_of(s, INSERT_ACTION);

	(void)sqlite3_bind_int64(q, 1, id);
	(void)sqlite3_bind_int(q, 2, (int)e->kind);
	(void)sqlite3_bind_int(q, 3, (int)e->decision);
	(void)sqlite3_bind_int(q, 4, (int)e->backend);
	bind_number(q, 5, e->generation);
	sql_bind_text(q, 6, e->mode);
	sql_bind_text(q, 7, e->policies);
	sql_bind_text(q, 8, e->access);
	bind_number_if(q, 9, e->has_flags, e->flags);
	bind_number_if(q, 10, e->has_mode_bits, e->mode_bits);
	(void)sqlite3_bind_int(q, 11, e->error);
	return sql_run(q);
}

static int find_action(struct event_store *s, const struct event *e, struct dictionary_entry **ret)
{
	struct dictionary *d = &s->actions;
	bool is_new;

	dictionary_begin_key(d, 6, e->mode.len + e->policies.len + e->access.len);
	dictionary_add_number(d, (uint64_t)e->kind | (uint64_t)e->decision << 8 |
					 (uint64_t)e->backend << 16 | (uint64_t)e->has_flags << 24 |
					 (uint64_t)e->has_mode_bits << 25 |
					 (uint64_t)(uint32_t)e->error << 32);
	dictionary_add_number(d, (uint64_t)e->flags | (uint64_t)e->mode_bits << 32);
	dictionary_add_number(d, e->generation);
	dictionary_add_text(d, e->mode);
	dictionary_add_text(d, e->policies);
	dictionary_add_text(d, e->access);
	*ret = dictionary_find(d, &is_new);
	if (!is_new)
		return 0;
	event_fragment_action(e, &(*ret)->text);
	(*ret)->split_at = (*ret)->text.len;
	event_fragment_manner(e, &(*ret)->text);
	return insert_action(s, e, (*ret)->id);
}

static int insert_process(struct event_store *s, const struct event *e, int64_t id)
{
	sqlite3_stmt *q = statement_of(s, INSERT_PROCESS);

	(void)sqlite3_bind_int64(q, 1, id);
	(void)sqlite3_bind_int(q, 2, e->pid);
	(void)sqlite3_bind_int(q, 3, e->ppid);
	bind_number_if(q, 4, e->has_uid, e->uid);
	sql_bind_text(q, 5, e->exe);
	sql_bind_text(q, 6, e->comm);
	sql_bind_text(q, 7, e->cwd);
	bind_number(q, 8, e->exec);
	return sql_run(q);
}

static int find_process(struct event_store *s, const struct event *e, struct dictionary_entry **ret)
{
	struct dictionary *d = &s->processes;
	bool is_new;

	dictionary_begin_key(d, 6, e->exe.len + e->comm.len + e->cwd.len);
	dictionary_add_number(d, (uint64_t)(uint32_t)e->pid | (uint64_t)(uint32_t)e->ppid << 32);
	dictionary_add_number(d, (uint64_t)e->uid | (uint64_t)e->has_uid << 32);
	dictionary_add_number(d, e->exec);
	dictionary_add_text(d, e->exe);
	dictionary_add_text(d, e->comm);
	dictionary_add_text(d, e->cwd);
	*ret = dictionary_find(d, &is_new);
	if (!is_new)
		return 0;
	event_fragment_process(e, &(*ret)->text);
	return insert_process(s, e, (*ret)->id);
}

static int find_directory(struct event_store *s, const struct event *e, struct refs *refs)
{
	const char *slash = e->path.len ? memrchr(e->path.p, '/', e->path.len) : NULL;
	struct dictionary *d = &s->directories;
	struct span path;
	sqlite3_stmt *q;
	bool is_new;

	refs->directory = NULL;
	refs->name = e->path;
	if (!slash)
		return 0;
	path = span_make(e->path.p, (size_t)(slash - e->path.p));
	refs->name = span_from(e->path, path.len + 1);
	dictionary_begin_key(d, 1, path.len);
	dictionary_add_text(d, path);
	refs->directory = dictionary_find(d, &is_new);
	if (!is_new)
		return 0;
	q = statement_of(s, INSERT_DIRECTORY);
	(void)sqlite3_bind_int64(q, 1, refs->directory->id);
	/* "" is the root's: there is a slash. */
	(void)sqlite3_bind_text(q, 2, path.p, (int)path.len, SQLITE_STATIC);
	return sql_run(q);
}

static int find_refs(struct event_store *s, const struct event *e, struct refs *refs)
{
	int r = find_action(s, e, &refs->action);

	if (r == 0)
		r = find_process(s, e, &refs->process);
	return r < 0 ? r : find_directory(s, e, refs);
}

static bool has_detail(const struct event *e)
{
	return e->argv.len || e->argv_cut || e->is_cut || e->is_redacted || e->target.len ||
	       e->host.len || e->ip.len || e->has_port || e->protocol.len || e->family.len ||
	       e->bytes_in || e->bytes_out || e->method.len || e->url.len || e->header.len ||
	       e->secret.len || e->has_status || e->count || e->message.len;
}

static int insert_detail(struct event_store *s, const struct event *e, uint64_t seq)
{
	sqlite3_stmt *q = statement_of(s, INSERT_DETAIL);

	bind_number(q, 1, seq);
	sql_bind_text(q, 2, e->argv);
	(void)sqlite3_bind_int(q, 3,
			       (e->argv_cut ? EVENT_CUT_ARGV : 0) |
				       (e->is_cut ? EVENT_CUT_TEXT : 0) |
				       (e->is_redacted ? EVENT_CUT_SECRET : 0));
	sql_bind_text(q, 4, e->target);
	sql_bind_text(q, 5, e->host);
	sql_bind_text(q, 6, e->ip);
	bind_number_if(q, 7, e->has_port, e->port);
	sql_bind_text(q, 8, e->protocol);
	sql_bind_text(q, 9, e->family);
	bind_number(q, 10, e->bytes_in);
	bind_number(q, 11, e->bytes_out);
	sql_bind_text(q, 12, e->method);
	sql_bind_text(q, 13, e->url);
	sql_bind_text(q, 14, e->header);
	sql_bind_text(q, 15, e->secret);
	if (e->has_status)
		(void)sqlite3_bind_int(q, 16, e->status);
	else
		(void)sqlite3_bind_null(q, 16);
	bind_number(q, 17, e->count);
	sql_bind_text(q, 18, e->message);
	return sql_run(q);
}

static int insert_event(struct event_store *s, const struct event *e, const struct refs *refs,
			uint64_t seq, const unsigned char hash[SHA256_LEN])
{
	sqlite3_stmt *q = statement_of(s, INSERT_EVENT);
	int mark = event_mark(e);
	int r;

	/* SQLite gives the next number itself, without looking whether it is free. */
	(void)sqlite3_bind_null(q, 1);
	bind_number(q, 2, e->time_ns);
	(void)sqlite3_bind_int64(q, 3, refs->action->id);
	(void)sqlite3_bind_int64(q, 4, refs->process->id);
	if (refs->directory) {
		(void)sqlite3_bind_int64(q, 5, refs->directory->id);
		(void)sqlite3_bind_text(q, 6, refs->name.p, (int)refs->name.len, SQLITE_STATIC);
	} else {
		(void)sqlite3_bind_null(q, 5);
		sql_bind_text(q, 6, refs->name);
	}
	(void)sqlite3_bind_int64(q, 7, e->latency_us);
	bind_number_if(q, 8, e->cause, e->cause == e->exec ? EVENT_CAUSE_EXEC : e->cause);
	bind_number_if(q, 9, mark != EVENT_MARK_BULK, (uint64_t)mark);
	(void)sqlite3_bind_blob(q, 10, hash, SHA256_LEN, SQLITE_STATIC);
	r = sql_run(q);
	return r == 0 && sqlite3_last_insert_rowid(s->db) != (sqlite3_int64)seq ? -EBADMSG : r;
}

/* ---- Blocks ---------------------------------------------------------------- */

static int see(struct event_store *s, enum statement which, struct dictionary_entry *entry)
{
	sqlite3_stmt *q;

	if (!entry || entry->block == s->block)
		return 0;
	entry->block = s->block;
	q = statement_of(s, which);
	(void)sqlite3_bind_int64(q, 1, entry->id);
	bind_number(q, 2, s->block);
	return sql_run(q);
}

static int put_block(struct event_store *s)
{
	sqlite3_stmt *q = statement_of(s, PUT_BLOCK);

	if (!s->first_time)
		return 0;
	bind_number(q, 1, s->block);
	bind_number(q, 2, s->first_time);
	bind_number(q, 3, s->last_time);
	return sql_run(q);
}

static int note_in_block(struct event_store *s, const struct event *e, const struct refs *refs,
			 uint64_t seq)
{
	uint64_t block = seq >> EVENT_BLOCK_BITS;
	int r = 0;

	if (block != s->block) {
		r = put_block(s);
		s->block = block;
		s->first_time = s->last_time = 0;
	}
	s->first_time = s->first_time ? MIN(s->first_time, e->time_ns) : e->time_ns;
	s->last_time = MAX(s->last_time, e->time_ns);
	if (r == 0)
		r = see(s, SEE_PROCESS, refs->process);
	return r < 0 ? r : see(s, SEE_DIRECTORY, refs->directory);
}

static int insert(struct event_store *s, const struct event *e, const struct refs *refs,
		  uint64_t seq, const unsigned char hash[SHA256_LEN])
{
	int r = insert_event(s, e, refs, seq, hash);

	if (r == 0 && has_detail(e))
		r = insert_detail(s, e, seq);
	return r < 0 ? r : note_in_block(s, e, refs, seq);
}

/* ---- Appending ------------------------------------------------------------- */

static int format(struct event_store *s, const struct event *e, const struct refs *refs)
{
	const struct event_chain at = { s->seq + 1, s->session, s->head };
	struct event_fragments made;
	struct span text;

	buf_reset(&s->line);
	if (!refs)
		return event_to_json_with(e, NULL, &at, &s->line);
	text = buf_span(&refs->action->text);
	made.action = span_make(text.p, refs->action->split_at);
	made.manner = span_from(text, refs->action->split_at);
	made.process = buf_span(&refs->process->text);
	return event_to_json_with(e, &made, &at, &s->line);
}

static void keep_waiting(struct event_store *s, const struct event *e,
			 const unsigned char hash[SHA256_LEN])
{
	struct waiting w = { .event = event_copy(e), .seq = s->seq + 1 };

	memcpy(w.hash, hash, SHA256_LEN);
	vec_push(&s->waiting, w);
}

static bool must_wait(const struct event_store *s)
{
	return !s->db || (!s->is_in_transaction && s->waiting.len < WAITING_MAX &&
			  checkpoint_wants_pause(s->checkpoint));
}

static int begin_transaction(struct event_store *s)
{
	int r = 0;

	if (!s->is_in_transaction)
		r = sql_run(statement_of(s, BEGIN));
	s->is_in_transaction = r == 0;
	return r;
}

/* Puts those that have waited into the database. */
static int write_waiting(struct event_store *s)
{
	int r = s->waiting.len ? begin_transaction(s) : 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < s->waiting.len; i++) {
		struct waiting *w = &s->waiting.items[i];
		struct refs refs;

		if (r == 0)
			r = find_refs(s, w->event, &refs);
		if (r == 0)
			r = insert(s, w->event, &refs, w->seq, w->hash);
		xfree(w->event);
	}
	s->waiting.len = 0;
	return r;
}

static int append_waiting(struct event_store *s, const struct event *e,
			  unsigned char hash[SHA256_LEN])
{
	int r = format(s, e, NULL);

	if (r < 0)
		return r;
	sha256_of(buf_span(&s->line), hash);
	keep_waiting(s, e, hash);
	return 0;
}

static int append_row(struct event_store *s, const struct event *e, unsigned char hash[SHA256_LEN])
{
	struct refs refs;
	int r = write_waiting(s);

	if (r == 0)
		r = find_refs(s, e, &refs);
	if (r == 0)
		r = format(s, e, &refs);
	if (r < 0)
		return r;
	sha256_of(buf_span(&s->line), hash);
	return insert(s, e, &refs, s->seq + 1, hash);
}

static int append(struct event_store *s, const struct event *e)
{
	unsigned char hash[SHA256_LEN];
	int r = must_wait(s) ? -EBUSY : begin_transaction(s);

	/* Somebody else has the database's lock: the record waits too, as long as there is room. */
	if (r == -EBUSY && s->waiting.len < WAITING_MAX)
		r = append_waiting(s, e, hash);
	else if (r == 0)
		r = append_row(s, e, hash);
	if (r < 0)
		return r;
	sha256_to_hex(hash, s->head);
	s->seq++;
	return 0;
}

uint64_t event_store_append(struct event_store *s, const struct event *e)
{
	struct event filled = *e;
	struct event lost;
	int r;

	if (s->error || s->is_finished)
		return 0;
	if (!filled.time_ns)
		filled.time_ns = clock_real_ns();
	if (!s->db && s->waiting.len >= WAITING_MAX && event_store_begin(s) < 0)
		return 0;
	r = append(s, &filled);
	/* A record that cannot be written leaves one that says so. */
	if (r == -EMSGSIZE) {
		lost = (struct event){ .kind = EVENT_LOST, .time_ns = filled.time_ns, .count = 1 };
		lost.message = SPAN("an event was too large for the log");
		r = append(s, &lost);
	}
	if (fail(s, r) < 0)
		return 0;
	if (!s->waiting_since_ns)
		s->waiting_since_ns = clock_monotonic_ns();
	return s->seq;
}

struct span event_store_last_json(const struct event_store *s)
{
	return buf_span(&s->line);
}

uint64_t event_store_waiting_since(const struct event_store *s)
{
	return s->waiting_since_ns;
}

/* ---- Writing out ----------------------------------------------------------- */

int event_store_begin(struct event_store *s)
{
	int r;

	if (s->error || s->db || s->is_finished)
		return s->error;
	r = make_database(s);
	if (r == 0)
		r = write_waiting(s);
	return fail(s, r);
}

/* From here on readers do not disturb, and a commit needs no sync. */
static int use_wal(struct event_store *s)
{
	int r;

	if (s->has_wal)
		return 0;
	r = sql_exec(s->db, "PRAGMA journal_mode=WAL");
	(void)sqlite3_wal_hook(s->db, on_wal, s);
	s->has_wal = r == 0;
	return r;
}

/* With the first frames SQLite would sync the log's head: not before there is something to lose. */
static int be_durable(struct event_store *s)
{
	int r;

	if (s->is_durable || !s->n_wal_pages)
		return 0;
	r = sql_exec(s->db, "PRAGMA synchronous=NORMAL");
	s->is_durable = r == 0;
	return r;
}

/* While a transaction is open, nothing waits. */
static int commit(struct event_store *s)
{
	int r;

	if (!s->is_in_transaction)
		return 0;
	r = put_block(s);
	if (r == 0)
		r = sql_run(statement_of(s, COMMIT));
	if (r < 0)
		return r;
	s->is_in_transaction = false;
	s->written_seq = s->seq;
	memcpy(s->written_head, s->head, sizeof(s->head));
	s->waiting_since_ns = 0;
	return 0;
}

/*
 * Not again before as much has come once more: a reader may have kept the last
 * one from its end.
 */
static void checkpoint_if_due(struct event_store *s)
{
	if (checkpoint_wants_pause(s->checkpoint))
		checkpoint_pause(s->checkpoint);
	if (s->n_wal_pages < s->n_pages_then)
		s->n_pages_then = 0;
	if (s->n_wal_pages < s->n_pages_then + CHECKPOINT_PAGES)
		return;
	s->n_pages_then = s->n_wal_pages;
	checkpoint_start(&s->checkpoint, s->path);
}

static int flush(struct event_store *s)
{
	int r = must_wait(s) ? 0 : write_waiting(s);

	if (r == 0)
		r = commit(s);
	if (r == 0)
		r = use_wal(s);
	/* Somebody reads what has no log yet, or has the lock: another time. */
	if (r == -EBUSY)
		return 0;
	if (r == 0)
		r = be_durable(s);
	if (r == 0)
		checkpoint_if_due(s);
	return r;
}

int event_store_flush(struct event_store *s)
{
	int r = event_store_begin(s);

	if (r == 0 && !s->is_finished)
		r = flush(s);
	return fail(s, r);
}

static int close_database(struct event_store *s)
{
	int r = checkpoint_wait(&s->checkpoint);

	/* What a reader keeps from going into the database is safe in the log beside it. */
	if (r == 0 && s->has_wal && !s->error)
		r = sql_errno(s->db, sqlite3_wal_checkpoint_v2(
					     s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL));
	/* That synced what it moved; of a short session nothing was synced yet, and this is enough.
	 */
	if (r == 0 && !s->is_durable && !s->error && fdatasync(s->db_fd) < 0)
		r = -errno;
	for (size_t i = 0; i < N_STATEMENTS; i++)
		(void)sqlite3_finalize(s->statements[i]);
	memset(s->statements, 0, sizeof(s->statements));
	(void)sqlite3_close(s->db);
	s->db = NULL;
	return r;
}

int event_store_finish(struct event_store *s)
{
	int r = event_store_begin(s);

	if (r == 0 && s->db) {
		(void)sqlite3_busy_timeout(s->db, FINISH_MS);
		r = checkpoint_wait(&s->checkpoint);
	}
	if (r == 0 && s->db)
		r = write_waiting(s);
	if (r == 0)
		r = commit(s);
	(void)fail(s, r);
	if (s->db)
		r = close_database(s);
	s->is_finished = true;
	return fail(s, r);
}

int event_store_error(const struct event_store *s)
{
	return s->error;
}

uint64_t event_store_head(const struct event_store *s, char ret_hex[SHA256_HEX_LEN + 1])
{
	memcpy(ret_hex, s->head, sizeof(s->head));
	return s->seq;
}

void event_store_free(struct event_store *s)
{
	if (!s)
		return;
	if (s->db)
		(void)close_database(s);
	for (size_t i = 0; i < s->waiting.len; i++)
		xfree(s->waiting.items[i].event);
	vec_done(&s->waiting);
	dictionary_done(&s->actions);
	dictionary_done(&s->processes);
	dictionary_done(&s->directories);
	buf_done(&s->line);
	fd_close(s->db_fd);
	fd_close(s->lock_fd);
	xfree(s->path);
	xfree(s->session);
	xfree(s);
}
