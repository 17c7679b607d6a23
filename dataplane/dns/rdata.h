// The positions of names in RDATA, by type, and whether they may be compressed.
//
// RFC 1035 4.1.4 allows compression in the types of that document. RFC 3597 4 also requires
// receivers to decompress a few other old types. Names in all later types are uncompressed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/dns/wire.h"

namespace steer::dns {

// Query types for several record types (RFC 1035 3.2.3), in addition to kAny.
inline constexpr std::uint16_t kMailB = 253, kMailA = 254;
// The smallest record has 11 bytes, so a message has at most this number.
inline constexpr std::size_t kMaxRecords = kMaxMessage / 11;

enum class NameRule : std::uint8_t {
    none,        // no names, or an unknown type: bytes
    compress,    // may be compressed in responses; is compressed when written
    decompress,  // may be compressed in responses; is written uncompressed
    whole,       // a pointer in it is malformed
};

// RDATA = `fixed` bytes | `strings` <character-string>s | `names` names | the rest.
struct RdataLayout {
    NameRule rule = NameRule::none;
    std::uint8_t fixed = 0;
    std::uint8_t strings = 0;
    std::uint8_t names = 0;
    std::int8_t rest = -1;  // bytes after the names; -1: any number
};

RdataLayout rdata_layout(std::uint16_t type) noexcept;

}  // namespace steer::dns
