// RDATA in the text form of zone files (RFC 1035 5, RFC 9460 2.1) to wire form, and RFC 3597's "\# LENGTH HEX" for any type.
//
// ldns reads the fields, behind checks of what it would take for something else (docs/explanation/decisions/0020-hand-written-parts.md). Any words will do.
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

// With the rest of a message.
inline constexpr std::size_t kMaxRdataBytes = 65'000;

// `origin`: what a name without a last dot is below; empty: the root. `any_byte`: names of hosts may have every printable
// byte, as their owners in zone files; otherwise only what parse_name() takes.
Result<std::vector<std::uint8_t>> rdata_of(std::uint16_t type, std::span<const ZoneWord> words,
                                           const std::string& origin, bool any_byte = true);
// "www" below "example.org" is "www.example.org"; "@" is the origin; one with a last dot stays. Without a last dot.
std::string absolute_name(const std::string& text, const std::string& origin);

// The types whose RDATA may be written as text.

// `read_as`: a type with the same fields, for those that ldns 1.8 lacks (NSAP-PTR it reads as a string, where RFC 1348 has
// a name).
struct RdataForm {
    std::string_view type, example, read_as = type;
};

// nullptr: records of this type are written as RFC 3597 says.
const RdataForm* find_rdata_form(std::uint16_t type);

// The SvcParams of SVCB and HTTPS records (RFC 9460 2.1, 7) from text to wire form.

// "alpn=h2,h3", "port=8443", "key667=text": sorted by number, as the wire wants them.
Result<std::vector<std::uint8_t>> svc_parameters(std::span<const ZoneWord> words);

}  // namespace steer::config
