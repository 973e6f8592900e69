// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <elf.h>
#include <libelf.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace coir::hook_audit {

// A file that cannot be audited; what() names the file and says why.
class unreadable_file : public std::runtime_error {
public:
    enum class cause {
        unopened,       // absent, forbidden, or no file
        other_machine,  // well, but of another machine
        malformed,      // no ELF file, or one that is cut short or wrong
    };

    unreadable_file(const std::string& path, const std::string& reason, cause why)
        : std::runtime_error(path + ": " + reason), reason_(reason), why_(why) {}

    const std::string& reason() const noexcept { return reason_; }
    cause why() const noexcept { return why_; }

private:
    std::string reason_;
    cause why_;
};

// An ELF file of this machine that is open for reading, as segments and bytes. Nothing in it is
// believed: what does not lie within the file throws unreadable_file. Spans live as long as it
// does.
class elf_image {
public:
    explicit elf_image(std::string path);

    const std::string& path() const noexcept { return path_; }
    // ET_EXEC or ET_DYN.
    std::uint16_t type() const noexcept { return type_; }
    std::span<const Elf64_Phdr> segments() const noexcept { return segments_; }
    // Null where there is none.
    const Elf64_Phdr* segment(std::uint32_t type) const noexcept;

    // Bytes by their offset in the file. `what` is what they hold, for the message.
    std::span<const std::byte> bytes(std::uint64_t offset, std::uint64_t size,
                                     std::string_view what) const;
    // Bytes by their address in memory.
    std::span<const std::byte> bytes_at(std::uint64_t address, std::uint64_t size,
                                        std::string_view what) const;
    // From an address to the end of what its segment has in the file.
    std::span<const std::byte> bytes_from(std::uint64_t address, std::string_view what) const;

    // What holds machine code: the sections that are said to be executable, and in a file without
    // section headers the executable segments.
    std::vector<std::span<const std::byte>> code() const;

    [[noreturn]] void throw_malformed(std::string_view what) const;

private:
    struct range {
        std::uint64_t offset;
        std::uint64_t size;
    };
    class open_file {
    public:
        explicit open_file(const std::string& path);
        open_file(const open_file&) = delete;
        open_file& operator=(const open_file&) = delete;
        ~open_file();
        int fd;
        std::uint64_t size;
    };
    struct ender {
        void operator()(Elf* elf) const noexcept { elf_end(elf); }
    };

    void check_header();
    void read_segments();
    range range_from(std::uint64_t address, std::string_view what) const;
    std::vector<range> executable_sections() const;

    std::string path_;
    open_file file_;
    std::unique_ptr<Elf, ender> elf_;
    std::uint16_t type_ = ET_NONE;
    std::vector<Elf64_Phdr> segments_;
};

}  // namespace coir::hook_audit
