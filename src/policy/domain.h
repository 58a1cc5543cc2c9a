/*
 * What of a name somebody registered: example.co.uk of www.example.co.uk (the
 * Public Suffix List). Names below it are its owner's.
 */
#pragma once

#include "base/span.h"

/* A part of name, which is in normal form; empty where there is none, or the name is an address. */
struct span registrable_domain(struct span name);
