#include "packet.h"

#include <boost/test/unit_test.hpp>

#include "matchers/prefix/ip_address.h"

namespace steer::mdns {
namespace {

std::string type_text(std::uint16_t type) {
    switch (type) {
        case dns::kA:
            return "A";
        case dns::kAaaa:
            return "AAAA";
        case dns::kPtr:
            return "PTR";
        case dns::kSrv:
            return "SRV";
        case dns::kTxt:
            return "TXT";
        case dns::kNsec:
            return "NSEC";
        case dns::kAny:
            return "ANY";
        default:
            return std::to_string(type);
    }
}

}  // namespace

Bytes wire(std::string_view name) {
    const auto bytes = dns::name_from_text(name);
    BOOST_REQUIRE_MESSAGE(bytes, "no name: " << name);
    return *bytes;
}

Bytes srv(std::string_view target) {
    Bytes bytes{0, 0, 0, 0, 631 >> 8, 631 & 0xff};
    const Bytes name = wire(target);
    bytes.insert(bytes.end(), name.begin(), name.end());
    return bytes;
}

Bytes address(std::string_view text) {
    const auto ip = IpAddress::parse(text);
    BOOST_REQUIRE_MESSAGE(ip, "no address: " << text);
    return ip->is_v4() ? Bytes(ip->v4(), ip->v4() + 4) : Bytes(ip->bytes.begin(), ip->bytes.end());
}

Bytes text(std::string_view string) {
    Bytes bytes(1 + string.size());
    bytes[0] = static_cast<std::uint8_t>(string.size());
    std::copy(string.begin(), string.end(), bytes.begin() + 1);
    return bytes;
}

Packet::Packet(std::uint16_t flags) : bytes_(dns::kHeaderSize) {
    this->flags(flags);
}

Packet& Packet::id(std::uint16_t id) {
    dns::store_be16(bytes_.data(), id);
    return *this;
}

Packet& Packet::flags(std::uint16_t flags) {
    dns::store_be16(&bytes_[2], flags);
    return *this;
}

void Packet::put16(std::uint16_t value) {
    bytes_.push_back(static_cast<std::uint8_t>(value >> 8));
    bytes_.push_back(static_cast<std::uint8_t>(value));
}

void Packet::count(std::size_t at) {
    dns::store_be16(&bytes_[at], static_cast<std::uint16_t>(dns::load_be16(&bytes_[at]) + 1));
}

Packet& Packet::question(std::string_view name, std::uint16_t type, std::uint16_t klass) {
    const Bytes asked = wire(name);
    bytes_.insert(bytes_.end(), asked.begin(), asked.end());
    put16(type);
    put16(klass);
    count(4);
    return *this;
}

Packet& Packet::record(Section section, std::string_view owner, std::uint16_t type,
                       std::uint16_t klass, std::uint32_t ttl_s, const Bytes& rdata) {
    const Bytes name = wire(owner);
    bytes_.insert(bytes_.end(), name.begin(), name.end());
    put16(type);
    put16(klass);
    put16(static_cast<std::uint16_t>(ttl_s >> 16));
    put16(static_cast<std::uint16_t>(ttl_s));
    put16(static_cast<std::uint16_t>(rdata.size()));
    bytes_.insert(bytes_.end(), rdata.begin(), rdata.end());
    count(6 + 2 * static_cast<std::size_t>(section));
    return *this;
}

std::string text_of(std::span<const std::uint8_t> packet) {
    const auto message = read_message(packet);
    if (!message) return "malformed";
    std::string out;
    for (const Question& q : message->questions) {
        out += "? " + dns::name_to_text(q.name.bytes()) + " " + type_text(q.type) +
               ((q.klass & kTopBit) != 0 ? " QU" : "") + "\n";
    }
    for (const Record& r : message->records) {
        out += std::string(1, "!~+"[static_cast<std::size_t>(r.section)]) + " " +
               dns::name_to_text(r.owner.bytes()) + " " + type_text(r.type) +
               ((r.klass & kTopBit) != 0 ? " flush " : " ") + std::to_string(r.ttl_s);
        for (const dns::Name& name : r.names)
            out += " -> " + dns::name_to_text(name.bytes());
        out += "\n";
    }
    return out;
}

}  // namespace steer::mdns
