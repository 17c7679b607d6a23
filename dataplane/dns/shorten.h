// Shortens an answer to fewer addresses: only the first records of its answer section.
//
// Pure, no allocation. Cost: one check per record of the answer section.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/dns/answer.h"

namespace steer::dns {

// Whether the answer, in all sections, has more than `most` addresses: A and AAAA, and the hints of SVCB and HTTPS records.
[[nodiscard]] bool has_more_addresses(const Answer& answer, unsigned most) noexcept;

// Writes the answer up to, not including, the record that would exceed `most` addresses, into `block` (4-byte aligned).
// The authority and additional sections are left out. TTLs stay. Returns its size; 0: it does not fit.
std::size_t write_shortened(const Answer& answer, unsigned most,
                            std::span<std::uint8_t> block) noexcept;

}  // namespace steer::dns
