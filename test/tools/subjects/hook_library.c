// SPDX-License-Identifier: BSL-1.0
// Stands for coir's hook library by its name alone.
int hook_library(void) { return 1; }
