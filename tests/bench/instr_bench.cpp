// Instructions of the worker's loop for an answer, counted by callgrind (--collect-atstart=no): one worker on a ring
// port, turned by this thread. Prints how many answers were counted; tests/bench/instr.py divides.
//
// Each turn has a full burst. Only Worker::poll() is counted, after every query was asked twice: the cache, the claims
// and the worker's memos know each name by then. With --miss no name comes twice: query in, upstream query out, the
// upstream's reply in, answer out and into the cache, where another has to leave for it.
#include <valgrind/callgrind.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <span>

#include "bench/bare_answerer.h"
#include "bench/cached_scene.h"
#include "dataplane/stages/burst.h"
#include "support/ring_port.h"

namespace steer::bench {
namespace {

using Frames = std::vector<test::Frame>;

Frames read_frames(const std::string& file) {
    Frames frames = read_pcap(file);
    if (frames.size() < kBurst) fail(file + " has no burst of queries");
    return frames;
}

// Each query once, in full bursts, at one time. What returned.
std::size_t ask_all(const Frames& frames, test::RingPort& ring, CachedScene& scene, Now now,
                    bool counted) {
    std::size_t answers = 0;
    for (std::size_t at = 0; at + kBurst <= frames.size(); at += kBurst) {
        for (std::size_t i = at; i < at + kBurst; ++i) {
            if (!ring.send(frames[i])) fail("the ring is full");
        }
        if (counted) CALLGRIND_TOGGLE_COLLECT;
        scene.runtime().worker(0).poll(now);
        if (counted) CALLGRIND_TOGGLE_COLLECT;
        for (const test::Frame& reply : ring.receive_all())
            answers += (reply.at(14 + 20 + 8 + 2) >> 7) & 1U;
    }
    return answers;
}

// The upstream's reply to what was sent from the port: one A record.
test::Frame upstream_reply(const test::Frame& frame) {
    std::string wrong;
    const auto query = test::read_udp_frame(frame, wrong);
    if (!query || !wrong.empty() || query->to_port != 53) fail("no upstream query: " + wrong);
    const Bytes& q = query->payload;
    const auto zero = std::find(q.begin() + 12, q.end(), 0);
    Bytes reply{q[0], q[1], 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0};
    reply.insert(reply.end(), q.begin() + 12, zero + 5);
    for (const int byte : {0xc0, 12, 0, 1, 0, 1, 0, 1, 0x51, 0x80, 0, 4, 192, 0, 2, 1})
        reply.push_back(static_cast<std::uint8_t>(byte));
    return test::make_udp_frame({.from_mac = query->to_mac,
                                 .to_mac = query->from_mac,
                                 .from = query->to,
                                 .to = query->from,
                                 .from_port = query->to_port,
                                 .to_port = query->from_port,
                                 .payload = reply});
}

// These queries once, in full bursts, each answered by the upstream a millisecond later. The answers that returned.
std::size_t miss_all(std::span<const test::Frame> frames, test::RingPort& ring, CachedScene& scene,
                     Now& now, bool counted) {
    const auto turn = [&](std::span<const test::Frame> burst) {
        for (const test::Frame& frame : burst) {
            if (!ring.send(frame)) fail("the ring is full");
        }
        ++now.ms;
        if (counted) CALLGRIND_TOGGLE_COLLECT;
        scene.runtime().worker(0).poll(now);
        if (counted) CALLGRIND_TOGGLE_COLLECT;
        return ring.receive_all();
    };
    std::size_t answers = 0;
    for (; frames.size() >= kBurst; frames = frames.subspan(kBurst)) {
        std::vector<test::Frame> replies = turn(frames.first(kBurst));
        for (test::Frame& frame : replies)
            frame = upstream_reply(frame);
        for (const test::Frame& reply : turn(replies))
            answers += (reply.at(14 + 20 + 8 + 2) >> 7) & 1U;
    }
    return answers;
}

std::size_t misses(const Frames& frames, test::RingPort& ring, CachedScene& scene) {
    const std::span all{frames};
    const std::size_t half = frames.size() / 2 / kBurst * kBurst;
    Now now = scene.clock().now();
    if (miss_all(all.first(half), ring, scene, now, false) != half)
        fail("not every miss is answered");
    const std::size_t answers = miss_all(all.subspan(half, half), ring, scene, now, true);
    if (answers != half) fail("not every counted miss is answered");
    return answers;
}

// Each query once, in full bursts, counted; the first burst fills what a turn holds.
std::size_t bare_answers(const Frames& frames, test::RingPort& ring) {
    BareAnswerer answerer(ring.port(), {});
    std::size_t answers = 0;
    for (std::size_t at = 0; at + kBurst <= frames.size(); at += kBurst) {
        for (std::size_t i = at; i < at + kBurst; ++i) {
            if (!ring.send(frames[i])) fail("the ring is full");
        }
        if (at != 0) CALLGRIND_TOGGLE_COLLECT;
        answerer.turn();
        if (at != 0) CALLGRIND_TOGGLE_COLLECT;
        answers += ring.receive_all().size();
    }
    answerer.turn();
    if (answers != (frames.size() / kBurst - 1) * kBurst) fail("not every query is answered");
    return answers;
}

std::size_t hits(const Frames& frames, test::RingPort& ring, CachedScene& scene) {
    const std::size_t expected = frames.size() / kBurst * kBurst;
    ask_all(frames, ring, scene, scene.clock().now(), false);
    // Then all in one second, however slow this machine is: replies are ready for a second.
    const Now now = scene.clock().now();
    if (ask_all(frames, ring, scene, now, false) != expected) fail("not every query is answered");
    const std::size_t answers = ask_all(frames, ring, scene, now, true);
    if (answers != expected) fail("not every counted query is answered");
    return answers;
}

}  // namespace
}  // namespace steer::bench

int main(int argc, char** argv) {
    using namespace steer;
    using namespace steer::bench;
    SceneOptions scene;
    std::string pcap;
    bool miss = false, bare = false;
    CLI::App app{"bench_instr"};
    app.add_option("--pcap", pcap)->required();
    app.add_option("--names", scene.names);
    app.add_option("--config", scene.config);
    app.add_option("--router-port", scene.router_port);
    app.add_option("--ads", scene.ads);
    app.add_flag("--miss", miss);
    app.add_flag("--bare", bare, "the worker without DNS (bare_answerer.h)");
    CLI11_PARSE(app, argc, argv);

    start_eal(true);
    const Frames frames = read_frames(pcap);
    if (miss) scene.upstream_index = 1;
    test::RingPort ring("bench", scene.upstream_index);
    if (bare) {
        std::printf("{\"answers\": %zu}\n", bare_answers(frames, ring));
        return 0;
    }
    if (scene.names.empty() || scene.config.empty()) fail("give --names and --config");
    const std::array<Port*, 1> ports{&ring.port()};
    CachedScene cached(scene, ports);
    std::printf("{\"answers\": %zu}\n",
                miss ? misses(frames, ring, cached) : hits(frames, ring, cached));
    return 0;
}
