// A setting is one row: name, destination, default, range, and meaning. The parser, the check and
// docs/reference/configuration.md use the same rows, so they cannot differ.
//
// The code for an operator's text also reads a row's `default_text`. Exceptions: "required",
// "none", "auto", and texts in brackets are not values; then the struct's own initial value is
// used. If the range of a duration begins with whole seconds ("1s..1h"), the value must be whole
// seconds. A range that begins with "~" replaces a value outside by the nearest bound, with a
// warning; this is for values that other programs accept. A row for a setting that is not supported
// yet (NotYet) accepts only its default, which changes nothing, and rejects every other value by
// name.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "control/config/document.h"
#include "control/config/settings.h"

namespace steer::config {

class Reading;

// The place of a value in a message: `size` of cache 'c', at its line.
struct Place {
    std::string_view key;
    std::string_view owner;  // "cache 'c'"
    int line = 0;
    [[nodiscard]] std::string name() const;
};

struct NotYet {};

// A value from a few words. `range` of the row lists them ("spin|pause|adaptive") in the enum's
// order; a slash separates synonyms ("warning/warn").
template <class T>
struct Choice {
    void (*set)(T&, unsigned);
};
template <class T, auto Member>
constexpr Choice<T> choice() {
    return {[](T& to, unsigned index) {
        using Enum = std::remove_reference_t<decltype(to.*Member)>;
        to.*Member = static_cast<Enum>(index);
    }};
}

// A value with its own form; `kind` names it in the documentation.
template <class T>
struct Own {
    std::string_view kind;
    void (*read)(Reading&, const Node&, const Place&, T&);
};

// The same for a value that has paths of files: texts, also in lists and maps. In the layer
// (layer.h), none of them leads out of its folder, whatever `read` does with it.
template <class T>
struct Files {
    std::string_view kind;
    void (*read)(Reading&, const Node&, const Place&, T&);
};
// One path as it is written; the reader of the whole map resolves it.
template <class T>
struct FileName {
    std::string T::*member;
};

template <class T>
using Field = std::variant<NotYet, bool T::*, std::uint32_t T::*, Milliseconds T::*,
                           std::optional<Milliseconds> T::*, std::string T::*, Choice<T>, Own<T>,
                           Files<T>, FileName<T>>;

template <class T>
struct Row {
    std::string_view name;
    Field<T> field;
    std::string_view default_text;
    std::string_view range;
    // A phrase for a table's cell. Sentences after a newline are printed below the table.
    std::string_view text;
};

// A row without its binding, for the documentation.
struct RowText {
    std::string_view name, kind, default_text, range, text;
    bool not_yet = false;
    std::string_view details;  // sentences that are too long for a cell; often empty
};

// ---- reading one value; each function reports an error and returns false

bool read_value(Reading& in, const Node& node, const Place& place, std::string_view range,
                bool& out);
bool read_value(Reading& in, const Node& node, const Place& place, std::string_view range,
                std::uint32_t& out);
bool read_value(Reading& in, const Node& node, const Place& place, std::string_view range,
                Milliseconds& out);
bool read_value(Reading& in, const Node& node, const Place& place, std::string_view range,
                std::optional<Milliseconds>& out);
bool read_value(Reading& in, const Node& node, const Place& place, std::string_view range,
                std::string& out);
std::optional<unsigned> read_choice(Reading& in, const Node& node, const Place& place,
                                    std::string_view words);
// Reports each path in it that leads out of the layer, if the layer has it.
void keep_in_layer(Reading& in, const Node& node);
void refuse_not_yet(Reading& in, const Node& node, const Place& place,
                    std::string_view default_text);

// ---- reading a map by its rows

namespace rows {

bool is_value(std::string_view default_text);
bool expect_map(Reading& in, const Node& map, std::string_view owner,
                std::span<const std::string_view> names);
void unknown_key(Reading& in, const Entry& entry, std::string_view owner,
                 std::span<const std::string_view> names);
// predecessors.h
bool counts_as_absent(Reading& in, const Entry& entry, std::string_view owner);
void missing_key(Reading& in, const Node& map, std::string_view owner, std::string_view key,
                 std::string_view text);

template <class T>
void read_one(Reading& in, const Row<T>& row, const Node& node, const Place& place, T& out) {
    std::visit(
        [&](const auto& field) {
            using F = std::decay_t<decltype(field)>;
            if constexpr (std::is_same_v<F, NotYet>) {
                refuse_not_yet(in, node, place, row.default_text);
            } else if constexpr (std::is_same_v<F, Choice<T>>) {
                if (const auto index = read_choice(in, node, place, row.range))
                    field.set(out, *index);
            } else if constexpr (std::is_same_v<F, Own<T>>) {
                field.read(in, node, place, out);
            } else if constexpr (std::is_same_v<F, Files<T>>) {
                keep_in_layer(in, node);
                field.read(in, node, place, out);
            } else if constexpr (std::is_same_v<F, FileName<T>>) {
                keep_in_layer(in, node);
                read_value(in, node, place, row.range, out.*field.member);
            } else {
                read_value(in, node, place, row.range, out.*field);
            }
        },
        row.field);
}

}  // namespace rows

// Reads a map with the keys of `table` into `out`: first the defaults, then the written values.
// Reports unknown and missing keys, wrong kinds and ranges. Returns false if the node is not a map.
template <class T, std::size_t N>
bool read_rows(Reading& in, const Node& map, const std::array<Row<T>, N>& table,
               std::string_view owner, T& out) {
    std::array<std::string_view, N> names;
    for (std::size_t i = 0; i < N; ++i)
        names[i] = table[i].name;
    for (const Row<T>& row : table) {
        if (std::holds_alternative<NotYet>(row.field) || !rows::is_value(row.default_text))
            continue;
        Node value;
        value.kind = Node::Kind::text;
        value.text = row.default_text;
        rows::read_one(in, row, value, {row.name, owner, 0}, out);
    }
    if (!rows::expect_map(in, map, owner, names)) return false;
    for (const Entry& entry : map.entries) {
        bool known = false;
        for (const Row<T>& row : table) {
            if (row.name != entry.key) continue;
            known = true;
            if (row.default_text != "required" && rows::counts_as_absent(in, entry, owner))
                continue;
            rows::read_one(in, row, entry.value, {row.name, owner, entry.line}, out);
        }
        if (!known) rows::unknown_key(in, entry, owner, names);
    }
    for (const Row<T>& row : table) {
        if (row.default_text == "required" && map.find(row.name) == nullptr) {
            rows::missing_key(in, map, owner, row.name, row.text);
        }
    }
    return true;
}

// Reads two tables in order, for structs that share rows.
template <class T, std::size_t A, std::size_t B>
constexpr std::array<Row<T>, A + B> joined(const std::array<Row<T>, A>& a,
                                           const std::array<Row<T>, B>& b) {
    std::array<Row<T>, A + B> out{};
    std::copy(a.begin(), a.end(), out.begin());
    std::copy(b.begin(), b.end(), out.begin() + A);
    return out;
}

template <class T, std::size_t N>
std::vector<RowText> row_texts(const std::array<Row<T>, N>& table) {
    std::vector<RowText> out;
    for (const Row<T>& row : table) {
        const auto cut = row.text.find('\n');
        RowText text{row.name,
                     "",
                     row.default_text,
                     row.range,
                     row.text.substr(0, cut),
                     false,
                     cut == std::string_view::npos ? "" : row.text.substr(cut + 1)};
        std::visit(
            [&](const auto& field) {
                using F = std::decay_t<decltype(field)>;
                if constexpr (std::is_same_v<F, NotYet>) {
                    text.not_yet = true;
                } else if constexpr (std::is_same_v<F, Choice<T>>) {
                    text.kind = "one of";
                } else if constexpr (std::is_same_v<F, Own<T>> || std::is_same_v<F, Files<T>>) {
                    text.kind = field.kind;
                } else if constexpr (std::is_same_v<F, FileName<T>>) {
                    text.kind = "path";
                } else if constexpr (std::is_same_v<F, bool T::*>) {
                    text.kind = "true/false";
                } else if constexpr (std::is_same_v<F, std::uint32_t T::*>) {
                    text.kind = "integer";
                } else if constexpr (std::is_same_v<F, std::string T::*>) {
                    text.kind = "text";
                } else {
                    text.kind = "duration";
                }
            },
            row.field);
        out.push_back(text);
    }
    return out;
}

}  // namespace steer::config
