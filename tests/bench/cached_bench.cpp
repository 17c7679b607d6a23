// One worker on a net_pcap port that repeats its file for ever: nanoseconds a packet, as JSON on standard output.
//
// The configuration is configs/minimal.yaml with a `cache` in front; the answers are put in through the keeper, the router
// is a real connection. tests/bench/cached.py runs it against testpmd.
#include <rte_eal.h>
#include <rte_rcu_qsbr.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "control/build/build.h"
#include "control/build/publish.h"
#include "control/config/load.h"
#include "control/plane.h"
#include "control/published.h"
#include "control/router_thread.h"
#include "dataplane/cache/admit.h"
#include "dataplane/cache/insert.h"
#include "dataplane/port/ethdev.h"
#include "support/dns_message.h"

namespace {

using namespace steer;

struct Arguments {
    std::string pcap, names, config;
    unsigned router_port = 8728;
    double seconds = 2;
    unsigned mbufs = 131'072;
    bool no_huge = false;
};

[[noreturn]] void fail(const std::string& why) {
    std::fprintf(stderr, "bench_cached: %s\n", why.c_str());
    std::exit(1);
}

template <class T>
T must(Result<T> result) {
    if (!result) fail(result.error().sentence());
    return std::move(*result);
}

void start_eal(bool no_huge) {
    std::vector<std::string> words{"bench",          "-l", "0,1",  "--no-pci",
                                   "--no-telemetry", "-m", "1200", "--log-level=*:error"};
    if (no_huge) {
        words.insert(words.end(), {"--no-huge", "--no-shconf"});
    } else {
        words.emplace_back("--in-memory");
    }
    std::vector<char*> argv;
    for (auto& word : words)
        argv.push_back(word.data());
    if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) fail("EAL does not start");
}

// The example with the router at `port` and a cache in front of all.
std::string configuration(const std::string& file, unsigned port) {
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    std::string s = text.str();
    const auto replace = [&s](const std::string& from, const std::string& to) {
        const auto at = s.find(from);
        if (at == std::string::npos) fail("the configuration has no " + from);
        s.replace(at, from.size(), to);
    };
    replace("172.16.1.1:8728", "127.0.0.1:" + std::to_string(port));
    replace("    args:\n      - matches: \"$match_policy_domain\"",
            "    args:\n      - exec: \"cache short_circuit\"\n      - matches: "
            "\"$match_policy_domain\"");
    return s;
}

std::vector<std::string> read_names(const std::string& file) {
    std::vector<std::string> names;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);)
        names.push_back(line);
    return names;
}

// Puts an answer of two addresses for each name into the cache, as a worker would that had just got it.
void fill(Plane& plane, const Snapshot& snapshot, const std::vector<std::string>& names,
          Clock& clock) {
    Counters counters;
    const Now now = clock.now();
    unsigned serial = 0;
    const std::array policy_lists{snapshot.lists.front().id};
    for (const auto& name : names) {
        const auto wire = test::wire_name(name);
        auto response = test::DnsMessage::response(1, name, dns::kA);
        const auto low = static_cast<std::uint8_t>(serial);
        // With names compressed, as servers send them.
        const test::Bytes owner{0xc0, 0x0c};
        response.record(test::DnsMessage::kAnswer, owner, dns::kA, 3600, {198, 51, 100, low});
        response.record(test::DnsMessage::kAnswer, owner, dns::kA, 3600, {198, 51, 101, low});
        Buffer* const answer = plane.shared().buffers->take(kSmallBuffer);
        dns::UpstreamFacts facts;
        if (dns::build_answer(response.bytes(), wire, dns::kA, dns::kIn, false, answer->room(),
                              facts) != dns::AnswerError::none) {
            fail("the answer for " + name + " does not build");
        }
        answer->length = static_cast<std::uint32_t>(answer->answer().size());
        answer->serial = ++serial;
        answer->born_ms = now.ms;
        const cache::KeyFacts key{wire, dns::kA, dns::kIn, snapshot.caches.front().id, 0};
        cache::InsertTerms terms;
        terms.life_s = cache::cacheable_for_s(answer->answer(), snapshot.caches.front());
        if (name.ends_with(".stream.example")) {
            terms.lists = policy_lists;
            terms.ttl_cap_s =
                snapshot.lists.front().max_ttl_s - snapshot.lists.front().extra_time_s;
        }
        Buffer* const insert = cache::build_insert(
            *plane.shared().buffers, (*plane.shared().hasher)(key), key, *answer, terms);
        if (insert == nullptr) fail("the cache does not take " + name);
        plane.shared().cache->insert(*insert, now, counters);
        release(insert);
        release(answer);
    }
    if (counters.get(Stat::cache_inserts) != names.size()) fail("not every answer is in the cache");
}

