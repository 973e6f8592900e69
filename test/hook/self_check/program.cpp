// SPDX-License-Identifier: BSL-1.0
// Usage: program [LIBRARY [deepbind]]
//
// Opens the library, calls it, and prints what the self-check finds, a line each; at last whether
// its own calls and the library's are taken.
#include <coir/fiber.hpp>
#include <coir/hook/hook.hpp>
#include <coir/run.hpp>

#include <dlfcn.h>
#include <poll.h>
#include <cstring>
#include <iostream>

namespace {

// Whether another fiber has its turn while one is in poll(2).
bool is_taken() {
    return coir::run([] {
        bool turned = false;
        coir::fiber other([&] { turned = true; });
        ::poll(nullptr, 0, 10);
        const bool result = turned;
        other.join();
        return result;
    });
}

}  // namespace

int main(int argc, char** argv) {
    int waited = 0;
    if (argc > 1) {
        const bool deep = argc > 2 && std::strcmp(argv[2], "deepbind") == 0;
        void* const library = ::dlopen(argv[1], RTLD_NOW | (deep ? RTLD_DEEPBIND : 0));
        if (library == nullptr) {
            std::cout << ::dlerror() << '\n';
            return 1;
        }
        waited = reinterpret_cast<int (*)()>(::dlsym(library, "wait_for_nothing"))();
    }
    for (const std::string& finding : coir::hook::self_check()) {
        std::cout << finding << '\n';
    }
    std::cout << (is_taken() ? "taken" : "not taken") << ", the library has " << waited << '\n';
}
