// DNS messages for tests, put together piece by piece and without any code of the product, so that both are
// checked against each other. No compression unless a test writes a pointer itself.
//
//   auto m = DnsMessage::response(7, "www.example.com", 1).a("www.example.com", 300, {192, 0, 2, 1});
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace steer::test {

using Bytes = std::vector<std::uint8_t>;

inline Bytes operator+(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

// "www.example.com" to wire form; no escapes. "" is the root.
inline Bytes wire_name(std::string_view text) {
    Bytes wire;
    while (!text.empty()) {
        const auto label = text.substr(0, text.find('.'));
        wire.push_back(static_cast<std::uint8_t>(label.size()));
        wire.insert(wire.end(), label.begin(), label.end());
        text.remove_prefix(label.size() < text.size() ? label.size() + 1 : label.size());
    }
    wire.push_back(0);
    return wire;
}

class DnsMessage {
  public:
    enum Section { kAnswer, kAuthority, kAdditional };

    DnsMessage(std::uint16_t id, std::uint16_t flags) {
        u16(id).u16(flags).u16(0).u16(0).u16(0).u16(0);
    }
    static DnsMessage query(std::uint16_t id, std::string_view name, std::uint16_t type,
                            std::uint16_t flags = 0x0100) {
        return DnsMessage(id, flags).question(name, type);
    }
    static DnsMessage response(std::uint16_t id, std::string_view name, std::uint16_t type,
                               std::uint16_t flags = 0x8180) {
        return DnsMessage(id, flags).question(name, type);
    }

    DnsMessage& question(std::string_view name, std::uint16_t type, std::uint16_t klass = 1) {
        bump(4);
        return raw(wire_name(name)).u16(type).u16(klass);
    }
    // `owner` and `rdata` as they are to lie in the message.
    DnsMessage& record(Section section, const Bytes& owner, std::uint16_t type, std::uint32_t ttl_s,
                       const Bytes& rdata, std::uint16_t klass = 1) {
        bump(6 + 2 * static_cast<std::size_t>(section));
        raw(owner).u16(type).u16(klass).u32(ttl_s).u16(static_cast<std::uint16_t>(rdata.size()));
        return raw(rdata);
    }
    DnsMessage& a(std::string_view owner, std::uint32_t ttl_s,
                  std::initializer_list<std::uint8_t> address) {
        return record(kAnswer, wire_name(owner), 1, ttl_s, Bytes(address));
    }
    DnsMessage& cname(std::string_view owner, std::uint32_t ttl_s, std::string_view target) {
        return record(kAnswer, wire_name(owner), 5, ttl_s, wire_name(target));
    }
    DnsMessage& soa(std::string_view owner, std::uint32_t ttl_s, std::uint32_t minimum_s) {
        DnsMessage rdata;
        rdata.raw(wire_name("ns." + std::string(owner)))
            .raw(wire_name("root." + std::string(owner)));
        rdata.u32(1).u32(7200).u32(3600).u32(1209600).u32(minimum_s);
        return record(kAuthority, wire_name(owner), 6, ttl_s, rdata.bytes());
    }
    DnsMessage& opt(std::uint16_t udp_size, bool dnssec_ok = false, std::uint8_t extended_rcode = 0,
                    std::uint8_t version = 0, const Bytes& options = {}) {
        const std::uint32_t ttl = static_cast<std::uint32_t>(extended_rcode) << 24 |
                                  static_cast<std::uint32_t>(version) << 16 |
                                  (dnssec_ok ? 0x8000U : 0U);
        return record(kAdditional, {0}, 41, ttl, options, udp_size);
    }

    DnsMessage& raw(const Bytes& b) {
        bytes_.insert(bytes_.end(), b.begin(), b.end());
        return *this;
    }
    DnsMessage& u16(std::uint16_t v) {
        return raw({static_cast<std::uint8_t>(v >> 8), static_cast<std::uint8_t>(v)});
    }
    DnsMessage& u32(std::uint32_t v) {
        return u16(static_cast<std::uint16_t>(v >> 16)).u16(static_cast<std::uint16_t>(v));
    }
    // Overwrites a header word: 2 flags, 4 questions, 6 answers, 8 authority, 10 additional.
    DnsMessage& set(std::size_t offset, std::uint16_t v) {
        bytes_[offset] = static_cast<std::uint8_t>(v >> 8);
        bytes_[offset + 1] = static_cast<std::uint8_t>(v);
        return *this;
    }

    [[nodiscard]] const Bytes& bytes() const { return bytes_; }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }

  private:
    DnsMessage() = default;
    void bump(std::size_t offset) {
        set(offset, static_cast<std::uint16_t>((bytes_[offset] << 8 | bytes_[offset + 1]) + 1));
    }

    Bytes bytes_;
};

}  // namespace steer::test
