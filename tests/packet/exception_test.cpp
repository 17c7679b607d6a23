// A whole worker on a port with a way to the kernel: every punted packet keeps one verdict, and the kernel's
// frames leave, also when the worker sleeps.
#include "dataplane/port/exception.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>

#include "packet/appliance.h"

namespace steer::test {
namespace {

// A ring port that says that it has a descriptor to sleep on, so that only a wake-up ends a sleep.
class QuietPort final : public Port {
  public:
    explicit QuietPort(Port& port) : Port(port), port_(port), fd_(::eventfd(0, EFD_NONBLOCK)) {}
    ~QuietPort() override { ::close(fd_); }
    std::uint16_t rx(rte_mbuf** out, std::uint16_t n) noexcept override { return port_.rx(out, n); }
    std::uint16_t tx(rte_mbuf** out, std::uint16_t n) noexcept override { return port_.tx(out, n); }
    [[nodiscard]] int wake_fd() const noexcept override { return fd_; }
    [[nodiscard]] rte_mempool* pool() const noexcept override { return port_.pool(); }

  private:
    Port& port_;
    int fd_;
};

// A second worker beside the appliance's, whose port has a way to the kernel.
struct World {
    World() {
        SnapshotMaker m;
        m.add(Op::reject, dns::kNxDomain);
        m.add(Op::end);
        appliance.publish(m.finish());
        port = add_exception_path(std::make_unique<QuietPort>(ring.port()), 9, link, 0, clock);
        worker = std::make_unique<Worker>(WorkerOptions{.index = 1, .workers = 2, .max_parked = 16},
                                          appliance.shared(), WorkerRings{},
                                          std::vector{port.get()}, sleeper, clock);
    }
    ~World() {
        worker.reset();
        port.reset();
        ::close(sleeper.event_fd());
    }
    void kernel_sends(const Frame& frame) {
        std::uint8_t* const room = link->from_kernel().begin_push();
        BOOST_REQUIRE(room != nullptr);
        std::copy(frame.begin(), frame.end(), room);
        link->from_kernel().push(static_cast<std::uint16_t>(frame.size()));
        link->wake_worker();
    }

    Appliance appliance;
    RingPort ring{"beside"};
    std::shared_ptr<ExceptionLink> link = std::make_shared<ExceptionLink>(ExceptionOptions{});
    BootClock clock;
    Sleeper sleeper{::eventfd(0, EFD_NONBLOCK)};
    std::unique_ptr<Port> port;
    std::unique_ptr<Worker> worker;
};

Frame arp_request() {
    Frame f(42, 0xff);
    f[12] = 0x08;
    f[13] = 0x06;
    return f;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(exception)

BOOST_AUTO_TEST_CASE(an_arp_request_is_punted_once_and_reaches_the_ring) {
    World w;
    w.ring.send(arp_request());
    w.ring.send(Frame(10));  // too short for Ethernet: a drop of its own
    while (w.worker->poll(w.clock.now())) {
    }
    const auto frame = w.link->to_kernel(0).front();
    BOOST_CHECK(Frame(frame.begin(), frame.end()) == arp_request());
    const Counters& c = w.worker->counters();
    BOOST_CHECK_EQUAL(c.get(Verdict::punted), 1);
    BOOST_CHECK_EQUAL(c.get(Verdict::drop_no_kernel), 0);
    BOOST_CHECK_EQUAL(c.get(Verdict::drop_short_frame), 1);
    BOOST_CHECK_EQUAL(c.get(Stat::rx_packets), 2);
    BOOST_CHECK_EQUAL(w.link->counters().get(ExceptionKind::arp, ExceptionEnd::given), 1);
    BOOST_CHECK_EQUAL(w.ring.mbufs_in_use(), 0);
}

BOOST_AUTO_TEST_CASE(a_frame_of_the_kernel_wakes_a_sleeping_worker_and_leaves) {
    World w;
    std::thread thread([&] { w.worker->run(); });
    const auto begun = std::chrono::steady_clock::now();
    constexpr unsigned kRounds = 20;
    std::uint64_t slept = 0;
    for (unsigned round = 1; round <= kRounds; ++round) {
        while (w.worker->counters().get(Stat::sleeps) == slept)
            std::this_thread::yield();
        slept = w.worker->counters().get(Stat::sleeps);
        w.kernel_sends(Frame(60, static_cast<std::uint8_t>(round)));
        Frame sent;
        while ((sent = w.ring.receive()).empty())
            std::this_thread::yield();
        BOOST_CHECK(sent == Frame(60, static_cast<std::uint8_t>(round)));
    }
    // Without being woken it would check every half second.
    BOOST_CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(kRounds / 4));
    w.worker->stop();
    thread.join();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
