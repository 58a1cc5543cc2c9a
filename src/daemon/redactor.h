/*
 * Keeps the values of a session's secrets out of what is recorded. An agent may
 * have found one elsewhere and put it into arguments, names of files, URLs and
 * hosts; whatever comes to the log passes here, and "[secret NAME]" stands in
 * the place of each value, in every form that the proxy looks for
 * (proxy/needle-forms.h), percent-encoded in whole or in part too, and cut off
 * at the end of a text. Holds copies of the values, in memory as they are in
 * elsewhere (base/secret.h).
 */
#pragma once

#include "base/err.h"
#include "daemon/secret-spec.h"
#include "event/event.h"

struct redactor;

/*
 * Of values that were read; *ret is NULL where there are none: then nothing is
 * looked at. The specs may be wiped afterwards.
 */
int redactor_new(const secret_specs *specs, struct redactor **ret, struct err *err) _must_check_;
void redactor_free(struct redactor *r);

/*
 * Replaces what must not be seen in the event's texts, and says in it that it
 * did. The new texts are valid until the next call. Allocates nothing where
 * nothing is found.
 */
void redactor_clean_event(struct redactor *r, struct event *e);
/* One text of the session's own; the caller frees it. r may be NULL. */
char *redactor_clean_text(struct redactor *r, const char *text) _must_check_;
