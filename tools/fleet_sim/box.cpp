#include "tools/fleet_sim/box.h"

#include <algorithm>
#include <array>

#include "control/config/settings/sink_settings.h"
#include "control/sinks/routers/router_outcome.h"
#include "dataplane/dns/name.h"

namespace steer::fleet_sim {
namespace {

constexpr char kTag[] = "policy";
constexpr unsigned kRing = 4096;  // events

// Half of all rows that the routers may have: a row board needs no more before one of them is full.
unsigned board_rows(const Settings& settings) {
    return std::clamp(settings.routers_of_pop() * settings.max_rows / 2, 4'096U, 1'000'000U);
}

// M of a list in a fleet: rows have a constant life, as with several writers (control/program/build/lists.cpp).
std::uint32_t constant_life_s(const Settings& settings) {
    return settings.max_ttl_s +
           static_cast<std::uint32_t>(config::RouterRows{}.extra_time.count() / 1000);
}

ListId list_id(unsigned router) {
    return static_cast<ListId>(router + 1);
}

routeros::RouterConfig router_config(const Settings& settings, unsigned router) {
    const config::RouterRows defaults;
    routeros::ListConfig list;
    list.id = list_id(router);
    list.list4 = "policy_v4";
    list.list6 = "policy_v6";
    list.tag = kTag;
    list.prefix = defaults.comment_prefix;
    list.max_ttl_s = constant_life_s(settings);
    list.multi_writer = true;
    list.renew_slack_s = static_cast<std::uint32_t>(defaults.renew_slack.count() / 1000);
    list.sync_timeout_ms = static_cast<std::uint32_t>(defaults.sync_timeout.count());
    list.max_rows = settings.max_rows;
    const auto share = [&](std::uint32_t percent) {
        return std::max<std::size_t>(std::size_t{settings.max_rows} * percent / 100, 64);
    };
    list.max_per_name = share(defaults.shares.name_percent);
    list.max_per_suffix = share(defaults.shares.suffix_percent);
    list.max_per_client = share(defaults.shares.client_percent);
    routeros::RouterConfig config;
    config.name = "router" + std::to_string(router);
    config.address = config.name;
    config.username = "admin";
    config.lists = {list};
    return config;
}

}  // namespace

Box::Box(unsigned number, const Settings& settings, const std::string& fleet, const Names& names,
         rte_rcu_qsbr* readers, Surroundings& around,
         const std::vector<routeros::RouterLink*>& routers, routeros::RouterLink& commands,
         routeros::RouterLink& messages)
    : number_(number),
      is_async_(settings.async),
      names_(names),
      around_(around),
      states_(std::make_unique<ListStates>()),
      board_(board_rows(settings), readers),
      ring_(kRing, nullptr),
      claims_(0, board_, *states_, &ring_, stats_),
      cache_(names.questions().size()),
      routers_(routers.size()),
      fleet_({.name = fleet,
              .box = "box" + std::to_string(number),
              .nonce = "1",
              .lease_ms = settings.lease_ms},
             {}, commands, messages,
             [this](routeros::Level, const std::string& sentence) { last_log_ = sentence; }) {
    make_lists(settings);
    for (unsigned r = 0; r < routers.size(); ++r) {
        routers_[r].box = this;
        routers_[r].router = r;
        routers_[r].engine = std::make_unique<routeros::Router>(router_config(settings, r),
                                                                routers_[r], *routers[r]);
    }
}

void Box::make_lists(const Settings& settings) {
    PolicyList list{.id = 0};
    list.tag = kTag;
    list.has_v4 = list.has_v6 = true;
    list.synchronous = !settings.async;
    list.min_ttl_s = list.max_ttl_s = constant_life_s(settings);
    // Of each router those clients whose second byte is its number.
    for (unsigned r = 0; r < routers_.size(); ++r) {
        const auto byte = static_cast<std::uint8_t>(r);
        const std::array<std::uint8_t, 4> first{10, byte, 0, 0}, last{10, byte, 255, 255};
        list.served.push_back(
            {IpAddress::from_v4(first.data()), IpAddress::from_v4(last.data()), list_id(r)});
    }
    snapshot_.lists.push_back(std::move(list));
}

void Box::start(std::uint64_t now_ms) {
    std::vector<PeerRouter> peers;
    const ClaimTerms terms{.longest_life_s = snapshot_.lists.front().max_ttl_s};
    for (Sink& sink : routers_) {
        sink.engine->start(now_ms);
        around_.touched(number_, sink.router);
        peers.push_back({.name = "router" + std::to_string(sink.router),
                         .lists = {{.id = list_id(sink.router), .tag = kTag, .terms = terms}},
                         .router = sink.engine.get(),
                         .wake = [this, r = sink.router] { around_.touched(number_, r); }});
    }
    fleet_.start(now_ms);
    fleet_.follow(std::move(peers), now_ms);
    fleet_.connect(now_ms);
}

void Box::ask(std::uint32_t question, unsigned router, const IpAddress& client,
              std::uint64_t now_ms) {
    ++counters_.queries;
    const Question& q = names_.questions()[question];
    Cached& cached = cache_[question];
    if (cached.until_ms <= now_ms) {
        ++counters_.misses;
        cached.born_ms = now_ms;
        cached.until_ms = now_ms + std::uint64_t{q.ttl_s} * 1000;
        cached.entry.claim.store(0, std::memory_order_relaxed);
    }
    const auto age_s = static_cast<std::uint32_t>((now_ms - cached.born_ms) / 1000);
    static constexpr std::array<std::uint8_t, 1> kLists{0};
    const LeavingAnswer leaving{.snapshot = snapshot_,
                                .answer = q.answer(),
                                .client = client,
                                .age_s = age_s,
                                .ttl_cap_s = LeaveTerms::kNoCap,
                                .entry = q.ttl_s == 0 ? nullptr : &cached.entry,
                                .qname = q.qname,
                                .lists = kLists};
    const Now now{now_ms};
    const LeaveTerms terms = claims_.settle(leaving, now);
    LeftAnswer answer{.router = router, .question = question};
    answer.ttl_s = std::min(q.ttl_s - std::min(age_s, q.ttl_s), terms.ttl_cap_s);
    switch (terms.leave) {
        case Leave::hold: {
            ++counters_.held;
            const std::uint64_t token =
                make_hold_token(0, 0, static_cast<std::uint32_t>(++next_token_));
            const unsigned left = claims_.raise(leaving, terms, token, now);
            held_.emplace(token, Held{answer, now_ms, left});
            waiting_.push_back({token, now_ms + terms.sync_timeout_ms});
            break;
        }
        case Leave::now:
            ++(terms.raise_mask == 0 ? counters_.covered : counters_.raised);
            // A held list's answer that raised a claim and did not wait: its router is away.
            if (terms.raise_mask == 0 || is_async_) around_.left(answer);
            break;
        case Leave::wait_for_ring:
        case Leave::servfail:
        case Leave::drop:
            ++counters_.not_taken;
            break;
    }
    drain(now_ms);
}

// As RouterThread::drain(): claims go to the engine, then to the fleet.
void Box::drain(std::uint64_t now_ms) {
    Event event;
    bool any = false;
    while (ring_.pop(&event, 1) == 1) {
        any = true;
        ++counters_.events;
        const unsigned r = event.list - 1U;
        const std::string name = dns::name_to_text({event.name.data(), event.name_len});
        std::array<routeros::AddressBytes, kEventAddresses> addresses;
        for (unsigned i = 0; i < event.count; ++i)
            addresses[i] = event.addresses[i].bytes;
        routeros::Origin origin{name};
        if (event.has_client) origin.client = event.client.bytes;
        routers_[r].engine->claim(event.list, {addresses.data(), event.count}, origin,
                                  event.lease_end_ms, event.row_life_s, event.hold_token, now_ms);
        fleet_.claimed("router" + std::to_string(r),
                       {.list = event.list,
                        .addresses = {event.addresses.data(), event.count},
                        .name = name,
                        .client = event.has_client ? &event.client : nullptr,
                        .raised_ms = event.raised_ms,
                        .lease_end_ms = event.lease_end_ms,
                        .row_life_s = event.row_life_s,
                        .hold_token = event.hold_token},
                       now_ms);
        around_.touched(number_, r);
    }
    if (any) fleet_.flush(now_ms);
}

void Box::settle(std::uint64_t token, Outcome outcome) {
    const auto at = held_.find(token);
    if (at == held_.end()) return;  // it left at its time
    Held& held = at->second;
    const bool is_there = outcome == Outcome::installed || outcome == Outcome::already_there;
    held.failed |= !is_there;
    if (--held.left > 0) return;
    hold_ms_.push_back(static_cast<std::uint32_t>(around_.now_ms() - held.since_ms));
    if (held.failed) {
        ++counters_.held_failed;
    } else {
        ++counters_.held_installed;
        around_.left(held.answer);
    }
    held_.erase(at);
}

void Box::release(std::uint64_t now_ms) {
    while (!waiting_.empty() && waiting_.front().until_ms <= now_ms) {
        const auto at = held_.find(waiting_.front().token);
        if (at != held_.end()) {
            ++counters_.held_late;
            hold_ms_.push_back(static_cast<std::uint32_t>(now_ms - at->second.since_ms));
            held_.erase(at);
        }
        waiting_.pop_front();
    }
}

void Box::tick(std::uint64_t now_ms) {
    fleet_.tick(now_ms);
    if (++ticks_ % 2 != 0) return;  // about twice a second
    board_.forget_ended(static_cast<std::uint32_t>(now_ms / 1000), 8'192);
}

void Box::Sink::installed(routeros::ListId list, const routeros::AddressBytes& address,
                          std::uint32_t until_s) {
    (void)box->board_.put(list, IpAddress{address}, until_s, (*box->states_)[list].epoch());
}

void Box::Sink::ended(routeros::ListId list, const routeros::AddressBytes& address) {
    box->board_.remove(list, IpAddress{address});
}

void Box::Sink::lost(routeros::ListId list, const routeros::AddressBytes& address) {
    const std::uint32_t epoch = (*box->states_)[list].epoch();
    const bool is_known = box->board_.installed_until(list, IpAddress{address}, epoch) != 0;
    box->board_.remove(list, IpAddress{address});
    if (is_known) box->states_->count_loss(list);
    box->states_->count_failure(list);
}

void Box::Sink::epoch(routeros::ListId list) {
    box->states_->begin_epoch(list);
}

void Box::Sink::away(routeros::ListId list, bool value) {
    (*box->states_)[list].away.store(value, std::memory_order_relaxed);
}

void Box::Sink::settled(std::uint64_t hold_token, routeros::Outcome outcome) {
    box->settle(hold_token, to_outcome(outcome));
}

void Box::Sink::log(routeros::Level level, std::string_view sentence) {
    if (level != routeros::Level::info) box->last_log_ = sentence;
}

}  // namespace steer::fleet_sim
