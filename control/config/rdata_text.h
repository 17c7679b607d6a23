// RDATA in the text form of zone files (RFC 1035 5, RFC 9460 2.1) to wire form, and RFC 3597's "\# LENGTH HEX" for any type.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "matchers/result.h"

namespace steer::config {

// A word of a zone file, without its quotes and with its escapes.
struct ZoneWord {
    std::string text;
    bool quoted = false;
};

// `origin`: what a name without a last dot is below; empty: the root.
Result<std::vector<std::uint8_t>> rdata_of(std::uint16_t type, std::span<const ZoneWord> words,
                                           const std::string& origin);
// "www" below "example.org" is "www.example.org"; "@" is the origin; one with a last dot stays. Without a last dot.
std::string absolute_name(const std::string& text, const std::string& origin);

}  // namespace steer::config
