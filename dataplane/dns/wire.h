// Constants of DNS messages (RFC 1035, 6891): sizes, numbers, big-endian access. Pure; no state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace steer::dns {

inline constexpr std::size_t kHeaderSize = 12;
inline constexpr std::size_t kTypeAndClass = 4;  // behind the name of a question
inline constexpr std::size_t kMaxName = 255;     // wire form with the root byte (RFC 1035 2.3.4)
inline constexpr std::size_t kMaxLabel = 63;
inline constexpr std::size_t kMaxMessage = 65535;
inline constexpr std::uint32_t kMaxTtlS = 0x7fffffff;  // RFC 2181 8
inline constexpr std::size_t kRecordFixed =
    10;  // type, class, TTL and RDLENGTH, behind a record's name
// A record's other fields, from the first byte of its TTL.
inline constexpr std::size_t kTypeBeforeTtl = 4, kLengthAfterTtl = 4, kRdataAfterTtl = 6;
inline constexpr std::uint16_t kClassicUdpSize = 512;
inline constexpr std::uint16_t kUpstreamUdpSize =
    1232;  // the size that we offer; fits any path (RFC 9715)

enum Type : std::uint16_t {
    kA = 1,
    kNs = 2,
    kCname = 5,
    kSoa = 6,
    kPtr = 12,
    kHinfo = 13,
    kMx = 15,
    kTxt = 16,
    kAaaa = 28,
    kSrv = 33,
    kDname = 39,
    kOpt = 41,
    kDs = 43,
    kRrsig = 46,
    kNsec = 47,
    kDnskey = 48,
    kNsec3 = 50,
    kZonemd = 63,
    kSvcb = 64,
    kHttps = 65,
    kTsig = 250,
    kIxfr = 251,
    kAxfr = 252,
    kAny = 255,
};
enum Class : std::uint16_t { kIn = 1, kChaos = 3, kAnyClass = 255 };
enum Rcode : std::uint8_t {
    kNoError = 0,
    kFormErr = 1,
    kServFail = 2,
    kNxDomain = 3,
    kNotImp = 4,
    kRefused = 5,
    kYxDomain = 6,  // a DNAME whose result is too long: an answer (RFC 6672 2.2)
    kBadVers = 16,
    kBadCookie = 23,  // RFC 7873 8
};
// The two flag bytes of the header as one host-order word.
enum Flag : std::uint16_t {
    kQr = 0x8000,
    kOpcodeMask = 0x7800,
    kAa = 0x0400,
    kTc = 0x0200,
    kRd = 0x0100,
    kRa = 0x0080,
    kAd = 0x0020,
    kCd = 0x0010,
    kRcodeMask = 0x000f,
};
inline constexpr std::uint16_t kOpcodeNotify = 0x2000;  // in the flag word (RFC 1996)
inline constexpr std::uint16_t kOptionNsid = 3;
inline constexpr std::uint16_t kOptionEde = 15;
// Extended DNS Errors (RFC 8914) that we send.
enum class Ede : std::uint16_t {
    other = 0,
    stale = 3,
    cached_error = 13,
    blocked = 15,
    censored = 16,
    filtered = 17,
    prohibited = 18,
    stale_nxdomain = 19,
    not_authoritative = 20,
    not_supported = 21,
    no_reachable = 22,
    network_error = 23,
};

inline std::uint16_t load_be16(const std::uint8_t* p) {
    return static_cast<std::uint16_t>((p[0] << 8) | p[1]);
}
inline std::uint32_t load_be32(const std::uint8_t* p) {
    std::uint32_t v;
    std::memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}
inline void store_be16(std::uint8_t* p, std::uint16_t v) {
    v = __builtin_bswap16(v);
    std::memcpy(p, &v, 2);
}
inline void store_be32(std::uint8_t* p, std::uint32_t v) {
    v = __builtin_bswap32(v);
    std::memcpy(p, &v, 4);
}

// The offset after the name at `at`, without following pointers, for callers that ignore the name.
// Returns 0 if the name is incomplete or malformed.
inline std::size_t skip_name(std::span<const std::uint8_t> message, std::size_t at) {
    while (at < message.size()) {
        const std::uint8_t length = message[at];
        if (length == 0) return at + 1;
        if (length >= 0xc0) return at + 2;
        if (length > kMaxLabel) return 0;
        at += length + 1U;
    }
    return 0;
}

}  // namespace steer::dns
