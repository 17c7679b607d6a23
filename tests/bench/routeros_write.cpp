// How fast rows are written: a full router, and one of fifty.
#include <algorithm>
#include <deque>

#include "fail.h"
#include "routeros_scenes.h"
#include "tools/rossim/cost.h"

namespace steer::bench {
namespace {

using routeros::Outcome;
using routeros::RouterState;
using routeros::test::Lab;

constexpr std::uint32_t kWrittenRows = 28'700;
constexpr std::uint32_t kWrittenTtlS = 1770, kLifeS = 1800;

// What held answers waited for their rows, while all the others were written.
struct Held {
    std::vector<std::int64_t> asked_us{0};  // by token

    void ask(Lab& lab) {
        const auto token = asked_us.size();
        asked_us.push_back(lab.now_us);
        lab.claim(1, {address(kWrittenRows + static_cast<std::uint32_t>(token))}, kWrittenTtlS,
                  kLifeS, token);
    }
    [[nodiscard]] std::size_t count() const { return asked_us.size() - 1; }
    [[nodiscard]] std::vector<std::int64_t> delays_us(const Lab& lab) const {
        std::vector<std::int64_t> delays;
        for (const auto& [token, outcome] : lab.outcomes) {
            if (outcome != Outcome::installed) fail("an answer did not get its row");
            delays.push_back(lab.settled_at_us.at(token) - asked_us.at(token));
        }
        if (delays.size() != count()) fail("an answer still waits");
        return delays;
    }
};

// From the login until every row is there: rows a second ÷ what the router can do.
double fill(Lab& lab, Held& held) {
    const auto until_us = lab.now_us + 300 * kSecondUs;
    const auto state = [&] { return lab.router->status().state; };
    if (!lab.run_until(until_us, [&] { return state() >= RouterState::logging_in; })) {
        fail("the router was not found");
    }
    const std::int64_t begun_us = lab.now_us;
    const auto all_there = [&] {
        return lab.sim.row_count(rossim::Family::ipv4) == kWrittenRows + held.count();
    };
    while (!lab.run_until(lab.now_us + kSecondUs / 10, all_there)) {
        if (lab.now_us > until_us) fail("rows are missing");
        if (state() == RouterState::in_sync) held.ask(lab);
    }
    const double rows = kWrittenRows + static_cast<double>(held.count());
    const double took_s = static_cast<double>(lab.now_us - begun_us) / kSecondUs;
    return rows / took_s / rossim::built_in_presets().get("fast").writes_per_second();
}

}  // namespace

boost::json::object measure_repair() {
    Lab lab{router_like("fast")};
    lab.reachable = false;
    lab.start();
    for (std::uint32_t i = 1; i <= kWrittenRows; ++i)
        lab.claim(1, {address(i)}, kWrittenTtlS, kLifeS);
    lab.run_for(kSecondUs);
    lab.reachable = true;
    Held held;
    const double empty = fill(lab, held);
    lab.run_for(kSecondUs);
    lab.sim.reboot(20 * kSecondUs, lab.now_us);
    lab.run_for(kSecondUs);  // the session is closed
    const double reboot = fill(lab, held);
    lab.run_for(kSecondUs);
    return {{"ratio", rounded(std::min(empty, reboot))},
            {"empty", rounded(empty)},
            {"reboot", rounded(reboot)},
            {"repair_hold_p99_ms", p99_ms(held.delays_us(lab))}};
}

boost::json::object measure_fleet_of(std::size_t routers) {
    constexpr std::size_t kHanging = 0, kSlow = 1, kRebooting = 2, kFirstWell = 3;
    if (routers <= kFirstWell) fail("a fleet has at least four routers");
    constexpr std::uint32_t kPerSecond = 50, kSeconds = 120;
    std::deque<Lab> labs;
    for (std::size_t i = 0; i < routers; ++i) {
        Lab& lab = labs.emplace_back(router_like(i == kSlow ? "slow" : "fast"));
        if (!lab.sync()) fail("a router is not in sync");
    }
    const auto start_us =
        std::max_element(labs.begin(), labs.end(), [](const Lab& a, const Lab& b) {
            return a.now_us < b.now_us;
        })->now_us;
    std::vector<std::int64_t> claimed_us;
    const std::int64_t begun_ns = thread_ns();
    for (std::uint32_t n = 0; n < kPerSecond * kSeconds; ++n) {
        const std::int64_t at_us = start_us + n * kSecondUs / kPerSecond;
        claimed_us.push_back(at_us);
        for (std::size_t i = 0; i < routers; ++i) {
            Lab& lab = labs[i];
            lab.run_until(at_us);
            if (i == kHanging && n == 10 * kPerSecond) lab.sim.hang(at_us);
            if (i == kRebooting && n % (60 * kPerSecond) == 20 * kPerSecond) {
                lab.sim.reboot(20 * kSecondUs, at_us);
            }
            lab.claim(1, {address(n)}, 30, 60);
        }
    }
    const auto used_ns = static_cast<double>(thread_ns() - begun_ns);
    std::vector<std::int64_t> lags_us;
    for (std::size_t i = kFirstWell; i < routers; ++i) {
        Lab& lab = labs[i];
        lab.run_for(30 * kSecondUs);
        for (std::uint32_t n = 0; n < claimed_us.size(); ++n) {
            const auto life = lab.lives.find({"policy_v4", address(n)});
            if (life == lab.lives.end()) fail("a row was never written");
            lags_us.push_back(life->second.front().from_us - claimed_us[n]);
        }
    }
    return {{"lag_p99_ms", p99_ms(lags_us)},
            {"fleet_cpu_percent", rounded(used_ns / (kSeconds * 1e9) * 100)}};
}

boost::json::object measure_fleet() {
    return measure_fleet_of(50);
}

}  // namespace steer::bench
