/*
 * The host's /etc/hosts as it is now: read at start and again when it changes,
 * and what leash makes of its entries.
 */
#pragma once

#include "proxy/hosts-file.h"

struct hosts;

struct hosts *hosts_new(void);
void hosts_free(struct hosts *h);
/* As hosts_file_find; valid until the next call. */
const struct hosts_entry *hosts_find(struct hosts *h, const struct name *name, uint64_t now_ms,
				     size_t *ret_n);
