// Who sent a query, and how it came. Copied as a whole from the packet to the program's context, and to the record of a
// query that waits.
//
// What a client of `streams` says beside its query (TLS server name, URL path) stays in the query's buffer
// (injected_texts.h), whose reference goes the same way.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/base/client_transport.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

struct ClientFacts {
    static constexpr std::uint16_t kNoVlan = UINT16_MAX;

    IpAddress address;
    std::uint16_t port = 0;  // host order
    // Of the frame, as read_link_facts() (stages/frame.h) reads them. A packet has them only in its frame.
    std::uint16_t vlan =
        kNoVlan;  // id of the innermost tag; 0: no tag; kNoVlan: no frame, or not read
    std::array<std::uint8_t, 6> mac{};  // its source; zeros: no frame, or not read
    ClientTransport transport = ClientTransport::udp;
    std::uint8_t entry =
        0;  // of the program, by the frontend where the query came in; 0 until find_entries()

    [[nodiscard]] bool is_udp() const { return transport == ClientTransport::udp; }
};
static_assert(sizeof(ClientFacts) == 28 && alignof(ClientFacts) == 2);

}  // namespace steer
