#include "schedules/play.h"

#include <algorithm>
#include <cstdio>

#include "schedules/world.h"

namespace steer::schedules {

namespace {

constexpr std::int64_t kQuietUs = 60 * kSecond;        // watched after all is declared to be well
constexpr std::int64_t kNoQuestionsUs = 40 * kSecond;  // of that, at its end

std::string time_text(std::int64_t us) {
    char text[32];
    std::snprintf(text, sizeof text, "%10.6f", static_cast<double>(us - kStartUs) / 1e6);
    return text;
}

rossim::Options with_wall(rossim::Options options) {
    options.wall_at_zero_ns = kWallNs;
    return options;
}

}  // namespace

// --- one of us -----------------------------------------------------------------------------------

Daemon::Daemon(World& in, unsigned n)
    : world(in),
      number(n),
      line(in.sim, in.now_us,
           [this](const std::string& what) {
               world.tell("writer " + std::to_string(number) + ": " + what);
           }),
      clients(in.schedule.seed * 4 + 1 + n) {
    config.name = "edge1";
    config.address = "172.16.1.1:8728";
    config.username = "admin";
    config.password = "secret";
    for (const auto& plan : in.schedule.lists)
        config.lists.push_back(plan.config);
    engine = std::make_unique<routeros::Router>(config, *this, line);
    line.attach(*engine);
}

void Daemon::settled(std::uint64_t hold_token, Outcome outcome) {
    Question& question = questions.at(hold_token);
    if (std::exchange(question.settled, true)) {
        world.played.complaints.push_back("a hold was settled twice at " + time_text(world.now_us));
        return;
    }
    const bool in_time = world.now_us <= question.deadline_us;
    const bool promised = outcome == Outcome::installed || outcome == Outcome::already_there;
    world.answered(question, std::min(world.now_us, question.deadline_us), in_time && promised);
}

void Daemon::log(routeros::Level, std::string_view sentence) {
    ++logged;
    world.tell("writer " + std::to_string(number) + " says: " + std::string{sentence});
}

// --- the world -----------------------------------------------------------------------------------

World::World(const Schedule& with, const std::set<std::size_t>& without)
    : schedule(with),
      sim(with_wall(with.router), [this](const rossim::Commit& commit) { note(commit); }),
      without_(without),
      people_(sim) {
    sim.advance(now_us);
    for (unsigned i = 0; i < with.writers; ++i)
        daemons_.push_back(std::make_unique<Daemon>(*this, i));
}

void World::tell(const std::string& what) {
    played.story += time_text(now_us) + " " + what + "\n";
}

void World::note(const rossim::Commit& commit) {
    const bool theirs = people_.acting();
    // Our route by another gateway leads elsewhere: for the judge it is not there.
    rossim::Commit judged = commit;
    judged.disabled |= commit.is_route && is_ours(commit.comment) && commit.gateway != kGateway;
    std::string line = rossim::to_json_line(judged);
    if (commit.change == rossim::Change::reboot) connected_.clear();
    if (commit.change == rossim::Change::remove && !theirs) check_guard(commit);
    if (theirs) line.replace(line.size() - 2, 1, ",\"by\":\"human\"}");
    // What is not ours, or of a list that is no more, blocks until it ends.
    if (commit.change == rossim::Change::expire && !is_configured(commit.comment)) {
        excuse(now_us, std::string{commit.list}, std::string{commit.address});
    }
    const auto left_us = commit.left_us.value_or(-1);
    if (commit.comment != "prefill") {
        tell(std::string{theirs ? "human " : "router "} +
             std::string{rossim::change_name(commit.change)} + (commit.is_route ? " route " : " ") +
             std::string{commit.list} + " " + std::string{commit.address} + " left " +
             std::to_string(left_us / 1000) + " ms " + std::string{commit.gateway} + " " +
             std::string{commit.comment} + (commit.disabled ? " disabled" : ""));
    }
    played.journal += line;
}

// Of a guarded route that we removed: no connection to it may be older than what the engine can have known.
void World::check_guard(const rossim::Commit& commit) {
    constexpr std::int64_t kKnownAfterUs = 120 * kSecond;
    if (!commit.is_route) return;
    const auto plan = std::ranges::find_if(schedule.lists, [&](const ListPlan& list) {
        return commit.comment.starts_with(list.config.prefix + ";pg=" + list.config.tag + ";");
    });
    const auto found =
        connected_.find(std::string{commit.address.substr(0, commit.address.find('/'))});
    if (plan == schedule.lists.end() || found == connected_.end()) return;
    // A second one, as imports leave, goes at once.
    const auto family = commit.family;
    const auto same =
        std::ranges::count_if(sim.routes(family, commit.list), [&](const auto& route) {
            return route.destination.starts_with(
                std::string{commit.address.substr(0, commit.address.find('/'))} + "/");
        });
    const auto& [from_us, until_us] = found->second;
    const bool is_guarded = std::ranges::any_of(schedule.lists, [&](const ListPlan& list) {
        return list.config.connection_guard && list.config.list4 == commit.list;
    });
    if (same > 0 || !is_guarded || now_us < from_us + kKnownAfterUs || now_us >= until_us) return;
    played.complaints.push_back("a route was removed while a connection used it: " +
                                std::string{commit.address} + " at " + time_text(now_us));
}

// How long after the last question all routes of lists with short lives must be gone: a life, and what the engine waits.
std::int64_t World::last_routes_us() const {
    constexpr std::int64_t kWaitsUs = 300 * kSecond;
    constexpr std::uint32_t kShortLifeS = 600;
    std::int64_t longest_us = 0;
    for (const ListPlan& list : schedule.lists) {
        const auto& config = list.config;
        if (config.type == routeros::RowType::address || config.max_ttl_s == 0) continue;
        if (config.max_ttl_s > kShortLifeS) return 0;
        longest_us = std::max(longest_us, config.max_ttl_s * kSecond + kWaitsUs);
    }
    return longest_us;
}

void World::check_left_routes() {
    if (last_routes_us() == 0) return;
    for (const Spot& spot : our_rows(false)) {
        if (!spot.is_route || !is_configured(comment_at(spot))) continue;
        const auto address = routeros::Address::parse(spot.address);
        const auto& lists = daemons_.front()->config.lists;
        const bool is_wanted = std::ranges::any_of(lists, [&](const auto& list) {
            return list.list4 == spot.list &&
                   (list.max_ttl_s == 0 ||
                    std::ranges::find(list.persistent, *address) != list.persistent.end());
        });
        const bool is_watched = std::ranges::any_of(lists, [&](const auto& list) {
            return list.type == routeros::RowType::route && list.list4 == spot.list;
        });
        const auto used = connected_.find(spot.address.substr(0, spot.address.find('/')));
        const bool is_used =
            used != connected_.end() && now_us < used->second.until_us + 60 * kSecond;
        if (is_wanted || !is_watched || is_used) continue;
        played.complaints.push_back("a route stayed without a lease: " + spot.judged() + " " +
                                    spot.address);
    }
}

const ListPlan& World::plan(ListId id) const {
    return *std::find_if(schedule.lists.begin(), schedule.lists.end(),
                         [&](const ListPlan& list) { return list.config.id == id; });
}

bool World::is_configured(std::string_view comment) const {
    const auto& lists = daemons_.front()->config.lists;
    return std::any_of(lists.begin(), lists.end(), [&](const routeros::ListConfig& list) {
        return comment.starts_with(list.prefix + ";pg=" + list.tag + ";");
    });
}

bool World::is_ours(std::string_view comment) const {
    return std::any_of(schedule.lists.begin(), schedule.lists.end(), [&](const ListPlan& list) {
        return comment.starts_with(list.config.prefix + ";pg=" + list.config.tag + ";");
    });
}

// --- time ----------------------------------------------------------------------------------------

void World::collect() {
    for (const auto& output : sim.take_output()) {
        if (people_.arrived(output, now_us)) continue;
        for (auto& daemon : daemons_) {
            if (daemon->line.session() == output.session) daemon->line.arrived(output);
        }
    }
}

void World::step() {
    std::int64_t next_us = end_us_;
    if (const auto event = sim.next_event_us()) next_us = std::min(next_us, *event);
    if (!agenda_.empty()) next_us = std::min(next_us, agenda_.begin()->first);
    for (const auto& daemon : daemons_) {
        next_us = std::min(next_us, daemon->line.next_event_us());
        if (now_us < last_questions_us_) next_us = std::min(next_us, daemon->next_question_us);
    }
    // The journal is written while the router works towards that time.
    now_us = std::max(now_us, next_us);
    sim.advance(now_us);
    collect();
    while (!agenda_.empty() && agenda_.begin()->first <= now_us) {
        const auto what = std::move(agenda_.begin()->second);
        agenda_.erase(agenda_.begin());
        what();
        collect();
    }
    for (auto& daemon : daemons_) {
        if (!daemon->line.run()) {
            played.complaints.push_back("an engine wants to be called again and again for " +
                                        time_text(now_us));
            end_us_ = now_us;
        }
        if (now_us >= daemon->next_question_us && now_us < last_questions_us_) ask(*daemon);
        collect();
    }
}

Played World::play() {
    for (const ListPlan& list : schedule.lists) {
        if (list.config.type != routeros::RowType::route) continue;
        sim.put_record("/routing/table", {{"name", list.config.list4}}, now_us);
        people_.add_route(Family::ipv4, list.config.list4, "0.0.0.0/0", kForeignGateway, "mine",
                          false, now_us);
        people_.add_route(Family::ipv4, list.config.list4, "198.51.100.0/24", kForeignGateway,
                          "mine", false, now_us);
    }
    if (schedule.prefill > 0) {
        const auto& config = schedule.lists.front().config;
        people_.prefill(Family::ipv4, config.list4, schedule.prefill, now_us);
        if (!config.list6.empty()) people_.prefill(Family::ipv6, config.list6, 10, now_us);
    }
    for (auto& daemon : daemons_) {
        daemon->next_question_us = now_us + kSecond;
        daemon->engine->start(daemon->line.now_ms());
    }
    excuse(now_us);
    std::size_t happened = 0, allowed = 0;  // faults, and sentences about them
    for (std::size_t i = 0; i < schedule.faults.size(); ++i) {
        if (without_.contains(i)) continue;
        ++happened;
        const Fault& fault = schedule.faults[i];
        // A change of state is two sentences, gone and there again; of removed rows each list has
        // one per address family.
        allowed += fault.kind == Kind::human_empties
                       ? std::max<std::size_t>(4, 2 * schedule.lists.size())
                       : 4;
        at(kStartUs + fault.at_us, [this, &fault] {
            tell("fault " + std::string{label(fault.kind)});
            begin(fault);
        });
    }
    if (schedule.tidy_us != 0) at(kStartUs + schedule.tidy_us, [this] { tidy(); });
    at(kStartUs + schedule.faults_end_us, [this] {
        end_us_ = now_us + grace_us(kShare) + kQuietUs;
        last_questions_us_ = end_us_ - kNoQuestionsUs;
        end_us_ += last_routes_us();
    });
    while (now_us < end_us_)
        step();

    for (const auto& daemon : daemons_) {
        for (const auto& [token, question] : daemon->questions) {
            if (!question.settled) {
                played.complaints.push_back("who waited since " + time_text(question.deadline_us) +
                                            " was never told");
            }
        }
        // Two at the start; a row that is refused has one a minute.
        const auto minutes = static_cast<std::size_t>((now_us - kStartUs) / (60 * kSecond));
        played.sentences += daemon->logged;
        if (daemon->logged > 2 + allowed + minutes) {
            played.complaints.push_back(std::to_string(daemon->logged) +
                                        " sentences for the operator about " +
                                        std::to_string(happened) + " faults");
        }
    }
    check_left_routes();
    write_answers();
    played.facts = facts();
    return std::move(played);
}

Played play(const Schedule& schedule, const std::set<std::size_t>& without) {
    World world(schedule, without);
    return world.play();
}

}  // namespace steer::schedules
