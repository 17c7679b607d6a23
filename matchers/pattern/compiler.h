// The interface for compiling expressions. All other code uses it, because Hyperscan's compiler
// cannot be interrupted, and its time and memory are unpredictable.
//
// HereCompiler compiles in the calling thread, without limits: for tests, tools, and the compile
// process. The daemon installs another one at its start (control/program/build/pattern_process.h).
// That one uses a separate process with a budget, which can be stopped. Set-up only; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "matchers/pattern/image.h"

namespace steer::matchers {

struct Expression {
    std::string text;  // without a NUL
    unsigned flags = 0;
    unsigned id = 0;
};

// The result for one expression. Empty `why`: it compiles.
struct Checked {
    std::optional<std::string> why;
    std::uint64_t cost_us = 0;  // CPU time
    bool over_budget = false;   // it may be valid: compilation was stopped or not tried
};

using PatternDatabase = std::unique_ptr<hs_database, FreeDatabase>;

struct Compiled {
    PatternDatabase database;          // nullptr: an error
    std::string why;                   // text of the error
    std::optional<std::size_t> which;  // index of the bad expression; no value: all together
    bool over_budget = false;
};

// The budget of one call.
struct PatternBudget {
    std::uint32_t time_ms = 10'000;                 // CPU time
    std::uint64_t memory = std::uint64_t{1} << 30;  // bytes
};

class PatternCompiler {
  public:
    virtual ~PatternCompiler() = default;
    // Checks each expression alone, in order.
    virtual std::vector<Checked> check(std::span<const Expression> expressions) = 0;
    // Compiles all expressions together, in block mode.
    virtual Compiled compile(std::span<const Expression> expressions) = 0;
    virtual void set_budget(const PatternBudget& /*budget*/) {}
    // The folder of stored images, whose expressions need no check; empty: none.
    virtual void set_images(const std::string& /*folder*/) {}
    // At the process's end: stops running compilations and rejects later ones.
    virtual void stop() {}
};

class HereCompiler : public PatternCompiler {
  public:
    std::vector<Checked> check(std::span<const Expression> expressions) override;
    Compiled compile(std::span<const Expression> expressions) override;
    static Checked check_one(const Expression& expression);
};

// The compiler in use. `compiler` must outlive every call of pattern_compiler(); nullptr: a
// HereCompiler.
PatternCompiler& pattern_compiler();
void use_pattern_compiler(PatternCompiler* compiler);

}  // namespace steer::matchers
