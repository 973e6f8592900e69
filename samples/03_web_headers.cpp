// SPDX-License-Identifier: BSL-1.0
// Asks three web sites at once, on one thread, with code that reads as if there were but one of
// them, and prints the headers of their answers as they come.
//
//     03_web_headers [--resolve HOST:PORT:ADDRESS[,ADDRESS]...]... [HOST[:PORT]]...
//
// --resolve is curl's: an address to use in place of the name's own, so that the program can be
// pointed at a server on this machine. IPv6 addresses stand in brackets.
//
// A site that fails does not disturb the others. The exit status is 0 if all have answered, 1 if
// not, and 2 if the arguments are wrong.
#include <chrono>
#include <coir/coir.hpp>
#include <exception>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;

// What --resolve says: the endpoints of "HOST:PORT".
using address_book = std::map<std::string, std::vector<coir::net::endpoint>>;

// Where a site is that is given as HOST, HOST:PORT, [IPV6] or [IPV6]:PORT.
coir::net::tcp_connection connect(const std::string& site, const address_book& known) {
    const std::size_t bracket = site.find(']');
    const std::size_t colon = site.find(':', bracket == std::string::npos ? 0 : bracket);
    std::string host = site.substr(0, colon);
    const std::string port = colon == std::string::npos ? "80" : site.substr(colon + 1);
    if (const auto found = known.find(host + ':' + port); found != known.end())
        return coir::net::tcp_connection(coir::net::connect_any(found->second));
    if (bracket != std::string::npos && host.front() == '[')
        host = host.substr(1, bracket - 1);
    return coir::net::open_connection(host, port);
}

void print_headers(const std::string& host, const address_book& known) {
    auto connection = connect(host, known);
    connection.write("GET / HTTP/1.0\r\nHost: " + host + "\r\n\r\n");
    connection.drain();
    for (std::string line; line = connection.read_line(), line != "\r\n" && !line.empty();)
        std::cout << host << " header > " << line;
}

// @returns how many of the sites have failed.
int ask_all(const std::vector<std::string>& sites, const address_book& known) {
    int failures = 0;
    coir::task_group group;
    for (const std::string& site : sites) {
        group.spawn([&known, &failures, site] {
            try {
                coir::with_timeout(30s, [&] { print_headers(site, known); });
            } catch (const std::exception& error) {
                std::cerr << site << " error > " << error.what() << std::endl;
                ++failures;  // one thread, no switch in between: no lock is needed
            }
        });
    }
    group.join();
    return failures;
}

// Reads HOST:PORT:ADDRESS[,ADDRESS]...
void remember(const std::string& text, address_book& known) {
    const std::size_t after_host = text.find(':');
    const std::size_t after_port =
        after_host == std::string::npos ? after_host : text.find(':', after_host + 1);
    if (after_port == std::string::npos)
        throw std::invalid_argument("--resolve wants HOST:PORT:ADDRESS, not '" + text + "'");
    const std::string colon_and_port = text.substr(after_host, after_port - after_host);
    std::istringstream addresses(text.substr(after_port + 1));
    auto& endpoints = known[text.substr(0, after_port)];
    endpoints.clear();
    for (std::string address; std::getline(addresses, address, ',');)
        endpoints.push_back(coir::net::endpoint::parse(address + colon_and_port));
    if (endpoints.empty())
        throw std::invalid_argument("--resolve wants an address at the end of '" + text + "'");
}

int main(int argc, char* argv[]) {
    std::vector<std::string> sites;
    address_book known;
    try {
        for (int i = 1; i < argc; ++i) {
            const std::string argument = argv[i];
            if (argument == "--resolve" && i + 1 < argc)
                remember(argv[++i], known);
            else if (argument.empty() || argument.front() == '-')
                throw std::invalid_argument("'" + argument + "' is no host, or lacks its value");
            else
                sites.push_back(argument);
        }
    } catch (const std::invalid_argument& error) {
        std::cerr << "03_web_headers: " << error.what() << "\nusage: 03_web_headers "
                  << "[--resolve HOST:PORT:ADDRESS[,ADDRESS]...]... [HOST[:PORT]]..." << std::endl;
        return 2;
    }
    if (sites.empty())
        sites = {"www.sina.com.cn", "www.sohu.com", "www.163.com"};

    return coir::run([&] { return ask_all(sites, known); }) == 0 ? 0 : 1;
}
