#include "control/api/metrics/process_facts.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace steer::ops {
namespace {

// "Threads:\t12" of /proc/self/status, in KiB where it is a size.
std::uint64_t field_of(const std::string& status, const std::string& name) {
    const auto at = status.find("\n" + name + ":");
    return at == std::string::npos
               ? 0
               : std::strtoull(status.c_str() + at + name.size() + 2, nullptr, 10);
}

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// Does not change while the process runs, although the wall clock may.
double start_time() {
    std::ifstream stat("/proc/stat");
    std::uint64_t boot_s = 0;
    for (std::string word; stat >> word;) {
        if (word == "btime") stat >> boot_s;
    }
    std::ifstream file("/proc/self/stat");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    std::istringstream fields(text.substr(std::min(text.rfind(')') + 1, text.size())));
    std::string field;
    constexpr int kStartTime = 22 - 2;  // proc(5) counts the two fields before this text
    for (int i = 0; i < kStartTime; ++i)
        fields >> field;
    return static_cast<double>(boot_s) +
           std::strtod(field.c_str(), nullptr) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

ProcessFacts process_facts() {
    constexpr std::uint64_t kKib = 1024;
    ProcessFacts out;
    out.pid = ::getpid();
    std::ifstream file("/proc/self/status");
    const std::string status{std::istreambuf_iterator<char>(file), {}};
    out.resident_bytes = field_of(status, "VmRSS") * kKib;
    out.threads = field_of(status, "Threads");
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) == 0)
        out.cpu_s = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    static const double started_s = start_time();
    out.started_s = started_s;
    std::error_code error;
    std::filesystem::directory_iterator files("/proc/self/fd", error);
    if (!error) {
        std::uint64_t count = 0;
        for (; files != std::filesystem::directory_iterator() && !error; files.increment(error))
            ++count;
        out.open_files = count - 1;  // without the descriptor used for counting
    }
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) out.most_files = limit.rlim_cur;
    return out;
}

}  // namespace steer::ops
