// SPDX-License-Identifier: BSL-1.0
int login(int name);

int uses_other_login(void) { return login(1); }
