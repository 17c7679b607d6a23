// Reads the names in an answer's body, which was checked when it was built. Pointers lead into the
// body or into the question before it. Reads no other bytes; a name that leads elsewhere is
// invalid.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/dns/name.h"

namespace steer::dns {

// `wire`: a complete name.
inline void set_name(Name& to, std::span<const std::uint8_t> wire) {
    std::memcpy(to.wire.data(), wire.data(), wire.size());
    to.length = static_cast<std::uint8_t>(wire.size());
}

class BodyNames {
  public:
    BodyNames(std::span<const std::uint8_t> body, std::span<const std::uint8_t> qname)
        : body_(body), qname_(qname), base_(kHeaderSize + qname.size() + kTypeAndClass) {}

    // Reads the name at an offset of the body. Returns the offset after its wire form; 0 if it is
    // invalid.
    std::size_t read(std::size_t at, Name& out) const noexcept {
        std::span<const std::uint8_t> from = body_;
        std::size_t end = 0, length = 0;
        for (unsigned pointers = 0; at < from.size();) {
            const std::uint8_t byte = from[at];
            if (byte > kMaxLabel) {
                if (at + 1 >= from.size() || ++pointers > kMaxPointers) return 0;
                if (end == 0) end = at + 2;
                const std::size_t to = load_be16(&from[at]) & 0x3fffU;
                if (to < kHeaderSize) return 0;
                const bool in_question = to < base_;
                from = in_question ? qname_ : body_;
                at = to - (in_question ? kHeaderSize : base_);
                continue;
            }
            if (at + byte + 1U > from.size() || length + byte + 1U > kMaxName) return 0;
            std::memcpy(&out.wire[length], &from[at], byte + 1U);
            length += byte + 1U;
            at += byte + 1U;
            if (byte != 0) continue;
            out.length = static_cast<std::uint8_t>(length);
            return end == 0 ? at : end;
        }
        return 0;
    }

  private:
    static constexpr unsigned kMaxPointers = 127;

    std::span<const std::uint8_t> body_, qname_;
    std::size_t base_;
};

}  // namespace steer::dns
