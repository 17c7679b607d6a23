// One worker on a net_pcap port that repeats its file for ever: nanoseconds a packet, as JSON on standard output.
//
// The configuration is configs/minimal.yaml with a `cache` in front; the answers are put in through the keeper, the router
// is a real connection. tests/bench/cached.py runs it against testpmd.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "bench/cached_scene.h"
#include "dataplane/port/ethdev.h"

namespace steer::bench {
namespace {

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
}  // namespace steer::bench

int main(int argc, char** argv) {
    using namespace steer;
    using namespace steer::bench;
    SceneOptions scene;
    scene.router_port = 8728;
    std::string pcap;
    double seconds = 2;
    bool no_huge = false;
    EthdevOptions port;
    port.descriptors = 1024;
    port.mbufs = 131'072;
    CLI::App app{"bench_cached"};
    app.add_option("--pcap", pcap)->required();
    app.add_option("--names", scene.names)->required();
    app.add_option("--config", scene.config)->required();
    app.add_option("--router-port", scene.router_port);
    app.add_option("--seconds", seconds);
    app.add_option("--mbufs", port.mbufs);
    app.add_flag("--no-huge", no_huge);
    CLI11_PARSE(app, argc, argv);

    start_eal(no_huge);
    auto ports = open_vdev("net_pcap", "rx_pcap=" + pcap + ",infinite_rx=1", port);
    if (!ports) fail(ports.error().sentence());
    CachedScene cached(scene, *ports->front());
    cached.plane().start();
    measure(cached.plane(), seconds);
    return 0;
}
