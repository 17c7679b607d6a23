// A file of addresses and prefixes: one a line, what follows it after a blank or '#' is dropped (as
// in mosdns). As rule_list.h: good lines are given, bad ones named, any bytes will do.
#pragma once

#include <string_view>
#include <vector>

#include "matchers/list/bad_lines.h"
#include "matchers/prefix/prefix_set.h"

namespace steer::matchers {

struct ListedPrefix {
    Prefix prefix;
    int line;
};

struct PrefixList {
    std::vector<ListedPrefix> prefixes;
    BadLines bad;
};

PrefixList read_prefixes(std::string_view bytes, std::string_view file);

}  // namespace steer::matchers
