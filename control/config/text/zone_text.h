// Records in the text form of zone files (RFC 1035 5): "[NAME] [TTL] [CLASS] TYPE DATA", with `;` comments, parentheses,
// quotes, $ORIGIN, $TTL, $INCLUDE and BIND's $GENERATE. A name without a last dot is below $ORIGIN, which begins as `origin`
// (empty: the root).
//
// Gives the good records and names every bad line. Any bytes will do; cost is linear.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/settings.h"
#include "matchers/list/bad_lines.h"
#include "matchers/result.h"

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

// The content of a file that is named in `by` (a file; empty: in the configuration), and its path; or why not.
struct ZoneFile {
    std::string path, bytes;
};
using ZoneFiles = std::function<Result<ZoneFile>(std::string_view path, std::string_view by)>;

// Without `files`, $INCLUDE is a bad line. `any_byte`: of names in the data, as in rdata_text.h.
ZoneText read_zone(std::string_view bytes, std::string_view file, const ZoneFiles& files = {},
                   std::string_view origin = {}, bool any_byte = true);

}  // namespace steer::config
