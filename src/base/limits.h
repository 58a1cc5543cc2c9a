/*
 * Every limit that a peer can run into, in one place, each with its reason.
 */
#pragma once

/* A message between our processes: an event batch or a policy report; policies themselves go by memfd. */
#define LIMIT_IPC_PAYLOAD ((size_t)128 * 1024)
/* Linux's PATH_MAX: longer paths cannot be given to the kernel in one call. */
#define LIMIT_PATH ((size_t)4096)
/* argv as events and policies see it; the kernel's own bound is 2 MiB or more. */
#define LIMIT_ARGV ((size_t)64 * 1024)
/* Policy text of all layers together. */
#define LIMIT_POLICY_TEXT ((size_t)8 * 1024 * 1024)
/* One policy file: ten thousand policies have one or two MiB. */
#define LIMIT_POLICY_FILE ((size_t)3 * 1024 * 1024)
/* Memory of one such text once it is read; ordinary policies need about twelve times their text. */
#define LIMIT_POLICY_MEMORY ((size_t)40 * 1024 * 1024)
/* Policies in it: each is compared with others when policies are checked. */
#define LIMIT_POLICIES ((size_t)50000)
/* One message about a policy, and what is shown of a source line or an id: these quote the text. */
#define LIMIT_POLICY_MESSAGE ((size_t)1000)

/* The host's trusted roots, as PEM or as a keystore: some 200 KiB are usual. */
#define LIMIT_TRUSTED_ROOTS ((size_t)16 * 1024 * 1024)

/* ---- HTTP/1 messages ---------------------------------------------------------- */

/* Bytes of a message's head, and of its first line. */
#define LIMIT_HTTP_HEAD ((size_t)64 * 1024)
#define LIMIT_HTTP_FIRST_LINE ((size_t)16 * 1024)
#define LIMIT_HTTP_FIELDS ((size_t)200)
/* Bytes of a chunk's size with its extensions, and of the fields behind the last chunk. */
#define LIMIT_HTTP_CHUNK_LINE ((size_t)256)
#define LIMIT_HTTP_TRAILERS ((size_t)8 * 1024)

/* ---- HTTP/2 ------------------------------------------------------------------- */

/* Requests of one connection at one time; what clients expect at least (RFC 9113 §6.5.2). */
#define LIMIT_H2_STREAMS 100
/* Data of one stream, and of one connection, that we hold for the slower side: what its peer may
 * send without our leave. */
#define LIMIT_H2_STREAM_BYTES ((size_t)256 * 1024)
#define LIMIT_H2_CONNECTION_BYTES ((size_t)2048 * 1024)
/* Entries of one SETTINGS frame; there are nine settings. */
#define LIMIT_H2_SETTINGS ((size_t)32)
/* CONTINUATION frames of one head: four hold LIMIT_HTTP_HEAD; as nghttp2 has it where it counts
 * them. */
#define LIMIT_H2_CONTINUATIONS 8
/* Streams that a client gives up, or breaks (CVE-2023-44487, CVE-2025-8671): so many at once, so
 * many more each second. */
#define LIMIT_H2_RESETS 500
#define LIMIT_H2_RESETS_PER_SECOND 100
/* Frames that carry nothing (PING, SETTINGS, PRIORITY, empty DATA, unknown ones), between two that
 * do, likewise. */
#define LIMIT_H2_NOISE 1000
#define LIMIT_H2_NOISE_PER_SECOND 100

/* ---- The proxy -------------------------------------------------------------- */

/* Connections out of the container at one time; two descriptors each, so the process's own limit may be lower. */
#define LIMIT_PROXY_CONNECTIONS ((size_t)10240)
/* What is read of a connection before it must be known: a ClientHello with post-quantum shares has 2 KiB, a request head with cookies 16. */
#define LIMIT_PROXY_FIRST_BYTES ((size_t)64 * 1024)
/* How long a client may say nothing before the server is thought to speak first. */
#define LIMIT_PROXY_SILENCE_MS 300
/* How long the first bytes may take from the first to the last (a slow head holds a descriptor). */
#define LIMIT_PROXY_HEAD_MS 10000
/* How long the supervisor's word on who connects is waited for. */
#define LIMIT_PROXY_PROCESS_MS 1000
/* How long one address is tried where another is left, */
#define LIMIT_PROXY_DIAL_NEXT_MS 2000
/* and where none is. Linux itself gives up after about two minutes. */
#define LIMIT_PROXY_DIAL_MS 30000
/* How long a client that was refused may take to read why. */
#define LIMIT_PROXY_ANSWER_MS 2000
/* And how much it may still send meanwhile: closing with input that was not read can overtake the
 * answer. */
