// What bench_routeros measures: the engine of routeros/ against simulated routers on a fake clock (tests/unit/routeros/lab.h),
// so that the figures are the same on every machine, except those that measure the thread's CPU time.
//
// Rows come from the simulators' journals, waits from the engine's releases; no figure comes from the engine's own counters.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lab.h"
#include "thread_time.h"

namespace steer::bench {

inline constexpr std::int64_t kSecondUs = 1'000'000;

// A router of presets.json, 2 ms away.
rossim::Options router_like(std::string_view preset);
// The n-th address that is claimed: 100.64.0.0 and onwards.
std::string address(std::uint32_t n);
// The value that 99 of 100 do not exceed, in milliseconds.
double p99_ms(std::vector<std::int64_t> delays_us);
double rounded(double value);  // to three digits behind the point

// 28,700 rows on a `fast` router that has none, and again after its reboot: rows a second from the login on ÷ what the
// router can do. Ten answers a second are held during the repair.
//   ratio (the worse of) empty, reboot; repair_hold_p99_ms
boost::json::object measure_repair();
// 300 new addresses a second, each answer held (async: false), beside 28,000 rows on `fast`.
//   hold_p99_ms, hold_print_p99_ms (another user prints the lists all the time), repeat_ms (the longest for a name that was
//   answered before), dead_wait_ms (the longest when the router falls silent)
boost::json::object measure_holds();
// 10,000 addresses with TTLs of 60 to 300 s, asked for every 5 to 15 s from a cache as a worker does, for an hour after
// the last of them started.
//   renew_cpu: the router's CPU time within that hour ÷ one `set` for each TTL of each row; with the rows' coming up in it
//   renew_cpu_with_adds, for a list without held answers (async) renew_cpu_async; slow_cpu: of the time of a `slow` one;
//   renewals: sets a row; gaps: addresses without a row at some time within their lease
boost::json::object measure_renewals();
// 50 routers that get 50 new addresses a second for two minutes: one hangs, one is `slow`, one reboots every minute.
//   lag_p99_ms: from claim to row, of the other 47; fleet_cpu_percent: the thread's CPU time for all of them, simulators
//   included, since the clock does not know how long the engines' work takes
boost::json::object measure_fleet();
// The same with this many routers. One of them hangs, one is slow, one reboots.
boost::json::object measure_fleet_of(std::size_t routers);
// Memory and time of a million claims.
//   claim_bytes, without rows; loop_p99_ms: at 20,000 new claims a second on a router in sync, how long after its coming
//   each is done with, by the thread's CPU time and with the simulator's share of it; connect_step_ms: the longest that
//   the loop is busy at a time while a router with 50,000 claims connects
boost::json::object measure_claims();

// The same for a number of claims, on a router that cannot be reached.
//   claim_ns: the thread's time for a new claim; again_ns: for one that is there; claim_bytes
boost::json::object measure_growth(std::uint32_t claims);

}  // namespace steer::bench
