// SPDX-License-Identifier: BSL-1.0
// Downloads several files at once, but never more than three, and shows how far they are.
//
//     12_parallel_download [http://HOST[:PORT]/PATH]...
//
// Without arguments it starts servers of its own on this machine and asks those. The results go to
// the standard output, in the order of the URLs; the progress goes to the standard error, where it
// is one line that changes if that is a terminal. The exit status is 0 if all files have come, 1 if
// not.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <coir/coir.hpp>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

constexpr int most_at_once = 3;

struct url {
    std::string host;
    std::string port;
    std::string path;
};

url parse(const std::string& text) {
    const std::string scheme = "http://";
    if (text.compare(0, scheme.size(), scheme) != 0)
        throw std::invalid_argument("not a URL that starts with " + scheme);
    const std::size_t slash = text.find('/', scheme.size());
    const std::string site = text.substr(scheme.size(), slash - scheme.size());
    const std::size_t colon = site.find(':');
    return {site.substr(0, colon), colon == std::string::npos ? "80" : site.substr(colon + 1),
            slash == std::string::npos ? "/" : text.substr(slash)};
}

// What the downloads tell the display.
struct report {
    std::size_t bytes = 0;  // that have come since the last one
    bool ended = false;
};

struct file {
    std::size_t size = 0;
    std::uint32_t checksum = 2166136261;  // FNV-1a
};

file download(const url& from, coir::channel<report>& reports) {
    auto connection = coir::net::open_connection(from.host, from.port);
    connection.write("GET " + from.path + " HTTP/1.0\r\nHost: " + from.host + "\r\n\r\n");
    connection.drain();

    const std::string status = connection.read_line();  // "HTTP/1.0 200 OK"
    if (status.find(" 200 ") == std::string::npos)
        throw std::runtime_error("the server says: " + status.substr(0, status.find('\r')));
    std::optional<std::size_t> promised;
    for (std::string line; line = connection.read_line(), line != "\r\n" && !line.empty();)
        if (line.compare(0, 16, "Content-Length: ") == 0)
            promised = std::stoul(line.substr(16));

    file result;
    std::array<char, 4096> buffer;
    while (const std::size_t size = connection.read_some(buffer.data(), buffer.size())) {
        for (std::size_t i = 0; i < size; ++i)
            result.checksum = (result.checksum ^ static_cast<unsigned char>(buffer[i])) * 16777619U;
        result.size += size;
        reports.send(report{size, false});
    }
    if (promised && *promised != result.size)
        throw std::runtime_error("the connection has ended after " + std::to_string(result.size) +
                                 " of " + std::to_string(*promised) + " bytes");
    return result;
}

// One fiber alone writes the progress, so that lines don't mix. It ends when the channel is closed.
void display(coir::channel<report>& reports, std::size_t file_count) {
    const bool terminal = ::isatty(STDERR_FILENO) == 1;
    std::size_t bytes = 0;
    std::size_t ended = 0;
    for (const report& news : reports) {
        bytes += news.bytes;
        ended += news.ended ? 1 : 0;
        if (terminal || news.ended)
            std::cerr << (terminal ? "\r" : "") << ended << " of " << file_count << " files, "
                      << bytes / 1024 << " KiB" << (terminal && ended < file_count ? "" : "\n");
    }
}

// Holds one of the permits for as long as it lives, in whichever way that ends.
class permit {
public:
    explicit permit(coir::counting_semaphore<>& of) : of_(of) { of_.acquire(); }
    permit(const permit&) = delete;
    permit& operator=(const permit&) = delete;
    ~permit() { of_.release(); }

private:
    coir::counting_semaphore<>& of_;
};

// @returns how many of the downloads have failed.
int download_all(const std::vector<std::string>& urls) {
    coir::channel<report> reports(16);
    coir::fiber progress(display, std::ref(reports), urls.size());

    coir::counting_semaphore<> permits(most_at_once);
    std::vector<std::string> results(urls.size());
    int running = 0;
    int most_running = 0;
    int failures = 0;  // one thread, no switch in between: none of these needs a lock
    coir::task_group group;
    for (std::size_t i = 0; i < urls.size(); ++i) {
        group.spawn([&, i] {
            const permit mine(permits);  // the others wait here, first come, first served
            most_running = std::max(most_running, ++running);
            try {
                const auto get = [&] {
                    return download(parse(urls[i]), reports);
                };
                const file got = coir::with_timeout(60s, get);
                results[i] =
                    std::to_string(got.size) + " bytes, checksum " + std::to_string(got.checksum);
            } catch (const std::exception& error) {
                results[i] = std::string("failed: ") + error.what();
                ++failures;
            }
            --running;
            reports.send(report{0, true});
        });
    }
    group.join();
    reports.close();
    progress.join();

    for (std::size_t i = 0; i < urls.size(); ++i)
        std::cout << urls[i] << ": " << results[i] << '\n';
    std::cout << urls.size() << " files, at most " << most_running << " at once" << std::endl;
    return failures;
}

// A server whose file /N is N times 4 KiB, sent bit by bit.
void answer(coir::net::tcp_socket client) {
    coir::net::tcp_connection connection(std::move(client));
    const std::string request = connection.read_line();
    for (std::string line = request; line != "\r\n"; line = connection.read_line())
        if (line.empty())
            return;  // the client has gone before it had said what it wants
    const std::string piece(4096, request.at(5));  // "GET /7 HTTP/1.0"
    const int pieces = std::stoi(request.substr(5));
    connection.write("HTTP/1.0 200 OK\r\nContent-Length: " +
                     std::to_string(static_cast<std::size_t>(pieces) * piece.size()) + "\r\n\r\n");
    for (int i = 0; i < pieces; ++i) {
        connection.write(piece);
        connection.drain();
        coir::this_fiber::sleep_for(5ms);
    }
}

int download_from_own_servers() {
    std::vector<coir::net::tcp_listener> listeners;
    std::vector<std::string> urls;
    for (int server = 0; server < 3; ++server)
        listeners.emplace_back(coir::net::endpoint::parse("127.0.0.1:0"));
    coir::task_group servers;
    for (coir::net::tcp_listener& listener : listeners) {
        servers.spawn([&listener] { coir::net::serve(listener, answer); });
        for (const char* path : {"/4", "/1", "/9"})
            urls.push_back("http://" + listener.local_endpoint().to_string() + path);
    }
    return download_all(urls);
}  // the end of the group cancels the servers

int main(int argc, char* argv[]) {
    const std::vector<std::string> urls(argv + 1, argv + argc);
    try {
        const int failures = coir::run(
            [&] { return urls.empty() ? download_from_own_servers() : download_all(urls); });
        return failures == 0 ? 0 : 1;
    } catch (const std::exception& error) {
        std::cerr << "12_parallel_download: " << error.what() << std::endl;
        return 1;
    }
}
