// SPDX-License-Identifier: BSL-1.0
// A program that has a getline of its own, as the book on C has it.

int getline(char line[], int capacity);
int getline(char line[], int capacity) {
    line[0] = '\0';
    return capacity;
}

int main(void) {
    char line[10];
    return getline(line, 10) != 10;
}
