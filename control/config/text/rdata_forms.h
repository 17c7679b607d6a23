// The types whose RDATA may be written as text.
#pragma once

#include <cstdint>
#include <string_view>

namespace steer::config {

// `read_as`: a type with the same fields, for those that ldns 1.8 lacks (NSAP-PTR it reads as a string, where RFC 1348 has
// a name).
struct RdataForm {
    std::string_view type, example, read_as = type;
};

// nullptr: records of this type are written as RFC 3597 says.
const RdataForm* find_rdata_form(std::uint16_t type);

}  // namespace steer::config
