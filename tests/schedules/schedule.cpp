#include "schedules/schedule.h"

#include <algorithm>
#include <cstdio>

#include "support/random.h"

namespace steer::schedules {

namespace {

using routeros::Address;
using test::Random;

constexpr std::uint32_t kExtraS = 30;

template <class T, std::size_t n>
const T& one_of(Random& random, const T (&choices)[n]) {
    return choices[random.below(n)];
}

bool chance(Random& random, unsigned percent) {
    return random.below(100) < percent;
}

std::string seconds(std::int64_t us) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3fs", static_cast<double>(us) / 1e6);
    return text;
}

rossim::Options make_router(Random& random, const std::string& preset) {
    constexpr rossim::Version kVersions[] = {{6, 42}, {6, 49}, {7, 10}, {7, 21}};
    rossim::Options router;
    router.name = "edge1";
    router.costs = rossim::built_in_presets().get(preset);
    router.version = one_of(random, kVersions);
    router.users = {{"admin", "secret", {"read", "write", "api"}}};
    router.latency_us = random.below(60) * 1000 + 200;
    router.uptime_at_zero_s = random.below(1'000'000);
    router.tag_last = chance(random, 30);
    router.multi_id_atomic = chance(random, 50);
    router.zero_timeout_expires = chance(random, 50);
    router.listen_tells_expiry = chance(random, 70);
    router.renumber_ids_on_reboot = chance(random, 70);
    if (chance(random, 30)) router.shuffle_seed = random() | 1;
    router.fault_seed = random();
    return router;
}

ListPlan make_list(Random& random, unsigned number, bool several_writers) {
    constexpr unsigned kPools[] = {8, 30, 80};
    constexpr std::uint32_t kLongest[] = {120, 600, 1800, 3600};
    constexpr std::uint32_t kSyncTimeouts[] = {100, 250, 1000};
    ListPlan plan;
    plan.pool = one_of(random, kPools);
    // Two lists may share their names on the router, their addresses, or both.
    const unsigned names = number > 1 && chance(random, 30) ? 1 : number;
    plan.range = number > 1 && chance(random, 40) ? 1 : number;
    auto& config = plan.config;
    config.id = static_cast<routeros::ListId>(number);
    config.list4 = "policy" + std::to_string(names) + "_v4";
    if (!chance(random, 15)) config.list6 = "policy" + std::to_string(names) + "_v6";
    config.tag = "ros_" + std::to_string(number);
    config.prefix = "forgedns";
    config.sync_timeout_ms = one_of(random, kSyncTimeouts);
    config.renew_slack_s = chance(random, 30) ? 0 : 600;
    // As the product does: several writers write one constant life.
    config.max_ttl_s = one_of(random, kLongest) + (several_writers ? kExtraS : 0);
    config.multi_writer = several_writers;
    plan.min_ttl_s = several_writers ? config.max_ttl_s : std::min(60U, config.max_ttl_s);
    if (chance(random, 12)) config.max_ttl_s = 0;  // fixed_ttl 0: rows without timeout
    const unsigned entries = chance(random, 40) ? random.below(5) : 0;
    for (unsigned i = 0; i < entries; ++i) {
        const auto family = chance(random, 50) ? rossim::Family::ipv4 : rossim::Family::ipv6;
        const unsigned n = random.below(plan.pool + 5);
        config.persistent.push_back(Address::parse(address_text(family, plan.range, n)).value());
    }
    if (chance(random, 20)) config.persistent.push_back(Address::parse("10.9.0.0/16").value());
    return plan;
}

// Without dice, so that the other lists of a seed stay as they were.
void make_routes(ListPlan& plan, std::uint32_t pick) {
    auto& config = plan.config;
    config.type = routeros::RowType::route;
    const std::string table = "table" + std::to_string(plan.range);
    config.list4 = table;
    if (!config.list6.empty()) config.list6 = table;
    config.values4 = config.values6 = {kGateway, "100"};
    config.connection_guard = pick % 2 == 0;
    // Two lists of one range share a routing table.
}

// Short schedules have no later kinds, so that their seeds mean what they meant.
constexpr Kind kLastOfShort = Kind::gateway_down;

Fault make_fault(Random& random, Kind last) {
    // What is rare in life is not rarer here; what destroys most comes a little less often.
    const auto kinds = static_cast<std::uint32_t>(last) + 1;
    constexpr std::int64_t kLengths[] = {200'000, 900'000, 4'000'000, 12'000'000, 45'000'000};
    Fault fault;
    fault.kind = static_cast<Kind>(random.below(kinds));
    fault.length_us = one_of(random, kLengths) + random.below(500'000);
    if (fault.kind == Kind::cut) fault.length_us = 0;
    // A heartbeat's time.
    if (fault.kind == Kind::cut_half) fault.length_us = 2'500'000;
    fault.pick = random();
    return fault;
}

}  // namespace

std::string_view label(Kind kind) {
    constexpr std::string_view kLabels[] = {
#define STEER_FAULT_LABEL(name, label, text) label,
        STEER_FAULTS(STEER_FAULT_LABEL)
#undef STEER_FAULT_LABEL
    };
    return kLabels[static_cast<std::size_t>(kind)];
}

std::string text(const Fault& fault) {
    return seconds(fault.at_us) + " " + std::string{label(fault.kind)} + " for " +
           seconds(fault.length_us) + " pick " + std::to_string(fault.pick);
}

std::string judged_name(const routeros::ListConfig& config, bool six) {
    const std::string& name = six ? config.list6 : config.list4;
    if (name.empty() || config.type == routeros::RowType::address) return name;
    return "route " + name;
}

double Schedule::write_rate() const {
    return router.costs.writes_per_second();
}

std::string Schedule::text() const {
    std::string out =
        "seed " + std::to_string(seed) + ": " + preset + ", RouterOS " +
        std::to_string(router.version.major) + "." + std::to_string(router.version.minor) +
        ", latency " + seconds(router.latency_us) + ", " + std::to_string(writers) + " writers, " +
        std::to_string(prefill) + " foreign rows, a question every " + seconds(pause_us) + "\n";
    for (const auto& list : lists) {
        out += "  list " + std::to_string(list.config.id) + " " + list.config.list4 + "," +
               list.config.list6 + " range " + std::to_string(list.range) + " of " +
               std::to_string(list.pool) + ", max_ttl " + std::to_string(list.config.max_ttl_s) +
               ", slack " + std::to_string(list.config.renew_slack_s) + ", sync_timeout " +
               std::to_string(list.config.sync_timeout_ms) + " ms, persistent:";
        for (const auto& address : list.config.persistent)
            out += " " + address.to_string();
        out += "\n";
    }
    for (std::size_t i = 0; i < faults.size(); ++i)
        out += "  fault " + std::to_string(i) + ": " + schedules::text(faults[i]) + "\n";
    return out;
}

Schedule make_schedule(std::uint32_t seed) {
    constexpr const char* kPresets[] = {"fast", "mid", "slow"};
    constexpr std::int64_t kPauses[] = {60'000, 300'000, 2'000'000};
    constexpr std::size_t kPrefills[] = {0, 0, 20, 400};
    Random random(seed);
    Schedule s;
    s.seed = seed;
    s.writers = seed % 5 == 0 ? 2 : 1;
    s.preset = one_of(random, kPresets);
    s.router = make_router(random, s.preset);
    // Of scripts, without dice, so that seeds mean what they meant.
    s.router.script_outlives_session = seed % 2 == 0;
    if (seed % 7 == 0) s.router.script_line_end = "\n";
    if (seed % 11 == 0) s.router.script_line_end = "";  // a form that the engine rejects
    s.prefill = one_of(random, kPrefills);
    s.pause_us = one_of(random, kPauses);
    const unsigned lists = 1 + random.below(3);
    for (unsigned i = 1; i <= lists; ++i)
        s.lists.push_back(make_list(random, i, s.writers > 1));
    // On routers that have routing tables, some lists are one. Not with two writers: neither knows when the other's leases end.
    for (unsigned i = 0; i < s.lists.size(); ++i) {
        if (s.router.version < rossim::Version{7} || s.writers > 1 || (seed / 2 + i) % 2 != 0)
            continue;
        make_routes(s.lists[i], seed + i);
    }
    s.router.refuse_same_route = seed % 3 == 0;
    // Some come one upon the other, some are far apart.
    std::int64_t at_us = 20 * kSecond;
    const unsigned faults = 1 + random.below(12);
    for (unsigned i = 0; i < faults; ++i) {
        Fault fault = make_fault(random, kLastOfShort);
        const bool at_once = chance(random, 40);
        at_us += random.below(at_once ? 3'000'000 : 90'000'000);
        fault.at_us = at_us;
        s.faults_end_us = std::max(s.faults_end_us, at_us + fault.length_us + 5 * kSecond);
        s.faults.push_back(fault);
    }
    return s;
}

Schedule make_long_schedule(std::uint32_t seed, unsigned hours) {
    constexpr std::int64_t kPauses[] = {15 * kSecond, 40 * kSecond, 120 * kSecond};
    constexpr std::uint32_t kApartS = 5'000;  // at most, between two that do not come at once
    Schedule s = make_schedule(seed);
    Random random(seed ^ 0x5eed'0000U);
    s.pause_us = one_of(random, kPauses);
    s.tidy_us = 6 * 3'600 * kSecond;
    s.faults.clear();
    s.faults_end_us = 0;
    const std::int64_t end_us = std::int64_t{hours} * 3'600 * kSecond;
    for (std::int64_t at_us = 20 * kSecond;;) {
        Fault fault = make_fault(random, Kind::rights);
        const std::uint32_t apart_s = chance(random, 30) ? 3 : kApartS;
        at_us += std::int64_t{random.below(apart_s * 1'000)} * 1'000;
        if (at_us >= end_us) return s;
        fault.at_us = at_us;
        s.faults_end_us = std::max(s.faults_end_us, at_us + fault.length_us + 40 * kSecond);
        s.faults.push_back(fault);
    }
}

std::string address_text(rossim::Family family, unsigned range, unsigned n) {
    char text[64];
    if (family == rossim::Family::ipv4) {
        std::snprintf(text, sizeof text, "203.%u.%u.%u", range, n / 250, n % 250 + 1);
    } else {
        std::snprintf(text, sizeof text, "2001:db8:%x::%x/128", range, n + 1);
    }
    return text;
}

}  // namespace steer::schedules
