// Packets of mDNS for tests: written plainly, without compression, and reported as lines of text.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/mdns/message.h"

namespace steer::mdns {

inline constexpr std::uint16_t kFlushIn = 0x8001, kIn = 1, kQuIn = 0x8001;

using Bytes = std::vector<std::uint8_t>;

Bytes wire(std::string_view name);
Bytes srv(std::string_view target);  // 0 0 631
Bytes address(std::string_view text);
Bytes text(std::string_view string);  // of one TXT record

class Packet {
  public:
    static Packet query() { return Packet(0); }
    static Packet response() { return Packet(0x8400); }

    Packet& id(std::uint16_t id);
    Packet& flags(std::uint16_t flags);
    Packet& question(std::string_view name, std::uint16_t type, std::uint16_t klass = kIn);
    Packet& record(Section section, std::string_view owner, std::uint16_t type, std::uint16_t klass,
                   std::uint32_t ttl_s, const Bytes& rdata);
    Packet& answer(std::string_view owner, std::uint16_t type, const Bytes& rdata,
                   std::uint16_t klass = kFlushIn, std::uint32_t ttl_s = 120) {
        return record(Section::answer, owner, type, klass, ttl_s, rdata);
    }
    Packet& additional(std::string_view owner, std::uint16_t type, const Bytes& rdata) {
        return record(Section::additional, owner, type, kFlushIn, 120, rdata);
    }
    [[nodiscard]] const Bytes& bytes() const { return bytes_; }

  private:
    explicit Packet(std::uint16_t flags);
    void put16(std::uint16_t value);
    void count(std::size_t at);

    Bytes bytes_;
};

// "? _ipp._tcp.local PTR", "! printer.local A flush 120", "+" of additional, "~" of authority records; names that are pointed to
// after "->". One line each; "malformed".
std::string text_of(std::span<const std::uint8_t> packet);

}  // namespace steer::mdns
