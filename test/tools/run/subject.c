// SPDX-License-Identifier: BSL-1.0
// What coir-run is tried on: a program that knows nothing of fibers, and does what its first
// argument says.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void sleep_raw(long milliseconds) {
    struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (syscall(SYS_nanosleep, &left, &left) != 0 && errno == EINTR) {
    }
}

static long long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void compute(long milliseconds) {
    const long long until = now_ms() + milliseconds;
    while (now_ms() < until) {
    }
}

static void say_done(void) { puts("handler"); }
static void exit_in_handler(void) { usleep(1000); }

static void* sleep_in_thread(void* result) {
    usleep(100000);
    *(int*)result = 5;
    return NULL;
}

static int use_stack(int depth) {
    volatile char frame[64 * 1024];
    memset((void*)frame, depth, sizeof frame);
    return depth == 0 ? 0 : use_stack(depth - 1) + (frame[0] == (char)depth ? 0 : 1);
}

static void print(const char* name) {
    const char* const value = getenv(name);
    printf("%s=%s\n", name, value != NULL ? value : "(unset)");
}

int main(int argc, char** argv) {
    const char* const what = argc > 1 ? argv[1] : "";
    const int number = argc > 2 ? atoi(argv[2]) : 0;
    if (strcmp(what, "raw") == 0) {  // a system call that nobody can take
        usleep(20000);
        sleep_raw(number);
        usleep(20000);
    } else if (strcmp(what, "raw_to_the_end") == 0) {
        sleep_raw(number);
    } else if (strcmp(what, "raw_and_exit") == 0) {
        sleep_raw(number);
        exit(0);
    } else if (strcmp(what, "raw_and_abort") == 0) {
        sleep_raw(number);
        abort();
    } else if (strcmp(what, "raw_and_exec") == 0) {
        usleep(20000);
        execl("/bin/sleep", "sleep", "0.3", (char*)NULL);
    } else if (strcmp(what, "compute") == 0) {
        compute(number);
    } else if (strcmp(what, "return") == 0) {
        return number;
    } else if (strcmp(what, "exit") == 0) {
        exit(number);
    } else if (strcmp(what, "_exit") == 0) {
        _exit(number);
    } else if (strcmp(what, "abort") == 0) {
        abort();
    } else if (strcmp(what, "signal") == 0) {
        raise(number);
    } else if (strcmp(what, "handlers_return") == 0 || strcmp(what, "handlers_exit") == 0) {
        atexit(say_done);
        atexit(exit_in_handler);  // which makes a call that parks
        puts("main");
        if (what[9] == 'e') {
            exit(0);
        }
    } else if (strcmp(what, "arguments") == 0) {
        for (int i = 2; i < argc; ++i) {
            printf("[%s]", argv[i]);
        }
        puts("");
    } else if (strcmp(what, "environment") == 0) {
        print("COIR_SUBJECT");
        print("COIR_RUN");
        print("LD_PRELOAD");
        fflush(stdout);
        return system("echo child=$COIR_RUN,$LD_PRELOAD") == 0 ? 0 : 1;
    } else if (strcmp(what, "fork") == 0) {  // the child returns from main
        const pid_t child = fork();
        if (child == 0) {
            sleep_raw(300);
            return number;
        }
        int status = 0;
        waitpid(child, &status, 0);
        printf("child=%d\n", WEXITSTATUS(status));
    } else if (strcmp(what, "stack") == 0) {
        return use_stack(96);  // 6 MiB
    } else if (strcmp(what, "thread") == 0) {
        int result = 0;
        pthread_t thread;
        pthread_create(&thread, NULL, sleep_in_thread, &result);
        pthread_join(thread, NULL);
        return result;
    } else if (strcmp(what, "copy") == 0) {
        char text[64];
        for (ssize_t size; (size = read(STDIN_FILENO, text, sizeof text)) > 0;) {
            if (write(STDOUT_FILENO, text, (size_t)size) != size) {
                return 1;
            }
        }
    } else {
        fprintf(stderr, "subject: what is '%s'?\n", what);
        return 99;
    }
    return 0;
}