#define LIMIT_PROXY_IGNORED ((size_t)1024 * 1024)
/* How long the TLS handshake with one side may take. */
#define LIMIT_PROXY_HANDSHAKE_MS 15000
/* Certificates kept, and asked for at one time; and for how long one is shown. */
#define LIMIT_PROXY_LEAVES ((size_t)1024)
#define LIMIT_PROXY_LEAVES_WAITING ((size_t)256)
#define LIMIT_PROXY_LEAF_MS ((uint64_t)24 * 3600 * 1000)
/* What is read at once, and so what waits for the slower side of a connection at most. */
#define LIMIT_PROXY_RELAY ((size_t)64 * 1024)
/* Connections to servers that wait for the next client; */
#define LIMIT_PROXY_IDLE ((size_t)64)
/* for how long: most servers keep theirs for five seconds or more, and one that closes earlier is
 * seen to. */
#define LIMIT_PROXY_IDLE_MS ((uint64_t)3000)
/* How often is looked whose time is over. */
#define LIMIT_PROXY_IDLE_LOOK_MS 500
/* Processes that were announced and have not connected yet. */
#define LIMIT_PROXY_PROCESSES ((size_t)4096)
/* How long a datagram socket is taken to be the process' that was announced for its port. */
#define LIMIT_PROXY_DATAGRAM_MS 10000
/* Published ports: connections that wait for the supervisor. */
#define LIMIT_PROXY_PUBLISH_PENDING ((size_t)256)
/* Addresses with the names that were resolved to them; the oldest go. */
#define LIMIT_PROXY_NAMES ((size_t)8192)
/* Names of one address: a large content network; the oldest go. */
#define LIMIT_PROXY_NAMES_PER_ADDRESS ((size_t)8)
/* How long an address keeps its name at least; programs hold on to addresses longer than the TTL
 * says. */
#define LIMIT_PROXY_NAMES_SECONDS 600
/* Secrets of one session: each is looked for in all that is received. */
#define LIMIT_SECRETS ((size_t)64)
/* Bytes of one: tokens that carry claims have two or three KiB. */
#define LIMIT_SECRET ((size_t)8 * 1024)
/* Places, ports too, that one secret may go to. */
#define LIMIT_SECRET_PLACES ((size_t)32)
/* How long a command that prints a secret may take: some ask a person first. */
#define LIMIT_SECRET_COMMAND_MS 30000
/* The host's /etc/hosts; lists against advertisements have a few MiB. */
#define LIMIT_HOSTS_FILE ((size_t)16 * 1024 * 1024)
/* RFC 1035 §4.2.2: the length of a message over TCP is 16 bits. */
#define LIMIT_DNS_MESSAGE ((size_t)65535)
/* Queries under way; more are answered SERVFAIL. */
#define LIMIT_DNS_PENDING ((size_t)512)
/* TCP connections to the resolver, and how long one may be idle. */
#define LIMIT_DNS_CONNECTIONS ((size_t)64)
#define LIMIT_DNS_IDLE_MS 10000
/* Zones whose traffic is counted, and names that are remembered as already asked. */
#define LIMIT_DNS_ZONES ((size_t)1024)
#define LIMIT_DNS_SEEN ((size_t)4096)
/* New names of one zone: so many at once, so many more each second. */
#define LIMIT_DNS_ZONE_NAMES 500
#define LIMIT_DNS_ZONE_NAMES_PER_SECOND 5
/* Random-looking bytes in new names of one zone, likewise: a tunnel needs far more, a content
 * network less. */
#define LIMIT_DNS_ZONE_BYTES 2048
#define LIMIT_DNS_ZONE_BYTES_PER_SECOND 16
/* Brackets inside brackets in Cedar text: deeper than any person writes, shallow for any stack. */
#define LIMIT_CEDAR_NESTING ((size_t)200)
/* Levels of one Cedar expression tree; a chain of 900 `||` still fits, and recursion over it is
 * cheap. */
