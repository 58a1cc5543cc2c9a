/*
 * Opening the control page in the user's browser.
 */
#pragma once

#include "base/err.h"

/* Is there a display? */
bool browser_is_there(void);
/*
 * Opens the URL. It holds the token, and command lines can be read by everybody:
 * so the browser is given a file beside token_file, 0600, that leads there.
 */
int browser_open(const char *url, const char *token_file, struct err *err) _must_check_;
/* Takes that file away; its name is made of token_file's. */
void browser_forget(const char *token_file);
