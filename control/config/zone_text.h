// Records in the text form of zone files (RFC 1035 5): "[NAME] [TTL] [CLASS] TYPE DATA", with `;` comments, parentheses,
// quotes, $ORIGIN and $TTL. A name without a last dot is below $ORIGIN, which begins as the root.
//
// Gives the good records and names every bad line. Any bytes will do; cost is linear.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/config/settings.h"
#include "matchers/list/bad_lines.h"

namespace steer::config {

struct ZoneRecord {
    std::string name;  // without a last dot; empty: the root
    KnownRecord record;
    int line;
};

struct ZoneText {
    std::vector<ZoneRecord> records;
    matchers::BadLines bad;
};

ZoneText read_zone(std::string_view bytes, std::string_view file);

}  // namespace steer::config
