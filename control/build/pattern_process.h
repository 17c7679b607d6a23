// Expressions compiled in a process of their own, so that a bad one costs neither the daemon's time nor its memory.
//
// Hyperscan's compiler has no limits and cannot be interrupted. A process can be killed: when it has used its CPU time,
// when it asks for more memory than it may have, and when the daemon ends. It is this program, started anew
// (posix_spawn; a fork would copy memory that devices write to), with the expressions in a file without a name.
//
// Expressions that were good, or refused, are remembered, so that a reload tries new ones alone. Blocks its caller; any
// thread. CPU time is what counts, so that a busy machine compiles what an idle one does.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "matchers/pattern/compiler.h"
#include "matchers/result.h"

namespace steer::build {

// The argument that makes this program the compile process.
inline constexpr const char* kCompilePatterns = "--compile-patterns";
// What it does: reads its standard input to the end, writes to its standard output, and returns its exit code.
int run_pattern_process();

class PatternProcess : public matchers::PatternCompiler {
  public:
    // `program`: one that calls run_pattern_process() for kCompilePatterns.
    explicit PatternProcess(std::string program = "/proc/self/exe")
        : program_(std::move(program)) {}

    std::vector<matchers::Checked> check(
        std::span<const matchers::Expression> expressions) override;
    matchers::Compiled compile(std::span<const matchers::Expression> expressions) override;
    void set_budget(const matchers::PatternBudget& budget) override;

    void stop() override { stopped_.store(true, std::memory_order_relaxed); }

  private:
    struct Job;
    struct End;
    using Records = std::function<void(char kind, std::uint32_t number, std::uint64_t cpu_us,
                                       std::string_view bytes)>;
    // One process, from its start to its end.
    End run(Job& job, const Records& records);
    [[nodiscard]] matchers::PatternBudget budget() const;

    using Key = std::pair<std::string, unsigned>;  // text and flags
    const std::string program_;
    std::atomic<bool> stopped_{false};
    mutable std::mutex mutex_;
    matchers::PatternBudget budget_;
    std::map<Key, matchers::Checked> known_;
};

}  // namespace steer::build
