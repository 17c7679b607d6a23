// What the judge is notified.
#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "schedules/world.h"

namespace steer::schedules {

namespace {

constexpr std::int64_t kConvergeUs = 5 * kSecond;  // and the time that the rows take

std::int64_t wall_ns(std::int64_t us) {
    return kWallNs + us * 1000;
}

}  // namespace

// (List, address) pairs on the router that a lease or an entry relies on now.
std::size_t World::owed() const {
    std::set<std::pair<std::string, std::string>> rows;
    for (const auto& answer : answers_) {
        if (answer.lease_end_us > now_us)
            rows.insert({plan(answer.list).config.list4, answer.address});
    }
    for (const auto& list : daemons_.front()->config.lists) {
        for (const auto& address : list.persistent)
            rows.insert({list.list4, address.to_string()});
    }
    return rows.size();
}

std::int64_t World::grace_us(double share) const {
    const double rows_s = static_cast<double>(owed()) / (share * schedule.write_rate());
    return kConvergeUs + static_cast<std::int64_t>(rows_s * 1e6);
}

void World::excuse(std::int64_t from_us, std::string list, std::string address) {
    windows_.push_back({from_us, now_us + grace_us(kShare), std::move(list), std::move(address)});
}

// What has ended cannot change any more.
void World::write_ended() {
    std::vector<Answer> all = std::exchange(answers_, {});
    const auto first = std::stable_partition(
        all.begin(), all.end(), [&](const Answer& one) { return one.lease_end_us > now_us; });
    std::vector<Answer> live(all.begin(), first);
    answers_.assign(first, all.end());
    write_answers();
    most_answers_ = std::max(most_answers_, 2 * live.size());
    answers_ = std::move(live);
}

void World::write_answers() {
    for (const auto& answer : answers_) {
        const std::int64_t ttl_s =
            (answer.lease_end_us - answer.at_us) / kSecond - std::int64_t{kExtraS};
        if (answer.lease_end_us - answer.at_us < kSecond) continue;
        std::string address = answer.address.substr(0, answer.address.find('/'));
        played.answers += "{\"t_ns\":" + std::to_string(wall_ns(answer.at_us)) + ",\"name\":\"" +
                          (answer.promised ? "sure.l" : "www.l") + std::to_string(answer.list) +
                          ".example\",\"answers\":[{\"address\":\"" + address +
                          "\",\"ttl\":" + std::to_string(ttl_s) + "}]}\n";
    }
}

std::string World::facts() const {
    boost::json::array policies, tags, windows, rows, complaints;
    for (const auto& list : schedule.lists) {
        const auto& config = list.config;
        policies.push_back({"l" + std::to_string(config.id) + ".example",
                            judged_name(config, false), judged_name(config, true)});
        tags.emplace_back(config.prefix + ";pg=" + config.tag + ";");
    }
    for (const auto& w : windows_)
        windows.push_back({wall_ns(w.from_us), wall_ns(w.to_us), w.list, w.address});
    for (const auto family : {Family::ipv4, Family::ipv6}) {
        for (const auto& row : sim.rows(family)) {
            rows.push_back(
                {family == Family::ipv4 ? 4 : 6, row.list, row.address, row.comment, row.disabled});
        }
        for (const auto& route : sim.routes(family)) {
            const bool leads_elsewhere = is_ours(route.comment) && route.gateway != kGateway;
            const bool is_host = family == Family::ipv4 && route.destination.ends_with("/32");
            const auto length = route.destination.size() - (is_host ? 3 : 0);
            rows.push_back({family == Family::ipv4 ? 4 : 6, "route " + route.table,
                            route.destination.substr(0, length), route.comment,
                            route.disabled || leads_elsewhere});
        }
    }
    for (const auto& complaint : played.complaints)
        complaints.emplace_back(complaint);
    return boost::json::serialize(boost::json::object{{"seed", schedule.seed},
                                                      {"start_ns", wall_ns(kStartUs)},
                                                      {"end_ns", wall_ns(now_us)},
                                                      {"policies", policies},
                                                      {"tags", tags},
                                                      {"windows", windows},
                                                      {"rows", rows},
                                                      {"complaints", complaints}});
}

}  // namespace steer::schedules
