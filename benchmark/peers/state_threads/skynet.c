// SPDX-License-Identifier: BSL-1.0
// A tree of threads, ten children each, with a million leaves: each leaf gives its number, each
// other node the sum of its children. What is counted is the time of the whole tree.
#include "measure.h"

#include <st.h>

enum { children = 10 };

struct node {
    long first;
    long size;
    long sum;
};

static void* sum_up(void* argument) {
    struct node* self = argument;
    struct node child[children];
    st_thread_t threads[children];
    self->sum = self->size == 1 ? self->first : 0;
    if (self->size == 1) {
        return NULL;
    }
    for (int i = 0; i < children; ++i) {
        child[i].size = self->size / children;
        child[i].first = self->first + i * child[i].size;
        threads[i] = st_thread_create(sum_up, &child[i], 1, 16 * 1024);
        require(threads[i] != NULL, "there is no stack for a thread");
    }
    for (int i = 0; i < children; ++i) {
        st_thread_join(threads[i], NULL);
        self->sum += child[i].sum;
    }
    return NULL;
}

int main(int argc, char** argv) {
    struct node root = {0, (long)argument(argc, argv, "--leaves", 1000000), 0};
    require(st_init() == 0, "st_init() has failed");
    const double start = cpu_ns();
    sum_up(&root);
    const double spent = cpu_ns() - start;
    require(root.sum == root.size * (root.size - 1) / 2, "the sum is wrong");
    report_value(spent / 1e6, "ms");
    report_checked("the sum of %ld leaves: %ld", root.size, root.sum);
}
