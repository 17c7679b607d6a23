// Lines of `extra` of a `recursion`, which an operator or another program wrote. What is taken of them
// is written for unbound in another form. Both forms must mean the same to unbound, and neither may
// change an option that is not in the list.
//
// unbound's own reader is asked in process, by libunbound, and a sample of the inputs by
// unbound-checkconf. Where they are not installed, the written form is read again by our reader alone.
#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "control/config/text/engine_lines.h"
#include "control/config/text/engine_options.h"
#include "control/program/engine/engine.h"
#include "fuzz/require.h"

namespace {

using steer::config::EngineLines;
using steer::config::EngineStatement;
using steer::config::Text;

constexpr int kOwnLine = 1, kFirstLine = 10;
constexpr std::size_t kMostLines = 64, kMostBytes = 8192;
// One input of so many: libunbound takes 100 times as long as our reader, a process 10,000 times.
constexpr unsigned kUnboundEvery = 4, kCheckEvery = 256;
constexpr std::string_view kCheckFile = "/usr/sbin/unbound-checkconf";

// Options that no line of `extra` may change, of those that libunbound can tell.
constexpr std::array kProtected{
    "directory",  "chroot",        "username",         "pidfile",          "logfile",
    "use-syslog", "log-identity",  "do-daemonize",     "num-threads",      "port",
    "do-ip4",     "do-udp",        "do-tcp",           "interface",        "interface-automatic",
    "verbosity",  "so-reuseport",  "control-enable",   "control-port",     "control-interface",
    "shm-enable", "python-script", "control-use-cert", "control-key-file", "tls-service-key",
    "tls-port",   "https-port",    "log-queries",      "val-log-level",    "statistics-interval"};

// libunbound, whose header is not needed for these.
class Unbound {
  public:
    Unbound() {
        void* const library = ::dlopen("libunbound.so.8", RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr) return;
        const auto find = [library](auto& function, const char* name) {
            function = reinterpret_cast<std::decay_t<decltype(function)>>(::dlsym(library, name));
        };
        find(create_, "ub_ctx_create");
        find(delete_, "ub_ctx_delete");
        find(config_, "ub_ctx_config");
        find(get_, "ub_ctx_get_option");
        find(output_, "ub_ctx_debugout");
        null_ = std::fopen("/dev/null", "w");
    }
    [[nodiscard]] bool is_there() const {
        return create_ != nullptr && delete_ != nullptr && config_ != nullptr && get_ != nullptr &&
               output_ != nullptr && null_ != nullptr;
    }

