// The program that runs under the plugin `shared_lines`: whole workers, a thread and a CPU each, that serve counted numbers of
// queries. CPU 0 is the wire, the upstream and the thread `routers`.
//
//     cores_load -- WORKERS ROUNDS
//
// A round gives each worker a burst, and turns all workers at the same time until nothing moves any more. Only turns of
// workers, and what `routers` does with its rings and its row board, are traced: the wire is no core. Prints what the trace
// needs for names: `op NUMBER NAME WORKERS COUNT NS`, `zone NAME BEGIN END`, `object NAME BEGIN END`, and `code` with the files in
// /proc/self/maps.
#define BOOST_TEST_MODULE cores_load
#include <pthread.h>
#include <rte_lcore.h>
#include <rte_memzone.h>
#include <sched.h>

#include <array>
#include <barrier>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <functional>
#include <thread>

#include "cores/marker.h"
#include "packet/appliance.h"
#include "support/eal_fixture.h"

using steer::test::EalFixture;
BOOST_TEST_GLOBAL_FIXTURE(EalFixture);

namespace steer::test {
namespace {

using cores::mark;

constexpr unsigned kBurst = 32, kNames = 8, kWarmUp = 10, kRows = 1024;
// Turns without a frame after which nothing is on its way: a reply passes from its receiver to the owner of the question, to the
// receiver of the query, and its answer to a cache writer.
constexpr unsigned kQuiet = 4;

void pin(unsigned cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu % std::max(1U, std::thread::hardware_concurrency()), &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

// The workers' threads. step() turns each worker once, all at the same time.
class Cores {
  public:
    Cores(Appliance& a, unsigned workers)
        : begin_(static_cast<std::ptrdiff_t>(workers) + 1),
          end_(static_cast<std::ptrdiff_t>(workers) + 1) {
        for (unsigned i = 0; i < workers; ++i)
            threads_.emplace_back([this, &a, i] { run(a, i); });
    }
    ~Cores() {
        stopping_ = true;
        begin_.arrive_and_wait();
        for (std::thread& thread : threads_)
            thread.join();
    }
    Cores(const Cores&) = delete;
    Cores& operator=(const Cores&) = delete;

    // What all turns took together. Emulation makes it meaningless.
    [[nodiscard]] std::uint64_t busy_ns() const {
        std::uint64_t sum = 0;
        for (const Busy& one : busy_)
            sum += one.ns;
        return sum;
    }

    void step() {
        begin_.arrive_and_wait();
        end_.arrive_and_wait();
    }

  private:
    void run(Appliance& a, unsigned i) {
        pin(i + 1);
        if (rte_thread_register() != 0) rte_panic("no lcore for a worker\n");
        const Now now = a.now();
        for (;;) {
            begin_.arrive_and_wait();
            if (stopping_) break;
            const auto begin = std::chrono::steady_clock::now();
            mark<cores::kEnter>();
            a.worker(i).poll(now);
            mark<cores::kLeave>();
            busy_[i].ns += static_cast<std::uint64_t>(
                std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count());
            end_.arrive_and_wait();
        }
        rte_thread_unregister();
    }

    struct alignas(64) Busy {
        std::uint64_t ns = 0;
    };

    std::barrier<> begin_, end_;
    std::array<Busy, kMaxWorkers> busy_{};
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

// Another spelling of a name for each number.
std::string spelled(std::string name, unsigned number) {
    for (char& c : name) {
        if (c < 'a' || c > 'z') continue;
        if ((number & 1) != 0) c = static_cast<char>(c - 'a' + 'A');
        number >>= 1;
    }
    return name;
}

class Load {
  public:
    Load(unsigned workers, unsigned rounds)
        : workers_(workers),
          rounds_(rounds),
          a_({.workers = workers, .spread = true, .one_device = true}),
          cores_(a_, workers) {}

    // The name of the i-th query of all.
    using Names = std::function<std::string(unsigned i)>;

    template <unsigned number>
    void measure(const char* name, std::unique_ptr<Snapshot> program, const Names& names) {
        a_.publish(std::move(program));
        for (unsigned i = 0; i < kWarmUp; ++i)
            round(names);
        const std::uint64_t busy = cores_.busy_ns();
        mark<cores::kBegin + number>();
        for (unsigned i = 0; i < rounds_; ++i)
            round(names);
        mark<cores::kEnd + number>();
        const unsigned count = rounds_ * workers_ * kBurst;
        std::printf("op %u %s %u %u %lu\n", number, name, workers_, count,
                    (cores_.busy_ns() - busy) / count);
    }
    [[nodiscard]] std::uint64_t events() const { return events_; }
    Appliance& appliance() { return a_; }

  private:
    void round(const Names& names) {
        for (unsigned i = 0; i < kBurst; ++i) {
            for (unsigned w = 0; w < workers_; ++w) {
                a_.ask(names(asked_), 1, static_cast<std::uint16_t>(asked_),
                       {.port = static_cast<std::uint16_t>(40000 + i), .worker = w});
                ++asked_;
            }
        }
        std::size_t answered = 0;
        for (unsigned quiet = 0; quiet < kQuiet;) {
            cores_.step();
            quiet = a_.sort_output() ? 0 : quiet + 1;
            // A NIC gives the replies to its queues by hash.
            for (const Seen& query : a_.upstream_queries()) {
                DnsMessage reply = DnsMessage::response(0, query.qname(), 1);
                Bytes address{203, 0, 0, 0};  // each once
                for (unsigned byte = 1; byte < 4; ++byte)
                    address[byte] = static_cast<std::uint8_t>(replies_ >> (24 - 8 * byte));
                reply.record(DnsMessage::kAnswer, {0xc0, 12}, 1, 3600, address);
                a_.reply(query, reply, replies_++ % workers_);
            }
            answered += a_.answers().size();
        }
        BOOST_REQUIRE_EQUAL(answered, kBurst * workers_);
        mark<cores::kEnter>();
        acknowledge();
        mark<cores::kLeave>();
    }
    // `routers`, with a router that holds the last kRows addresses.
    void acknowledge() {
        for (const Event& e : a_.events()) {
            ++events_;
            a_.board().put(3, e.addresses[0], kForever, a_.lists()[3].epoch());
            rows_.push_back(e.addresses[0]);
            if (rows_.size() <= kRows) continue;
            a_.board().remove(3, rows_.front());
            rows_.pop_front();
        }
    }

    const unsigned workers_, rounds_;
    Appliance a_;
    Cores cores_;
    unsigned asked_ = 0, replies_ = 0;
    std::uint64_t events_ = 0;  // claims
    std::deque<IpAddress> rows_;
};

void print_places(Appliance& a, unsigned workers) {
    rte_memzone_walk(
        [](const rte_memzone* zone, void*) {
            const auto begin = reinterpret_cast<std::uintptr_t>(zone->addr);
            std::printf("zone %s %#lx %#lx\n", zone->name, begin, begin + zone->len);
        },
        nullptr);
    const auto object = [](const std::string& name, const auto& of) {
        const auto begin = reinterpret_cast<std::uintptr_t>(&of);
        std::printf("object %s %#lx %#lx\n", name.c_str(), begin, begin + sizeof of);
    };
    object("Shared", a.shared());
    object("ListStates", a.lists());
    object("NextHopTable", a.next_hops());
    for (unsigned i = 0; i < workers; ++i) {
        object("Counters", a.worker(i).counters());
        object("QueryCounters", a.worker(i).query_counters());
    }
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        if (line.find(" /") != std::string::npos) std::printf("code %s\n", line.c_str());
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(operations_are_served) {
    auto& suite = boost::unit_test::framework::master_test_suite();
    BOOST_REQUIRE_EQUAL(suite.argc, 3);
    const auto workers = static_cast<unsigned>(std::atoi(suite.argv[1]));
    const auto rounds = static_cast<unsigned>(std::atoi(suite.argv[2]));
    pin(0);
    mark<cores::kStart>();
    Load load(workers, rounds);
    Appliance& a = load.appliance();
    a.shared().cache->set_instance_size(0, 1024);  // so few that inserts evict, as in a full cache
    const auto list = [] { return policy_list(3); };
    // (Each name comes to every worker.)
    const auto known = [=](unsigned i) {
        return "n" + std::to_string(i / workers % kNames) + ".of-many-letters.stream.example";
    };
    const auto unknown = [](unsigned i) {
        return "u" + std::to_string(i) + ".d" + std::to_string(i % 97) + "stream.example";
    };
    const auto inserts = [&] { return a.count(Stat::cache_inserts); };
    const unsigned all = (rounds + kWarmUp) * workers * kBurst;

    load.measure<1>("packet_cache_hit", cache_list_forward(list()), known);
    const std::uint64_t from_packets = a.count(Stat::packet_cache_hits);
    load.measure<2>("shared_cache_hit", cache_list_forward(list()),
                    [&](unsigned i) { return spelled(known(i), i); });
    BOOST_CHECK_GE(a.count(Stat::cache_hits), 2 * (all - workers * kBurst));
    BOOST_CHECK_EQUAL(a.count(Stat::packet_cache_hits), from_packets);
    BOOST_CHECK_GE(from_packets, rounds * workers * kBurst);
    load.measure<3>("miss", forward_only(), unknown);
    std::uint64_t inserted = inserts();
    const std::uint64_t claimed = load.events();
    load.measure<4>("miss_insert", cache_forward(), unknown);
    BOOST_CHECK_EQUAL(inserts() - inserted, all);
    BOOST_CHECK_EQUAL(load.events(), claimed);
    load.measure<5>("miss_insert_claim", cache_list_forward(list()), [](unsigned i) {
        return "c" + std::to_string(i) + ".d" + std::to_string(i % 97) + ".stream.example";
    });
    BOOST_CHECK_EQUAL(load.events() - claimed, all);
    // One query in 16 of each worker misses, in another place of each worker's burst.
    inserted = inserts();
    std::array<unsigned, kMaxWorkers> missed{};
    load.measure<6>("mixed", cache_forward(), [&](unsigned i) {
        if ((i / workers + i % workers) % 16 != 0) return known(i);
        ++missed[i % workers];
        return unknown(i);
    });
    BOOST_CHECK_GE(inserts() - inserted, all / 16);
    for (unsigned w = 0; w < workers; ++w)
        BOOST_CHECK_EQUAL(missed[w], all / 16 / workers);
    print_places(a, workers);
}

}  // namespace steer::test
