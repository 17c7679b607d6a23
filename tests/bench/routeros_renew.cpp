// What it costs to keep rows that are in use.
#include <utility>

#include "dataplane/event/claim_word.h"
#include "fail.h"
#include "routeros_scenes.h"
#include "support/random.h"
#include "tools/rossim/cost.h"

namespace steer::bench {
namespace {

using routeros::AddressBytes;
using routeros::test::Lab;

constexpr std::uint32_t kAddresses = 10'000;
constexpr std::uint32_t kMinTtlS = 60, kMaxTtlS = 300;
constexpr std::int64_t kTickUs = 100'000;
constexpr std::uint32_t kRampTicks = 2'000;               // in which they come up
constexpr std::uint32_t kHourTicks = 36'000;              // after that
constexpr std::uint32_t kMinTicks = 50, kMaxTicks = 150;  // between two questions
constexpr std::int64_t kSyncTimeoutUs = 100'000;

struct Figures {
    double share;            // of one `set` a row and TTL
    double share_with_adds;  // the rows' coming up in it
    double cpu;              // of the router's time
    double renewals;         // a row
    std::uint32_t gaps = 0;
};

// The addresses of answers that a cache holds, and what a worker does when they are asked for
// (dataplane/event/claims.h).
class Names {
  public:
    Names(Lab& lab, bool synchronous) : lab_(lab), schedule_(kMaxTicks + 1), names_(kAddresses) {
        list_.synchronous = synchronous;
        list_.has_v4 = true;
        for (std::uint32_t i = 0; i < kAddresses; ++i) {
            names_[i].bytes = routeros::test::bytes_of(address(i));
            names_[i].ttl_s = kMinTtlS + random_.below(kMaxTtlS - kMinTtlS + 1);
        }
    }
    // What is asked for within one tick.
    void tick() {
        lab_.run_for(kTickUs);
        release();
        for (std::uint32_t n = 0; next_ < kAddresses && n < kAddresses / kRampTicks; ++n)
            ask(next_++);
        auto& due = schedule_[++tick_ % schedule_.size()];
        for (const auto i : std::exchange(due, {}))
            ask(i);
    }
    // One `set` for each TTL of each row, in router time, for so long.
    [[nodiscard]] double naive_us(double seconds, const rossim::Costs& costs) const {
        double sets = 0;
        for (const auto& name : names_)
            sets += seconds / name.ttl_s;
        return sets * static_cast<double>(costs.base + costs.set);
    }
    // Addresses that were missing from the list at some time within their lease.
    [[nodiscard]] std::uint32_t gaps() const {
        std::uint32_t gaps = 0;
        for (std::uint32_t i = 0; i < kAddresses; ++i) {
            const Name& name = names_[i];
            gaps += !lab_.was_there("policy_v4", address(i), name.since_us, name.lease_us);
        }
        return gaps;
    }

  private:
    struct Name {
        AddressBytes bytes{};
        std::uint32_t ttl_s = 0;
        std::uint32_t raised_s = 0;  // when its renewal was last asked for
        std::int64_t cached_until_us = 0;
        std::int64_t since_us = 0, lease_us = 0;  // of those who were sent
        std::uint64_t hold = 0;
        std::int64_t hold_until_us = 0;
    };

