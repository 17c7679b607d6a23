// Compiles expressions in a separate process, so that a bad one cannot use up the daemon's time or
// memory.
//
// Hyperscan's compiler has no limits and cannot be interrupted, but a process can be killed. This
// happens when it has used its CPU time, when it allocates too much memory, and when the daemon
// stops. The process is this program, started again (starter.h), with the expressions in an unnamed
// file. It opens no file and no socket, and starts nothing (ThreadKind::patterns).
//
// Results for expressions are remembered, so a reload compiles only new ones. Blocks its caller;
// any thread. The limit is CPU time, so a busy machine accepts the same expressions as an idle one.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "control/host/process/starter.h"
#include "matchers/pattern/compiler.h"
#include "matchers/result.h"

namespace steer::build {

// The argument that turns this program into the compile process.
inline constexpr const char* kCompilePatterns = "--compile-patterns";
// The compile process: reads standard input to the end, writes to standard output, and returns the
// exit code.
int run_pattern_process();

// Gets a sentence every kTellEveryMs during a call, on the calling thread. `now_ms` must not
// decrease.
struct PatternProgress {
    std::function<void(const std::string& sentence)> tell;
    std::function<std::uint64_t()> now_ms;
};

class PatternProcess : public matchers::PatternCompiler {
  public:
    static constexpr std::uint64_t kTellEveryMs = 5'000;

    // The starter's program of this name.
    static constexpr const char* kProgram = "patterns";
    // This program, if its main() calls run_pattern_process() for kCompilePatterns.
    static Starter::Program this_program() {
        return {.name = kProgram, .words = {"steerdnsd", kCompilePatterns}, .is_self = true};
    }
    // `starter` has kProgram.
    explicit PatternProcess(Starter& starter) : starter_(starter) {}

    std::vector<matchers::Checked> check(
        std::span<const matchers::Expression> expressions) override;
    matchers::Compiled compile(std::span<const matchers::Expression> expressions) override;
    void set_budget(const matchers::PatternBudget& budget) override;
    void set_images(const std::string& folder) override;

    // Call it before the first call of the compiler.
    void set_progress(PatternProgress progress) { progress_ = std::move(progress); }
    // Reads the expressions of a folder's newest image. Set it before the first call of the
    // compiler.
    using Kept = std::function<std::vector<matchers::Expression>(const std::string& folder)>;
    void set_kept(Kept kept) { kept_ = std::move(kept); }
    // A smaller number of unknown expressions is checked faster than an image is read.
    static constexpr std::size_t kLeastToRead = 100;
    void stop() override { stopped_.store(true, std::memory_order_relaxed); }

  private:
    struct Job;
    struct End;
    using Records = std::function<void(char kind, std::uint32_t number, std::uint64_t cpu_us,
                                       std::string_view bytes)>;
    // Runs one process, from its start to its end.
    End run(Job& job, const Records& records);
    void tell_progress(Job& job) const;
    [[nodiscard]] matchers::PatternBudget budget() const;

    using Key = std::pair<std::string, unsigned>;  // text and flags
    Starter& starter_;
    PatternProgress progress_;
    std::atomic<bool> stopped_{false};
    // Marks the expressions of the folder as known, if the folder was not read yet.
    void read_kept();

    Kept kept_;
    mutable std::mutex mutex_;
    std::string images_, read_images_;  // folder to read, folder that was read last; empty: none
    matchers::PatternBudget budget_;
    std::map<Key, matchers::Checked> known_;
};

}  // namespace steer::build
