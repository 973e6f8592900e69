// SPDX-License-Identifier: BSL-1.0
// Asks for a hundred pages by libcurl's easy interface, which blocks, each in a fiber of its own
// and all on one thread, but no more than a number at once. libcurl is as it is installed: the
// fiber parks where libcurl waits, since the program is linked with coir::hook.
//
//     14_curl_hundred_urls [--at-once NUMBER] URL...
//
// One URL alone is where a hundred pages are: URL/1 to URL/100. What has come goes to the standard
// output, in the order of the URLs, and a bar to the standard error, if that is a terminal. The
// exit status is 0 if all pages have come, 1 if not.
#include <curl/curl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <coir/coir.hpp>
#include <cstddef>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;

struct settings {
    int at_once = 20;
    std::vector<std::string> urls;
};

std::size_t append(char* data, std::size_t one, std::size_t count, void* page) {
    static_cast<std::string*>(page)->append(data, one * count);
    return one * count;
}

// As libcurl's own examples do it.
std::string fetch(const std::string& url) {
    std::string page;
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(curl_easy_init(),
                                                                     curl_easy_cleanup);
    curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle.get(), CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(handle.get(), CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &page);
    const CURLcode code = curl_easy_perform(handle.get());
    if (code != CURLE_OK)
        throw std::runtime_error(curl_easy_strerror(code));
    return page;
}

// Written by whichever fiber is done: they run on one thread, one after the other.
void draw_bar(std::size_t done, std::size_t all) {
    constexpr std::size_t width = 50;
    if (::isatty(STDERR_FILENO) != 1)
        return;
    const std::size_t full = width * done / all;
    std::cerr << "\r[" << std::string(full, '#') << std::string(width - full, '.') << "] " << done
              << " of " << all << (done < all ? "" : "\n") << std::flush;
}

// @returns how many pages have not come.
std::size_t fetch_all(const settings& chosen) {
    const std::vector<std::string>& urls = chosen.urls;
    std::vector<std::string> results(urls.size());
    std::size_t done = 0;
    std::size_t failed = 0;
    int running = 0;
    int most_running = 0;
    coir::counting_semaphore<> places(chosen.at_once);
    coir::task_group group;
    draw_bar(done, urls.size());
    for (std::size_t i = 0; i < urls.size(); ++i) {
        places.acquire();
        group.spawn([&, i] {
            most_running = std::max(most_running, ++running);
            try {
                // The deadline ends libcurl's waiting, too, and then it says that it has failed.
                const std::string page = coir::with_timeout(30s, [&] { return fetch(urls[i]); });
                results[i] = std::to_string(page.size()) + " bytes";
            } catch (const std::exception& error) {
                results[i] = std::string("failed: ") + error.what();
                ++failed;
            }
            --running;
            draw_bar(++done, urls.size());
            places.release();
        });
    }
    group.join();

    for (std::size_t i = 0; i < urls.size(); ++i)
        std::cout << urls[i] << ": " << results[i] << '\n';
    std::cout << urls.size() << " pages, at most " << most_running << " at once" << std::endl;
    return failed;
}

settings parse(int argc, char* argv[]) {
    settings chosen;
    chosen.urls.assign(argv + 1, argv + argc);
    if (chosen.urls.size() >= 2 && chosen.urls.front() == "--at-once") {
        chosen.at_once = std::stoi(chosen.urls[1]);
        chosen.urls.erase(chosen.urls.begin(), chosen.urls.begin() + 2);
    }
    if (chosen.urls.empty() || chosen.at_once < 1)
        throw std::invalid_argument("usage: 14_curl_hundred_urls [--at-once NUMBER] URL...");
    if (chosen.urls.size() == 1) {
        const std::string where = chosen.urls.front();
        chosen.urls.clear();
        for (int page = 1; page <= 100; ++page)
            chosen.urls.push_back(where + '/' + std::to_string(page));
    }
    return chosen;
}

int main(int argc, char* argv[]) {
    try {
        const settings chosen = parse(argc, argv);
        curl_global_init(CURL_GLOBAL_DEFAULT);
        return coir::run([&] { return fetch_all(chosen); }) == 0 ? 0 : 1;
    } catch (const std::exception& error) {
        std::cerr << error.what() << std::endl;
        return 2;
    }
}
