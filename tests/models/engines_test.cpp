// Two real engines of a fleet on the simulated router, in every order of what can happen.
//
// Actions are deliveries of bytes, one per session and direction, and the events of a story: box b
// gets the next term, box a is deposed later, an answer of box b waits, its claim reaches box a, a
// session is cut. The clock stands still during the story, so the state of each of the three is a
// function of what it has received in which order. Orders that give all three the same are one
// state. Behind each last state, time goes on without faults, and the end is judged.
//
// Judged: an answer is released only if the router has its row or the session has been cut; no row
// is written before the writer row of its term; no row is removed; in the end box b alone writes,
// its token is on the router, and the row is there.
//
// The mistakes are planted around the engines: the engines must show them, or the test proves
// nothing.
#include <boost/test/unit_test.hpp>
#include <deque>
#include <set>
#include <unordered_set>

#include "lab.h"
#include "routeros/comment.h"

namespace steer::models {
namespace {

using routeros::Outcome;
using routeros::Role;
using routeros::test::kSecond;

constexpr const char* kEngineList = "policy_v4";
constexpr const char* kEngineAddress = "203.0.113.7";

enum class Planted : std::uint8_t {
    nothing,
    same_token,       // the election gives box b the token of box a
    lost_listen,      // no one deposes box a, and it gets no reports of `listen`
    answers_at_once,  // the answer leaves when its row was sent
};

struct Action {
    enum class What : std::uint8_t { to_router, to_box, closed, elect, ask, share, depose, cut };
    What what;
    unsigned box;
    bool operator==(const Action&) const = default;
};
constexpr std::array kActionTexts{
    "sends to the router", "receives",          "closed",
    "gets the next term",  "an answer waits",   "its claim reaches the other box",
    "is deposed",          "its session is cut"};

class Pair;

struct Appliance final : routeros::test::Witness, routeros::RouterLink {
    Appliance(Pair& in, unsigned number, const routeros::RouterConfig& config)
        : pair(in), at(number), router(config, *this, *this) {}
    void connect() override { is_connecting = true; }
    void close() override;
    void send(std::string_view bytes) override {
        if (session) to_router.emplace_back(bytes);
    }
    void settled(std::uint64_t token, Outcome outcome) override;

    Pair& pair;
    unsigned at;
    routeros::Router router;
    bool is_connecting = false, is_cut = false;
    std::optional<rossim::SessionId> session;
    std::deque<std::string> to_router, to_box;
    std::uint64_t seen = 0;  // hash of what it received, in this order
};

class Pair {
  public:
    Pair(std::set<Action::What> story, Planted planted)
        : story_(std::move(story)),
          planted_(planted),
          sim(options(), [this](const rossim::Commit& commit) { note(commit); }) {
        sim.advance(now_us);
        auto list = routeros::test::list_config();
        list.multi_writer = true;
        for (unsigned i = 0; i < 2; ++i)
            boxes[i] = std::make_unique<Appliance>(*this, i, routeros::test::router_config({list}));
        boxes[0]->router.set_role({Role::writer, "pop1", "a", 1}, now_ms());
        boxes[1]->router.set_role({Role::standby, "pop1", "a", 1}, now_ms());
        for (auto& box : boxes)
            box->router.start(now_ms());
        run_for(3 * kSecond);
        BOOST_REQUIRE(writer_token() == 1U);
        for (auto& box : boxes)
            box->seen = 0;
        is_story = true;
    }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;

    [[nodiscard]] std::vector<Action> possible() const {
        using What = Action::What;
        std::vector<Action> all;
        for (unsigned i = 0; i < 2; ++i) {
            const Appliance& box = *boxes[i];
            if (!box.to_router.empty() && !box.is_cut) all.push_back({What::to_router, i});
            if (!box.to_box.empty()) all.push_back({What::to_box, i});
            if (box.is_cut && box.to_box.empty()) all.push_back({What::closed, i});
        }
        for (const What what : {What::elect, What::ask, What::cut, What::share, What::depose}) {
            if (!story_.contains(what)) continue;
            if (what == What::share && story_.contains(What::ask)) continue;
            if (what == What::depose && story_.contains(What::elect)) continue;
            if (what == What::cut && boxes[0]->is_cut) continue;
            all.push_back({what, what == What::depose || what == What::cut ? 0U : 1U});
        }
        return all;
    }