    void leave(Name& name, std::uint32_t ttl_s, std::int64_t at_us) {
        if (name.since_us == 0) name.since_us = at_us;
        const std::int64_t lease_s = std::int64_t{ttl_s} + list_.extra_time_s;
        name.lease_us = std::max(name.lease_us, at_us + lease_s * kSecondUs);
    }
    [[nodiscard]] std::uint32_t known_until_s(const Name& name) const {
        const auto known = lab_.board.find({1, name.bytes});
        return known == lab_.board.end() ? 0 : known->second.until_s;
    }
    [[nodiscard]] std::uint32_t ttl_left_s(const Name& name) const {
        return static_cast<std::uint32_t>((name.cached_until_us - lab_.now_us) / kSecondUs);
    }
    void claim(std::uint32_t i, std::uint32_t ttl_s, std::uint64_t hold) {
        lab_.claim(1, {address(i)}, ttl_s, row_life_s(list_, ttl_s, ttl_s), hold);
    }
    void ask(std::uint32_t i) {
        Name& name = names_[i];
        const std::uint32_t in_ticks = kMinTicks + random_.below(kMaxTicks - kMinTicks + 1);
        schedule_[(tick_ + in_ticks) % schedule_.size()].push_back(i);
        if (name.hold != 0) return;  // its answer waits already
        if (name.cached_until_us <= lab_.now_us) {
            name.cached_until_us = lab_.now_us + name.ttl_s * kSecondUs;
        }
        const std::uint32_t ttl_s = ttl_left_s(name);
        const auto now_s = static_cast<std::uint32_t>((lab_.now_ms() + 999) / 1000);
        const auto until_s = ttl_until_s(list_, known_until_s(name));
        const Coverage c = coverage(ttl_s, now_s, until_s, true);
        switch (c.cover) {
            case Cover::covered:
            case Cover::lowered:
                return leave(name, c.ttl_s, lab_.now_us);
            case Cover::ending:
                if (std::exchange(name.raised_s, now_s) != now_s) claim(i, ttl_s, 0);
                return leave(name, list_.synchronous ? c.ttl_s : ttl_s, lab_.now_us);
            case Cover::none:
                name.hold = ++hold_;
                name.hold_until_us = lab_.now_us + kSyncTimeoutUs;
                held_.push_back(i);
                return claim(i, ttl_s, name.hold);
        }
    }
    // Held answers leave when their row is there, or at the end of their patience.
    void release() {
        std::erase_if(held_, [&](std::uint32_t i) {
            Name& name = names_[i];
            const auto settled = lab_.settled_at_us.find(name.hold);
            const bool is_settled = settled != lab_.settled_at_us.end();
            if (!is_settled && lab_.now_us < name.hold_until_us) return false;
            leave(name, ttl_left_s(name),
                  is_settled ? std::min(settled->second, name.hold_until_us) : name.hold_until_us);
            name.hold = 0;
            return true;
        });
    }

    Lab& lab_;
    PolicyList list_{};
    test::Random random_{60};
    std::vector<std::vector<std::uint32_t>> schedule_;  // by tick: who is asked for
    std::vector<Name> names_;
    std::vector<std::uint32_t> held_;
    std::uint32_t next_ = 0, tick_ = 0;
    std::uint64_t hold_ = 0;
};

Figures use_for_an_hour(std::string_view preset, bool synchronous) {
    auto list = routeros::test::list_config();
    list.max_ttl_s = PolicyList{}.max_ttl_s;
    Lab lab{router_like(preset), routeros::test::router_config({list})};
    if (!lab.sync()) fail("the router is not in sync");
    Names names{lab, synchronous};
    const std::int64_t begun_us = lab.sim.report().cpu_us;
    for (std::uint32_t i = 0; i < kRampTicks; ++i)
        names.tick();
    const std::int64_t cpu_us = lab.sim.report().cpu_us;
    const auto sets = lab.sim.report().sets;
    for (std::uint32_t i = 0; i < kHourTicks; ++i)
        names.tick();
    const auto used_us = static_cast<double>(lab.sim.report().cpu_us - cpu_us);
    const auto all_us = static_cast<double>(lab.sim.report().cpu_us - begun_us);
    lab.run_for(5 * kSecondUs);  // what was asked for last is written
    const double naive_us = names.naive_us(3600, rossim::built_in_presets().get(preset));
    return {used_us / naive_us, all_us / naive_us, used_us / (3600.0 * kSecondUs),
            static_cast<double>(lab.sim.report().sets - sets) / kAddresses, names.gaps()};
}

}  // namespace

boost::json::object measure_renewals() {
    const Figures fast = use_for_an_hour("fast", true);
    const Figures async = use_for_an_hour("fast", false);
    const Figures slow = use_for_an_hour("slow", true);
    return {{"renew_cpu", rounded(fast.share)},
            {"renew_cpu_with_adds", rounded(fast.share_with_adds)},
            {"renew_cpu_async", rounded(async.share)},
            {"slow_cpu", rounded(slow.cpu)},
            {"renewals", rounded(fast.renewals)},
            {"gaps", fast.gaps + async.gaps + slow.gaps}};
}

}  // namespace steer::bench
