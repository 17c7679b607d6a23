// The fields of one protobuf message: varints and byte strings. Fixed-size numbers are skipped.
// Returns views into the bytes, copies nothing; accepts any bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace steer::matchers {

struct WireField {
    std::uint64_t number = 0;  // of a varint
    std::string_view bytes;    // of a byte string
    std::uint32_t tag = 0;     // number of the field
    bool is_bytes = false;
};

class WireFields {
  public:
    explicit WireFields(std::string_view message) : rest_(message) {}

    // No value at the end, or if the bytes are not a message. Then damaged() returns true.
    std::optional<WireField> next();
    [[nodiscard]] bool damaged() const { return damaged_; }

  private:
    std::optional<std::uint64_t> varint();
    bool skip(std::size_t size);

    std::string_view rest_;
    bool damaged_ = false;
};

}  // namespace steer::matchers
