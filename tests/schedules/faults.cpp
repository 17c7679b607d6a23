// What goes wrong.
#include <algorithm>

#include "schedules/world.h"

namespace steer::schedules {

namespace {

constexpr std::int64_t kStrikesWithinUs =
    5 * kSecond;  // how long a fault waits for our next sentence
// Without rights, a write is tried again after this time.
constexpr std::int64_t kTriedAgainUs = 30 * kSecond;
constexpr const char* kWrites = "(address-list|route)/(add|set|remove)$";
constexpr const char* kTimedOut =
    "action timed out - try again, if error continues contact MikroTik support and send a supout "
    "file (13)";

}  // namespace

void World::begin(const Fault& fault) {
    const std::int64_t from_us = now_us;
    const auto until_end = [&](std::function<void()> end) {
        at(now_us + fault.length_us, [this, from_us, end = std::move(end), kind = fault.kind] {
            tell("end of " + std::string{label(kind)});
            if (end) end();
            excuse(from_us);
        });
    };
    switch (fault.kind) {
        case Kind::reboot:
            if (!sim.is_down()) sim.reboot(fault.length_us, now_us);
            return until_end({});
        case Kind::hang:
            sim.hang(now_us);
            return until_end([this] { sim.resume(now_us); });
        case Kind::reboot_in_batch:
            return inject({.kind = rossim::FaultKind::reboot, .command = kWrites}, fault.length_us);
        case Kind::hang_in_reply:
            return inject({.kind = rossim::FaultKind::hang_in_reply}, fault.length_us);
        case Kind::reset_lost:
        case Kind::reset_applied:
            return inject({.kind = rossim::FaultKind::reset,
                           .command = kWrites,
                           .skip = fault.pick % 3,
                           .applied = fault.kind == Kind::reset_applied},
                          0);
        case Kind::drip:
            return inject({.kind = rossim::FaultKind::drip, .byte_us = 1000 + fault.pick % 6000},
                          fault.length_us);
        case Kind::full:
            sim.set_max_rows(sim.row_count(Family::ipv4) + sim.row_count(Family::ipv6));
            sim.set_max_routes(sim.routes(Family::ipv4).size() + sim.routes(Family::ipv6).size());
            return until_end([this] {
                sim.set_max_rows(std::nullopt);
                sim.set_max_routes(std::nullopt);
            });
        case Kind::gateway_down:
            people_.set_gateway(kGateway, false, now_us);
            return until_end([this] { people_.set_gateway(kGateway, true, now_us); });
        case Kind::crowd:
            for (auto& daemon : daemons_)
                daemon->line.cut("connection reset by peer");
            people_.take_all_sessions(schedule.router.max_sessions, now_us);
            return until_end([this] { people_.leave(now_us); });
        case Kind::clock_jump:
            return sim.jump_clock((std::int64_t{fault.pick % 4000} - 2000) * 1'000'000'000);
        case Kind::human_prints:
            if (schedule.router.version < rossim::Version{6, 43}) return;
            return people_.print(1 + fault.pick % 4, now_us, [this, from_us] { excuse(from_us); });
        case Kind::reload:
            for (auto& daemon : daemons_) {
                const auto later_us = daemon->number == 0 ? 0 : fault.pick / 64 % 3'000'000;
                at(std::max(now_us + later_us, daemon->line.frozen_until_us()),
                   [this, from_us, &daemon = *daemon, pick = fault.pick] {
                       change_lists(daemon, pick);
                       excuse(from_us);
                   });
            }
            return;
        case Kind::foreign_static:
        case Kind::foreign_timed:
        case Kind::foreign_disabled:
            return begin_foreign(fault);
        case Kind::rights:
            return begin_rights(fault);
        case Kind::cut:
        case Kind::cut_half:
        case Kind::blackout:
        case Kind::freeze:
        case Kind::traps:
            begin_on_line(fault);
            return until_end({});
        default:
            return begin_by_hand(fault);
    }
}

// The group of our user loses policies. RouterOS reads them at each login.
void World::begin_rights(const Fault& fault) {
    const std::int64_t from_us = now_us;
    const auto set = [this](const std::string& policy) {
        sim.put_record("/user/group", {{".id", "*1"}, {"policy", policy}}, now_us);
        for (auto& daemon : daemons_)
            daemon->line.cut("connection reset by peer");
    };
    set(fault.pick % 3 == 0 ? "api" : "read,api");
    at(now_us + fault.length_us, [this, set] {
        tell("end of rights");
        set("read,write,api");
    });
    at(now_us + fault.length_us + kTriedAgainUs, [this, from_us] { excuse(from_us); });
}

// A person removes what others left, so that foreign rows do not cover more and more addresses.
void World::tidy() {
    const std::int64_t from_us = now_us;
    tell("a person removes the rows of others");
    for (const auto family : {Family::ipv4, Family::ipv6}) {
        for (const auto& row : sim.rows(family)) {
            if (row.comment == "prefill" || is_ours(row.comment)) continue;
            people_.remove(family, row.list, row.address, now_us);
        }
        for (const auto& route : sim.routes(family)) {
            if (route.comment == "mine" || is_ours(route.comment)) continue;
            const bool is_host = family == Family::ipv4 && route.destination.ends_with("/32");
            const auto length = route.destination.size() - (is_host ? 3 : 0);
            people_.remove_route(family, route.table, route.destination.substr(0, length), now_us);
        }
    }
    excuse(from_us);
    at(now_us + schedule.tidy_us, [this] { tidy(); });
}

// A fault that waits for a sentence, and lasts from then on.
void World::inject(rossim::Fault what, std::int64_t length_us) {
    const std::int64_t from_us = now_us;
    what.until_us = now_us + kStrikesWithinUs;
    what.for_us = length_us;
    const rossim::FaultId id = sim.inject(std::move(what));
    // The router compares each sentence with all faults that it has.
    at(now_us + kStrikesWithinUs + length_us, [this, from_us, id] {
        sim.withdraw(id);
        excuse(from_us);
    });
}

void World::begin_on_line(const Fault& fault) {
    struct Refused {
        const char *command, *message;
    };
    static constexpr Refused kRefused[] = {
        {"(address-list|route)/add$", "failure: out of memory"},
        {"(address-list|route)/add$", kTimedOut},
        {"(address-list|route)/set$", kTimedOut},
        {"(address-list|route)/print$", kTimedOut},
        {"(address-list|route)/listen$", kTimedOut},
        {"resource/print$", kTimedOut},
        {"(address-list|route|connection)/(remove|print)$", kTimedOut}};
    Line& line = daemons_[fault.pick % daemons_.size()]->line;
    const std::int64_t end_us = now_us + fault.length_us;
    switch (fault.kind) {
        case Kind::cut:
            return line.cut("connection reset by peer");
        case Kind::cut_half:
            line.cut_in_next();
            return at(end_us, [&line] { line.disarm(); });
        case Kind::blackout:
            return line.blackout(end_us);
        case Kind::freeze:
            return line.freeze(end_us);
        default:
            break;
    }
    const Refused& what = kRefused[fault.pick / 8 % std::size(kRefused)];
    tell(std::string{"refused: "} + what.command);
    const rossim::FaultId id = sim.inject(
        {.command = what.command, .times = 0, .until_us = end_us, .message = what.message});
    at(end_us, [this, id] { sim.withdraw(id); });
    // What is reported once in a connection is reported in a new one.
    if (fault.pick / 64 % 2 == 0) line.cut("connection reset by peer");
}

// --- by hand -------------------------------------------------------------------------------------

std::vector<World::Spot> World::our_rows(bool only_static) const {
    std::vector<Spot> spots;
    for (const auto family : {Family::ipv4, Family::ipv6}) {
        for (const auto& row : sim.rows(family)) {
            if (is_ours(row.comment) && !row.disabled && !(only_static && row.dynamic))
                spots.push_back({family, row.list, row.address});
        }
        for (const auto& route : sim.routes(family)) {
            if (!is_ours(route.comment) || route.disabled) continue;
            const bool is_host = family == Family::ipv4 && route.destination.ends_with("/32");
            const auto length = route.destination.size() - (is_host ? 3 : 0);
            spots.push_back({family, route.table, route.destination.substr(0, length), true});
        }
    }
    return spots;
}

// An address with a lease, or one that may get a lease.
World::Spot World::wanted_spot(std::uint32_t pick) const {
    const ListPlan* list = &schedule.lists[pick % schedule.lists.size()];
    const bool six = pick % 5 == 0 && !list->config.list6.empty();
    const auto family = six ? Family::ipv6 : Family::ipv4;
    Spot spot{family, six ? list->config.list6 : list->config.list4,
              address_text(family, list->range, pick / 8 % list->pool),
              list->config.type == routeros::RowType::route};
    std::vector<const Answer*> live;
    for (const auto& answer : answers_) {
        if (answer.lease_end_us > now_us) live.push_back(&answer);
    }
    if (live.empty() || pick % 4 == 0) return spot;
    const Answer& answer = *live[pick / 8 % live.size()];
    list = &plan(answer.list);
    const bool is_six = answer.address.find(':') != answer.address.npos;
    if (is_six && list->config.list6.empty()) return spot;
    return {is_six ? Family::ipv6 : Family::ipv4, is_six ? list->config.list6 : list->config.list4,
            answer.address, list->config.type == routeros::RowType::route};
}

void World::begin_by_hand(const Fault& fault) {
    const auto rows = our_rows(fault.kind == Kind::human_disables);
    if (rows.empty()) return;
    const Spot spot = rows[fault.pick % rows.size()];
    const std::int64_t from_us = now_us;
    if (fault.kind == Kind::human_empties) {
        for (const auto& one : rows)
            remove(one);
        return excuse(now_us);
    }
    if (spot.is_route) return begin_on_route(fault, spot);
    const auto edit = [this, spot](const rossim::RowEdit& what) {
        return people_.edit(spot.family, spot.list, spot.address, what, now_us);
    };
    switch (fault.kind) {
        case Kind::human_removes:
            remove(spot);
            break;
        case Kind::duplicate:
            people_.add(spot.family, spot.list, spot.address, 5 + fault.pick % 300,
                        comment_at(spot), now_us);
            return;
        case Kind::human_sets: {
            constexpr std::int64_t kTimeouts[] = {0, 2, 7, 41, 5003};
            edit({.timeout_s = kTimeouts[fault.pick / 1024 % 5]});
            break;
        }
        case Kind::human_takes:
            edit({.comment = "mine now"});
            return;
        case Kind::human_moves:
            edit({.list = fault.pick % 2 == 0 || wanted_spot(fault.pick / 2).is_route
                              ? "elsewhere"
                              : wanted_spot(fault.pick / 2).list});
            break;
        case Kind::human_disables:
            // It may be away until it is on again.
            if (!edit({.disabled = true})) return;
            return at(now_us + fault.length_us, [this, edit, spot, from_us] {
                edit({.disabled = false});
                excuse(from_us, spot.list, spot.address);
            });
        default:
            return;
    }
    excuse(from_us, spot.list, spot.address);
}

bool World::remove(const Spot& spot) {
    return spot.is_route ? people_.remove_route(spot.family, spot.list, spot.address, now_us)
                         : people_.remove(spot.family, spot.list, spot.address, now_us);
}

// A change of one of our routes. It has no timeout, and another gateway is what a timeout of 0 is to an entry.
void World::begin_on_route(const Fault& fault, const Spot& spot) {
    const std::int64_t from_us = now_us;
    const auto edit = [this, spot](const std::string& property, const std::string& value) {
        return people_.edit_route(spot.family, spot.list, spot.address, property, value, now_us);
    };
    const std::string comment = comment_at(spot);
    switch (fault.kind) {
        case Kind::human_removes:
            remove(spot);
            break;
        case Kind::duplicate:
            people_.add_route(spot.family, spot.list, spot.address, kGateway, comment, false,
                              now_us);
            return;
        case Kind::human_sets:
            edit("gateway", kForeignGateway);
            break;
        case Kind::human_takes:
            edit("comment", "mine now");
            return;
        case Kind::human_moves:
            remove(spot);
            people_.add_route(spot.family, "elsewhere", spot.address, kGateway, comment, false,
                              now_us);
            break;
        case Kind::human_disables:
            edit("disabled", "true");
            return at(now_us + fault.length_us, [this, edit, spot, from_us] {
                edit("disabled", "false");
                excuse(from_us, spot.judged(), spot.address);
            });
        default:
            return;
    }
    excuse(from_us, spot.judged(), spot.address);
}

std::string World::comment_at(const Spot& spot) const {
    if (spot.is_route) {
        for (const auto& route : sim.routes(spot.family, spot.list)) {
            if (route.destination.starts_with(spot.address)) return route.comment;
        }
        return {};
    }
    for (const auto& row : sim.rows(spot.family, spot.list)) {
        if (row.address == spot.address) return row.comment;
    }
    return {};
}

void World::begin_foreign(const Fault& fault) {
    const Spot spot = wanted_spot(fault.pick);
    const std::string comment = fault.pick % 3 == 0 ? "forgedns;pg=of_another;kind=D;dm=x"
                                                    : "mine " + std::to_string(fault.pick);
    const std::int64_t from_us = now_us;
    // Instead of our row, or beside it.
    if (fault.pick % 8 < 6 && remove(spot)) excuse(from_us, spot.judged(), spot.address);
    if (spot.is_route) {
        people_.add_route(spot.family, spot.list, spot.address, kForeignGateway, comment,
                          fault.kind == Kind::foreign_disabled, now_us);
        if (fault.kind == Kind::foreign_static && fault.pick / 4 % 2 == 1) return;
        return at(now_us + fault.length_us, [this, spot, from_us] {
            while (remove(spot)) {
            }
            excuse(from_us, spot.judged(), spot.address);
        });
    }
    if (fault.kind == Kind::foreign_timed) {  // its end is noted when it comes
        people_.add(spot.family, spot.list, spot.address,
                    std::max<std::int64_t>(1, fault.length_us / kSecond), comment, now_us);
        return;
    }
    if (!people_.add(spot.family, spot.list, spot.address, std::nullopt, comment, now_us)) return;
    const bool goes = fault.kind == Kind::foreign_disabled || fault.pick / 4 % 2 == 0;
    if (fault.kind == Kind::foreign_disabled)
        people_.edit(spot.family, spot.list, spot.address, {.disabled = true}, now_us);
    if (!goes) return;
    at(now_us + fault.length_us, [this, spot, from_us] {
        // Where it was double, ours may be the one that goes.
        while (people_.remove(spot.family, spot.list, spot.address, now_us)) {
        }
        excuse(from_us, spot.list, spot.address);
    });
}

// The same to each of us; what a list that is no more owed is owed no more.
void World::change_lists(Daemon& daemon, std::uint32_t pick) {
    auto& lists = daemon.config.lists;
    switch (pick % 5) {
        case 0: {  // all that were planned, or one less
            if (lists.size() < schedule.lists.size() || lists.size() < 2) {
                lists.clear();
                for (const auto& list : schedule.lists)
                    lists.push_back(list.config);
                break;
            }
            const ListId id = lists[pick / 8 % lists.size()].id;
            std::erase_if(lists, [&](const auto& list) { return list.id == id; });
            for (auto& answer : answers_) {
                if (answer.list == id) answer.lease_end_us = std::min(answer.lease_end_us, now_us);
            }
            break;
        }
        case 1:
            lists.front().persistent.clear();
            break;
        case 2: {
            const ListPlan& use = plan(lists.back().id);
            for (unsigned i = 0; i < 3; ++i) {
                const auto text = address_text(Family::ipv4, use.range, (pick / 8 + i) % use.pool);
                lists.back().persistent.push_back(routeros::Address::parse(text).value());
            }
            break;
        }
        case 3:
            lists.front().renew_slack_s = lists.front().renew_slack_s == 0 ? 600 : 0;
            lists.front().max_rows = 10'000;
            break;
        default:
            break;  // read again as it was
    }
    daemon.engine->configure(daemon.config, daemon.line.now_ms());
}

}  // namespace steer::schedules
