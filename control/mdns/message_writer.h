// Writes a message with its names compressed against all earlier names (RFC 1035 4.1.4; RFC 6762
// 18.14).
//
// Two names are equal only if all bytes are equal, including case. Cost: a lookup for each label.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "control/mdns/message.h"

namespace steer::mdns {

// The reader: an mDNS host, or a legacy DNS client, which does not support pointers in SRV (18.14).
enum class Reader : std::uint8_t { multicast, legacy };

class MessageWriter {
  public:
    MessageWriter(std::uint16_t id, std::uint16_t flags, Reader reader = Reader::multicast);

    void question(const dns::Name& name, std::uint16_t type, std::uint16_t klass);
    // Sections in their order.
    void record(const Record& record);
    void record(Section section, const Record& record, std::uint16_t klass, std::uint32_t ttl_s);
    // Removes the last record and its names. The message had `bytes` bytes before it.
    void undo_record(Section section, std::size_t bytes);

    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    // Returns the message; nothing may be written afterwards.
    std::vector<std::uint8_t> take();

  private:
    void put(std::span<const std::uint8_t> raw);
    void put16(std::uint16_t value);
    void name(const dns::Name& name, bool compress);

    Reader reader_;
    std::vector<std::uint8_t> bytes_;
    std::array<std::uint16_t, 4> counts_{};  // of questions and of the sections
    std::unordered_map<std::string, std::size_t> written_;
};

}  // namespace steer::mdns
