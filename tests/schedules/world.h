// The world of one play: the router, those of us who write to it, the clients, the humans, the time.
//
// One object, four files by subject: play.cpp (time, what is noted), clients.cpp (who asks, what leaves),
// faults.cpp (what goes wrong), facts.cpp (what the judge is notified).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "lab.h"
#include "schedules/line.h"
#include "schedules/people.h"
#include "schedules/play.h"
#include "schedules/schedule.h"
#include "support/random.h"

namespace steer::schedules {

using rossim::Family;
using routeros::ListId;
using routeros::Outcome;

inline constexpr std::int64_t kWallNs = 1'760'000'000'000'000'000;
inline constexpr std::int64_t kStartUs = 1'000 * kSecond;  // the machine has been up for a while
inline constexpr std::uint32_t kExtraS = 30;               // of a lease, after its TTL
inline constexpr double kShare = 0.85;  // of the router's own write rate, after a fault
inline constexpr double kRoutineShare =
    0.25;  // the share of it for rows of answers that were not held

// An answer that left with one record.
struct Answer {
    std::int64_t at_us;
    ListId list;
    std::string address;
    std::int64_t lease_end_us;
    bool promised;  // it left because the row was reported to be there
};

struct Question {
    std::int64_t deadline_us;  // then the answer leaves, row or not
    ListId list;
    std::vector<std::string> addresses;
    std::uint32_t ttl_s;
    bool settled = false;
};

// In which rows may be away: all, or one.
struct Window {
    std::int64_t from_us, to_us;
    std::string list, address;
};

class World;

// One of us: an engine, its line, and what it reported.
class Daemon final : public routeros::test::Witness {
  public:
    Daemon(World& world, unsigned number);
    void settled(std::uint64_t hold_token, Outcome outcome) override;
    void log(routeros::Level level, std::string_view sentence) override;

    World& world;
    unsigned number;
    Line line;
    routeros::RouterConfig config;
    std::unique_ptr<routeros::Router> engine;
    test::Random clients;  // what they ask next
    std::int64_t next_question_us = 0;
    std::map<std::uint64_t, Question> questions;  // by hold token
    std::size_t logged = 0;
};

class World {
  public:
    World(const Schedule& schedule, const std::set<std::size_t>& without);
    Played play();

    void tell(const std::string& what);
    void answered(const Question& question, std::int64_t at_us, bool promised);

    const Schedule& schedule;
    rossim::Router sim;
    std::int64_t now_us = kStartUs;
    Played played;

  private:
    struct Spot {
        Family family;
        std::string list, address;
        bool is_route = false;  // `list` is its routing table
        [[nodiscard]] std::string judged() const { return is_route ? "route " + list : list; }
    };
    struct Connected {  // a connection that the router tracks
        std::int64_t from_us, until_us;
    };
    friend class Daemon;

    void at(std::int64_t at_us, std::function<void()> what) {
        agenda_.emplace(std::max(at_us, now_us), std::move(what));
    }
    void note(const rossim::Commit& commit);
    void step();
    void collect();
    void ask(Daemon& daemon);
    [[nodiscard]] std::size_t owed() const;
    [[nodiscard]] std::int64_t grace_us(double share) const;
    // Rows may be away from then until they had their time from now: all, or one.
    void excuse(std::int64_t from_us, std::string list = {}, std::string address = {});
    void begin(const Fault& fault);
    void begin_on_line(const Fault& fault);
    void inject(rossim::Fault what, std::int64_t length_us);
    void begin_by_hand(const Fault& fault);
    void begin_on_route(const Fault& fault, const Spot& spot);
    bool remove(const Spot& spot);
    void connect(const std::string& address);
    void check_guard(const rossim::Commit& commit);
    [[nodiscard]] std::int64_t last_routes_us() const;
    void check_left_routes();
    void begin_foreign(const Fault& fault);
    void change_lists(Daemon& daemon, std::uint32_t pick);
    void begin_rights(const Fault& fault);
    void tidy();
    [[nodiscard]] std::vector<Spot> our_rows(bool only_static) const;
    [[nodiscard]] std::string comment_at(const Spot& spot) const;
    [[nodiscard]] Spot wanted_spot(std::uint32_t pick) const;
    [[nodiscard]] bool is_ours(std::string_view comment) const;
    [[nodiscard]] bool is_configured(std::string_view comment) const;  // now, with the first of us
    [[nodiscard]] const ListPlan& plan(ListId id) const;
    [[nodiscard]] std::string facts() const;
    void write_answers();
    void write_ended();

    const std::set<std::size_t>& without_;
    People people_;
    std::vector<std::unique_ptr<Daemon>> daemons_;
    std::multimap<std::int64_t, std::function<void()>> agenda_;
    std::vector<Answer> answers_;  // whose leases may go on
    std::size_t most_answers_ = 4'096;
    std::vector<Window> windows_;
    std::map<std::string, Connected> connected_;  // by address, without a length
    std::int64_t last_questions_us_ = kNever, end_us_ = kNever;
    std::uint64_t next_token_ = 1;
};

}  // namespace steer::schedules
