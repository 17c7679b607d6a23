// What goes wrong.
#include <algorithm>

#include "schedules/world.h"

namespace steer::schedules {

void World::begin(const Fault& fault) {
    const std::int64_t from_us = now_us, end_us = now_us + fault.length_us;
    const auto until_end = [&](std::function<void()> end) {
        at(end_us, [this, from_us, end = std::move(end), kind = fault.kind] {
            tell("end of " + std::string{label(kind)});
            if (end) end();
            excuse(from_us, {}, {}, std::string{label(kind)});
        });
    };
    switch (fault.kind) {
        case Kind::reboot:
            if (!sim.is_down()) sim.reboot(fault.length_us, now_us);
            return until_end({});
        case Kind::hang:
            sim.hang(now_us);
            return until_end([this] { sim.resume(now_us); });
        case Kind::crowd:
            for (auto& daemon : daemons_)
                daemon->line.cut("connection reset by peer");
            people_.take_all_sessions(schedule.router.max_sessions, now_us);
            return until_end([this] { people_.leave(now_us); });
        case Kind::clock_jump:
            wall_moved_ns_ += (static_cast<std::int64_t>(fault.pick % 4000) - 2000) * 1'000'000'000;
            return sim.set_wall_clock(kWallNs + wall_moved_ns_);
        case Kind::human_prints:
            people_.print(1 + fault.pick % 4, now_us,
                          [this, from_us] { excuse(from_us, {}, {}, "human-prints"); });
            return;
        case Kind::reload:
            for (auto& daemon : daemons_) {
                const auto later_us = daemon->number == 0 ? 0 : fault.pick / 64 % 3'000'000;
                at(std::max(now_us + later_us, daemon->line.frozen_until_us()),
                   [this, from_us, &daemon = *daemon, pick = fault.pick] {
                       change_lists(daemon, pick);
                       excuse(from_us, {}, {}, "reload");
                   });
            }
            return;
        case Kind::foreign_static:
        case Kind::foreign_timed:
        case Kind::foreign_disabled:
            return begin_foreign(fault);
        case Kind::human_removes:
        case Kind::human_empties:
        case Kind::human_sets:
        case Kind::human_disables:
        case Kind::duplicate:
            return begin_by_hand(fault);
        default:
            begin_on_line(fault);
            return until_end({});
    }
}

void World::begin_on_line(const Fault& fault) {
    struct Refused {
        const char *command, *message;
    };
    constexpr const char* kTimedOut =
        "action timed out - try again, if error continues contact MikroTik support and send a "
        "supout file (13)";
    static const Refused kRefused[] = {{"/add", "failure: out of memory"},
                                       {"/add", kTimedOut},
                                       {"/set", kTimedOut},
                                       {"address-list/print", kTimedOut},
                                       {"/listen", kTimedOut},
                                       {"resource/print", kTimedOut},
                                       {"/remove", kTimedOut}};
    Daemon& daemon = *daemons_[fault.pick % daemons_.size()];
    Line& line = daemon.line;
    const std::int64_t end_us = now_us + fault.length_us;
    // What has not come by then does not come any more.
    switch (fault.kind) {
        case Kind::cut:
            return line.cut("connection reset by peer");
        case Kind::cut_unsent:
        case Kind::cut_half:
            line.cut_on_send(fault.kind == Kind::cut_half);
            return at(end_us, [&line] { line.disarm(); });
        case Kind::cut_applied:
            cut_at_commit_ = &daemon;
            return at(end_us, [this] { cut_at_commit_ = nullptr; });
        case Kind::blackout:
            return line.blackout(end_us);
        case Kind::drip:
            return line.drip(end_us);
        case Kind::freeze:
            return line.freeze(end_us);
        case Kind::traps: {
            const Refused& what = kRefused[fault.pick / 8 % std::size(kRefused)];
            tell(std::string{"refused: "} + what.command);
            line.refuse(what.command, what.message, end_us);
            // What is said once in a connection is said in a new one.
            if (fault.pick / 64 % 2 == 0) line.cut("connection reset by peer");
            return;
        }
        default:
            return;
    }
}

std::vector<World::Spot> World::our_rows(bool only_static) const {
    std::vector<Spot> spots;
    for (const auto family : {Family::ipv4, Family::ipv6}) {
        for (const auto& row : sim.rows(family)) {
            if (is_ours(row.comment) && !row.disabled && !(only_static && row.dynamic))
                spots.push_back({family, row.list, row.address});
        }
    }
    return spots;
}

std::optional<rossim::RowView> World::row_at(const Spot& spot, std::string_view comment) const {
    for (const auto& row : sim.rows(spot.family, spot.list)) {
        const bool fits = comment.empty() ? is_ours(row.comment) : row.comment == comment;
        if (row.address == spot.address && fits) return row;
    }
    return std::nullopt;
}

World::Spot World::wanted_spot(std::uint32_t pick) const {
    const ListPlan& list = schedule.lists[pick % schedule.lists.size()];
    const bool six = pick % 5 == 0 && !list.config.list6.empty();
    const auto family = six ? Family::ipv6 : Family::ipv4;
    return {family, six ? list.config.list6 : list.config.list4,
            address_text(family, list.range, pick / 8 % list.pool)};
}

void World::begin_by_hand(const Fault& fault) {
    const auto rows = our_rows(fault.kind == Kind::human_disables);
    if (rows.empty()) return;
    const Spot spot = rows[fault.pick % rows.size()];
    const std::int64_t from_us = now_us;
    const auto excused = [this, from_us, spot, kind = fault.kind] {
        excuse(from_us, spot.list, spot.address, std::string{label(kind)});
    };
    const auto set = [this](const Spot& where, const std::string& what,
                            const std::function<void()>& done) {
        const auto row = row_at(where, "");
        return row && people_.set(where.family, row->id, what, now_us, done);
    };
    switch (fault.kind) {
        case Kind::human_empties:
            for (const auto& one : rows)
                people_.remove(one.family, one.list, one.address, now_us);
            return excuse(now_us, {}, {}, "human-empties");
        case Kind::human_removes:
            people_.remove(spot.family, spot.list, spot.address, now_us);
            return excused();
        case Kind::duplicate:
            return people_.add(spot.family, spot.list, spot.address, 5 + fault.pick % 300,
                               row_at(spot, "")->comment, now_us);
        case Kind::human_sets: {
            constexpr const char* kTimeouts[] = {"2", "7", "41", "5003", "0"};
            set(spot, std::string{"=timeout="} + kTimeouts[fault.pick / 1024 % 5], excused);
            return;
        }
        case Kind::human_disables:
            // It may be away until it is on again, however long that takes.
            set(spot, "=disabled=yes", [this, spot, from_us, length_us = fault.length_us] {
                at(now_us + length_us, [this, spot, from_us] { enable(spot, from_us); });
            });
            return;
        default:
            return;
    }
}

// Again and again until it is done: the router may be away.
void World::enable(const Spot& spot, std::int64_t from_us) {
    const auto row = row_at(spot, "");
    const auto excused = [this, spot, from_us] {
        excuse(from_us, spot.list, spot.address, "enabled again");
    };
    if (!row || !row->disabled) return excused();
    people_.set(spot.family, row->id, "=disabled=no", now_us, {});
    at(now_us + kSecond, [this, spot, from_us] { enable(spot, from_us); });
}

void World::begin_foreign(const Fault& fault) {
    const Spot spot = wanted_spot(fault.pick);
    const std::string comment = "mine " + std::to_string(fault.pick);
    const std::int64_t from_us = now_us, end_us = now_us + fault.length_us;
    const auto remove = [this, spot, from_us, comment] {
        // By its address alone it might be ours that goes: then that is what they did.
        people_.remove(spot.family, spot.list, spot.address, now_us);
        if (row_at(spot, comment)) people_.remove(spot.family, spot.list, spot.address, now_us);
        excuse(from_us, spot.list, spot.address, "foreign row went");
    };
    if (fault.kind == Kind::foreign_timed) {
        const std::int64_t timeout_s = std::max<std::int64_t>(1, fault.length_us / kSecond);
        people_.add(spot.family, spot.list, spot.address, timeout_s, comment, now_us);
        at(now_us + timeout_s * kSecond, [this, spot, from_us] {
            excuse(from_us, spot.list, spot.address, "foreign row ended");
        });
        return;
    }
    people_.add(spot.family, spot.list, spot.address, std::nullopt, comment, now_us);
    if (fault.kind == Kind::foreign_disabled) {
        const auto row = row_at(spot, comment);
        people_.set(spot.family, row->id, "=disabled=yes", now_us, {});
        at(end_us, remove);
    } else if (fault.pick / 4 % 2 == 0) {
        at(end_us, remove);
    }
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
    for (auto& list : lists)
        list.epoch = daemon.epochs.contains(list.id) ? daemon.epochs[list.id] : list.epoch;
    daemon.engine->configure(daemon.config, daemon.line.now_ms());
}

}  // namespace steer::schedules
