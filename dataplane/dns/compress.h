// Writes the records of a body and compresses their names against the question and earlier records
// (RFC 1035 4.1.4). Only for responses with an OPT that is not last; other bodies are copied.
//
// Two names are equal only if all bytes are equal, including case. Cost: at most kRemembered
// comparisons per label.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/dns/name.h"

namespace steer::dns {

class BodyWriter {
  public:
    BodyWriter(std::span<const std::uint8_t> qname, std::span<std::uint8_t> room) noexcept;

    // These functions return false if there is no space; the body is then invalid.
    bool bytes(std::span<const std::uint8_t> raw) noexcept;
    bool name(const Name& name, bool compress) noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

  private:
    static constexpr std::size_t kRemembered = 64;
    static constexpr std::size_t kPointerReach = 0x4000;

    // The message's byte at an offset in the question's name or in the body.
    [[nodiscard]] std::uint8_t at(std::size_t offset) const noexcept;
    [[nodiscard]] bool is_at(std::size_t offset, std::span<const std::uint8_t> name) const noexcept;
    // The offset of an equal name that was written before; 0 if there is none.
    [[nodiscard]] std::size_t find(std::span<const std::uint8_t> name) const noexcept;
    void remember(std::size_t offset, std::size_t length) noexcept;

    struct Written {
        std::uint16_t offset;
        std::uint16_t length;
    };
    std::span<const std::uint8_t> qname_;
    std::span<std::uint8_t> room_;
    std::size_t base_;  // offset of the body in the message
    std::size_t size_ = 0;
    std::array<Written, kRemembered> written_;
    std::size_t count_ = 0;
};

}  // namespace steer::dns
