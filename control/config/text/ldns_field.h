// One field of RDATA, read by ldns. Checks before it reject texts that ldns 1.8 would misread.
#pragma once

#include <stdbool.h>  // otherwise ldns makes macros of bool, true and false

#include <ldns/rdata.h>
#include <ldns/rr.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace steer::config {

// Reads one field of up to 260,000 bytes. No value: `text` is not a field of this kind. Not for
// numbers, types, names and SvcParams.
std::optional<std::vector<std::uint8_t>> read_by_ldns(ldns_rdf_type kind, const std::string& text);

// Big-endian.
void add_number(std::vector<std::uint8_t>& to, std::uint64_t value, unsigned bytes);

}  // namespace steer::config
