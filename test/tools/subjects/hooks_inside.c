// SPDX-License-Identifier: BSL-1.0
// Looks like a program that libcoir-hook.a was linked into.
long read(int fd) { return fd; }
long poll(int fd) { return fd; }
long __poll_chk(int fd) { return fd; }
long __ppoll_chk(int fd) { return fd; }

int main(void) { return 0; }
