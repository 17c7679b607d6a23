#include "support/udp_frame.h"

#include <algorithm>

namespace steer::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

void put16(Bytes& b, unsigned v) {
    b.push_back(static_cast<std::uint8_t>(v >> 8));
    b.push_back(static_cast<std::uint8_t>(v));
}
unsigned get16(std::span<const std::uint8_t> b, std::size_t at) {
    return b[at] * 256U + b[at + 1];
}

// The Internet checksum's sum (RFC 1071), not inverted.
std::uint32_t sum(std::span<const std::uint8_t> b, std::uint32_t start = 0) {
    for (std::size_t i = 0; i < b.size(); ++i)
        start += i % 2 == 0 ? b[i] * 256U : b[i];
    return start;
}
std::uint16_t fold(std::uint32_t s) {
    while (s > 0xffff)
        s = (s & 0xffff) + (s >> 16);
    return static_cast<std::uint16_t>(s);
}

std::span<const std::uint8_t> address_bytes(const IpAddress& a) {
    return a.is_v4() ? std::span(a.v4(), 4) : std::span<const std::uint8_t>(a.bytes);
}

std::uint32_t pseudo_header(const IpAddress& from, const IpAddress& to, std::size_t udp_length) {
    return sum(address_bytes(to),
               sum(address_bytes(from), static_cast<std::uint32_t>(17 + udp_length)));
}

Bytes make_udp(const UdpFrame& f) {
    Bytes udp;
    put16(udp, f.from_port);
    put16(udp, f.to_port);
    put16(udp, static_cast<unsigned>(8 + f.payload.size()));
    put16(udp, 0);
    udp.insert(udp.end(), f.payload.begin(), f.payload.end());
    auto check =
        static_cast<std::uint16_t>(~fold(sum(udp, pseudo_header(f.from, f.to, udp.size()))));
    if (check == 0) check = 0xffff;
    udp[6] = static_cast<std::uint8_t>(check >> 8);
    udp[7] = static_cast<std::uint8_t>(check);
    return udp;
}

}  // namespace

Bytes make_udp_frame(const UdpFrame& f) {
    const Bytes udp = make_udp(f);
    Bytes out(f.to_mac.begin(), f.to_mac.end());
    out.insert(out.end(), f.from_mac.begin(), f.from_mac.end());
    for (const auto tag : f.vlans) {
        put16(out, 0x8100);
        put16(out, tag);
    }
    if (f.to.is_v4()) {
        put16(out, 0x0800);
        Bytes ip{0x45, 0};
        put16(ip, static_cast<unsigned>(20 + udp.size()));
        for (const unsigned b : {0U, 0U, 0x40U, 0U, 64U, 17U, 0U, 0U})
            ip.push_back(static_cast<std::uint8_t>(b));
        ip.insert(ip.end(), f.from.v4(), f.from.v4() + 4);
        ip.insert(ip.end(), f.to.v4(), f.to.v4() + 4);
        const auto check = static_cast<std::uint16_t>(~fold(sum(ip)));
        ip[10] = static_cast<std::uint8_t>(check >> 8);
        ip[11] = static_cast<std::uint8_t>(check);
        out.insert(out.end(), ip.begin(), ip.end());
    } else {
        put16(out, 0x86dd);
        for (const unsigned b : {0x60U, 0U, 0U, 0U})
            out.push_back(static_cast<std::uint8_t>(b));
        put16(out, static_cast<unsigned>(udp.size()));
        out.push_back(17);
        out.push_back(64);
        out.insert(out.end(), f.from.bytes.begin(), f.from.bytes.end());
        out.insert(out.end(), f.to.bytes.begin(), f.to.bytes.end());
    }
    out.insert(out.end(), udp.begin(), udp.end());
    return out;
}

std::optional<UdpFrame> read_udp_frame(std::span<const std::uint8_t> b, std::string& wrong) {
    wrong.clear();
    UdpFrame f;
    if (b.size() < 14) return std::nullopt;
    std::copy_n(b.begin(), 6, f.to_mac.begin());
    std::copy_n(b.begin() + 6, 6, f.from_mac.begin());
    std::size_t at = 12;
    while (b.size() >= at + 6 && (get16(b, at) == 0x8100 || get16(b, at) == 0x88a8)) {
        f.vlans.push_back(static_cast<std::uint16_t>(get16(b, at + 2)));
        at += 4;
    }
    const unsigned ether_type = get16(b, at);
    b = b.subspan(at + 2);
    if (ether_type == 0x0800) {
        if (b.size() < 28 || b[0] != 0x45 || b[9] != 17) return std::nullopt;
        const std::size_t total = get16(b, 2);
        if (total > b.size()) wrong = "IPv4 total length above the frame's";
        if (fold(sum(b.first(20))) != 0xffff) wrong = "IPv4 header checksum";
        f.from = IpAddress::from_v4(b.data() + 12);
        f.to = IpAddress::from_v4(b.data() + 16);
        b = b.subspan(20, std::min(total, b.size()) - 20);
    } else if (ether_type == 0x86dd) {
        if (b.size() < 48 || b[6] != 17) return std::nullopt;
        const std::size_t length = get16(b, 4);
        if (length + 40 > b.size()) wrong = "IPv6 payload length above the frame's";
        f.from = IpAddress::from_v6(b.data() + 8);
        f.to = IpAddress::from_v6(b.data() + 24);
        b = b.subspan(40, std::min(length, b.size() - 40));
    } else {
        return std::nullopt;
    }
    if (b.size() < 8) return std::nullopt;
    if (get16(b, 4) != b.size()) wrong = "UDP length is not IP's";
    f.from_port = static_cast<std::uint16_t>(get16(b, 0));
    f.to_port = static_cast<std::uint16_t>(get16(b, 2));
    if (get16(b, 6) == 0 || fold(sum(b, pseudo_header(f.from, f.to, b.size()))) != 0xffff) {
        wrong = "UDP checksum";
    }
    f.payload.assign(b.begin() + 8, b.end());
    return f;
}

}  // namespace steer::test
