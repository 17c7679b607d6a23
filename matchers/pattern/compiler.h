// Who compiles expressions: the only way from here to Hyperscan's compiler, which cannot be interrupted and whose time
// and memory nobody can foretell.
//
// HereCompiler does it in the calling thread, without limits: tests, tools, the compile process itself. The daemon
// installs another one at its start (control/build/pattern_process.h), which has a process of its own do it, with a
// budget, and which can be stopped. Set-up only; any thread.
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

// What became of one expression. No `why`: it can be compiled.
struct Checked {
    std::optional<std::string> why;
    std::uint64_t cost_us = 0;  // CPU time
    bool over_budget = false;   // it may be right: it was given up, or not tried
};

using PatternDatabase = std::unique_ptr<hs_database, FreeDatabase>;

struct Compiled {
    PatternDatabase database;          // nullptr: there is an error
    std::string why;                   // its text
    std::optional<std::size_t> which;  // of the expressions; nothing: all together
    bool over_budget = false;
};

// Of one call.
struct PatternBudget {
    std::uint32_t time_ms = 10'000;                 // CPU time
    std::uint64_t memory = std::uint64_t{1} << 30;  // bytes
};

class PatternCompiler {
  public:
    virtual ~PatternCompiler() = default;
    // Each alone, in their order.
    virtual std::vector<Checked> check(std::span<const Expression> expressions) = 0;
    // All together, in block mode.
    virtual Compiled compile(std::span<const Expression> expressions) = 0;
    virtual void set_budget(const PatternBudget& /*budget*/) {}
    // The process ends: what is under way is given up, and what comes after is refused.
    virtual void stop() {}
};

class HereCompiler : public PatternCompiler {
  public:
    std::vector<Checked> check(std::span<const Expression> expressions) override;
    Compiled compile(std::span<const Expression> expressions) override;
    static Checked check_one(const Expression& expression);
};

// The one in use. `compiler` outlives every call of the first; nullptr: a HereCompiler.
PatternCompiler& pattern_compiler();
void use_pattern_compiler(PatternCompiler* compiler);

}  // namespace steer::matchers
