// A message of multicast DNS, parsed completely and checked (RFC 6762 18): every name, every
// length, no bytes at the end.
//
// mDNS differs from dns/records.h: any number of questions, a special bit at the top of the class
// (unicast response, cache flush), and compressed names in SRV and NSEC (18.14). Cost: one pass. A
// message with more than kMaxLabels labels, including those behind pointers, is rejected, so no
// packet causes much work.
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
inline constexpr int kHopLimit = 255;  // of sent and received packets (RFC 6762 11)
inline constexpr std::uint16_t kTopBit =
    0x8000;  // of a class: QU of a question, cache-flush of a record
// RFC 6762 17: at most 9,000 bytes with headers; IPv6 and UDP need 48.
inline constexpr std::size_t kMaxMessageBytes = 8952;
inline constexpr std::size_t kMaxLabels = 4096;

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
    std::span<const std::uint8_t> rdata;  // in the packet
    // The names in the RDATA: from `before` bytes after its start to `after` bytes before its end.
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

// No value: malformed, or not a message for mDNS (another opcode, an rcode: 18.3, 18.11). `packet`
// must outlive the result.
std::optional<Message> read_message(std::span<const std::uint8_t> packet);

// The name's wire form in lower case.
std::string key_of(const dns::Name& name);

}  // namespace steer::mdns
