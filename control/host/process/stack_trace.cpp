#include "control/host/process/stack_trace.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <execinfo.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

#include "control/host/process/last_words.h"

namespace steer {
namespace {

constexpr int kMaxFrames = 64;
constexpr int kHandlerFrames = 2;  // the handler, and the return from it
// Of the real-time signals, which nothing else here uses.
int trace_signal() {
    return SIGRTMIN + 3;
}

// Written by the handler while `wanted` is its thread.
std::atomic<pid_t> wanted{0};
std::array<void*, kMaxFrames> frames;
std::atomic<int> frame_count{-1};

void take_frames(int) {
    const int before = errno;
    if (wanted.load(std::memory_order_acquire) == ::gettid())
        frame_count.store(::backtrace(frames.data(), kMaxFrames), std::memory_order_release);
    errno = before;
}

// The symbols of this program's file; none if it is stripped or cannot be read.
class OwnSymbols {
  public:
    OwnSymbols() {
        const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        struct stat facts {};
        if (file >= 0 && ::fstat(file, &facts) == 0) {
            size_ = static_cast<std::size_t>(facts.st_size);
            void* const at = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
            if (at != MAP_FAILED) bytes_ = static_cast<const std::uint8_t*>(at);
        }
        if (file >= 0) ::close(file);
        if (bytes_ != nullptr) find_table();
    }
    ~OwnSymbols() {
        if (bytes_ != nullptr) ::munmap(const_cast<std::uint8_t*>(bytes_), size_);
    }
    OwnSymbols(const OwnSymbols&) = delete;
    OwnSymbols& operator=(const OwnSymbols&) = delete;

    // The mangled name of the function at this offset; empty: unknown.
    [[nodiscard]] std::string find(std::uintptr_t offset) const {
        for (std::size_t i = 0; i < count_; ++i) {
            const Elf64_Sym& s = symbols_[i];
            if (ELF64_ST_TYPE(s.st_info) != STT_FUNC || offset < s.st_value ||
                offset - s.st_value >= s.st_size || s.st_name >= names_size_)
                continue;
            return {names_ + s.st_name, ::strnlen(names_ + s.st_name, names_size_ - s.st_name)};
        }
        return {};
    }

  private:
    template <class T>
    [[nodiscard]] const T* at(std::uint64_t offset, std::uint64_t count) const {
        if (offset > size_ || count > (size_ - offset) / sizeof(T)) return nullptr;
        return reinterpret_cast<const T*>(bytes_ + offset);
    }
    void find_table() {
        const auto* const head = at<Elf64_Ehdr>(0, 1);
        if (head == nullptr || std::memcmp(head->e_ident, ELFMAG, SELFMAG) != 0) return;
        const auto* const sections = at<Elf64_Shdr>(head->e_shoff, head->e_shnum);
        for (std::size_t i = 0; sections != nullptr && i < head->e_shnum; ++i) {
            const Elf64_Shdr& section = sections[i];
            if (section.sh_type != SHT_SYMTAB || section.sh_link >= head->e_shnum) continue;
            const Elf64_Shdr& names = sections[section.sh_link];
            symbols_ = at<Elf64_Sym>(section.sh_offset, section.sh_size / sizeof(Elf64_Sym));
            names_ = at<char>(names.sh_offset, names.sh_size);
            if (symbols_ == nullptr || names_ == nullptr) continue;
            count_ = section.sh_size / sizeof(Elf64_Sym);
            names_size_ = names.sh_size;
        }
    }

    const std::uint8_t* bytes_ = nullptr;
    std::size_t size_ = 0;
    const Elf64_Sym* symbols_ = nullptr;
    const char* names_ = nullptr;
    std::size_t count_ = 0, names_size_ = 0;
};

std::string readable(const std::string& mangled) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> name(
        abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status), std::free);
    return status == 0 ? name.get() : mangled;
}

std::string frame_text(int number, void* address, const OwnSymbols& own) {
    std::ostringstream out;
    out << '#' << number << ' ';
    Dl_info facts{};
    // A return address is behind its call, which can be the last instruction of a function.
    const auto at = reinterpret_cast<std::uintptr_t>(address) - (number == 0 ? 0U : 1U);
    if (::dladdr(reinterpret_cast<void*>(at), &facts) == 0 || facts.dli_fname == nullptr) {
        out << address;
        return out.str();
    }
    const std::string module = facts.dli_fname;
    const std::uintptr_t offset = at - reinterpret_cast<std::uintptr_t>(facts.dli_fbase);
    std::string name = facts.dli_sname != nullptr ? facts.dli_sname : "";
    static const char kHere = 0;
    Dl_info program{};
    const bool is_own = ::dladdr(&kHere, &program) != 0 && program.dli_fbase == facts.dli_fbase;
    if (is_own && name.empty()) name = own.find(offset);
    out << module.substr(module.rfind('/') + 1) << "+0x" << std::hex << offset;
    if (!name.empty()) out << ' ' << readable(name);
    return out.str();
}

// Why it did not answer: "state D, waits in nfs_wait_bit_killable".
std::string state_of(pid_t tid) {
    const std::string folder = "/proc/self/task/" + std::to_string(tid);
    std::ifstream stat(folder + "/stat"), wchan(folder + "/wchan");
    std::string text, waits;
    std::getline(stat, text);
    std::getline(wchan, waits);
    const auto end = text.rfind(')');
    if (end == std::string::npos || end + 2 >= text.size()) return "it has ended";
    return "state " + text.substr(end + 2, 1) +
           (waits.empty() || waits == "0" ? "" : ", waits in " + waits);
}

}  // namespace

void prepare_stack_traces() {
    // The first call loads the unwinder, which allocates.
    std::array<void*, 1> unused{};
    (void)::backtrace(unused.data(), 1);
    struct sigaction action {};
    action.sa_handler = take_frames;
    action.sa_flags = SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    (void)::sigaction(trace_signal(), &action, nullptr);
}

void write_frames(int descriptor) noexcept {
    const int count = frame_count.load(std::memory_order_acquire);
    for (int i = 0; i < count && has_room(descriptor); ++i)
        ::backtrace_symbols_fd(&frames[static_cast<std::size_t>(i)], 1, descriptor);
}

std::vector<std::string> stack_of(pid_t tid, std::chrono::milliseconds patience) {
    frame_count.store(-1, std::memory_order_relaxed);
    wanted.store(tid, std::memory_order_release);
    const bool was_sent = ::syscall(SYS_tgkill, ::getpid(), tid, trace_signal()) == 0;
    const auto until = std::chrono::steady_clock::now() + patience;
    int count = -1;
    while (was_sent && count < 0 && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        count = frame_count.load(std::memory_order_acquire);
    }
    wanted.store(0, std::memory_order_release);
    if (count < 0)
        return {"no stack trace: the thread does not handle signals (" + state_of(tid) + ")"};
    const OwnSymbols own;
    std::vector<std::string> lines;
    for (int i = kHandlerFrames; i < count; ++i)
        lines.push_back(frame_text(i - kHandlerFrames, frames[static_cast<std::size_t>(i)], own));
    return lines;
}

}  // namespace steer