    // What it makes of a configuration: whether it takes it, and the values of all options.
    struct Reading {
        bool is_taken = false;
        std::vector<std::string> safe, listed;
        bool operator==(const Reading&) const = default;
    };
    Reading read(const std::string& text) const {
        Reading out;
        void* const context = create_();
        REQUIRE(context != nullptr);
        output_(context, null_);
        const int file = ::memfd_create("unbound.conf", MFD_CLOEXEC);
        REQUIRE(::pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
        out.is_taken = config_(context, ("/proc/self/fd/" + std::to_string(file)).c_str()) == 0;
        ::close(file);
        for (const char* const name : kProtected)
            out.safe.push_back(value(context, name));
        for (const auto& option : steer::config::engine_options())
            out.listed.push_back(value(context, option.name.data()));
        delete_(context);
        return out;
    }

  private:
    std::string value(void* context, const char* name) const {
        char* text = nullptr;
        if (get_(context, name, &text) != 0 || text == nullptr) return {};
        std::string out(text);
        std::free(text);
        return out;
    }

    void* (*create_)() = nullptr;
    void (*delete_)(void*) = nullptr;
    int (*config_)(void*, const char*) = nullptr;
    int (*get_)(void*, const char*, char**) = nullptr;
    int (*output_)(void*, void*) = nullptr;
    std::FILE* null_ = nullptr;
};

std::string written(const std::vector<EngineStatement>& statements) {
    steer::config::Recursion settings;
    settings.line = kOwnLine;
    settings.extra = statements;
    const auto config = steer::recursion::configuration(settings, "/usr/share/dns", 5301);
    REQUIRE(static_cast<std::size_t>(std::ranges::count(config.text, '\n')) == config.lines.size());
    return config.text;
}

// As the operator wrote them. Read by unbound only if we take each of them.
std::string raw(const std::vector<Text>& lines) {
    std::string out = written({}) + "server:\n";
    for (const Text& line : lines)
        out += line.value + "\n";
    return out;
}

// Whether unbound-checkconf takes it.
bool is_taken_by_check(const std::string& text) {
    const int file = ::memfd_create("unbound.conf", 0);
    REQUIRE(::pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    const std::string path = "/proc/self/fd/" + std::to_string(file);
    std::array<char*, 3> words{const_cast<char*>("unbound-checkconf"),
                               const_cast<char*>(path.c_str()), nullptr};
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    for (const int out : {STDOUT_FILENO, STDERR_FILENO})
        ::posix_spawn_file_actions_addopen(&actions, out, "/dev/null", O_WRONLY, 0);
    pid_t pid = 0;
    char* no_environment = nullptr;
    REQUIRE(::posix_spawn(&pid, kCheckFile.data(), &actions, nullptr, words.data(),
                          &no_environment) == 0);
    ::posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    ::close(file);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void compare_with_unbound(const std::vector<Text>& lines, const EngineLines& read,
                          const std::string& ours, unsigned number) {
    static const Unbound& unbound = *new Unbound;
    static const bool has_check = ::access(kCheckFile.data(), X_OK) == 0;
    if (unbound.is_there() && number % kUnboundEvery == 0) {
        static const auto base = unbound.read(written({}));
        REQUIRE(base.is_taken);
        const auto found = unbound.read(ours);
        REQUIRE(found.safe == base.safe);
        if (read.refusals.empty()) REQUIRE(unbound.read(raw(lines)) == found);
    }
    if (has_check && number % kCheckEvery == 0 && read.refusals.empty())
        REQUIRE(is_taken_by_check(ours) == is_taken_by_check(raw(lines)));
}

}  // namespace

// unbound leaks words of a configuration that it refuses.
extern "C" const char* __lsan_default_suppressions() {
    return "leak:libunbound\n";
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > kMostBytes) return 0;
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    std::vector<Text> lines;
    while (!rest.empty() && lines.size() < kMostLines) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        lines.push_back(
            {std::string(rest.substr(0, end)), kFirstLine + static_cast<int>(lines.size())});
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    const EngineLines read = steer::config::read_engine_lines(lines);
    for (const auto& refusal : read.refusals)
        REQUIRE(!refusal.what.empty() && !refusal.why.empty() && refusal.line >= kFirstLine);
    for (const EngineStatement& one : read.statements) {
        REQUIRE(one.line >= kFirstLine);
        for (const auto& word : one.words)
            REQUIRE(word.text.find_first_of(std::string_view("\n\r\0", 3)) == std::string::npos);
    }
    // What is written is read as it was.
    const std::string ours = written(read.statements);
    std::vector<Text> again;
    for (std::string_view left = std::string_view(ours).substr(written({}).size());
         !left.empty();) {
        const std::size_t end = left.find('\n');
        again.push_back({std::string(left.substr(0, end)), kFirstLine});
        left.remove_prefix(end + 1);
    }
    const EngineLines once_more = steer::config::read_engine_lines(again);
    REQUIRE(once_more.refusals.empty());
    const bool has_more = !read.statements.empty() && !read.statements.front().begins_clause;
    REQUIRE(once_more.statements.size() == read.statements.size() + (has_more ? 1 : 0));
    for (std::size_t i = 0; i < read.statements.size(); ++i) {
        const EngineStatement& other = once_more.statements[i + (has_more ? 1 : 0)];
        REQUIRE(other.name == read.statements[i].name && other.words == read.statements[i].words);
    }
    unsigned number = 0;  // of the input, to take a sample
    for (std::size_t i = 0; i < size; ++i)
        number = number * 31 + data[i];
    compare_with_unbound(lines, read, ours, number);
    return 0;
}
