// The names of types, classes, rcodes and extended errors (IANA's DNS parameters; RFC 3597 for unknown types and classes).
#pragma once

#include <cstdint>
#include <string>

namespace steer::ops {

std::string type_name(std::uint16_t type);    // "AAAA", "TYPE4711"
std::string class_name(std::uint16_t klass);  // "IN", "CLASS9"
std::string rcode_name(std::uint16_t rcode);  // "NXDOMAIN", "RCODE13"

}  // namespace steer::ops
