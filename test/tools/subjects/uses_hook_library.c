// SPDX-License-Identifier: BSL-1.0
int hook_library(void);

int main(void) { return hook_library(); }
