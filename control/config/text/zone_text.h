// Records in the text form of zone files (RFC 1035 5): "[NAME] [TTL] [CLASS] TYPE DATA". Supports
// `;` comments, parentheses, quotes, $ORIGIN, $TTL, $INCLUDE and BIND's $GENERATE. A name without a
// last dot is below $ORIGIN, which is `origin` at first (empty: the root).
//
// Returns the good records and reports every bad line. Accepts any bytes; linear cost.
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

// The content and path of a file that is named in `by` (a file; empty: in the configuration); or
// the reason of a failure.
struct ZoneFile {
    std::string path, bytes;
};
using ZoneFiles = std::function<Result<ZoneFile>(std::string_view path, std::string_view by)>;

// Without `files`, $INCLUDE is a bad line. `any_byte`: for names in the data, as in rdata_text.h.
ZoneText read_zone(std::string_view bytes, std::string_view file, const ZoneFiles& files = {},
                   std::string_view origin = {}, bool any_byte = true);

}  // namespace steer::config
