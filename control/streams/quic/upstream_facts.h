// What the daemon and steerdns-quic say to each other about a connection to an upstream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "control/streams/http/doh_target.h"
#include "matchers/prefix/ip_address.h"

namespace steer::quic {

// What a socket is bound to.
struct BoundAddress {
    IpAddress address;
    std::uint16_t port = 0;   // host order
    std::uint32_t scope = 0;  // of a link-local address: the interface
};

// What becomes of an ask.
enum class AskEnd : std::uint8_t {
    answered,
    lost,         // the connection ended; the upstream may have processed it
    unprocessed,  // the upstream surely did not process it
    failed,       // the upstream reset its stream
    bad,          // what arrived is no answer of the protocol
    count_
};

// HTTP's facts about an answer.
struct AnswerFacts {
    std::uint32_t age_s = 0;
    std::uint32_t fresh_s = UINT32_MAX;  // the rest of `max-age`; without one, the largest number
    std::uint32_t retry_after_s = 0;
};

enum class UpstreamProtocol : std::uint8_t { doq, doh3, count_ };

// How a connection ended, for the daemon's errno.
enum class UpstreamEnd : std::uint8_t {
    closed,     // by the upstream, or lost, after its handshake
    no_answer,  // to the handshake
    refused,    // by the upstream's machine
    handshake,  // it failed
    failed,     // here
    count_
};

// Limits of a server's certificates.
inline constexpr std::size_t kMostCertificates = 16, kMostChainBytes = 64 << 10;

struct UpstreamOpening {
    std::uint64_t connection = 0;
    std::uint64_t tickets = 0;  // the number of the upstream's settings
    BoundAddress local, remote;
    std::uint32_t idle_ms = 0;
    bool keeps_alive = false;
    bool early_data = false;  // queries may be sent beside a handshake (0-RTT)
    bool may_refuse = false;  // "port unreachable" cannot be forged: it is on this machine
    UpstreamProtocol protocol = UpstreamProtocol::doq;
    std::string server_name;  // for TLS; empty: an address
    stream::DohTarget http;   // of doh3
};

// A handshake that is complete.
struct UpstreamReady {
    std::uint64_t connection = 0;
    std::uint64_t streams = 0;  // queries that may be asked in all
    bool is_resumed = false;    // then without its chain
    std::vector<std::string> chain;
};

}  // namespace steer::quic