    void take(const Action& action) {
        using What = Action::What;
        Appliance& box = *boxes[action.box];
        std::string bytes;
        switch (action.what) {
            case What::to_router:
                bytes = pop(box.to_router);
                router_seen_ = mix(router_seen_, action.box, bytes);
                feeding_ = action.box;
                sim.feed(*box.session, bytes, now_us);
                sim.advance(now_us);
                collect();
                return;  // the box has received nothing
            case What::to_box:
                bytes = pop(box.to_box);
                box.router.received(bytes, now_ms());
                break;
            case What::closed:
                box.is_cut = false;
                box.session.reset();
                box.to_router.clear();
                box.router.closed("connection reset", now_ms());
                break;
            case What::elect:
                term_[1] = planted_ == Planted::same_token ? 1 : 2;
                box.router.set_role({Role::writer, "pop1", "b", term_[1]}, now_ms());
                break;
            case What::ask: {
                const auto address = routeros::test::bytes_of(kEngineAddress);
                box.router.claim(1, {&address, 1}, "www.stream.example", lease_end_ms(), 1800, 7,
                                 now_ms());
                if (planted_ == Planted::answers_at_once && !box.to_router.empty()) promised(1);
                break;
            }
            case What::share: {
                const routeros::SharedClaim claim{1, routeros::test::bytes_of(kEngineAddress),
                                                  "www.stream.example", lease_end_ms(), 1800};
                boxes[0]->router.take_claims({&claim, 1}, true, now_ms());
                boxes[0]->seen = mix(boxes[0]->seen, 99, "share");
                break;
            }
            case What::depose:
                box.router.set_role({Role::standby, "pop1", "b", 2}, now_ms());
                break;
            case What::cut:
                sim.close(*box.session, now_us);
                router_seen_ = mix(router_seen_, 77, "cut");
                box.is_cut = true;
                break;
        }
        if (action.what > What::closed) story_.erase(action.what);
        box.seen = mix(box.seen, static_cast<unsigned>(action.what), bytes);
        tick(*boxes[0]);
        tick(*boxes[1]);
    }

    [[nodiscard]] std::uint64_t key() const {
        std::uint64_t h = router_seen_;
        for (const auto& box : boxes)
            h = (h ^ box->seen) * 0x9e3779b97f4a7c15 + box->to_box.size() * 31 +
                box->to_router.size() * 7 + (box->is_cut ? 3 : 0);
        return h ^ h >> 31;
    }

    // Time goes on, and all bytes arrive.
    void finish() {
        is_story = false;
        run_for(8 * kSecond);
        if (planted_ == Planted::lost_listen) collect();
        complain(writer_token() == term_[1], "the token on the router is not the last one");
        complain(!boxes[0]->router.status().writes, "box a still writes");
        complain(boxes[1]->router.status().writes, "box b does not write");
        complain(has_row(), "the row is missing");
        complain(boxes[1]->outcomes.contains(7), "an answer waits for ever");
    }

    void promised(unsigned at) {
        if (boxes[at]->is_cut || !boxes[at]->session) return;
        complain(has_row(), "an answer was released without its row");
    }
    [[nodiscard]] std::uint64_t now_ms() const { return static_cast<std::uint64_t>(now_us / 1000); }

    std::string complaint;

  private:
    std::set<Action::What> story_;
    Planted planted_;
    std::array<std::uint64_t, 2> term_{1, 2};
    std::uint64_t highest_token_ = 0, router_seen_ = 0;
    unsigned feeding_ = 0;

