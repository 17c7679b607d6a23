// geosite.dat and geoip.dat (v2fly): lists of rules and of prefixes by code, in protobuf's wire
// format.
//
// Selectors choose entries: "CODE" chooses the whole list. "CODE@ATTRIBUTE" (any number of
// attributes) chooses its rules that have all attributes. Case is ignored, several selectors are a
// union, no selector chooses everything. A bad rule is reported with its list and left out; its
// number in the file is its line. A file with other data, or an incomplete one, is an Error.
// Accepts any bytes; linear cost.
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
    std::vector<std::string> missing;  // selectors without a match in the file
};
struct GeoPrefixes {
    PrefixList list;
    std::vector<std::string> missing;
};

Result<GeoRules> read_geosite(std::string_view bytes, std::string_view file,
                              std::span<const std::string> selectors);
// geoip.dat has no attributes: a selector with one matches nothing.
Result<GeoPrefixes> read_geoip(std::string_view bytes, std::string_view file,
                               std::span<const std::string> selectors);

}  // namespace steer::matchers
