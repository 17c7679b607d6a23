// bench_bare: a worker without DNS in our place (bare_answerer.h), with the same port code, pool,
// burst, descriptors and idle mode. What it costs is the floor of a bench (tests/bench/floors.py).
//
// --pcap FILE          nanoseconds a packet, as JSON on standard output
// --memif ARGUMENTS    serves a memif until SIGTERM
// --device NAME        serves 192.0.2.1 to the queries for --address over AF_XDP until SIGTERM; with
//                      --upstream it forwards them
// --rate               no worker: the CPU's highest rate of instructions per nanosecond
#include <arpa/inet.h>
#include <pthread.h>
#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_pause.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <array>
#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>

#include "bench/bare_answerer.h"
#include "bench/fail.h"
#include "bench/instruction_rate.h"
#include "bench/start_eal.h"
#include "bench/thread_time.h"
#include "bench/turn_gaps.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/ring.h"
#include "dataplane/port/eal.h"
#include "dataplane/port/ethdev.h"
#include "dataplane/port/xdp_device.h"
#include "dataplane/stages/idle.h"

namespace steer::bench {

void fail(const std::string& why) {
    std::fprintf(stderr, "bench_bare: %s\n", why.c_str());
    std::exit(1);
}

namespace {

struct Options {
    std::string pcap, memif, device, address, upstream, gaps;
    double seconds = 2;
    unsigned cpu = 0, mib = 256;
    bool no_huge = false, spin = false, rate = false;
    EthdevOptions port;
    BareOptions bare;
};

template <class T>
T must(Result<T> result) {
    if (!result) fail(result.error().sentence());
    return std::move(*result);
}

IpAddress address_of(const std::string& text) {
    const auto address = IpAddress::parse(text);
    if (!address || !address->is_v4()) fail("'" + text + "' is no IPv4 address");
    return *address;
}

std::uint32_t in_network_order(const IpAddress& address) {
    std::uint32_t word = 0;
    std::memcpy(&word, address.v4(), sizeof word);
    return word;
}

// `work` outlives the worker's end.
void on_worker(std::function<void()>& work) {
    const auto launched = rte_eal_remote_launch(
        [](void* what) {
            (*static_cast<std::function<void()>*>(what))();
            return 0;
        },
        &work, Eal::lcore_of_worker(0));
    if (launched != 0) fail("the worker's thread does not start");
}

// Turns for some seconds; nanoseconds of the thread.
std::int64_t run_for(BareAnswerer& answerer, double seconds) {
    constexpr unsigned kTurns = 256;  // between two reads of the clock
    const auto cycles = static_cast<std::uint64_t>(seconds * static_cast<double>(rte_get_tsc_hz()));
    const std::int64_t begin_ns = thread_ns();
    for (const std::uint64_t begin = rte_rdtsc(); rte_rdtsc() - begin < cycles;) {
        for (unsigned i = 0; i < kTurns; ++i)
            answerer.turn();
    }
    return thread_ns() - begin_ns;
}

int measure_pcap(const Options& options) {
    constexpr double kWarmSeconds = 0.7;
    start_eal_on("0@0,1@" + std::to_string(options.cpu), options.mib, options.no_huge);
    const Ports ports =
        must(open_vdev("net_pcap", "rx_pcap=" + options.pcap + ",infinite_rx=1", options.port));
    BareAnswerer answerer(*ports.front(), options.bare);
    double ns = 0;
    std::uint64_t packets = 0;
    std::function<void()> work = [&] {
        run_for(answerer, kWarmSeconds);
        const std::uint64_t before = answerer.sent();
        ns = static_cast<double>(run_for(answerer, options.seconds));
        packets = answerer.sent() - before;
    };
    on_worker(work);
    rte_eal_mp_wait_lcore();
    if (packets == 0) fail("no packet came");
    std::printf("{\"ns_per_packet\": %.2f, \"packets\": %" PRIu64 ", \"sum\": %" PRIu64 "}\n",
                ns / static_cast<double>(packets), packets, answerer.sum());
    return 0;
}

// Idle as Worker::run() is, with the same code.
void serve(Port& port, BareAnswerer& answerer, bool spins, TurnGaps* gaps,
           const std::atomic<bool>& stopping) {
    Sleeper sleeper;
    port.set_sleeper(sleeper);
    const std::array<Port*, 1> ports{&port};
    Sleep sleep(ports, sleeper);
    BootClock clock;
    LoadNaps load;
    unsigned empty_turns = 0, sleeps = 0;
    std::uint64_t last = 0;
    if (!spins) Sleep::be_punctual();
    while (!stopping.load(std::memory_order_relaxed)) {
        if (gaps != nullptr) gaps->turn(last);
        if (answerer.turn()) {
            empty_turns = sleeps = 0;
            continue;
        }
        if (spins) continue;
        rte_pause();
        if (++empty_turns == Sleep::kTurnsUnderLoad && !sleep.naps() &&
            load.wants(answerer.received())) {
            load.pause(answerer.received(), true);
            Sleep::nap();
            empty_turns = 0;
            continue;
        }
        if (empty_turns < sleep.empty_turns()) continue;
        sleeper.going_to_sleep();
        sleep.arm();
        if (answerer.turn()) {  // the last check
            sleep.disarm();
            sleeper.awake();
            empty_turns = sleeps = 0;
            continue;
        }
        load.pause(answerer.received(), false);
        sleep.until(~std::uint64_t{0}, clock.now(), ++sleeps);
        empty_turns = sleep.empty_turns() - 2;
    }
}

// Until SIGTERM, which this thread alone takes.
void serve_until_sigterm(Port& port, const Options& options) {
    BareAnswerer answerer(port, options.bare);
    std::atomic<bool> stopping{false};
    TurnGaps* const gaps = options.gaps.empty() ? nullptr : TurnGaps::open(options.gaps.c_str());
    std::function<void()> work = [&] { serve(port, answerer, options.spin, gaps, stopping); };
    on_worker(work);
    std::puts("serving");
    std::fflush(stdout);
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    int number = 0;
    sigwait(&ends, &number);
    stopping.store(true);
    rte_eal_mp_wait_lcore();
}

int serve_memif(const Options& options) {
    const Ports ports = must(open_vdev("net_memif", options.memif, options.port));
    serve_until_sigterm(*ports.front(), options);
    return 0;
}

int serve_device(Options options) {
    const IpAddress own = address_of(options.address);
    const auto device = must(XdpDevice::open(options.device, {}));
    const auto ports = device->take_ports();
    const std::array service{own};
    if (auto done = device->steering().set_addresses(service, {}); !done)
        fail(done.error().sentence());
    if (!options.upstream.empty()) {
        const std::array upstream{UpstreamEndpoint{address_of(options.upstream), 53}};
        options.bare.own = in_network_order(own);
        options.bare.upstream = in_network_order(upstream.front().address);
        device->steering().set_port_range(BareOptions::kFirstPort, BareOptions::kLastPort);
        if (auto done = device->steering().set_upstreams(upstream); !done)
            fail(done.error().sentence());
    }
    serve_until_sigterm(*ports.front(), options);
    return 0;
}

int run(const Options& options) {
    if (options.rate) {
        std::printf("%.2f\n", highest_instruction_rate());
        return 0;
    }
    if (!options.pcap.empty()) return measure_pcap(options);
    sigset_t ends;  // blocked in the threads that EAL starts, too
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    const auto eal = must(Eal::start({.worker_cpus = {options.cpu},
                                      .memory_bytes = std::uint64_t{options.mib} << 20,
                                      .shares_memory = !options.memif.empty()}));
    return options.memif.empty() ? serve_device(options) : serve_memif(options);
}

}  // namespace
}  // namespace steer::bench

int main(int argc, char** argv) {
    using namespace steer::bench;
    Options options;
    CLI::App app{"bench_bare"};
    app.add_option("--pcap", options.pcap);
    app.add_option("--memif", options.memif);
    app.add_option("--device", options.device);
    app.add_option("--address", options.address);
    app.add_option("--upstream", options.upstream);
    app.add_option("--seconds", options.seconds);
    app.add_option("--cpu", options.cpu, "of the worker");
    app.add_option("--mib", options.mib, "memory of the EAL");
    app.add_option("--mbufs", options.port.mbufs);
    app.add_option("--entries", options.bare.entries);
    app.add_option("--records", options.bare.records);
    app.add_flag("--one-to", options.bare.one_to, "from one to so many records");
    app.add_flag("--no-huge", options.no_huge);
    app.add_flag("--spin", options.spin);
    app.add_flag("--rate", options.rate);
    app.add_option("--gaps", options.gaps, "a file for those between turns (turn_gaps.h)");
    CLI11_PARSE(app, argc, argv);
    if (!options.rate && options.pcap.empty() && options.memif.empty() && options.device.empty())
        fail("which port? Give --pcap, --memif or --device");
    return run(options);
}
