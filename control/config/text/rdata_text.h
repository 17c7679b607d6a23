// Converts RDATA from the text form of zone files (RFC 1035 5, RFC 9460 2.1) to wire form. Accepts
// RFC 3597's "\# LENGTH HEX" for any type.
//
// ldns reads the fields. Checks before it reject texts that ldns would misread
// (docs/explanation/decisions/0020-hand-written-parts.md). Accepts any words.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/list/zone_entries.h"
#include "matchers/result.h"

namespace steer::config {

using matchers::ZoneWord;

// Leaves space for the rest of a message.
inline constexpr std::size_t kMaxRdataBytes = 65'000;

// `origin`: the parent of a name without a last dot; empty: the root. `any_byte`: names of hosts
// may have every printable byte, like owners in zone files; otherwise only what parse_name()
// accepts.
Result<std::vector<std::uint8_t>> rdata_of(std::uint16_t type, std::span<const ZoneWord> words,
                                           const std::string& origin, bool any_byte = true);
// "www" below "example.org" becomes "www.example.org"; "@" is the origin; a name with a last dot is
// absolute. The result has no last dot.
std::string absolute_name(const std::string& text, const std::string& origin);

// The types with a text form for RDATA.

// `read_as`: a type with the same fields, for types that ldns 1.8 lacks. (It reads NSAP-PTR as a
// string, where RFC 1348 has a name.)
struct RdataForm {
    std::string_view type, example, read_as = type;
};

// Returns nullptr if records of this type must be written as in RFC 3597.
const RdataForm* find_rdata_form(std::uint16_t type);

// The SvcParams of SVCB and HTTPS records (RFC 9460 2.1, 7) from text to wire form.

// "alpn=h2,h3", "port=8443", "key667=text": sorted by number, as required on the wire.
Result<std::vector<std::uint8_t>> svc_parameters(std::span<const ZoneWord> words);

}  // namespace steer::config
