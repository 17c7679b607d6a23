// What the parts of one `streams` thread share. All of it is used by that thread alone, but for the
// counters, which anybody may read.
#pragma once

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "control/stream/base/stream_counters.h"
#include "dataplane/base/buffer.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/message.h"
#include "dataplane/base/ring.h"
#include "dataplane/forward/chacha_random.h"
#include "matchers/prefix/ip_address.h"

namespace steer::stream {

// The rings of one thread, by worker, and who wakes it when something is in them.
struct StreamRings {
    std::vector<Ring<Message>*> to_worker;
    std::vector<Ring<Message>*> from_worker;
    Sleeper* sleeper = nullptr;
};

// What is read in one go, at most; and what is left over of it.
inline constexpr std::size_t kRoomBytes = 64 * 1024;

struct StreamContext {
    unsigned index;  // of the thread
    StreamRings rings;
    BufferPools& buffers;
    Clock& clock;
    boost::asio::io_context io{1};
    StreamCounters counters{};
    forward::ChaChaRandom random{0};
    // Interfaces with a copying port: whole datagrams that come in by them are the port's. Sorted.
    std::vector<int> copying{};
    // Upstreams behind a VRF, with its index.
    std::map<IpAddress, int> vrfs{};
    std::atomic<unsigned> connections{0};  // of clients over TCP, open; anybody may read
    // Where bytes are read to: a connection keeps only what it cannot use yet.
    std::array<std::uint8_t, kRoomBytes> room{};
    // Where this thread's listeners are: who asks there asks us. (Address, port.)
    std::set<std::pair<IpAddress, std::uint16_t>> listening{};

    void count(StreamCount c, std::uint64_t n = 1) { counters.add(c, n); }
    // Before it connects: a socket's packets are those of the upstream's VRF. 0 or errno.
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
