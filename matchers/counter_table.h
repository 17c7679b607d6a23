// Counters as data. A macro has a list of rows `X(name, "what is counted")`, written once. It
// becomes an enum of numbers or a struct of fields, and a CounterTable of the same rows. JSON keys,
// metrics and the reference come from the table.
//
//     #define ROWS(X) X(added, "elements added to the set") X(failed, "elements that the kernel rejected")
//     STEER_COUNTER_STRUCT(SetCounters, kSetCounters, ROWS);
//
// A row may have more columns after its text; these macros ignore them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace steer {

// `Which`: the enum, with values from 0, or a pointer to a field of the struct.
template <class Which>
struct CounterRow {
    std::string_view label;  // JSON key, and the end of the metric's name or the value of its label
    std::string_view text;   // what is counted
    Which which;
};

template <class Which, std::size_t n>
struct CounterTable {
    std::array<CounterRow<Which>, n> rows;

    static constexpr std::size_t size() { return n; }
    [[nodiscard]] constexpr auto begin() const { return rows.begin(); }
    [[nodiscard]] constexpr auto end() const { return rows.end(); }
    constexpr const CounterRow<Which>& operator[](
        Which which) const requires std::is_enum_v<Which> {
        return rows[static_cast<std::size_t>(which)];
    }
    // Returns nullptr if no row has this label.
    [[nodiscard]] constexpr const CounterRow<Which>* find(std::string_view label) const {
        for (const CounterRow<Which>& row : rows) {
            if (row.label == label) return &row;
        }
        return nullptr;
    }
};

struct CounterText {
    std::string_view label, text;
};

// The table of an enum with these rows, from 0.
template <class Enum, std::size_t n>
consteval CounterTable<Enum, n> numbered_counters(const CounterText (&texts)[n]) {
    CounterTable<Enum, n> table{};
    for (std::size_t i = 0; i < n; ++i)
        table.rows[i] = {texts[i].label, texts[i].text, static_cast<Enum>(i)};
    return table;
}

template <class Set, std::size_t n>
consteval CounterTable<std::uint64_t Set::*, n> field_counters(
    const CounterRow<std::uint64_t Set::*> (&rows)[n]) {
    CounterTable<std::uint64_t Set::*, n> table{};
    for (std::size_t i = 0; i < n; ++i)
        table.rows[i] = rows[i];
    return table;
}

}  // namespace steer

#define STEER_COUNTER_NAME(name, ...) name,
#define STEER_COUNTER_TEXT(name, text, ...) ::steer::CounterText{#name, text},
#define STEER_COUNTER_FIELD(name, ...) std::uint64_t name = 0;
#define STEER_COUNTER_ADD(name, ...) name += more.name;
#define STEER_COUNTER_POINTER(name, text, ...) {#name, text, &Set::name},

// Defines enum class Enum { the rows, count_ } and its table.
// NOLINTBEGIN(bugprone-macro-parentheses): they are names
#define STEER_COUNTER_ENUM(Enum, table, ROWS)                           \
    enum class Enum : std::uint8_t { ROWS(STEER_COUNTER_NAME) count_ }; \
    inline constexpr auto table = ::steer::numbered_counters<Enum>({ROWS(STEER_COUNTER_TEXT)})

// Defines struct Struct with one field per row, and its table.
#define STEER_COUNTER_STRUCT(Struct, table, ROWS)                           \
    struct Struct {                                                         \
        ROWS(STEER_COUNTER_FIELD)                                           \
        Struct& operator+=(const Struct& more) {                            \
            ROWS(STEER_COUNTER_ADD)                                         \
            return *this;                                                   \
        }                                                                   \
    };                                                                      \
    inline constexpr auto table = [] {                                      \
        using Set = Struct;                                                 \
        return ::steer::field_counters<Set>({ROWS(STEER_COUNTER_POINTER)}); \
    }()
// NOLINTEND(bugprone-macro-parentheses)
