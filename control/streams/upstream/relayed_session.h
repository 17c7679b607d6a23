// Queries over UDP through a SOCKS5 proxy (RFC 1928, UDP ASSOCIATE): one association, which lasts
// as long as its connection to the proxy.
//
// All queries are sent from one socket, each with its own id. The socket is connected to the
// proxy's relay. A datagram counts only if the relay names the upstream as its sender. Two events
// stop the use of the relay for kRelayPauseMs; queries then use TCP through the proxy. The first:
// kMaxNearMisses wrong replies. The second: kSilenceMs without a first reply, if no association had
// a reply for kRelayPauseMs (the relay may not work at all). One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "control/host/net/byte_stream.h"
#include "control/streams/upstream/upstream_connect.h"
#include "control/streams/upstream/upstream_session.h"

namespace steer::stream {

// Whether a proxy's relay is used; shared by the sessions of a transport.
struct RelayUse {
    static constexpr std::uint64_t kRelayPauseMs = 60'000;
    std::uint64_t not_before_ms = 0;
    std::optional<std::uint64_t> replied_ms;  // last

    [[nodiscard]] bool is_allowed(std::uint64_t now_ms) const { return now_ms >= not_before_ms; }
    [[nodiscard]] bool is_known_to_work(std::uint64_t now_ms) const {
        return replied_ms && now_ms - *replied_ms < kRelayPauseMs;
    }
    void pause(std::uint64_t now_ms) { not_before_ms = now_ms + kRelayPauseMs; }
};

// `control`: the connection of the association; `relay`: its other end for datagrams. `upstream`:
// its address; no value: use the target's name. Returns nullptr without a socket; `error` is errno.
std::shared_ptr<UpstreamSession> make_relayed_session(StreamContext& context, ByteStream control,
                                                      const RelayAddress& relay,
                                                      const std::optional<IpAddress>& upstream,
                                                      const UpstreamTarget& target,
                                                      std::shared_ptr<RelayUse> use,
                                                      SessionWatcher& watcher, int& error);

}  // namespace steer::stream
