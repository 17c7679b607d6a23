// The kernel's share of a port: kinds, rates, rings, and the port that stands before a device's.
#include "dataplane/port/exception.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <thread>

#include "support/ring_port.h"

namespace steer {
namespace {

using test::Frame;
using test::RingPort;

// Ethernet to a type, then bytes.
Frame ethernet(std::initializer_list<std::uint16_t> types, const Frame& rest) {
    Frame f(12, 2);
    for (const std::uint16_t type : types) {
        f.push_back(static_cast<std::uint8_t>(type >> 8));
        f.push_back(static_cast<std::uint8_t>(type));
        if (type == 0x8100 || type == 0x88a8) f.insert(f.end(), {0, 7});
    }
    f.insert(f.end(), rest.begin(), rest.end());
    return f;
}

Frame ipv4(std::uint8_t protocol, std::uint16_t fragment = 0) {
    Frame ip(28, 0);
    ip[0] = 0x45;
    ip[6] = static_cast<std::uint8_t>(fragment >> 8);
    ip[7] = static_cast<std::uint8_t>(fragment);
    ip[9] = protocol;
    return ip;
}

Frame udp(std::uint16_t from, std::uint16_t to) {
    Frame ip = ipv4(17);
    ip[3] = 28;  // the packet's length
    for (const auto& [at, port] : {std::pair(20, from), std::pair(22, to)}) {
        ip[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(port >> 8);
        ip[static_cast<std::size_t>(at) + 1] = static_cast<std::uint8_t>(port);
    }
    return ip;
}

// `chain` are the next-header values, the last one what is carried; each extension header has 8 bytes.
Frame ipv6(const std::vector<std::uint8_t>& chain, std::uint8_t first_byte = 0) {
    Frame ip(40, 0);
    ip[0] = 0x60;
    ip[6] = chain[0];
    for (std::size_t i = 1; i < chain.size(); ++i) {
        ip.insert(ip.end(), {chain[i], 0, 0, 0, 0, 0, 0, 0});
    }
    ip.push_back(first_byte);
    ip[5] = static_cast<std::uint8_t>(ip.size() - 40);  // the payload's length
    return ip;
}

class HandClock final : public Clock {
  public:
    Now now() override {
        ++readings;
        return {ms};
    }
    std::uint64_t ms = 5'000'000;
    unsigned readings = 0;
};

// RingPort keeps its port; this one can be given away.
class Lent final : public Port {
  public:
    explicit Lent(Port& port) : Port(port), port_(port) {}
    std::uint16_t rx(rte_mbuf** out, std::uint16_t n) noexcept override { return port_.rx(out, n); }
    std::uint16_t tx(rte_mbuf** out, std::uint16_t n) noexcept override {
        return port_.tx(out, std::min(n, takes));
    }
    [[nodiscard]] rte_mempool* pool() const noexcept override { return port_.pool(); }
    std::uint16_t takes = 32;

  private:
    Port& port_;
};

struct World {
    explicit World(const ExceptionOptions& options)
        : link(std::make_shared<ExceptionLink>(options)) {
        auto lent_port = std::make_unique<Lent>(ring.port());
        lent = lent_port.get();
        port = add_exception_path(std::move(lent_port), 42, link, 0, clock);
    }
    // As a worker does with a frame that is the kernel's.
    void punt(const Frame& frame) {
        BOOST_REQUIRE(ring.send(frame));
        rte_mbuf* m = nullptr;
        BOOST_REQUIRE_EQUAL(port->rx(&m, 1), 1);
        BOOST_REQUIRE(port->punt(m));
    }
    void kernel_sends(const Frame& frame) {
        std::uint8_t* const room = link->from_kernel().begin_push();
        BOOST_REQUIRE(room != nullptr);
        std::copy(frame.begin(), frame.end(), room);
        link->from_kernel().push(static_cast<std::uint16_t>(frame.size()));
    }
    Frame kernel_gets() {
        const auto front = link->to_kernel(0).front();
        Frame frame(front.begin(), front.end());
        if (!frame.empty()) link->to_kernel(0).pop();
        return frame;
    }
    [[nodiscard]] std::uint64_t count(ExceptionKind k, ExceptionEnd e) const {
        return link->counters().get(k, e);
    }

    RingPort ring{"exception"};
    HandClock clock;
    std::shared_ptr<ExceptionLink> link;
    Lent* lent = nullptr;
    std::unique_ptr<Port> port;
};

BOOST_AUTO_TEST_SUITE(exception)

BOOST_AUTO_TEST_CASE(each_frame_is_classified_by_kind) {
    using K = ExceptionKind;
    const auto is = [](const Frame& f, K kind) {
        BOOST_CHECK_EQUAL(kExceptionKinds[exception_kind(f)].label, kExceptionKinds[kind].label);
    };
    is(ethernet({0x0806}, Frame(28)), K::arp);
    is(ethernet({0x8100, 0x0806}, Frame(28)), K::arp);
    is(ethernet({0x0800}, ipv4(1)), K::icmp);
    is(ethernet({0x0800}, ipv4(6)), K::tcp);
    is(ethernet({0x88a8, 0x8100, 0x0800}, ipv4(6)), K::tcp);
    is(ethernet({0x0800}, ipv4(17)), K::udp);
    is(ethernet({0x0800}, udp(40'000, 853)), K::quic);
    is(ethernet({0x0800}, udp(40'000, 443)), K::quic);
    is(ethernet({0x0800}, udp(853, 40'000)), K::quic);
    is(ethernet({0x0800}, udp(40'000, 8'530)), K::udp);
    is(ethernet({0x0800}, ipv4(17, 0x2000)), K::fragment);
    is(ethernet({0x0800}, ipv4(6, 0x0003)), K::fragment);
    is(ethernet({0x0800}, ipv4(6, 0x4000)), K::tcp);  // DF
    is(ethernet({0x0800}, ipv4(89)), K::other);
    is(ethernet({0x86dd}, ipv6({58}, 135)), K::nd);
    is(ethernet({0x86dd}, ipv6({58}, 133)), K::nd);
    is(ethernet({0x86dd}, ipv6({58}, 128)), K::icmp6);
    is(ethernet({0x86dd}, ipv6({0, 58}, 143)), K::icmp6);  // MLD, behind hop-by-hop options
    is(ethernet({0x86dd}, ipv6({0, 60, 6})), K::tcp);
    is(ethernet({0x86dd}, ipv6({44, 17})), K::fragment);
    is(ethernet({0x86dd}, ipv6({17})), K::udp);
    is(ethernet({0x86dd}, ipv6({1})), K::other);  // ICMP is no protocol of IPv6
    is(ethernet({0x88cc}, Frame(60)), K::other);
    // Cut off anywhere it is something, and nothing beyond its end is read.
    for (const Frame& whole : {ethernet({0x88a8, 0x8100, 0x86dd}, ipv6({0, 43, 60, 58}, 135)),
                               ethernet({0x8100, 0x0800}, ipv4(17))}) {
        for (std::size_t n = 0; n < whole.size(); ++n) {
            const Frame cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
            BOOST_CHECK(exception_kind(cut) < K::count_);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_bucket_allows_its_rate_and_a_burst_of_a_tenth_of_a_second) {
    const auto take_all = [](ExceptionBucket& b, std::uint32_t rate, std::uint64_t now_ms) {
        unsigned n = 0;
        while (n < 1'000'000 && b.take(rate, now_ms))
            ++n;
        return n;
    };
    ExceptionBucket thousand;
    BOOST_CHECK_EQUAL(take_all(thousand, 1000, 7'000'000), 100);
    BOOST_CHECK_EQUAL(take_all(thousand, 1000, 7'000'000), 0);
    BOOST_CHECK_EQUAL(take_all(thousand, 1000, 7'000'010), 10);
    BOOST_CHECK_EQUAL(take_all(thousand, 1000, 9'000'000), 100);
    // Over ten seconds in steps of a millisecond: the rate, and the burst it began with.
    unsigned sum = 0;
    ExceptionBucket slow;
    for (std::uint64_t ms = 1'000'000; ms < 1'010'000; ++ms)
        sum += take_all(slow, 7, ms);
    BOOST_CHECK_EQUAL(sum, 32 + 69);  // 9.999 seconds
    ExceptionBucket none, most;
    BOOST_CHECK_EQUAL(take_all(none, 0, 1'000'000), 0);
    BOOST_CHECK_EQUAL(take_all(most, 0xffffffff, 1'000'000), 1'000'000);
    BOOST_CHECK_EQUAL(take_all(most, 0xffffffff, ~std::uint64_t{0}), 1'000'000);
}

BOOST_AUTO_TEST_CASE(a_ring_keeps_frames_whole_and_in_order_between_threads) {
    FrameRing ring(8, 300);
    constexpr unsigned kFrames = 200'000;
    std::thread pusher([&] {
        for (unsigned i = 0; i < kFrames;) {
            std::uint8_t* const room = ring.begin_push();
            if (room == nullptr) {
                std::this_thread::yield();
                continue;
            }
            const auto length = static_cast<std::uint16_t>(4 + i % 297);
            std::memset(room, static_cast<int>(i % 251), length);
            std::memcpy(room, &i, sizeof i);
            ring.push(length);
            ++i;
        }
    });
    unsigned wrong = 0;
    for (unsigned i = 0; i < kFrames;) {
        const auto frame = ring.front();
        if (frame.empty()) {
            std::this_thread::yield();
            continue;
        }
        unsigned number = 0;
        std::memcpy(&number, frame.data(), sizeof number);
        const bool whole = std::all_of(frame.begin() + 4, frame.end(),
                                       [&](std::uint8_t b) { return b == i % 251; });
        wrong += number != i || frame.size() != 4 + i % 297 || !whole ? 1U : 0U;
        ring.pop();
        ++i;
    }
    pusher.join();
    BOOST_CHECK_EQUAL(wrong, 0);
}

BOOST_AUTO_TEST_CASE(a_frame_goes_to_the_kernel_unchanged) {
    World w({});
    BOOST_CHECK_EQUAL(w.port->if_index(), 42);
    BOOST_CHECK(w.port->mac() == w.ring.port().mac());
    const Frame arp = ethernet({0x0806}, Frame(28, 9));
    w.punt(arp);
    BOOST_CHECK(w.kernel_gets() == arp);
    BOOST_CHECK(w.kernel_gets().empty());
    BOOST_CHECK_EQUAL(w.count(ExceptionKind::arp, ExceptionEnd::given), 1);
    BOOST_CHECK_EQUAL(w.ring.mbufs_in_use(), 0);
}

BOOST_AUTO_TEST_CASE(a_kind_above_its_rate_does_not_limit_the_others) {
    ExceptionOptions options;
    options.rates[static_cast<std::size_t>(ExceptionKind::icmp)] = 10;
    World w(options);
    for (unsigned i = 0; i < 40; ++i)
        w.punt(ethernet({0x0800}, ipv4(1)));
    BOOST_CHECK_EQUAL(w.count(ExceptionKind::icmp, ExceptionEnd::given), 32);
    BOOST_CHECK_EQUAL(w.count(ExceptionKind::icmp, ExceptionEnd::over_rate), 8);
    w.punt(ethernet({0x0806}, Frame(28)));
    BOOST_CHECK_EQUAL(w.count(ExceptionKind::arp, ExceptionEnd::given), 1);
    BOOST_CHECK_EQUAL(w.clock.readings, 1);  // once a turn
    w.port->flush();
    w.clock.ms += 1000;
    for (unsigned i = 0; i < 40; ++i)
        w.punt(ethernet({0x0800}, ipv4(1)));
    BOOST_CHECK_EQUAL(w.count(ExceptionKind::icmp, ExceptionEnd::given), 42);
    BOOST_CHECK_EQUAL(w.clock.readings, 2);
    BOOST_CHECK_EQUAL(w.ring.mbufs_in_use(), 0);
}

BOOST_AUTO_TEST_CASE(a_full_ring_drops_and_counts) {
    World w({.slots = 4});
    for (unsigned i = 0; i < 6; ++i)
        w.punt(ethernet({0x0806}, Frame(28)));
    BOOST_CHECK_EQUAL(w.count(ExceptionKind::arp, ExceptionEnd::given), 4);
    BOOST_CHECK_EQUAL(w.count(ExceptionKind::arp, ExceptionEnd::ring_full), 2);
    while (!w.kernel_gets().empty()) {
    }
    w.punt(ethernet({0x0806}, Frame(28)));
    BOOST_CHECK_EQUAL(w.count(ExceptionKind::arp, ExceptionEnd::given), 5);
    BOOST_CHECK_EQUAL(w.ring.mbufs_in_use(), 0);
}

BOOST_AUTO_TEST_CASE(frames_of_the_kernel_are_sent_by_the_port) {
    World w({.kernel_slots = 128});
    for (std::uint8_t i = 0; i < 100; ++i)
        w.kernel_sends(Frame(60, i));
    w.port->flush();
    const auto frames = w.ring.receive_all();
    BOOST_REQUIRE_EQUAL(frames.size(), 100);
    for (std::uint8_t i = 0; i < 100; ++i)
        BOOST_CHECK(frames[i] == Frame(60, i));
    BOOST_CHECK_EQUAL(w.link->counters().get(ExceptionSend::sent), 100);
    BOOST_CHECK_EQUAL(w.ring.mbufs_in_use(), 0);

    // While the device's queue is full they wait, and none is lost.
    w.lent->takes = 0;
    for (std::uint8_t i = 0; i < 100; ++i)
        w.kernel_sends(Frame(60, i));
    w.port->flush();
    w.port->flush();
    BOOST_CHECK(w.ring.receive_all().empty());
    BOOST_CHECK_EQUAL(w.link->counters().get(ExceptionSend::port_full), 2);
    w.lent->takes = 7;
    w.port->flush();
    BOOST_CHECK_EQUAL(w.ring.receive_all().size(), 7);
    w.lent->takes = 1000;
    w.port->flush();
    const auto rest = w.ring.receive_all();
    BOOST_REQUIRE_EQUAL(rest.size(), 93);
    for (std::uint8_t i = 0; i < 93; ++i)
        BOOST_CHECK(rest[i] == Frame(60, static_cast<std::uint8_t>(i + 7)));
    BOOST_CHECK_EQUAL(w.link->counters().get(ExceptionSend::sent), 200);
    BOOST_CHECK_EQUAL(w.ring.mbufs_in_use(), 0);
    BOOST_CHECK(w.link->from_kernel().front().empty());

    w.lent->takes = 0;  // what waits at the end is freed
    w.kernel_sends(Frame(60, 1));
    w.port->flush();
    BOOST_CHECK_EQUAL(w.ring.mbufs_in_use(), 1);
    w.port.reset();
    BOOST_CHECK_EQUAL(w.ring.mbufs_in_use(), 0);
}

// A port whose other way to the kernel, a queue of virtio-user, is a ring.
struct VhostWorld {
    explicit VhostWorld(const ExceptionRates& rates = kExceptionRates) {
        auto device = std::make_unique<Lent>(ring.port());
        auto queue = std::make_unique<Lent>(kernel.port());
        lent = device.get();
        lent_kernel = queue.get();
        port = add_exception_path(std::move(device), 42, std::move(queue), counters.queue(0), rates,
                                  clock);
    }
    void punt(const Frame& frame) {
        BOOST_REQUIRE(ring.send(frame));
        rte_mbuf* m = nullptr;
        BOOST_REQUIRE_EQUAL(port->rx(&m, 1), 1);
        BOOST_REQUIRE(port->punt(m));
    }
    void nothing_is_left() {
        BOOST_CHECK_EQUAL(ring.mbufs_in_use(), 0);
        BOOST_CHECK_EQUAL(kernel.mbufs_in_use(), 0);
    }

    RingPort ring{"device"}, kernel{"vhost"};
    HandClock clock;
    ExceptionCounters counters{1};
    Lent* lent = nullptr;
    Lent* lent_kernel = nullptr;
    std::unique_ptr<Port> port;
};

BOOST_AUTO_TEST_CASE(frames_go_to_vhost_net_in_bursts_and_at_the_end_of_a_turn) {
    VhostWorld w;
    BOOST_CHECK_EQUAL(w.port->if_index(), 42);
    for (std::uint8_t i = 0; i < 40; ++i)
        w.punt(ethernet({0x0806}, Frame(28, i)));
    BOOST_CHECK_EQUAL(w.kernel.receive_all().size(), 32);
    BOOST_CHECK_EQUAL(w.counters.get(ExceptionKind::arp, ExceptionEnd::given), 32);
    w.port->flush();
    const auto rest = w.kernel.receive_all();
    BOOST_REQUIRE_EQUAL(rest.size(), 8);
    BOOST_CHECK(rest[7] == ethernet({0x0806}, Frame(28, 39)));
    BOOST_CHECK_EQUAL(w.counters.get(ExceptionKind::arp, ExceptionEnd::given), 40);
    w.nothing_is_left();
}

BOOST_AUTO_TEST_CASE(frames_that_vhost_net_refuses_are_dropped_and_counted_by_kind) {
    ExceptionRates rates = kExceptionRates;
    rates[static_cast<std::size_t>(ExceptionKind::icmp)] = 0;
    VhostWorld w(rates);
    w.lent_kernel->takes = 3;
    for (unsigned i = 0; i < 2; ++i) {
        w.punt(ethernet({0x0806}, Frame(28)));
        w.punt(ethernet({0x0800}, ipv4(6)));
        w.punt(ethernet({0x0800}, ipv4(1)));
    }
    w.port->flush();
    BOOST_CHECK_EQUAL(w.counters.get(ExceptionKind::arp, ExceptionEnd::given), 2);
    BOOST_CHECK_EQUAL(w.counters.get(ExceptionKind::tcp, ExceptionEnd::given), 1);
    BOOST_CHECK_EQUAL(w.counters.get(ExceptionKind::tcp, ExceptionEnd::ring_full), 1);
    BOOST_CHECK_EQUAL(w.counters.get(ExceptionKind::icmp, ExceptionEnd::over_rate), 2);
    BOOST_CHECK_EQUAL(w.kernel.receive_all().size(), 3);
    w.nothing_is_left();
}

BOOST_AUTO_TEST_CASE(frames_of_the_kernel_by_vhost_net_are_sent_by_the_port) {
    VhostWorld w;
    for (std::uint8_t i = 0; i < 100; ++i)
        BOOST_REQUIRE(w.kernel.send(Frame(60, i)));
    w.port->flush();
    const auto frames = w.ring.receive_all();
    BOOST_REQUIRE_EQUAL(frames.size(), 100);
    for (std::uint8_t i = 0; i < 100; ++i)
        BOOST_CHECK(frames[i] == Frame(60, i));
    BOOST_CHECK_EQUAL(w.counters.get(ExceptionSend::sent), 100);
    w.lent->takes = 0;  // it waits
    BOOST_REQUIRE(w.kernel.send(Frame(60, 1)));
    w.port->flush();
    BOOST_CHECK_EQUAL(w.counters.get(ExceptionSend::port_full), 1);
    w.lent->takes = 32;
    w.port->flush();
    BOOST_CHECK_EQUAL(w.ring.receive_all().size(), 1);
    w.nothing_is_left();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
