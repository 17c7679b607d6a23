#include "matchers/pattern/compiler.h"

#include <hs/hs.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <ctime>

namespace steer::matchers {
namespace {

struct FreeCompileError {
    void operator()(hs_compile_error_t* error) const noexcept { hs_free_compile_error(error); }
};
using CompileError = std::unique_ptr<hs_compile_error_t, FreeCompileError>;

std::string text_of(const hs_compile_error_t* error) {
    std::string why =
        error != nullptr && error->message != nullptr ? error->message : "no reason given";
    while (why.ends_with('.'))
        why.pop_back();
    return why;
}

// hs_expression_info() does not detect repeats that make an expression too large. Long expressions and those with many
// repeats are compiled as well, so that the cost of each is known.
bool is_to_be_tried(const std::string& text) {
    constexpr std::size_t kLong = 200;
    constexpr std::ptrdiff_t kMany = 4;
    return text.find('{') != std::string::npos || text.size() > kLong ||
           std::count_if(text.begin(), text.end(),
                         [](char c) { return c == '*' || c == '+' || c == '?'; }) >= kMany;
}

std::uint64_t cpu_us() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

std::optional<std::string> why_refused(const Expression& expression) {
    hs_expr_info_t* info = nullptr;
    hs_compile_error_t* raw = nullptr;
    const auto status = hs_expression_info(expression.text.c_str(), expression.flags, &info, &raw);
    const CompileError error(raw);
    std::free(info);  // NOLINT: Hyperscan gives it from malloc()
    if (status != HS_SUCCESS) return text_of(error.get());
    if (!is_to_be_tried(expression.text)) return std::nullopt;
    hs_database_t* database = nullptr;
    raw = nullptr;
    const auto tried = hs_compile(expression.text.c_str(), expression.flags, HS_MODE_BLOCK, nullptr,
                                  &database, &raw);
    hs_free_database(database);
    const CompileError large(raw);
    if (tried != HS_SUCCESS) return text_of(large.get());
    return std::nullopt;
}

std::atomic<PatternCompiler*> in_use{nullptr};

}  // namespace

Checked HereCompiler::check_one(const Expression& expression) {
    const std::uint64_t begun = cpu_us();
    Checked out{why_refused(expression), 0};
    out.cost_us = cpu_us() - begun;
    return out;
}

std::vector<Checked> HereCompiler::check(std::span<const Expression> expressions) {
    std::vector<Checked> out;
    out.reserve(expressions.size());
    for (const Expression& expression : expressions)
        out.push_back(check_one(expression));
    return out;
}

Compiled HereCompiler::compile(std::span<const Expression> expressions) {
    std::vector<const char*> texts;
    std::vector<unsigned> flags, ids;
    texts.reserve(expressions.size());
    for (const Expression& e : expressions) {
        texts.push_back(e.text.c_str());
        flags.push_back(e.flags);
        ids.push_back(e.id);
    }
    hs_database_t* database = nullptr;
    hs_compile_error_t* raw = nullptr;
    const auto status = hs_compile_multi(texts.data(), flags.data(), ids.data(),
                                         static_cast<unsigned>(texts.size()), HS_MODE_BLOCK,
                                         nullptr, &database, &raw);
    const CompileError error(raw);
    Compiled out{PatternDatabase(database), {}, {}, false};
    if (status == HS_SUCCESS) return out;
    out.why = error != nullptr ? text_of(error.get()) : "out of memory";
    if (error != nullptr && error->expression >= 0)
        out.which = static_cast<std::size_t>(error->expression);
    return out;
}

PatternCompiler& pattern_compiler() {
    static HereCompiler here;
    PatternCompiler* const set = in_use.load(std::memory_order_acquire);
    return set != nullptr ? *set : here;
}

void use_pattern_compiler(PatternCompiler* compiler) {
    in_use.store(compiler, std::memory_order_release);
}

}  // namespace steer::matchers
