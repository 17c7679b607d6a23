// The fields of one protobuf message, as they stand in its bytes: varints and byte strings; fixed
// numbers are stepped over. Views into the bytes, no copy; any bytes will do.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace steer::matchers {

struct WireField {
    std::uint64_t number = 0;  // of a varint
    std::string_view bytes;    // of a byte string
    std::uint32_t tag = 0;     // which field
    bool is_bytes = false;
};

class WireFields {
  public:
    explicit WireFields(std::string_view message) : rest_(message) {}

    // Nothing at the end, and where the bytes are no message: then damaged() holds.
    std::optional<WireField> next();
    [[nodiscard]] bool damaged() const { return damaged_; }

  private:
    std::optional<std::uint64_t> varint();
    bool skip(std::size_t size);

    std::string_view rest_;
    bool damaged_ = false;
};

}  // namespace steer::matchers
