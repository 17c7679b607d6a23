#include "dataplane/dns/pref64.h"

#include <algorithm>
#include <cstring>

namespace steer::dns {
namespace {

constexpr unsigned kZeroOctet = 8;

// Visits the places of the four octets of an IPv4 address behind a prefix of that length.
template <class Visit>
void for_each_place(unsigned length, Visit&& visit) {
    unsigned at = length / 8;
    for (unsigned octet = 0; octet < 4; ++octet, ++at) {
        if (at == kZeroOctet) ++at;
        visit(octet, at);
    }
}

}  // namespace

bool Pref64::holds(const std::uint8_t* v6) const noexcept {
    return std::memcmp(v6, prefix.data(), length / 8U) == 0 && v6[kZeroOctet] == 0;
}

void Pref64::embed(const std::uint8_t* v4, std::uint8_t* v6) const noexcept {
    std::copy(prefix.begin(), prefix.end(), v6);
    for_each_place(length, [&](unsigned octet, unsigned at) { v6[at] = v4[octet]; });
}

void Pref64::extract(const std::uint8_t* v6, std::uint8_t* v4) const noexcept {
    for_each_place(length, [&](unsigned octet, unsigned at) { v4[octet] = v6[at]; });
}

}  // namespace steer::dns