  public:
    std::int64_t now_us = 1'000 * kSecond;
    bool is_story = false;
    rossim::Router sim;
    std::array<std::unique_ptr<Appliance>, 2> boxes;

  private:
    static rossim::Options options() {
        rossim::Options options;  // no sentence takes time
        return options;
    }
    static std::uint64_t mix(std::uint64_t h, unsigned number, std::string_view bytes) {
        h = (h ^ number) * 0x100000001b3;
        for (const char c : bytes)
            h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
        return (h ^ bytes.size()) * 0x9e3779b97f4a7c15;
    }
    static std::string pop(std::deque<std::string>& queue) {
        std::string first = std::move(queue.front());
        queue.pop_front();
        return first;
    }
    [[nodiscard]] std::uint64_t lease_end_ms() const { return now_ms() + 330'000; }
    [[nodiscard]] bool has_row() const {
        return !sim.rows(rossim::Family::ipv4, kEngineList).empty();
    }
    [[nodiscard]] std::uint64_t writer_token() const {
        const auto rows = sim.rows(rossim::Family::ipv4, routeros::kWriterList);
        if (rows.size() != 1) return 0;
        const auto facts = routeros::parse_writer_comment(rows.front().comment);
        return facts ? facts->token : 0;
    }
    void complain(bool is_good, const char* what) {
        if (!is_good && complaint.empty()) complaint = what;
    }
    void note(const rossim::Commit& commit) {
        if (commit.list == routeros::kWriterList) {
            if (const auto facts = routeros::parse_writer_comment(commit.comment))
                highest_token_ = std::max(highest_token_, facts->token);
            return;
        }
        if (commit.change == rossim::Change::remove) complain(false, "a row was removed");
        if (commit.change == rossim::Change::add && is_story)
            complain(highest_token_ >= term_[feeding_], "a row passed the writer row of its term");
    }
    void collect() {
        for (const auto& output : sim.take_output()) {
            for (auto& box : boxes) {
                if (!box->session || output.session != *box->session || box->is_cut) continue;
                const bool is_lost = planted_ == Planted::lost_listen && box->at == 0 &&
                                     output.bytes.find("token=2") != std::string::npos;
                if (!output.bytes.empty() && !is_lost) box->to_box.push_back(output.bytes);
                if (output.close) box->is_cut = true;
            }
        }
    }
    void tick(Appliance& box) const {
        for (int turns = 0; box.router.next_deadline() <= now_ms(); ++turns) {
            BOOST_REQUIRE(turns < 100);
            box.router.tick(now_ms());
        }
    }
    void deliver() {
        for (bool any = true; any;) {
            any = false;
            for (auto& box : boxes) {
                if (std::exchange(box->is_connecting, false)) {
                    box->session = sim.open(now_us);
                    BOOST_REQUIRE(box->session.has_value());
                    box->router.connected(now_ms());
                    any = true;
                }
                if (!box->to_router.empty() && !box->is_cut && box->session) {
                    feeding_ = box->at;
                    sim.feed(*box->session, pop(box->to_router), now_us);
                    any = true;
                }
                sim.advance(now_us);
                collect();
                if (!box->to_box.empty()) {
                    box->router.received(pop(box->to_box), now_ms());
                    any = true;
                } else if (box->is_cut) {
                    take({Action::What::closed, box->at});
                    any = true;
                }
            }
        }
    }
    void run_for(std::int64_t us) {
        for (const std::int64_t end_us = now_us + us; now_us < end_us; now_us += 50'000) {
            sim.advance(now_us);
            for (auto& box : boxes) {
                box->now_us = now_us;
                tick(*box);
            }
            deliver();
        }
    }
};

void Appliance::close() {
    is_connecting = false;
    if (session) pair.sim.close(*session, pair.now_us);
    session.reset();
    to_router.clear();
    to_box.clear();
    is_cut = false;
}
void Appliance::settled(std::uint64_t token, Outcome outcome) {
    Witness::settled(token, outcome);
    if (outcome == Outcome::installed || outcome == Outcome::already_there) pair.promised(at);
}

struct Tour {
    std::set<Action::What> story;
    Planted planted = Planted::nothing;
    std::size_t most_states = 0;

