// The options of an OPT record (RFC 6891 6.1.2): iterates over them and copies some.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/dns/wire.h"

namespace steer::dns {

// Calls note(code, text) for each extended error (RFC 8914) in the RDATA of an OPT.
template <class Note>
void for_each_error(std::span<const std::uint8_t> options, Note&& note) {
    constexpr std::size_t kHead = 4, kCode = 2;
    while (options.size() >= kHead) {
        const std::size_t length = load_be16(&options[2]);
        if (length > options.size() - kHead) return;
        if (load_be16(options.data()) == kOptionEde && length >= kCode)
            note(load_be16(&options[kHead]), options.subspan(kHead + kCode, length - kCode));
        options = options.subspan(kHead + length);
    }
}

// The options of the OPT in a message that parse_query() accepted; empty if it has none.
// `question_end`: offset after the question.
std::span<const std::uint8_t> options_of(std::span<const std::uint8_t> message,
                                         std::size_t question_end) noexcept;

struct PickedOptions {
    std::size_t length = 0;  // bytes of `room`
    bool too_long = false;   // they did not fit; none is copied
};

// Copies the options with codes that `wants` accepts, including their heads. Stops at an incomplete
// option.
template <class Wants>
PickedOptions pick_options(std::span<const std::uint8_t> options, std::span<std::uint8_t> room,
                           Wants wants) noexcept {
    constexpr std::size_t kHead = 4;
    PickedOptions out;
    while (options.size() >= kHead) {
        const std::size_t length = kHead + load_be16(&options[2]);
        if (length > options.size()) break;
        if (wants(load_be16(options.data()))) {
            if (out.length + length > room.size()) return {0, true};
            std::memcpy(room.data() + out.length, options.data(), length);
            out.length += length;
        }
        options = options.subspan(length);
    }
    return out;
}

}  // namespace steer::dns
