// A file of addresses and prefixes, one per line; text after a blank or '#' is ignored (as in
// mosdns). As in rule_list.h: reports bad lines, accepts any bytes.
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
