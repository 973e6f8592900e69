// SPDX-License-Identifier: BSL-1.0
#include "text_report.hpp"

#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

namespace coir::hook_audit {
namespace {

// What files call themselves and others goes to a terminal: nothing in it may command that.
std::string printable(std::string_view text) {
    std::string result(text);
    std::ranges::replace_if(
        result, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
    return result;
}

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
    return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

// "3 hooked, 1 passed", without what there is none of.
std::string listed(const call_counts& counts) {
    std::string text;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] != 0) {
            text += text.empty() ? "" : ", ";
            text +=
                std::to_string(counts[i]) + " " + std::string(name_of(static_cast<treatment>(i)));
        }
    }
    return text.empty() ? "no call that can block" : text;
}

// Words in lines of a hundred columns: the head stands before the first one, and the others line
// up.
void write_words(std::ostream& out, std::string_view head, const std::vector<std::string>& words) {
    constexpr std::size_t columns = 100;
    std::string line(head);
    bool first = true;
    for (const std::string& word : words) {
        if (!first && line.size() + 1 + word.size() > columns) {
            out << line << '\n';
            line.assign(head.size(), ' ');
            first = true;
        }
        line += (first ? "" : " ") + word;
        first = false;
    }
    out << line << '\n';
}

void write_names(std::ostream& out, std::string_view head, const std::vector<std::string>& names) {
    std::vector<std::string> words;
    for (std::size_t i = 0; i < names.size(); ++i) {
        words.push_back(printable(names[i]) + (i + 1 < names.size() ? "," : ""));
    }
    write_words(out, head, words);
}

void write_sentence(std::ostream& out, std::string_view head, std::string_view sentence) {
    std::vector<std::string> words;
    std::istringstream rest(printable(sentence));
    for (std::string word; rest >> word;) {
        words.push_back(word);
    }
    write_words(out, head, words);
}

// What stands before a line of a file.
std::string head_of(std::string_view word) {
    std::string head = "  " + std::string(word);
    head.resize(std::max<std::size_t>(head.size() + 1, 13), ' ');
    return head;
}

void write_calls(std::ostream& out, const judged_file& file, treatment which) {
    std::vector<std::string> names;
    for (const judged_call& each : file.calls) {
        if (each.treated == which) {
            names.emplace_back(each.listed->name);
        }
    }
    if (!names.empty()) {
        write_names(out, head_of(name_of(which)), names);
    }
}

void write_raw_system_calls(std::ostream& out, const judged_file& file) {
    const raw_system_calls& raw = file.file->elf.raw_calls;
    if (raw.places == 0 || file.file->elf.what == elf_file::kind::static_program) {
        return;
    }
    std::vector<std::string> blocking;
    for (const std::uint32_t number : raw.numbers) {
        if (const auto name = blocking_system_call(number); !name.empty()) {
            blocking.emplace_back(name);
        }
    }
    write_sentence(out, head_of("hint"),
                   counted(raw.places, "place looks", "places look") +
                       " like a system call without libc, which cannot be taken");
    if (!blocking.empty()) {
        write_names(out, head_of("") + "among them ", blocking);
    }
}

bool is_clean(const judged_file& file) {
    const call_counts counts = count_calls(file.calls);
    return file.escapes.empty() && counts[static_cast<std::size_t>(treatment::optional)] == 0 &&
           counts[static_cast<std::size_t>(treatment::passed)] == 0 &&
           counts[static_cast<std::size_t>(treatment::missed)] == 0 &&
           file.file->elf.raw_calls.places == 0;
}

void write_file(std::ostream& out, const judged_file& file, detail how_much) {
    out << printable(file.file->elf.path) << '\n';
    if (file.has_hooks) {
        write_sentence(out, "  ", "coir's hook library is linked into it");
    }
    for (const escape& each : file.escapes) {
        std::string sentence = each.note;
        for (std::size_t i = 0; i < each.names.size(); ++i) {
            sentence += (i == 0 ? ": " : ", ") + each.names[i];
        }
        write_sentence(out, head_of("missed"), sentence);
    }
    write_calls(out, file, treatment::missed);
    write_calls(out, file, treatment::passed);
    write_calls(out, file, treatment::optional);
    write_raw_system_calls(out, file);
    if (how_much == detail::everything) {
        write_calls(out, file, treatment::hooked);
        write_calls(out, file, treatment::offloaded);
        write_calls(out, file, treatment::wrapped);
    }
    out << "  " << listed(count_calls(file.calls)) << "\n\n";
}

// What calls do is told once for all files, those together that do the same.
void write_notes(std::ostream& out, const audit& result, detail how_much) {
    // By treatment, the worst first, and then by what is noted.
    std::map<std::pair<int, std::string_view>, std::set<std::string>> notes;
    for (const judged_file& file : result.files) {
        for (const judged_call& each : file.calls) {
            if (!each.note.empty() && (!is_taken(each.treated) || how_much == detail::everything)) {
                notes[{-static_cast<int>(each.treated), each.note}].emplace(each.listed->name);
            }
        }
    }
    if (notes.empty()) {
        return;
    }
    out << "what they do\n";
    for (const auto& [key, names] : notes) {
        const auto treated = static_cast<treatment>(-key.first);
        write_names(out, head_of(name_of(treated)), {names.begin(), names.end()});
        write_sentence(out, head_of("") + "  ", key.second);
    }
    out << '\n';
}

void write_summary(std::ostream& out, const audit& result) {
    const auto examined = std::ranges::count_if(
        result.files, [](const judged_file& file) { return file.skipped.empty(); });
    out << printable(result.path) << ": "
        << counted(static_cast<std::size_t>(examined), "file", "files") << " examined, "
        << listed(result.counts());
    if (const std::size_t escapes = result.escapes(); escapes != 0) {
        out << ", " << counted(escapes, "way", "ways") << " around the hooks";
    }
    if (const std::size_t lost = result.program.lost.size(); lost != 0) {
        out << ", " << counted(lost, "library", "libraries") << " not examined";
    }
    out << '\n';
}

}  // namespace

void write_text(std::ostream& out, const audit& result, detail how_much) {
    std::vector<std::string> clean;
    for (const judged_file& file : result.files) {
        const bool first = file.file == &result.program.files.front();
        if (!file.skipped.empty() && file.escapes.empty()) {
            continue;
        }
        if (first || !is_clean(file) || how_much == detail::everything) {
            write_file(out, file, how_much);
        } else {
            clean.push_back(file.file->elf.path);
        }
    }
    if (!clean.empty()) {
        write_names(out, "everything is taken in: ", clean);
        out << '\n';
    }
    write_notes(out, result, how_much);
    for (const judged_file& file : result.files) {
        if (!file.skipped.empty() && file.escapes.empty()) {
            out << "not examined: " << printable(file.file->elf.path) << ": " << file.skipped
                << '\n';
        }
    }
    for (const lost_library& lost : result.program.lost) {
        out << "not examined: " << printable(lost.name) << ", which " << printable(lost.needed_by)
            << " needs: " << (lost.reason.empty() ? "not found" : printable(lost.reason)) << '\n';
    }
    write_summary(out, result);
}

}  // namespace coir::hook_audit
