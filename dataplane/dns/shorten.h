// An answer with fewer addresses: the first records of its answer section, and nothing behind them.
//
// Pure, no allocation. Cost: one look at each record of the answer section.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/dns/answer.h"

namespace steer::dns {

// Whether the answer section has more than `most` addresses: A and AAAA, and the hints of SVCB and HTTPS records.
[[nodiscard]] bool has_more_addresses(const Answer& answer, unsigned most) noexcept;

// Writes the answer up to the record that would bring its addresses above `most` into `block` (4-byte aligned); the
// authority and additional sections are left out. TTLs stay. Returns its size; 0: it has no room there.
std::size_t write_shortened(const Answer& answer, unsigned most,
                            std::span<std::uint8_t> block) noexcept;

}  // namespace steer::dns
