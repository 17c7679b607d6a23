// Where a plugin's list comes from: a file, or a URL whose last good copy is a file in `lists` of `control`.
//
// A URL without a copy is a warning and an empty list: a machine that resolves its own names has to be able to start.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "control/config/reading.h"

namespace steer::config {

struct ListBytes {
    std::string file;  // as it was opened
    std::string bytes;
};

// How a plugin reads its lists, from its `args`.
ListUse use_of(const Plugin& plugin, const Node& args);

// The content of a list, `written` as a path or a URL; nothing: it was said why. Without a type in `use`, URLs are
// refused.
std::optional<ListBytes> read_list_source(Reading& in, const Text& written, const Place& place,
                                          const ListUse& use);

// How many rules a plugin has of its lists; 0: it is none that has lists.
std::size_t rules_of(const Plugin& plugin);

// How many rules a plugin would take from a file as its list. Error: the file is not good enough for it.
Result<std::size_t> check_list(const std::string& file, const ListUse& use);

}  // namespace steer::config
