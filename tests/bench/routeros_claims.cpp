// What a million claims take in memory, and in time of the engine's loop.
#include <malloc.h>

#include <algorithm>
#include <cmath>

#include "fail.h"
#include "routeros_scenes.h"

namespace steer::bench {
namespace {

using routeros::test::Lab;

constexpr std::uint32_t kClaims = 1'000'000;
constexpr std::uint32_t kEventsPerSecond = 20'000;

// Of the whole process, in use.
std::size_t heap_bytes() {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

// 24 bytes: as long as names of hosts are.
std::string name(std::uint32_t n) {
    std::string digits = std::to_string(n);
    digits.insert(0, 7 - std::min<std::size_t>(7, digits.size()), '0');
    return "host-" + digits + ".example.net";
}

Lab lab_for_all(std::uint32_t claims = kClaims) {
    auto list = routeros::test::list_config();
    list.max_rows = claims;
    return Lab{router_like("fast"), routeros::test::router_config({list})};
}

double bytes_per_claim() {
    Lab lab = lab_for_all();
    const std::size_t before = heap_bytes();
    for (std::uint32_t i = 0; i < kClaims; ++i)
        lab.claim(1, {address(i)}, 1770, 1800, 0, name(i));
    return std::round(static_cast<double>(heap_bytes() - before) / kClaims);
}

// How long after its coming each event is done with, if events come at an even rate and the loop's
// work takes what it took.
std::vector<std::int64_t> loop_delays_us() {
    Lab lab = lab_for_all();
    if (!lab.sync()) fail("the router is not in sync");
    std::vector<std::int64_t> delays;
    const std::int64_t start_us = lab.now_us;
    std::int64_t free_ns = 0;
    for (std::uint32_t i = 0; i < kClaims; ++i) {
        const std::int64_t due_us = std::int64_t{i} * kSecondUs / kEventsPerSecond;
        const std::string of = name(i), at = address(i);
        const std::int64_t begun_ns = thread_ns();
        lab.run_until(start_us + due_us);
        lab.claim(1, {at}, 1770, 1800, 0, of);
        const std::int64_t took_ns = thread_ns() - begun_ns;
        free_ns = std::max(free_ns, due_us * 1000) + took_ns;
        delays.push_back(free_ns / 1000 - due_us);
    }
    return delays;
}

// The longest that the loop is busy at a time while a router with as many claims as a list may have
// connects.
double longest_step_ms() {
    Lab lab{router_like("fast")};
    lab.reachable = false;
    lab.start();
    const auto claims = static_cast<std::uint32_t>(routeros::ListConfig{}.max_rows);
    for (std::uint32_t i = 0; i < claims; ++i)
        lab.claim(1, {address(i)}, 1770, 1800, 0, name(i));
    lab.reachable = true;
    std::int64_t longest_ns = 0, begun_ns = thread_ns();
    const auto has_rows = [&] {
        const std::int64_t now_ns = thread_ns();
        longest_ns = std::max(longest_ns, now_ns - begun_ns);
        begun_ns = now_ns;
        return lab.sim.row_count(rossim::Family::ipv4) > 100;
    };
    if (!lab.run_until(lab.now_us + 60 * kSecondUs, has_rows)) fail("rows are missing");
    return static_cast<double>(longest_ns) / 1e6;
}

}  // namespace

boost::json::object measure_growth(std::uint32_t claims) {
    Lab lab = lab_for_all(claims);
    lab.reachable = false;
    lab.start();
    const std::size_t before = heap_bytes();
    const std::int64_t begun_ns = thread_ns();
    for (std::uint32_t i = 0; i < claims; ++i)
        lab.claim(1, {address(i)}, 1770, 1800, 0, name(i));
    const std::int64_t first_ns = thread_ns() - begun_ns;
    const std::size_t bytes = heap_bytes() - before;
    // Again, as a cached name that is asked for once more: a renewal in the engine, no new row.
    constexpr std::uint32_t kAgain = 100'000;
    const std::int64_t again_ns = thread_ns();
    for (std::uint32_t i = 0; i < kAgain; ++i) {
        const auto n = static_cast<std::uint32_t>(std::uint64_t{i} * 2'654'435'761U % claims);
        lab.claim(1, {address(n)}, 1770, 1800, 0, name(n));
    }
    const std::int64_t renewed_ns = thread_ns() - again_ns;
    if (lab.router->status().claims != claims) fail("the engine does not hold every claim");
    return {{"claim_ns", rounded(static_cast<double>(first_ns) / claims)},
            {"again_ns", rounded(static_cast<double>(renewed_ns) / kAgain)},
            {"claim_bytes", std::round(static_cast<double>(bytes) / claims)}};
}

boost::json::object measure_claims() {
    const double bytes = bytes_per_claim();
    const auto delays_us = loop_delays_us();
    const auto longest_us = *std::max_element(delays_us.begin(), delays_us.end());
    return {{"claim_bytes", static_cast<std::int64_t>(bytes)},
            {"loop_p99_ms", p99_ms(delays_us)},
            {"loop_longest_ms", static_cast<double>(longest_us) / 1000},
            {"connect_step_ms", rounded(longest_step_ms())}};
}

}  // namespace steer::bench
