// SPDX-License-Identifier: BSL-1.0
#include "hook/clients/client.hpp"
#include "hook/clients/slow_server.hpp"

#include <curl/curl.h>

namespace coir::test {

namespace {

using std::chrono::milliseconds;

class curl_client final : public client {
public:
    explicit curl_client(bool tls) : tls_(tls) { ::curl_global_init(CURL_GLOBAL_DEFAULT); }

    std::string name() const override {
        return tls_ ? "libcurl easy, https" : "libcurl easy, http";
    }
    std::string missing() const override { return slow_server::missing(); }
    std::string versions() const override {
        return std::string("libcurl ") + ::curl_version_info(CURLVERSION_NOW)->version;
    }
    void start() override { server_.start(); }
    void kill() override { server_.kill(); }

    void call(milliseconds delay) override {
        const std::string number = std::to_string(delay.count());
        const std::string url = (tls_ ? "https://127.0.0.1:" + std::to_string(server_.https())
                                      : "http://127.0.0.1:" + std::to_string(server_.http())) +
                                "/" + number;
        std::string body;
        CURL* const handle = ::curl_easy_init();
        ::curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
        ::curl_easy_setopt(handle, CURLOPT_CAINFO, server_.certificate().c_str());
        ::curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
        ::curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
        ::curl_easy_setopt(handle, CURLOPT_WRITEDATA, &body);
        ::curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &append);
        const CURLcode code = ::curl_easy_perform(handle);
        ::curl_easy_cleanup(handle);
        if (code != CURLE_OK || body != "waited " + number + "\n") {
            throw client_error(::curl_easy_strerror(code));
        }
    }

private:
    static std::size_t append(char* data, std::size_t one, std::size_t size, void* body) {
        static_cast<std::string*>(body)->append(data, one * size);
        return one * size;
    }

    const bool tls_;
    slow_server server_;
};

}  // namespace

void add_curl(client_list& clients) {
    clients.push_back(std::make_unique<curl_client>(false));
    clients.push_back(std::make_unique<curl_client>(true));
}

}  // namespace coir::test
