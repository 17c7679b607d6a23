// The options of unbound that lines of `extra` of a `recursion` may have: a closed list, for unbound 1.17
// to 1.26. An option that the installed unbound does not know is refused by its own check.
//
// It has no option of another module, of a program or a library, of what unbound listens on, of its
// control, of where its log goes, and none whose result steerdnsd reads. No word of it includes a file.
//
// Source: unbound, util/configlexer.lex and util/configparser.y of each release.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace steer::config {

enum class EngineValue : std::uint8_t {
    plain,
    file,    // a path that unbound opens
    modules  // names of modules
};

using EngineClauses = std::uint8_t;  // bits

struct EngineOption {
    static constexpr std::uint8_t kFirst = 17;

    std::string_view name;
    EngineClauses clauses = 0;
    std::uint8_t words = 1;  // after its name
    EngineValue value = EngineValue::plain;
    std::uint8_t since = kFirst;  // unbound 1.N
};

struct EngineClause {
    std::string_view name;
    EngineClauses bit = 0;  // 0: `extra` may not have it
};

std::span<const EngineOption> engine_options();
// All that unbound has.
std::span<const EngineClause> engine_clauses();

// nullptr: `extra` may have no such option in that clause.
const EngineOption* find_engine_option(EngineClauses clause, std::string_view name);
// nullptr: unbound has no such clause.
const EngineClause* find_engine_clause(std::string_view name);

}  // namespace steer::config
