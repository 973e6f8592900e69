// SPDX-License-Identifier: BSL-1.0
#include "elf_image.hpp"

#include "native_machine.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace coir::hook_audit {
namespace {

using enum unreadable_file::cause;

std::string text_of_errno() { return std::generic_category().message(errno); }

constexpr unsigned char native_order =
    std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;

}  // namespace

// Looked at before it is opened, as to open a device may do something. Without O_NONBLOCK the open
// of what has become a FIFO since then would wait.
elf_image::open_file::open_file(const std::string& path) : fd(-1), size(0) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        throw unreadable_file(path, text_of_errno(), unopened);
    }
    if (!S_ISREG(status.st_mode)) {
        throw unreadable_file(
            path, S_ISDIR(status.st_mode) ? "is a directory" : "is not a regular file", unopened);
    }
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || ::fstat(fd, &status) != 0) {
        const std::string reason = text_of_errno();
        if (fd >= 0) {
            ::close(fd);
        }
        throw unreadable_file(path, reason, unopened);
    }
    size = static_cast<std::uint64_t>(status.st_size);
}

elf_image::open_file::~open_file() { ::close(fd); }

elf_image::elf_image(std::string path) : path_(std::move(path)), file_(path_) {
    check_header();
    elf_version(EV_CURRENT);
    elf_.reset(elf_begin(file_.fd, ELF_C_READ, nullptr));
    if (elf_ == nullptr || elf_kind(elf_.get()) != ELF_K_ELF) {
        throw_malformed("the header");
    }
    read_segments();
}

// By hand and not by libelf, to name what stands in the way: libelf says just "no ELF file".
void elf_image::check_header() {
    Elf64_Ehdr header{};
    const ssize_t got = ::pread(file_.fd, &header, sizeof header, 0);
    if (got < 0) {
        throw unreadable_file(path_, text_of_errno(), unopened);
    }
    const auto size = static_cast<std::size_t>(got);
    const auto* start = reinterpret_cast<const char*>(header.e_ident);
    if (std::string_view(start, std::min<std::size_t>(size, 8)) == "!<arch>\n") {
        throw unreadable_file(path_, "is an archive of objects: audit what is linked from it",
                              malformed);
    }
    if (std::string_view(start, std::min<std::size_t>(size, 2)) == "#!") {
        throw unreadable_file(path_, "is a script: audit the program that it runs", malformed);
    }
    if (size < SELFMAG || std::memcmp(start, ELFMAG, SELFMAG) != 0) {
        throw unreadable_file(path_, "is not an ELF file", malformed);
    }
    if (size < offsetof(Elf64_Ehdr, e_version)) {
        throw_malformed("the header");
    }
    const bool same_order = header.e_ident[EI_DATA] == native_order;
    const std::uint16_t machine =
        same_order ? header.e_machine
                   : static_cast<std::uint16_t>(header.e_machine >> 8 | header.e_machine << 8);
    const std::string ours = ", and this audits " + name_of_machine(native_machine) + " alone";
    if (header.e_ident[EI_CLASS] == ELFCLASS32) {
        throw unreadable_file(path_, "is a 32-bit file (" + name_of_machine(machine) + ")" + ours,
                              other_machine);
    }
    if (header.e_ident[EI_CLASS] != ELFCLASS64) {
        throw_malformed("the header");
    }
    if (!same_order || machine != native_machine) {
        throw unreadable_file(path_, "is for " + name_of_machine(machine) + ours, other_machine);
    }
    if (size < sizeof header) {
        throw_malformed("the header");
    }
    type_ = header.e_type;
    switch (type_) {
        case ET_EXEC:
        case ET_DYN: break;
        case ET_REL:
            throw unreadable_file(path_, "is an object file: audit what is linked from it",
                                  malformed);
        case ET_CORE: throw unreadable_file(path_, "is a core dump", malformed);
        default:
            throw unreadable_file(path_, "is neither a program nor a shared library", malformed);
    }
}

