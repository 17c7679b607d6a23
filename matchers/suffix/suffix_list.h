// Reads the text of the public suffix list (https://github.com/publicsuffix/list/wiki/Format).
#pragma once

#include <string_view>

#include "matchers/result.h"
#include "matchers/suffix/public_suffixes.h"

namespace steer::matchers {

// The path in Debian's package `publicsuffix`.
inline constexpr std::string_view kSuffixListFile =
    "/usr/share/publicsuffix/public_suffix_list.dat";

// The error has the line. Rules in UTF-8 are compiled as A-labels (RFC 5890).
[[nodiscard]] Result<PublicSuffixes> read_suffix_list(std::string_view text);

}  // namespace steer::matchers
