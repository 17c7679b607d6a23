// Which text of a list is in force, for the hit log.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace steer::matchers {

class ListLines;

struct ListVersion {
    std::string sha256;  // of its bytes, in hexadecimal digits; empty: not computed
    std::optional<std::uint32_t> serial;       // of its SOA; a zone by transfer has its own
    std::shared_ptr<const ListLines> lines{};  // of its rules; nullptr: not kept
};

}  // namespace steer::matchers
