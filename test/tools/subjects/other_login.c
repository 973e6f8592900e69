// SPDX-License-Identifier: BSL-1.0
// A library whose function has the name of one of libc, which the version tells apart.
int login(int name) { return name + 1; }
