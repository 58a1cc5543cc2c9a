/*
 * An image with changed bytes under a sound checksum: it is refused, or
 * whatever it then answers, deciding with it ends and stays within it.
 *
 * The input is a list of changes of five bytes, an offset and what is added
 * (exclusive or) there, so that a corpus outlives the format.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "policy/image-build.h"
#include "policy/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char policies[] =
	"permit (principal, action, resource in Dir::\"/x\");"
	"permit (principal, action, resource == File::\"/x/y\") when { context.exe like \"/b*/*n\" "
	"};"
	"forbid (principal, action, resource is File) when { resource.path like \"*/s/*\" ||"
	"  resource.path like \"/x/*/y*.k\" || resource.path like \"*.z\" ||"
	"  resource.path like \"*a*b*\" || resource.path like \"/x/p*\" };"
	"permit (principal, action == Action::\"NetworkConnect\", resource)"
	"  when { resource in [Host::\"*.a.b:443\", DnsZone::\"c\"] }"
	"  unless { context.ip.isInRange(ip(\"10.0.0.0/8\")) || context.port > 1024 };"
	"forbid (principal, action, resource in IpRange::\"fe80::/10\");"
	"forbid (principal, action == Action::\"ProcessExec\", resource) when { context.argv.contains(\"x\") };"
	"forbid (principal, action, resource is File) when { context.exe == resource.path };"
	"permit (principal, action, resource) when { context.now < datetime(\"2020-01-01\") };"
	"permit (principal, action == Action::\"McpCall\", resource in MCP::Server::\"s\");";

static struct policy *policy;
static struct buf image_bytes;

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void make_image(void)
{
	const struct policy_environment env = { .agent = "claude",
						.home = "/h",
						.workspace = "/w" };
	struct policy_source *s = policy_source_new(&env);
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	struct err err = { 0 };
	int fd;

	require(policy_source_add_text(s, POLICY_LAYER_USER, "fuzz", span_of(policies), false,
				       &report, &err) >= 0);
	fd = policy_source_bundle(s, 1, &err);
	require(fd >= 0 && policy_open(fd, &policy, &err) >= 0);
	require(image_build(policy, NULL, &image_bytes) >= 0);
	policy_source_free(s);
}

static void decide_all(const struct image *image)
{
	static const struct span paths[] = { SPAN("/x/s/ya.k"), SPAN("/x"),   SPAN("/"),
					     SPAN("/x/y"),	SPAN("/aab"), SPAN("/x/pq/b.z") };
	static const struct facts facts = {
		.values = { SPAN("/bin/n"), SPAN("n"), SPAN("/"), SPAN("/a\0/b"), SPAN("x\0y") },
		.is_known = { true, true, true, true, true },
	};
	struct image_run run = { 0 };
	uint32_t rank;

	image_run_start(&run, image);
	for (enum policy_action action = 0; action < POLICY_ACTION_MAX; action++) {
		for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
			struct policy_request r = {
				.action = action,
				.path = paths[i],
				.is_directory = i & 1,
				.also_reads = true,
				.host = i < 3	 ? SPAN("n.a.b")
					: i == 3 ? SPAN("c")
						 : SPAN(""),
				.address = { { 10, 1, 2, 3 }, i & 1 },
				.has_address = true,
				.port = 443,
				.protocol = SPAN("tcp"),
				.server = SPAN("s"),
				.tool = SPAN("t"),
			};
			struct policy_decision d;

			(void)image_decide(&run, &r, &facts, policy->ids, &d);
			(void)image_find_below(image, paths[i], &rank);
		}
	}
	image_run_done(&run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *copy = NULL;
	struct image_header h;
	struct image image;

	if (!policy)
		make_image();
	copy = xmemdup0(image_bytes.data, image_bytes.len);
	for (; size >= 5; data += 5, size -= 5) {
		uint32_t at;

		memcpy(&at, data, sizeof(at));
		copy[at % image_bytes.len] ^= (char)data[4];
	}
	memcpy(&h, copy, sizeof(h));
	h.checksum = image_checksum(span_make(copy, image_bytes.len));
	memcpy(copy, &h, sizeof(h));
	if (image_open(span_make(copy, image_bytes.len), policy->n_rules, &image) >= 0)
		decide_all(&image);
	return 0;
}
