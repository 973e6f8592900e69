// SPDX-License-Identifier: BSL-1.0
#include "json_report.hpp"

#include <nlohmann/json.hpp>

namespace coir::hook_audit {
namespace {

using json = nlohmann::ordered_json;

constexpr int format = 1;

json text_or_null(std::string_view text) {
    return text.empty() ? json(nullptr) : json(std::string(text));
}

json counts_to_json(const call_counts& counts) {
    json object = json::object();
    for (std::size_t i = 0; i < counts.size(); ++i) {
        object[std::string(name_of(static_cast<treatment>(i)))] = counts[i];
    }
    return object;
}

json calls_to_json(const std::vector<judged_call>& calls) {
    json array = json::array();
    for (const judged_call& each : calls) {
        array.push_back({{"name", std::string(each.listed->name)},
                         {"family", std::string(each.listed->family)},
                         {"treatment", std::string(name_of(each.treated))},
                         {"note", std::string(each.note)}});
    }
    return array;
}

json escapes_to_json(const std::vector<escape>& escapes) {
    json array = json::array();
    for (const escape& each : escapes) {
        array.push_back({{"kind", std::string(name_of(each.what))},
                         {"note", each.note},
                         {"names", each.names}});
    }
    return array;
}

json raw_to_json(const raw_system_calls& raw) {
    json blocking = json::array();
    for (const std::uint32_t number : raw.numbers) {
        if (const auto name = blocking_system_call(number); !name.empty()) {
            blocking.push_back(std::string(name));
        }
    }
    return {{"places", raw.places}, {"numbers", raw.numbers}, {"blocking", std::move(blocking)}};
}

json file_to_json(const judged_file& file) {
    const loaded_file* by = file.file->loaded_by;
    return {{"path", file.file->elf.path},
            {"name", text_or_null(file.file->name)},
            {"needed_by", by == nullptr ? json(nullptr) : json(by->elf.path)},
            {"skipped", text_or_null(file.skipped)},
            {"has_hooks", file.has_hooks},
            {"calls", calls_to_json(file.calls)},
            {"escapes", escapes_to_json(file.escapes)},
            {"raw_system_calls", raw_to_json(file.file->elf.raw_calls)}};
}

json audit_to_json(const audit& result) {
    json files = json::array();
    for (const judged_file& file : result.files) {
        files.push_back(file_to_json(file));
    }
    json lost = json::array();
    for (const lost_library& each : result.program.lost) {
        lost.push_back({{"name", each.name},
                        {"needed_by", each.needed_by},
                        {"reason", each.reason.empty() ? "not found" : each.reason}});
    }
    return {{"file", result.path},       {"error", text_or_null(result.error)},
            {"status", result.status()}, {"counts", counts_to_json(result.counts())},
            {"files", std::move(files)}, {"not_examined", std::move(lost)}};
}

}  // namespace

std::string to_json(const std::vector<audit>& results, int status) {
    json audits = json::array();
    for (const audit& result : results) {
        audits.push_back(audit_to_json(result));
    }
    const json report = {{"format", format},
                         {"version", COIR_VERSION},
                         {"status", status},
                         {"audits", std::move(audits)}};
    // Names in ELF files need not be UTF-8, which JSON must be.
    return report.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace coir::hook_audit
