// Whether the names of upstream queries are sent in random case, which a reply has to return
// (draft-vixie-dnsext-dns0x20). Only over UDP: a forged reply does not reach a connection.
#pragma once

#include <cstdint>

namespace steer {

// `learned`: to each upstream until our probes show that it changes the case.
enum class RandomCase : std::uint8_t { never, learned, always };

}  // namespace steer
