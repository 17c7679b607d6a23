// A message of multicast DNS, read whole and checked (RFC 6762 18): every name, every length, nothing behind the last record.
//
// As dns/records.h but for what mDNS does otherwise: any number of questions, a bit of its own at the top of the class
// (unicast wanted, cache to be flushed), and names compressed in SRV and NSEC (18.14). Cost: one pass; a message of more
// than kMostLabels labels, counted with those that are pointed to, is refused, so that no packet is much work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/dns/name.h"

namespace steer::mdns {

inline constexpr std::uint16_t kPort = 5353;
inline constexpr int kHopLimit = 255;  // of what is said and heard (RFC 6762 11)
inline constexpr std::uint16_t kTopBit =
    0x8000;  // of a class: QU of a question, cache-flush of a record
// 17: 9,000 bytes with their headers at most, of which IPv6 and UDP have 48.
inline constexpr std::size_t kMaxMessageBytes = 8952;
inline constexpr std::size_t kMostLabels = 4096;

struct Question {
    dns::Name name;
    std::string key;  // the name's wire form in lower case
    std::uint16_t type = 0;
    std::uint16_t klass = 0;   // with its top bit
    std::size_t class_at = 0;  // offset of the class in the packet
};

enum class Section : std::uint8_t { answer, authority, additional };

struct Record {
    Section section = Section::answer;
    dns::Name owner;
    std::string key;  // as Question's
    std::uint16_t type = 0;
    std::uint16_t klass = 0;  // with its top bit
    std::uint32_t ttl_s = 0;
    std::span<const std::uint8_t> rdata;  // of the packet
    // Where names lie in the RDATA: after `before` bytes of it, up to `after` bytes before its end.
    std::vector<dns::Name> names;
    std::size_t before = 0, after = 0;
};

struct Message {
    std::uint16_t id = 0;
    std::uint16_t flags = 0;
    std::vector<Question> questions;
    std::vector<Record> records;  // in the order of their sections

    [[nodiscard]] bool is_response() const { return (flags & dns::kQr) != 0; }
    [[nodiscard]] std::size_t count(Section section) const;
};

// Nothing: malformed, or no message that mDNS takes (another opcode, an rcode: 18.3, 18.11). `packet` outlives what is
// returned.
std::optional<Message> read_message(std::span<const std::uint8_t> packet);

// The name's wire form in lower case.
std::string key_of(const dns::Name& name);

}  // namespace steer::mdns
