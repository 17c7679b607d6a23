// The state that the parts of one `streams` thread share. Only that thread uses it, except the
// counters, which any thread may read.
#pragma once

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "control/streams/base/client_budget.h"
#include "control/streams/base/notify_handler.h"
#include "control/streams/base/stream_counters.h"
#include "dataplane/base/buffer.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/message.h"
#include "dataplane/base/qsbr_reader.h"
#include "dataplane/base/ring.h"
#include "dataplane/forward/chacha_random.h"
#include "dataplane/limits/limiter.h"
#include "matchers/prefix/ip_address.h"

namespace steer::stream {

// The rings of one thread, by worker, its sleeper, and its place among the readers.
struct StreamRings {
    std::vector<Ring<Message>*> to_worker;
    std::vector<Ring<Message>*> from_worker;
    Sleeper* sleeper = nullptr;
    // Sets of addresses in `limits:` are freed after a grace period of this variable. `reader` is
    // the thread's number in it. nullptr: no set changes.
    rte_rcu_qsbr* qsbr = nullptr;
    unsigned reader = 0;
};

// Sockets to upstreams that a thread may have. A connected one of an engine is not counted.
struct UpstreamSocketLimits {
    std::size_t udp = 4096, tcp = 256;  // queries at a time, each with its socket
    std::size_t pooled = std::numeric_limits<std::size_t>::max();  // connections of one upstream
};

// Maximum bytes per read, plus unread rest.
inline constexpr std::size_t kRoomBytes = 64 * 1024;

struct StreamContext {
    unsigned index;  // of the thread
    StreamRings rings;
    BufferPools& buffers;
    Clock& clock;
    QsbrReader reader{rings.qsbr, rings.reader};
    boost::asio::io_context io{1};
    StreamCounters counters{};
    forward::ChaChaRandom random{0};
    // Interfaces with a copying port, which handles complete datagrams that arrive there. Sorted.
    std::vector<int> copying{};
    // Upstreams behind a VRF, with its index.
    std::map<IpAddress, int> vrfs{};
    UpstreamSocketLimits upstream_sockets{};
    // The same object for all threads.
    std::shared_ptr<ClientBudget> client_budget = std::make_shared<ClientBudget>();
    // Closes the connection of this thread, over all services, that may leave first. Returns false
    // if there is none. Empty: there is one service.
    std::function<bool()> make_room{};
    // Lets one of the other threads do so. Empty: there are none.
    std::function<void()> ask_others_for_room{};
    std::atomic<unsigned> connections{0};  // open TCP connections of clients; any thread may read
    // Read buffer. A connection stores only bytes that it cannot use yet.
    std::array<std::uint8_t, kRoomBytes> room{};
    // This thread's listening addresses (address, port). A query to one of them would reach us.
    std::set<std::pair<IpAddress, std::uint16_t>> listening{};
    // Called with the addresses of a name that was resolved for an upstream; empty: they are no
    // longer needed. `source` is the same for the same name.
    std::function<void(const void* source, std::span<const IpAddress> addresses)> on_addresses{};
    // Called with each NOTIFY; without a response it is handled as any query, which gets NOTIMP.
    NotifyHandler on_notify{};

    // Rows of `limits:` for connections, handshakes and streams; nullptr: none.
    std::shared_ptr<const LimitPolicy> limits{};
    Limiter limiter{0, true, 0};

    // Whether a row lets something of a client pass that sent to `local`.
    [[nodiscard]] bool lets_pass(LimitWhat what, const IpAddress& client, const IpAddress& local,
                                 std::uint16_t port) {
        if (limits == nullptr || client == IpAddress{}) return true;
        const QsbrReader::Section section(reader);  // a row may name a set that control replaces
        // A forged address has no connection.
        if (what == LimitWhat::connections)
            limiter.prove(*limits, {client, local, port, false}, clock.now());
        if (limits->of(what).empty()) return true;
        return limiter.on_stream(*limits, what, {client, local, port, false}, 1, clock.now()) ==
               Limited::no;
    }

    void count(StreamCount c, std::uint64_t n = 1) { counters.add(c, n); }
    // Binds a socket to the upstream's VRF before it connects. Returns 0 or errno.
    [[nodiscard]] int bind_to_vrf(int socket, const IpAddress& upstream) const {
        const auto vrf = vrfs.find(upstream);
        if (vrf == vrfs.end()) return 0;
        const int failed =
            ::setsockopt(socket, SOL_SOCKET, SO_BINDTOIFINDEX, &vrf->second, sizeof vrf->second);
        return failed == 0 ? 0 : errno;
    }
    [[nodiscard]] std::uint64_t now_ms() { return clock.now().ms; }
};

}  // namespace steer::stream
