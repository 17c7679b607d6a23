// geosite.dat and geoip.dat (v2fly): lists of rules and of prefixes by code, in protobuf's wire format.
//
// Selectors say what is taken: "CODE" the whole list, "CODE@ATTRIBUTE" (any number of attributes)
// its rules that have them all; case does not matter, several are a union, none is everything.
// A bad rule is named by its list and left out; its number in the file stands for a line. A file
// that is no such data, or ends too early, is an Error. Any bytes will do; cost is linear.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/list/prefix_list.h"
#include "matchers/list/rule_list.h"

namespace steer::matchers {

struct GeoRules {
    RuleList list;
    std::vector<std::string> missing;  // selectors that nothing in the file fits
};
struct GeoPrefixes {
    PrefixList list;
    std::vector<std::string> missing;
};

Result<GeoRules> read_geosite(std::string_view bytes, std::string_view file,
                              std::span<const std::string> selectors);
// Attributes are no part of geoip.dat: a selector with one fits nothing.
Result<GeoPrefixes> read_geoip(std::string_view bytes, std::string_view file,
                               std::span<const std::string> selectors);

}  // namespace steer::matchers
