// SPDX-License-Identifier: BSL-1.0
// Needs chain_inner, which it finds by $ORIGIN.
#include <unistd.h>

unsigned chain_inner(int fd);

unsigned chain_outer(int fd) { return chain_inner(fd) + sleep(1); }
