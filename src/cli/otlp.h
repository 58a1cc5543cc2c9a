/*
 * Events as OpenTelemetry logs: lines of OTLP/JSON, each an
 * ExportLogsServiceRequest (resourceLogs, scopeLogs, logRecords) with a bounded
 * number of records, as the OTLP file format has it.
 */
#pragma once

#include "base/json-writer.h"
#include "event/store.h"

struct otlp {
	struct json_writer w;
	const char *session;
	size_t n_records; /* in the line that is open; 0: none is */
};

#define OTLP_INIT(buf, id) { .w = { .out = (buf) }, .session = (id) }

void otlp_add(struct otlp *o, const struct event_record *r);
/* Ends the line that is open. */
void otlp_end(struct otlp *o);
