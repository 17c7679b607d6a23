#include "control/host/process/process_limits.h"

#include <sys/resource.h>

#include <latch>
#include <string>
#include <thread>
#include <vector>

namespace steer {
namespace {

constexpr rlim_t kMinDescriptors = 80;  // of one worker, measured: 66

// Each TCP client needs a descriptor: raises the soft limit for interactive programs (1024) to the hard limit.
Result<void> raise_descriptor_limit() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return {};
    files.rlim_cur = files.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max >= kMinDescriptors) return {};
    return Error{
        "this process may open " + std::to_string(files.rlim_max) + " files at most and needs " +
        std::to_string(kMinDescriptors) +
        " and one for each TCP connection: LimitNOFILE=65536 in its unit, or `ulimit -n 65536`"};
}

// The threads exist at the same time, and end when all have started.
void try_threads(unsigned count) {
    std::latch all_are_there(1);
    std::vector<std::jthread> threads;
    try {
        for (unsigned i = 0; i < count; ++i)
            threads.emplace_back([&all_are_there] { all_are_there.wait(); });
    } catch (...) {
        all_are_there.count_down();
        throw;
    }
    all_are_there.count_down();
}

}  // namespace

Error no_thread(const std::system_error& error) {
    return Error{"a thread cannot be started (" + error.code().message() +
                 "): raise TasksMax= and LimitNPROC= of its unit, pids.max of its container, or "
                 "`ulimit -u`, or give it more memory (MemoryMax=, `ulimit -v`)"};
}

Error no_memory(std::string_view to_do) {
    return Error{"there is not enough memory" + std::string(to_do.empty() ? "" : " ") +
                 std::string(to_do) +
                 ": give more (MemoryMax= of its unit, `ulimit -v`), or shorten the lists of the "
                 "configuration"};
}

Result<void> check_process_limits(unsigned threads) {
    if (auto good = raise_descriptor_limit(); !good) return good;
    try {
        try_threads(threads);
    } catch (const std::system_error& error) {
        return no_thread(error);
    }
    return {};
}

}  // namespace steer
