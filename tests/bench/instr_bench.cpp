// Instructions of the worker's loop for an answer, counted by callgrind (--collect-atstart=no): one worker on a ring
// port, turned by this thread. Prints how many answers were counted; tests/bench/instr.py divides.
//
// Each turn has a full burst. Only Worker::poll() is counted, after every query was asked twice: the cache, the claims
// and the worker's memos know each name by then.
#include <valgrind/callgrind.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "bench/cached_scene.h"
#include "dataplane/burst.h"
#include "support/ring_port.h"

namespace steer::bench {
namespace {

using Frames = std::vector<test::Frame>;

Frames read_frames(const std::string& file) {
    Frames frames = read_pcap(file);
    if (frames.size() < kBurst) fail(file + " has no burst of queries");
    return frames;
}

// Each query once, in full bursts. What came back.
std::size_t ask_all(const Frames& frames, test::RingPort& ring, CachedScene& scene, bool counted) {
    std::size_t answers = 0;
    for (std::size_t at = 0; at + kBurst <= frames.size(); at += kBurst) {
        for (std::size_t i = at; i < at + kBurst; ++i) {
            if (!ring.send(frames[i])) fail("the ring is full");
        }
        const Now now = scene.clock().now();
        if (counted) CALLGRIND_TOGGLE_COLLECT;
        scene.plane().worker(0).poll(now);
        if (counted) CALLGRIND_TOGGLE_COLLECT;
        for (const test::Frame& reply : ring.receive_all())
            answers += (reply.at(14 + 20 + 8 + 2) >> 7) & 1U;
    }
    return answers;
}

}  // namespace
}  // namespace steer::bench

int main(int argc, char** argv) {
    using namespace steer;
    using namespace steer::bench;
    SceneOptions scene;
    std::string pcap;
    CLI::App app{"bench_instr"};
    app.add_option("--pcap", pcap)->required();
    app.add_option("--names", scene.names)->required();
    app.add_option("--config", scene.config)->required();
    app.add_option("--router-port", scene.router_port);
    CLI11_PARSE(app, argc, argv);

    start_eal(true);
    const Frames frames = read_frames(pcap);
    test::RingPort ring("bench");
    const std::array<Port*, 1> ports{&ring.port()};
    CachedScene cached(scene, ports);
    ask_all(frames, ring, cached, false);
    const std::uint64_t expected = frames.size() / kBurst * kBurst;
    if (ask_all(frames, ring, cached, false) != expected) fail("not every query is answered");
    const std::size_t answers = ask_all(frames, ring, cached, true);
    std::printf("{\"answers\": %zu}\n", answers);
    return answers == expected ? 0 : 1;
}
