#include "control/host/process/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace steer {

std::uint64_t sessions_within(std::uint64_t most, std::uint64_t files) {
    constexpr std::uint64_t kPart = 16, kLeast = 8;
    return std::min(most, std::max(files / kPart, kLeast));
}

std::optional<std::uint64_t> descriptor_limit() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return std::nullopt;
    return files.rlim_max;
}

// "Max open files  SOFT  HARD  files": proc_pid_limits(5), which every user may read.
std::optional<std::uint64_t> descriptor_limit_of(pid_t process) {
    constexpr std::string_view kName = "Max open files";
    std::ifstream file("/proc/" + std::to_string(process) + "/limits");
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with(kName)) continue;
        std::istringstream words(line.substr(kName.size()));
        std::string soft, hard;
        words >> soft >> hard;
        std::uint64_t limit = RLIM_INFINITY;
        const auto end = hard.data() + hard.size();
        if (hard != "unlimited" && std::from_chars(hard.data(), end, limit).ptr != end) break;
        return limit;
    }
    return std::nullopt;
}

}  // namespace steer
