// SPDX-License-Identifier: BSL-1.0
// What tools/check_hooks is tried on: read and poll are defined, and a name that no list has.
long read(int fd) { return fd; }
long poll(int fd) { return fd; }
long unheard_of(int fd) { return fd; }
