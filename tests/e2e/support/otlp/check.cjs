// Reads lines of OTLP/JSON from standard input with OpenTelemetry's protobuf definitions, and fails where
// a key is unknown to them or a value has another type: what they read, written again, must be the same.
const assert = require('node:assert');
const readline = require('node:readline');
const root = require('@opentelemetry/otlp-transformer/build/src/generated/root');
const Request = root.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;

let lines = 0;
let records = 0;
readline.createInterface({ input: process.stdin }).on('line', line => {
  const given = JSON.parse(line);
  const read = Request.decode(Request.encode(Request.fromObject(given)).finish());
  assert.deepStrictEqual(Request.toObject(read, { longs: String }), given);
  for (const resource of given.resourceLogs)
    for (const scope of resource.scopeLogs)
      records += scope.logRecords.length;
  lines++;
}).on('close', () => console.log(`${lines} lines, ${records} records`));
