#include "bench/http3_frames.h"

#include <span>
#include <string>
#include <string_view>

#include "support/qpack_literals.h"

namespace steer::bench {
namespace {

constexpr std::uint8_t kData = 0, kHeaders = 1;
constexpr std::size_t kFraming = 2;  // before a message
constexpr std::size_t kFieldPrefix = 2;
constexpr std::uint8_t kStatus200 = 0xd9;  // static entry 25 (RFC 9204 A)

std::string base64url(std::span<const std::uint8_t> bytes) {
    static constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string out;
    std::uint32_t held = 0;
    unsigned bits = 0;
    for (const std::uint8_t byte : bytes) {
        held = held << 8 | byte;
        for (bits += 8; bits >= 6; bits -= 6)
            out += kDigits[held >> (bits - 6) & 0x3f];
    }
    if (bits > 0) out += kDigits[held << (6 - bits) & 0x3f];
    return out;
}

// A number of RFC 9000 16, which is taken from the front; 0 at the end.
std::uint64_t take_number(std::span<const std::uint8_t>& from) {
    if (from.empty()) return 0;
    const std::size_t bytes = std::size_t{1} << (from[0] >> 6);
    if (bytes > from.size()) {
        from = {};
        return 0;
    }
    std::uint64_t value = from[0] & 0x3f;
    for (std::size_t i = 1; i < bytes; ++i)
        value = value << 8 | from[i];
    from = from.subspan(bytes);
    return value;
}

}  // namespace

Octets http3_request(const Octets& framed, const std::string& authority) {
    Octets head{0, 0};
    test::put_qpack_literal(head, ":method", "GET");
    test::put_qpack_literal(head, ":scheme", "https");
    test::put_qpack_literal(head, ":authority", authority);
    test::put_qpack_literal(head, ":path",
                            "/dns-query?dns=" + base64url(std::span(framed).subspan(kFraming)));
    Octets out;
    out.reserve(head.size() + 3);
    for (const std::size_t byte : {std::size_t{kHeaders}, 0x40 | head.size() >> 8, head.size()})
        out.push_back(static_cast<std::uint8_t>(byte));
    out.insert(out.end(), head.begin(), head.end());
    return out;
}

Octets http3_content(const Octets& stream) {
    Octets out{0, 0};
    bool is_good = false;
    for (std::span<const std::uint8_t> left(stream); !left.empty();) {
        const std::uint64_t type = take_number(left);
        const std::uint64_t length = take_number(left);
        if (length > left.size()) return {};
        const auto part = left.first(length);
        left = left.subspan(length);
        if (type == kHeaders && part.size() > kFieldPrefix && part[kFieldPrefix] == kStatus200)
            is_good = true;
        if (type == kData) out.insert(out.end(), part.begin(), part.end());
    }
    if (!is_good) return {};
    out[0] = static_cast<std::uint8_t>((out.size() - kFraming) >> 8);
    out[1] = static_cast<std::uint8_t>(out.size() - kFraming);
    return out;
}

}  // namespace steer::bench