#define LIMIT_CEDAR_DEPTH ((size_t)1000)
/* Findings of one parse: nobody reads further, and hostile text could cause one per byte. */
#define LIMIT_CEDAR_DIAGNOSTICS ((size_t)100)
/* Memory of one policy set parsed from text: LIMIT_POLICY_TEXT of ordinary policies just fits. */
#define LIMIT_CEDAR_POLICIES ((size_t)128 * 1024 * 1024)
/* Memory of what is read from JSON, of one schema, and of what is printed. */
#define LIMIT_CEDAR_ARENA ((size_t)512 * 1024 * 1024)
/* Policies or entities in JSON: policies are about six times as long as their text. */
#define LIMIT_CEDAR_JSON ((size_t)64 * 1024 * 1024)
/* Memory of one plain entity store. */
#define LIMIT_CEDAR_ENTITIES ((size_t)512 * 1024 * 1024)
/* Annotations of one Cedar policy; people write a handful. */
#define LIMIT_CEDAR_ANNOTATIONS ((size_t)256)
/* Memory of one compiled policy set: a few times that of the text. */
#define LIMIT_CEDAR_PROGRAM ((size_t)512 * 1024 * 1024)
/* Memory of the values that the expressions of one compiled policy make in one decision. */
#define LIMIT_CEDAR_MACHINE ((size_t)16 * 1024 * 1024)
/* Memory of one snapshot of entities for a program. */
#define LIMIT_CEDAR_STORE ((size_t)512 * 1024 * 1024)
/* Types that one validation meets: a schema's own, and those of records and sets in policies. */
#define LIMIT_CEDAR_TYPES ((size_t)64 * 1024 * 1024)
/* Expressions that one validation looks at, over all request environments: less than ten seconds.
 */
#define LIMIT_CEDAR_VALIDATE_STEPS ((size_t)100 * 1000 * 1000)
/* Text of one Cedar schema in either form; a schema of 10,000 entity types has about 2 MiB as JSON.
 */
#define LIMIT_CEDAR_SCHEMA_TEXT ((size_t)16 * 1024 * 1024)
/* Nodes of one type once its common types are put in: each may double the one before it. */
#define LIMIT_CEDAR_TYPE_NODES ((size_t)100000)
/* Pairs of declaration and ancestor looked at: a chain of 4,000 groups, or any number of shallow
 * ones. */
#define LIMIT_CEDAR_ANCESTRY ((size_t)8 * 1024 * 1024)
/* What is printed of one schema: declarations that share one long record are written out each. */
#define LIMIT_CEDAR_SCHEMA_PRINT ((size_t)256 * 1024 * 1024)
/* Nodes of what partial evaluation leaves of a policy, written out: a branch may stand there twice.
 */
#define LIMIT_CEDAR_RESIDUAL ((size_t)100000)

/* ---- The API ------------------------------------------------------------------ */

/* Connections at one time: a browser has six and a WebSocket for each page, scripts a few. */
#define LIMIT_API_CONNECTIONS ((size_t)256)
/* A request's body: a policy file of ten thousand policies has about as much. */
#define LIMIT_API_BODY ((size_t)1024 * 1024)
/* An answer: policies are shown with their sentences, some times their text. */
#define LIMIT_API_REPLY ((size_t)64 * 1024 * 1024)
/* Memory of a request's JSON once it is read, and of what is made from it. */
#define LIMIT_API_ARENA ((size_t)32 * 1024 * 1024)
/* How long one request may take from its first byte to its last, its answer to be read, and a
 * connection to be idle. */
#define LIMIT_API_REQUEST_MS 15000
#define LIMIT_API_WRITE_MS 30000
#define LIMIT_API_IDLE_MS 75000
/* How long a changed policy may take until everybody decides by it. */
#define LIMIT_API_APPLY_MS 10000
/* What may wait for a WebSocket client that reads slowly. */
#define LIMIT_API_QUEUE ((size_t)1024 * 1024)
/* A WebSocket client's message: a filter. */
#define LIMIT_API_MESSAGE ((size_t)16 * 1024)
/* Records of a WebSocket client's history, and of a page of events. */
#define LIMIT_API_HISTORY ((size_t)25000)
#define LIMIT_API_PAGE ((size_t)10000)
/* Sessions on one page of their list, each with so many bytes of its command. */
#define LIMIT_API_SESSIONS ((size_t)200)
#define LIMIT_API_COMMAND ((size_t)4096)
/* Applied texts that are kept for going back, and their bytes together. */
#define LIMIT_API_TEXTS ((size_t)50)
#define LIMIT_API_TEXTS_BYTES ((size_t)8 * 1024 * 1024)
/* Ports tried when the usual one is taken. */
#define LIMIT_API_PORTS 1000
/* Who is attached to a detached session at one time: some terminals and a script. */
#define LIMIT_ATTACHED ((size_t)8)
/* What may wait for one of them that reads slowly, and for a command that does not read. */
#define LIMIT_ATTACH_BACKLOG ((size_t)1024 * 1024)
#define LIMIT_ATTACH_INPUT ((size_t)64 * 1024)
/* Output that a detached session keeps, twice: the newer part and the older. */
#define LIMIT_OUTPUT ((size_t)4 * 1024 * 1024)