    std::size_t states = 0, ends = 0;
    std::string complaint{}, trace{};
    std::vector<Action> path{};
    std::unordered_set<std::uint64_t> known{};

    std::unique_ptr<Pair> replay() const {
        auto pair = std::make_unique<Pair>(story, planted);
        for (const Action& action : path)
            pair->take(action);
        return pair;
    }
    void fail(const std::string& what) {
        complaint = what;
        for (const Action& action : path)
            trace += std::string("box ") + (action.box == 0 ? "a: " : "b: ") +
                     kActionTexts[static_cast<std::size_t>(action.what)] + "\n";
    }
    void explore(std::unique_ptr<Pair> pair) {
        if (!complaint.empty() || states >= most_states) return;
        if (!known.insert(pair->key()).second) return;
        ++states;
        const auto actions = pair->possible();
        if (actions.empty()) {
            ++ends;
            pair->finish();
        }
        if (!pair->complaint.empty()) return fail(pair->complaint);
        for (const Action& action : actions) {
            auto next = pair == nullptr ? replay() : std::move(pair);
            next->take(action);
            path.push_back(action);
            explore(std::move(next));
            path.pop_back();
        }
    }
};

Tour explore_engines(std::set<Action::What> story, Planted planted, std::size_t most_states) {
    Tour tour{.story = std::move(story), .planted = planted, .most_states = most_states};
    tour.explore(tour.replay());
    BOOST_TEST_MESSAGE(tour.states << " states, " << tour.ends << " ends: " << tour.complaint
                                   << "\n"
                                   << tour.trace);
    return tour;
}

const std::set<Action::What> kHandover{Action::What::elect, Action::What::ask, Action::What::share,
                                       Action::What::depose};
const std::set<Action::What> kCutHandover{Action::What::elect, Action::What::ask,
                                          Action::What::cut};
const std::set<Action::What> kPartition{Action::What::elect, Action::What::ask,
                                        Action::What::share};

BOOST_AUTO_TEST_SUITE(engines)

BOOST_AUTO_TEST_CASE(a_handover_keeps_promises_in_every_order) {
    const Tour tour = explore_engines(kHandover, Planted::nothing, 20'000);
    BOOST_TEST(tour.complaint == "", tour.complaint << "\n" << tour.trace);
    BOOST_TEST(tour.states < 20'000U);  // all of them
    BOOST_TEST(tour.ends > 0U);
}

BOOST_AUTO_TEST_CASE(a_former_writer_without_notice_stops_in_every_order) {
    const Tour tour = explore_engines(kPartition, Planted::nothing, 20'000);
    BOOST_TEST(tour.complaint == "", tour.complaint << "\n" << tour.trace);
    BOOST_TEST(tour.states < 20'000U);
}

BOOST_AUTO_TEST_CASE(a_cut_former_writer_stops_when_it_is_back_in_every_order) {
    const Tour tour = explore_engines(kCutHandover, Planted::nothing, 20'000);
    BOOST_TEST(tour.complaint == "", tour.complaint << "\n" << tour.trace);
    BOOST_TEST(tour.states < 20'000U);
}

BOOST_AUTO_TEST_CASE(mistakes_around_the_engines_are_found) {
    for (const Planted planted :
         {Planted::same_token, Planted::lost_listen, Planted::answers_at_once}) {
        const auto& story = planted == Planted::lost_listen ? kPartition : kHandover;
        const Tour tour = explore_engines(story, planted, 20'000);
        BOOST_TEST(tour.complaint != "", "not found: " << static_cast<int>(planted));
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::models
