// SPDX-License-Identifier: BSL-1.0
// coir's primitives beside those of Boost.Fiber and of std, in one run. On a machine that others
// use, too, times drift; so each benchmark is repeated several times, the repetitions of all are
// interleaved at random, and what is printed is medians. Options of Google Benchmark override that.
#include "worlds.hpp"

#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace against {

std::vector<std::string>& subjects() {
    static std::vector<std::string> all;
    return all;
}

void add_tasks();
void add_locks();
void add_meetings();
void add_channels();
void add_selects();

namespace {

constexpr const char* worlds[] = {coir_fibers::name, boost_fibers::name, std_threads::name};

// Keeps the medians, and prints a line for each subject and a column for each world.
class side_by_side : public benchmark::BenchmarkReporter {
public:
    bool ReportContext(const Context& context) override {
        PrintBasicContext(&GetErrorStream(), context);
        return true;
    }

    void ReportRuns(const std::vector<Run>& runs) override {
        for (const Run& run : runs) {
            if (run.run_type == Run::RT_Aggregate && run.aggregate_name == "median") {
                const std::string name = run.run_name.function_name;
                const std::size_t slash = name.rfind('/');
                medians_[name.substr(0, slash)][name.substr(slash + 1)] = run.GetAdjustedRealTime();
            }
        }
    }

    void Finalize() override {
        std::printf("%-44s %12s %20s %20s\n", "ns, medians", "coir", "Boost.Fiber", "std::thread");
        for (const std::string& subject : subjects()) {
            const row_type& row = medians_[subject];
            if (row.empty()) {
                continue;  // filtered out
            }
            const auto ours = row.find(worlds[0]);
            std::printf("%-44s", subject.c_str());
            for (const char* world : worlds) {
                print(row.find(world), row.end(), ours, world == worlds[0]);
            }
            std::printf("\n");
        }
    }

private:
    using row_type = std::map<std::string, double>;

    static void print(row_type::const_iterator cell, row_type::const_iterator none,
                      row_type::const_iterator ours, bool is_ours) {
        if (cell == none) {
            std::printf(is_ours ? " %12s" : " %20s", "-");
        } else if (is_ours || ours == none) {
            std::printf(is_ours ? " %12.1f" : " %20.1f", cell->second);
        } else {
            std::printf(" %12.1f (%4.1fx)", cell->second, cell->second / ours->second);
        }
    }

    std::map<std::string, row_type> medians_;
};

}  // namespace

}  // namespace against

int main(int count, char** values) {
    std::string defaults[] = {"--benchmark_repetitions=5", "--benchmark_min_time=0.02",
                              "--benchmark_enable_random_interleaving=true"};
    std::vector<char*> arguments{values[0]};
    for (std::string& each : defaults) {
        arguments.push_back(each.data());
    }
    arguments.insert(arguments.end(), values + 1, values + count);
    int all = static_cast<int>(arguments.size());
    benchmark::Initialize(&all, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(all, arguments.data())) {
        return 1;
    }
    against::add_tasks();
    against::add_locks();
    against::add_meetings();
    against::add_channels();
    against::add_selects();
    against::side_by_side reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter);
    return 0;
}
