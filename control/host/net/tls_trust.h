// The trust settings for a server's certificate.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace steer::stream {

struct TlsTrust {
    using Pin = std::array<std::uint8_t, 32>;  // SHA-256 of a certificate's public key (SPKI)

    bool verify = true;
    std::string ca_file;  // PEM; empty: the system's authorities
    // The verified chain must have one of them; without `verify`, it must be the server's own.
    std::vector<Pin> pins;
};

}  // namespace steer::stream
