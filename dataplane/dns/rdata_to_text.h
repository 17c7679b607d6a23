// RDATA in the text form of zone files (RFC 1035 5, RFC 4034, RFC 9460 2.1), with full names.
//
// The result has printable ASCII only. Data that does not fit its type, and data of types without a
// row in the table, has the form of RFC 3597 5: "\# 4 c0000201". Allocates: not for workers.
// Cost: one pass. A name has at most 1,005 characters. A bitmap of types is the longest text of few
// bytes: 80 characters a byte.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "dataplane/dns/records.h"

namespace steer::dns {

// "www.example.com.", "." for the root.
std::string full_name_to_text(const Name& name);

// `record`: the last one of `reader`, which reads `message`.
std::string rdata_to_text(std::span<const std::uint8_t> message, RecordReader& reader,
                          const Record& record);

}  // namespace steer::dns
