// Removes records with certain addresses from the authority and additional sections of an answer.
// Clients do not need these records: they query missing addresses.
//
// Also removes signatures of address records. Pure, no allocation. Cost: nothing without such
// records; else one check per record, and for the new answer as in answer_writer.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/dns/answer.h"

namespace steer::dns {

// Says which addresses stay.
class AddressFilter {
  public:
    // `bytes` are 4 or 16, in network order.
    virtual bool keeps(const std::uint8_t* bytes, bool is_v6) const noexcept = 0;

  protected:
    ~AddressFilter() = default;
};

// Whether a record behind the answer section has an address that must be removed.
[[nodiscard]] bool has_to_leave_out(const Answer& answer, const AddressFilter& filter) noexcept;

// Writes the answer without these records into `block` (4-byte aligned). `asked`: the answer's
// name, lower-cased wire form. `age_s` lowers the TTLs. Returns the size; 0 if it does not fit.
std::size_t write_without(const Answer& answer, const AddressFilter& filter,
                          std::span<const std::uint8_t> asked, std::uint32_t age_s,
                          std::span<std::uint8_t> block) noexcept;

}  // namespace steer::dns
