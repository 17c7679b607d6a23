// Converts addresses to Asio's types.
#pragma once

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <cstdint>

#include "matchers/prefix/ip_address.h"

namespace steer::resolver {

template <class Protocol>
typename Protocol::endpoint endpoint(const IpAddress& address, std::uint16_t port) {
    if (address.is_v4()) {
        boost::asio::ip::address_v4::bytes_type bytes;
        std::copy_n(address.v4(), bytes.size(), bytes.begin());
        return {boost::asio::ip::address_v4(bytes), port};
    }
    return {boost::asio::ip::address_v6(address.bytes), port};
}

}  // namespace steer::resolver
