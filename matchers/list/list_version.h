// Which text of a list is in force, for records of what it decided.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace steer::matchers {

class ListLines;

struct ListVersion {
    std::string sha256;  // of its bytes, in hexadecimal digits; empty: not computed
    std::optional<std::uint32_t> serial;            // of its SOA; a zone by transfer has its own
    std::shared_ptr<const ListLines> lines{};       // of its rules, except exceptions
    std::shared_ptr<const ListLines> exceptions{};  // nullptr, as above: there are none
};

}  // namespace steer::matchers
