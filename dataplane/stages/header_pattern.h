// Recognizes the headers of a query to us by comparison with an earlier query in the burst.
//
// The pattern covers untagged Ethernet to one MAC address, unfragmented IPv4 without options, and
// UDP to one address and port. It compares four words of the first 38 bytes under a mask. A
// matching frame needs no further check except lengths, checksums and source.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/dns/wire.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

class HeaderPattern {
  public:
    // The first bytes of a frame, which are read.
    static constexpr std::size_t kSize = 38;

    // `frame`: Ethernet, IPv4 and UDP as above.
    void learn(const std::uint8_t* frame) {
        for (std::size_t i = 0; i < words_.size(); ++i)
            words_[i] = word(frame, i);
        destination_ = IpAddress::from_v4(frame + kDestinationAt);
        destination_port_ = dns::load_be16(frame + kPortAt);
    }
    // Of all frames that match.
    [[nodiscard]] const IpAddress& destination() const { return destination_; }
    [[nodiscard]] std::uint16_t destination_port() const { return destination_port_; }
    [[nodiscard]] bool matches(const std::uint8_t* frame) const {
        std::uint64_t differ = 0;
        for (std::size_t i = 0; i < words_.size(); ++i)
            differ |= word(frame, i) ^ words_[i];
        return differ == 0;
    }

  private:
    static constexpr std::size_t kDestinationAt = 30, kPortAt = 36;
    static constexpr std::array<std::size_t, 4> kAt{0, 8, 16, 30};
    static constexpr std::array<std::uint64_t, 4> kMasks = [] {
        std::array<std::uint8_t, kSize> bytes{};
        for (std::size_t i = 0; i < 6; ++i)
            bytes[i] = 0xff;           // to this MAC address
        bytes[6] = 0x01;               // from one that is not multicast
        bytes[12] = bytes[13] = 0xff;  // IPv4
        bytes[14] = 0xff;              // version and length of the header
        bytes[20] = 0x3f;              // a fragment: "more" and the offset (RFC 791 3.1) ...
        bytes[21] = 0xff;              // ... but not "don't"
        bytes[23] = 0xff;              // UDP
        for (std::size_t i = 0; i < 4; ++i)
            bytes[kDestinationAt + i] = 0xff;
        bytes[kPortAt] = bytes[kPortAt + 1] = 0xff;
        std::array<std::uint64_t, 4> masks{};
        for (std::size_t w = 0; w < masks.size(); ++w) {
            std::array<std::uint8_t, 8> eight{};
            for (std::size_t i = 0; i < eight.size(); ++i)
                eight[i] = bytes[kAt[w] + i];
            masks[w] = std::bit_cast<std::uint64_t>(eight);
        }
        return masks;
    }();

    static std::uint64_t word(const std::uint8_t* frame, std::size_t i) {
        std::uint64_t w;
        std::memcpy(&w, frame + kAt[i], sizeof w);
        return w & kMasks[i];
    }

    std::array<std::uint64_t, 4> words_{~kMasks[0]};  // matches no frame: nothing was learned
    IpAddress destination_;
    std::uint16_t destination_port_ = 0;
};

}  // namespace steer
