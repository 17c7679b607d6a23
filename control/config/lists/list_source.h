// The source of a plugin's list: a file, or a URL. The last good copy of a URL is a file in `lists`
// of `control`.
//
// `$TAG` of a secondary is a list, too: the zone as text, which control writes after each change.
//
// A URL without a copy, or with a damaged one, is a warning and an empty list, because a machine
// that resolves its own names must be able to start.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "control/config/reading.h"

namespace steer::config {

// The row of a plugin that reads lists: `max_shrink`.
inline constexpr std::string_view kMaxShrinkText =
    "maximum percentage of rules that a list may lose in one update\nSee `max_shrink` in `fetch` "
    "of `control`, whose value is the default.";
// Reads `max_shrink`; reports errors.
std::optional<std::uint32_t> read_max_shrink(Reading& in, const Node& node, const Place& place);
template <class Args>
void read_max_shrink_of(Reading& in, const Node& node, const Place& place, Args& out) {
    out.max_shrink = read_max_shrink(in, node, place);
}
template <class Args>
constexpr Row<Args> max_shrink_row() {
    return {"max_shrink", Own<Args>{"integer", read_max_shrink_of<Args>}, "(`control.fetch`)",
            "0..100", kMaxShrinkText};
}

// The same for `ready`, for structs with such a member. use_of() reads it.
template <class Args>
constexpr Row<Args> list_ready_row() {
    return {
        "ready", &Args::ready, "true", "",
        "whether `/readyz` waits for the first copy of fetched lists after a start\nIt waits once "
        "for each list: a reload never makes it wait. Files do not count."};
}

struct ListBytes {
    std::string file;  // the path that was opened
    std::string bytes;
};

// How a plugin reads its lists, from its `args`.
ListUse use_of(const Plugin& plugin, const Node& args);

// Whether a list is written as the tag of a secondary.
inline bool is_secondary(std::string_view written) {
    return written.starts_with('$');
}

// The content of a list; `written` is a path, a URL or `$TAG`. No value: the reason was reported.
// Without a type in `use`, URLs are rejected.
std::optional<ListBytes> read_list_source(Reading& in, const Text& written, const Place& place,
                                          const ListUse& use);

// The record of the list that this owner read from `file`; created if it is missing.
ReadList& list_of(Reading& in, const std::string& file, const Place& place);

// The number of rules that a plugin has from its lists; 0: it has no lists.
std::size_t rules_of(const Plugin& plugin);

// The number of rules that a plugin would get from a file as its list. Error: the file is not good
// enough.
Result<std::size_t> check_list(const std::string& file, const ListUse& use);

}  // namespace steer::config
