// Shortens an answer to fewer addresses: keeps only the first records of its answer section.
//
// Pure, no allocation. Cost: one check per record of the answer section.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/dns/answer.h"

namespace steer::dns {

// Whether the answer has more than `most` addresses in all sections: A and AAAA records, and hints
// in SVCB and HTTPS records.
[[nodiscard]] bool has_more_addresses(const Answer& answer, unsigned most) noexcept;

// Writes the answer into `block` (4-byte aligned), up to the record before `most` is exceeded.
// Leaves out the authority and additional sections. TTLs stay. Returns the size; 0 if it does not
// fit.
std::size_t write_shortened(const Answer& answer, unsigned most,
                            std::span<std::uint8_t> block) noexcept;

}  // namespace steer::dns
