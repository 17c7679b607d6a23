// One conversation with a primary: asks for the zone's SOA, then for newer records, over TCP or TLS
// (RFC 5936 4.1, RFC 9103).
//
// It blocks only the calling thread, at most for `timeout`. The zone of a good outcome is complete,
// its signatures are right, and it is within the limits. After an IXFR that the primary refuses or
// that does not fit, the caller asks again with `whole`.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "control/config/settings/secondary_settings.h"
#include "control/sources/transfer/transfer_reader.h"
#include "matchers/counter_table.h"

namespace steer::transfer {

//  name, what happened
#define STEER_TRANSFER_OUTCOMES(X)                                                    \
    X(whole, "the whole zone was transferred (AXFR)")                                 \
    X(incremental, "changes were transferred (IXFR)")                                 \
    X(unchanged, "the primary has the same serial, or an older one")                  \
    X(unreachable, "the primary could not be connected to, or closed the connection") \
    X(untrusted, "the primary's certificate could not be verified")                   \
    X(refused, "the primary answered with an error")                                  \
    X(bad_signature, "a TSIG signature is missing, wrong, or was refused")            \
    X(malformed, "the answer is no transfer of the zone")                             \
    X(too_large, "the zone is above max_size or max_records")                         \
    X(too_slow, "the transfer took longer than timeout")                              \
    X(bad_digest, "the zone's ZONEMD digest is wrong or missing")                     \
    X(stopped, "the daemon ended")

STEER_COUNTER_ENUM(TransferOutcome, kTransferOutcomes, STEER_TRANSFER_OUTCOMES);
inline bool is_good(TransferOutcome outcome) {
    return outcome <= TransferOutcome::unchanged;
}

struct ExchangeRequest {
    Bytes zone;
    config::ZonePrimary primary;
    std::optional<config::TsigKey> key;
    config::ZoneTls tls;
    std::optional<std::uint32_t> have;  // serial of our zone; no value: none
    Bytes soa;                          // RDATA of our SOA, for IXFR
    bool whole = false;                 // AXFR
    bool any_serial = false;            // with `whole`: also the same serial, or an older one
    bool incremental = true;            // IXFR if possible
    TransferReader::Limits limits;
    std::chrono::milliseconds timeout{600'000};
};

struct Exchanged {
    TransferOutcome outcome = TransferOutcome::stopped;
    std::string why;                          // for the operator; empty: no error
    bool asks_whole = false;                  // IXFR did not work: ask again with `whole`
    std::optional<std::uint32_t> serial;      // of the primary, if it answered
    std::uint64_t bytes = 0;                  // received
    std::size_t left_out = 0;                 // records of other names or classes
    std::shared_ptr<const ZoneImage> image;   // of `whole`
    std::vector<ZoneDifference> differences;  // of `incremental`
};

Exchanged exchange(const ExchangeRequest& request, const std::stop_token& stop);

}  // namespace steer::transfer
