/* Which image a session is run in. */
#pragma once

/* Where no flag names one: a variable's, else the configured one, or NULL. */
const char *image_by_default(const char *configured);