// Nanoseconds that the worker's thread was on a CPU (schedstat, first field).
std::uint64_t worker_cpu_ns() {
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        std::getline(std::ifstream(task.path() / "comm"), name);
        if (name.find("worker") == std::string::npos) continue;
        std::uint64_t ns = 0;
        std::ifstream(task.path() / "schedstat") >> ns;
        return ns;
    }
    fail("no thread is called worker");
}

void await_router(const RouterThread& routers) {
    for (int i = 0; i < 100; ++i) {
        const auto all = routers.status();
        if (!all.empty() && all.front().state.state == routeros::RouterState::in_sync) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    fail("the router does not come into sync");
}

void measure(Plane& plane, double seconds) {
    const Counters& counters = plane.worker(0).counters();
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    const auto packets = counters.get(Stat::rx_packets);
    const auto answered = counters.get(Verdict::answered);
    const auto spent = worker_cpu_ns();
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    const auto packets2 = counters.get(Stat::rx_packets);
    const auto answered2 = counters.get(Verdict::answered);
    const auto spent2 = worker_cpu_ns();
    if (packets2 == packets) fail("no packet came");
    std::printf("{\"ns_per_packet\": %.2f, \"answered_share\": %.5f, \"packets\": %llu}\n",
                static_cast<double>(spent2 - spent) / static_cast<double>(packets2 - packets),
                static_cast<double>(answered2 - answered) / static_cast<double>(packets2 - packets),
                static_cast<unsigned long long>(packets2 - packets));
}

}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    CLI::App app{"bench_cached"};
    app.add_option("--pcap", arguments.pcap)->required();
    app.add_option("--names", arguments.names)->required();
    app.add_option("--config", arguments.config)->required();
    app.add_option("--router-port", arguments.router_port);
    app.add_option("--seconds", arguments.seconds);
    app.add_option("--mbufs", arguments.mbufs);
    app.add_flag("--no-huge", arguments.no_huge);
    CLI11_PARSE(app, argc, argv);

    start_eal(arguments.no_huge);
    const auto loaded =
        config::load_text(configuration(arguments.config, arguments.router_port), arguments.config);
    if (!loaded.ok()) fail(loaded.errors.front().sentence());
    build::Registry registry;
    build::Surroundings around;
    around.own_networks = {must(matchers::Prefix::parse("10.0.0.0/8"))};
    auto built = build::build(loaded.settings, around, registry);
    if (!built.ok()) fail(built.errors.front().sentence());
    const Snapshot& snapshot = *built.snapshot;

    PlaneOptions options;
    options.idle = Idle::spin;
    options.cache_bytes = std::size_t{16} << 20;
    options.cache_entries = {snapshot.caches.front().size};
    EthdevOptions port;
    port.descriptors = 1024;
    port.mbufs = arguments.mbufs;
    auto ports = must(open_vdev("net_pcap", "rx_pcap=" + arguments.pcap + ",infinite_rx=1", port));

    BootClock clock;
    Plane plane(options);
    build::Publisher publisher(plane.shared());
    Published<NextHopTable> hops(plane.shared().next_hops, plane.shared().qsbr);
    auto table = std::make_unique<NextHopTable>();
    table->service_addresses = {*IpAddress::parse("10.255.255.53")};
    table->own_addresses = table->service_addresses;
    table->service_ports = {53};
    hops.put(std::move(table));
    plane.add_worker({ports.front().get()}, clock);
    fill(plane, snapshot, read_names(arguments.names), clock);
    must(publisher.publish(built.snapshot, clock.now()));
    RouterThread routers(plane, clock, built.routers, [](routeros::Level, const std::string& s) {
        std::fprintf(stderr, "%s\n", s.c_str());
    });
    routers.start();
    await_router(routers);
    plane.start();
    measure(plane, arguments.seconds);
    plane.stop();
    routers.stop(0);
    return 0;
}