void elf_image::read_segments() {
    std::size_t count = 0;
    if (elf_getphdrnum(elf_.get(), &count) != 0) {
        throw_malformed("the program headers");
    }
    const Elf64_Phdr* first = elf64_getphdr(elf_.get());
    if (first == nullptr || count == 0) {
        throw_malformed("the program headers");
    }
    segments_.assign(first, first + count);
}

const Elf64_Phdr* elf_image::segment(std::uint32_t type) const noexcept {
    const auto found = std::ranges::find(segments_, type, &Elf64_Phdr::p_type);
    return found == segments_.end() ? nullptr : &*found;
}

std::span<const std::byte> elf_image::bytes(std::uint64_t offset, std::uint64_t size,
                                            std::string_view what) const {
    if (offset > file_.size || size > file_.size - offset) {
        throw_malformed(what);
    }
    if (size == 0) {
        return {};
    }
    const Elf_Data* data =
        elf_getdata_rawchunk(elf_.get(), static_cast<std::int64_t>(offset), size, ELF_T_BYTE);
    if (data == nullptr || data->d_size < size) {
        throw_malformed(what);
    }
    return {static_cast<const std::byte*>(data->d_buf), size};
}

elf_image::range elf_image::range_from(std::uint64_t address, std::string_view what) const {
    for (const Elf64_Phdr& segment : segments_) {
        if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
            address - segment.p_vaddr < segment.p_filesz) {
            const std::uint64_t into = address - segment.p_vaddr;
            if (segment.p_offset > file_.size || into > file_.size - segment.p_offset) {
                throw_malformed(what);
            }
            return {segment.p_offset + into, segment.p_filesz - into};
        }
    }
    throw_malformed(what);
}

std::span<const std::byte> elf_image::bytes_at(std::uint64_t address, std::uint64_t size,
                                               std::string_view what) const {
    const range there = range_from(address, what);
    if (size > there.size) {
        throw_malformed(what);
    }
    return bytes(there.offset, size, what);
}

std::span<const std::byte> elf_image::bytes_from(std::uint64_t address,
                                                 std::string_view what) const {
    const range there = range_from(address, what);
    return bytes(there.offset, std::min(there.size, file_.size - there.offset), what);
}

// Section headers are for people and debuggers: the dynamic linker reads none, so wrong ones are no
// error, and count as none.
std::vector<elf_image::range> elf_image::executable_sections() const {
    std::vector<range> found;
    for (Elf_Scn* section = elf_nextscn(elf_.get(), nullptr); section != nullptr;
         section = elf_nextscn(elf_.get(), section)) {
        const Elf64_Shdr* header = elf64_getshdr(section);
        if (header == nullptr) {
            return {};
        }
        if ((header->sh_flags & SHF_EXECINSTR) == 0 || header->sh_type != SHT_PROGBITS) {
            continue;
        }
        if (header->sh_offset > file_.size || header->sh_size > file_.size - header->sh_offset) {
            return {};
        }
        found.push_back({header->sh_offset, header->sh_size});
    }
    return found;
}

std::vector<std::span<const std::byte>> elf_image::code() const {
    std::vector<range> ranges = executable_sections();
    if (ranges.empty()) {
        for (const Elf64_Phdr& segment : segments_) {
            if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0) {
                ranges.push_back({segment.p_offset, segment.p_filesz});
            }
        }
    }
    // Code that lies over other code a thousand times would take for ever to read.
    std::uint64_t left = file_.size;
    std::vector<std::span<const std::byte>> code;
    for (const range& each : ranges) {
        if (each.size > left) {
            throw_malformed("the code");
        }
        left -= each.size;
        code.push_back(bytes(each.offset, each.size, "the code"));
    }
    return code;
}

void elf_image::throw_malformed(std::string_view what) const {
    throw unreadable_file(
        path_, "is truncated or malformed: " + std::string(what) + " cannot be read", malformed);
}

}  // namespace coir::hook_audit
