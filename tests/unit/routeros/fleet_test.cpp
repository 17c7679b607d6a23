// Several engines (a fleet) on one simulated router: roles, the writer row, answers that wait for another one's rows.
#include <boost/test/unit_test.hpp>

#include "lab.h"
#include "routeros/comment.h"

namespace steer::routeros::test {
namespace {

constexpr auto kFleetIp = rossim::Family::ipv4;
constexpr const char* kFleetList = "policy_v4";
constexpr const char* kWriters = "steerdns-writer";

struct Pop;

struct Box final : Witness, RouterLink {
    Box(Pop& in, const std::string& its_name, const RouterConfig& config)
        : pop(in), name(its_name), router(config, *this, *this) {}
    void connect() override { connecting = true; }
    void close() override;
    void send(std::string_view bytes) override;
    void superseded(std::uint64_t token, std::string_view box) override {
        supersessions.emplace_back(token, box);
    }

    Pop& pop;
    std::string name;
    Router router;
    bool connecting = false;
    std::optional<rossim::SessionId> session;
    std::vector<std::pair<std::uint64_t, std::string>> supersessions;
};

ListConfig fleet_list() {
    auto list = list_config();
    list.multi_writer = true;
    return list;
}

// Boxes a, b, c with one router; time goes from event to event, at most 10 ms at once.
struct Pop {
    explicit Pop(unsigned count, rossim::Options options = fast(),
                 std::vector<ListConfig> lists = {fleet_list()})
        : sim(std::move(options), [this](const rossim::Commit& c) { note(c); }) {
        sim.advance(now_us);
        for (unsigned i = 0; i < count; ++i) {
            boxes.push_back(std::make_unique<Box>(*this, std::string(1, static_cast<char>('a' + i)),
                                                  router_config(lists)));
        }
    }
    Box& operator[](std::size_t at) { return *boxes[at]; }
    [[nodiscard]] std::uint64_t now_ms() const { return static_cast<std::uint64_t>(now_us / 1000); }
    void note(const rossim::Commit& commit) {
        if (commit.list == kWriters) return;
        if (commit.change == rossim::Change::add) ++adds;
        if (commit.change == rossim::Change::set) ++sets;
        if (commit.change == rossim::Change::remove) ++removes;
    }
    void role(std::size_t at, Role role, std::uint64_t token = 0, std::string box = {}) {
        Box& one = *boxes[at];
        if (role == Role::writer) box = one.name;
        one.router.set_role({role, "pop1", std::move(box), token}, now_ms());
        collect();
    }
    void start() {
        for (auto& box : boxes)
            box->router.start(now_ms());
        run_for(5 * kSecond);
    }
    // Box 0 writes with token 1, the others stand by.
    void start_with_writer() {
        role(0, Role::writer, 1);
        for (std::size_t i = 1; i < boxes.size(); ++i)
            role(i, Role::standby, 1, "a");
        start();
    }
    // An answer of one box, and `apart_us` later the same claim at the others.
    void claim(std::size_t at, const std::string& address, std::uint32_t ttl_s,
               std::uint64_t hold = 0, std::int64_t apart_us = 1'000) {
        const AddressBytes bytes = bytes_of(address);
        const std::uint64_t end_ms = now_ms() + (ttl_s + 30) * std::uint64_t{1000};
        boxes[at]->router.claim(1, {&bytes, 1}, "www.stream.example", end_ms, 1800, hold, now_ms());
        collect();
        run_for(apart_us);
        const SharedClaim shared{1, bytes, "www.stream.example", end_ms, 1800};
        for (std::size_t i = 0; i < boxes.size(); ++i) {
            if (i != at) boxes[i]->router.take_claims({&shared, 1}, hold != 0, now_ms());
        }
        collect();
    }
    void collect() {
        for (const auto& output : sim.take_output()) {
            for (auto& box : boxes) {
                if (!box->session || output.session != *box->session) continue;
                if (!output.bytes.empty()) box->router.received(output.bytes, now_ms());
                if (!output.close || !box->session) continue;
                box->session.reset();
                box->router.closed("closed by the router", now_ms());
            }
        }
    }
    void run_for(std::int64_t us) {
        const std::int64_t end_us = now_us + us;
        while (now_us < end_us) {
            std::int64_t next_us = std::min(end_us, now_us + 10'000);
            if (const auto event = sim.next_event_us())
                next_us = std::clamp(*event, now_us + 100, next_us);
            now_us = next_us;
            sim.advance(now_us);
            for (auto& box : boxes) {
                box->now_us = now_us;
                if (std::exchange(box->connecting, false)) {
                    box->session = sim.open(now_us);
                    if (box->session)
                        box->router.connected(now_ms());
                    else
                        box->router.closed("connection refused", now_ms());
                }
                for (int turns = 0; box->router.next_deadline() <= now_ms(); ++turns) {
                    BOOST_REQUIRE(turns < 100);
                    box->router.tick(now_ms());
                }
            }
            collect();
        }
    }
    void cut(std::size_t at) {
        if (boxes[at]->session) sim.close(*boxes[at]->session, now_us);
        boxes[at]->session.reset();
        boxes[at]->router.closed("connection reset", now_ms());
    }
    [[nodiscard]] std::vector<rossim::RowView> rows(std::string_view list = kFleetList) const {
        return sim.rows(kFleetIp, list);
    }
    [[nodiscard]] std::string writer_row() const {
        const auto all = rows(kWriters);
        return all.size() == 1 ? all[0].comment : std::to_string(all.size()) + " rows";
    }

    std::int64_t now_us = 1'000 * kSecond;
    std::size_t adds = 0, sets = 0, removes = 0;
    rossim::Router sim;
    std::vector<std::unique_ptr<Box>> boxes;
};

void Box::close() {
    connecting = false;
    if (session) pop.sim.close(*session, pop.now_us);
    session.reset();
}
void Box::send(std::string_view bytes) {
    if (session) pop.sim.feed(*session, bytes, pop.now_us);
}

BOOST_AUTO_TEST_SUITE(fleet)

BOOST_AUTO_TEST_CASE(the_writer_row_comes_before_the_first_row) {
    Pop pop(2);
    pop.role(0, Role::writer, 7);
    pop.role(1, Role::standby, 7, "a");
    pop.claim(0, "203.0.113.1", 300);
    pop.start();
    const auto writers = pop.rows(kWriters);
    BOOST_REQUIRE(writers.size() == 1U);
    BOOST_TEST(writers[0].comment == "steerdns;fleet=pop1;writer=a;token=7");
    BOOST_TEST(writers[0].address.starts_with("2"));
    BOOST_TEST(std::stoi(writers[0].address) >= 240);
    BOOST_TEST(!writers[0].dynamic);
    BOOST_TEST(!writers[0].disabled);
    BOOST_REQUIRE(pop.rows().size() == 1U);
    BOOST_TEST(writers[0].id < pop.rows()[0].id);
    BOOST_TEST(pop[1].router.counters().rows_added == 0U);
    for (std::size_t i = 0; i < 2; ++i) {
        const auto status = pop[i].router.status();
        BOOST_TEST(status.writer_box == "a");
        BOOST_TEST(status.writer_token == 7U);
        BOOST_TEST(status.writes == (i == 0));
        BOOST_TEST(!status.away);
        BOOST_TEST(status.rows_foreign == 0U);
        BOOST_TEST(pop[i].router.highest_token() == 7U);
    }
    BOOST_TEST(pop[0].logged("is written by this appliance, a of fleet pop1, token 7") == 1U);
    BOOST_TEST(pop[1].logged("is written by a of fleet pop1, token 7") == 1U);
    pop.cut(0);
    pop.run_for(10 * kSecond);
    BOOST_TEST(pop[0].logged("is written by this appliance") == 1U);
    BOOST_TEST(pop[0].router.counters().writer_rows == 1U);
}

BOOST_AUTO_TEST_CASE(an_answer_of_a_standby_waits_for_the_row_that_the_writer_writes) {
    Pop pop(2);
    pop.start_with_writer();
    // As long as a lease may be, and shorter ones.
    std::uint64_t hold = 0;
    for (const std::uint32_t ttl_s : {1770U, 300U, 1U}) {
        const std::string address = nth(static_cast<unsigned>(++hold));
        pop.claim(1, address, ttl_s, hold);
        BOOST_TEST(!pop[1].outcomes.contains(hold));
        pop.run_for(90'000);
        BOOST_REQUIRE(pop[1].outcomes.contains(hold));
        BOOST_TEST((pop[1].outcomes[hold] == Outcome::installed));
        BOOST_TEST(pop[1].installed_until(1, address) > pop.now_ms() / 1000 + ttl_s + 29);
    }
    BOOST_TEST(pop[1].router.counters().rows_added == 0U);
    BOOST_TEST(pop.adds == 3U);
}

// The standby knows a row's end less exactly than the writer, who would deem the row long enough.
BOOST_AUTO_TEST_CASE(a_row_that_barely_covers_is_extended_for_a_waiting_standby) {
    for (std::int64_t less_s = 0; less_s < 12; ++less_s) {
        Pop pop(2);
        pop.start_with_writer();
        pop.claim(0, nth(1), 300);
        pop.run_for(1'000 * kSecond - less_s * kSecond);
        // The row has 800 s left, and some.
        pop.claim(1, nth(1), 770 - 2, 1);
        pop.run_for(95'000);
        BOOST_REQUIRE_MESSAGE(pop[1].outcomes.contains(1), less_s << " s more were left");
        BOOST_TEST((pop[1].outcomes[1] != Outcome::failed));
        BOOST_TEST(pop.rows().size() == 1U);
    }
}

BOOST_AUTO_TEST_CASE(rows_that_the_print_at_connect_shows_need_no_wait) {
    Pop pop(2);
    pop.start_with_writer();
    pop.claim(0, nth(1), 300);
    pop.run_for(kSecond);
    pop.cut(1);
    pop.run_for(5 * kSecond);
    pop.claim(1, nth(1), 300, 1);
    BOOST_REQUIRE(pop[1].outcomes.contains(1));
    BOOST_TEST((pop[1].outcomes[1] == Outcome::already_there));
}

BOOST_AUTO_TEST_CASE(a_standby_that_becomes_the_writer_writes_only_the_difference) {
    Pop pop(2);
    pop.start_with_writer();
    for (unsigned i = 1; i <= 50; ++i)
        pop.claim(0, nth(i), 300);
    pop.run_for(5 * kSecond);
    BOOST_TEST(pop.rows().size() == 50U);
    pop.cut(0);
    pop[0].close();
    pop[0].router.stop(pop.now_ms());
    pop.claim(1, nth(99), 300, 1);
    const auto adds = pop.adds;
    const auto sets = pop.sets;
    pop.role(1, Role::writer, 2);
    pop.run_for(60'000);
    BOOST_TEST(pop.rows().size() == 51U);
    BOOST_REQUIRE(pop[1].outcomes.contains(1));
    BOOST_TEST((pop[1].outcomes[1] == Outcome::installed));
    pop.run_for(20 * kSecond);
    BOOST_TEST(pop.adds == adds + 1);
    BOOST_TEST(pop.sets == sets);
    BOOST_TEST(pop.removes == 0U);
    BOOST_TEST(pop.writer_row() == "steerdns;fleet=pop1;writer=b;token=2");
}

BOOST_AUTO_TEST_CASE(a_higher_token_ends_a_term_at_once) {
    Pop pop(3);
    pop.start_with_writer();
    pop.role(1, Role::writer, 2);
    pop.run_for(20'000);
    BOOST_REQUIRE(pop[0].supersessions.size() == 1U);
    BOOST_TEST(pop[0].supersessions[0].first == 2U);
    BOOST_TEST(pop[0].supersessions[0].second == "b");
    BOOST_TEST(!pop[0].router.status().writes);
    BOOST_TEST(pop[1].router.status().writes);
    BOOST_TEST(pop[2].router.status().writer_box == "b");
    pop.claim(0, nth(1), 300, 1);
    pop.run_for(50'000);
    BOOST_TEST((pop[0].outcomes[1] == Outcome::installed));
    BOOST_TEST(pop[0].router.counters().rows_added == 0U);
    BOOST_TEST(pop[1].router.counters().rows_added == 1U);
    BOOST_TEST(pop[0].router.highest_token() == 2U);
    // With a new token it writes again.
    pop.role(0, Role::writer, 3);
    pop.role(1, Role::standby, 3, "a");
    pop.run_for(kSecond);
    BOOST_TEST(pop[0].router.status().writes);
    BOOST_TEST(pop.writer_row() == "steerdns;fleet=pop1;writer=a;token=3");
    BOOST_TEST(pop[1].supersessions.empty());
}

BOOST_AUTO_TEST_CASE(a_writer_that_comes_late_does_not_write) {
    Pop pop(2);
    pop.sim.add_row(kFleetIp, kWriters, "240.0.0.9", std::nullopt,
                    "steerdns;fleet=pop1;writer=z;token=9", pop.now_us);
    pop.start_with_writer();
    pop.claim(0, nth(1), 300);
    pop.run_for(kSecond);
    BOOST_TEST(pop.rows().empty());
    BOOST_REQUIRE(pop[0].supersessions.size() == 1U);
    BOOST_TEST(pop[0].supersessions[0].first == 9U);
    // Of equal tokens neither counts.
    pop.role(0, Role::writer, 9);
    pop.run_for(kSecond);
    BOOST_TEST(pop[0].supersessions.size() == 2U);
    BOOST_TEST(pop.rows().empty());
}

BOOST_AUTO_TEST_CASE(of_two_writers_at_once_one_remains) {
    Pop pop(2);
    pop.role(0, Role::writer, 1);
    pop.role(1, Role::writer, 2);
    pop.start();
    BOOST_TEST(pop.writer_row() == "steerdns;fleet=pop1;writer=b;token=2");
    BOOST_TEST(!pop[0].router.status().writes);
    BOOST_TEST(pop[1].router.status().writes);
    // The former one's last sentence comes after the new one's.
    rossim::RowEdit late;
    late.comment = "steerdns;fleet=pop1;writer=a;token=1";
    pop.sim.edit_row(kFleetIp, kWriters, pop.rows(kWriters)[0].address, late, pop.now_us);
    pop.run_for(kSecond);
    BOOST_TEST(pop.writer_row() == "steerdns;fleet=pop1;writer=b;token=2");
    BOOST_TEST(pop[1].router.status().writes);
    // A person removes it.
    pop.sim.remove_row(kFleetIp, kWriters, pop.rows(kWriters)[0].address, pop.now_us);
    pop.run_for(kSecond);
    BOOST_TEST(pop.writer_row() == "steerdns;fleet=pop1;writer=b;token=2");
    BOOST_TEST(pop[1].router.counters().writer_rows <= 5U);
}

BOOST_AUTO_TEST_CASE(another_fleet_is_reported_once_and_its_row_stays) {
    Pop pop(2);
    pop.start_with_writer();
    const std::string address = pop.rows(kWriters)[0].address;
    pop.sim.remove_row(kFleetIp, kWriters, address, pop.now_us);
    // Even at our address.
    const std::string theirs = "steerdns;fleet=other;writer=x;token=900";
    pop.sim.add_row(kFleetIp, kWriters, address, std::nullopt, theirs, pop.now_us);
    pop.sim.add_row(kFleetIp, kWriters, "192.0.2.1", std::nullopt, "of anna", pop.now_us);
    pop.sim.add_row(kFleetIp, kWriters, "no.such.example", std::nullopt,
                    "steerdns;fleet=pop1;writer=x;token=99999999999999999999", pop.now_us);
    pop.run_for(10 * kSecond);
    pop.cut(0);
    pop.run_for(10 * kSecond);
    BOOST_TEST(pop[0].router.status().writes);
    BOOST_TEST(pop[0].logged("fleet other writes this router, too (x by its row") == 1U);
    BOOST_TEST(pop[1].logged("fleet other writes this router, too") == 1U);
    BOOST_TEST(pop[0].router.status().other_fleets == (std::vector<std::string>{"other"}),
               boost::test_tools::per_element());
    BOOST_TEST(pop[0].router.highest_token() == 1U);
    bool kept = false, foreign = false;
    for (const auto& row : pop.rows(kWriters)) {
        kept |= row.address == address && row.comment == theirs;
        foreign |= row.comment == "of anna";
    }
    BOOST_TEST(kept);
    BOOST_TEST(foreign);
}

BOOST_AUTO_TEST_CASE(a_pause_wins_over_every_role) {
    Pop pop(2);
    pop[0].router.pause(pop.now_ms());
    pop.start_with_writer();
    pop.claim(0, nth(1), 300);
    pop.run_for(5 * kSecond);
    BOOST_TEST(pop.rows(kWriters).empty());
    BOOST_TEST(pop.rows().empty());
    pop[0].router.resume(pop.now_ms());
    pop.run_for(kSecond);
    BOOST_TEST(pop.rows().size() == 1U);
    pop[0].router.pause(pop.now_ms());
    pop.role(0, Role::standby, 2, "b");
    pop.role(0, Role::writer, 3);
    pop.claim(0, nth(2), 300);
    pop.run_for(5 * kSecond);
    BOOST_TEST(pop.rows().size() == 1U);
    BOOST_TEST(pop.writer_row() == "steerdns;fleet=pop1;writer=a;token=1");
    pop[0].router.resume(pop.now_ms());
    pop.run_for(kSecond);
    BOOST_TEST(pop.rows().size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_dead_writer_does_not_delay_every_answer) {
    Pop pop(2);
    pop.start_with_writer();
    pop.cut(0);
    pop[0].router.stop(pop.now_ms());
    std::uint64_t hold = 0;
    for (unsigned i = 1; i <= 3; ++i) {
        BOOST_TEST(!pop[1].aways[1]);
        pop.claim(1, nth(i), 300, ++hold);
        pop.run_for(200'000);
        BOOST_REQUIRE(pop[1].outcomes.contains(hold));
        BOOST_TEST((pop[1].outcomes[hold] != Outcome::installed));
    }
    BOOST_TEST(pop[1].aways[1]);
    pop.claim(1, nth(4), 300, ++hold);
    BOOST_TEST((pop[1].outcomes.at(hold) == Outcome::router_away));
    // It comes back, and its first row shows that it is alive.
    pop[0].router.start(pop.now_ms());
    pop.run_for(5 * kSecond);
    BOOST_TEST(!pop[1].aways[1]);
    BOOST_TEST(pop.rows().size() == 4U);
    pop.claim(1, nth(5), 300, ++hold);
    pop.run_for(50'000);
    BOOST_TEST((pop[1].outcomes.at(hold) == Outcome::installed));
}

BOOST_AUTO_TEST_CASE(without_a_known_writer_no_answer_waits) {
    Pop pop(2);
    pop.start_with_writer();
    pop.claim(1, nth(1), 300, 1, 100);
    pop.role(1, Role::waiting);
    BOOST_TEST((pop[1].outcomes.at(1) == Outcome::router_away));
    BOOST_TEST(pop[1].aways[1]);
    pop.claim(1, nth(2), 300, 2);
    BOOST_TEST((pop[1].outcomes.at(2) == Outcome::router_away));
    pop.role(1, Role::standby, 1, "a");
    BOOST_TEST(!pop[1].aways[1]);
    pop.claim(1, nth(3), 300, 3);
    pop.run_for(50'000);
    BOOST_TEST((pop[1].outcomes.at(3) == Outcome::installed));
}

BOOST_AUTO_TEST_CASE(a_standby_without_listen_waits_for_no_row) {
    Pop pop(2);
    pop.start_with_writer();
    rossim::Fault refuse;
    refuse.command = "address-list/listen$";
    refuse.times = 0;
    refuse.until_us = pop.now_us + 20 * kSecond;
    refuse.message = "action timed out";
    pop.sim.inject(refuse);
    pop.cut(1);
    pop.run_for(5 * kSecond);
    BOOST_TEST(pop[1].aways[1]);
    pop.claim(1, nth(1), 300, 1);
    BOOST_TEST((pop[1].outcomes.at(1) == Outcome::router_away));
    pop.run_for(30 * kSecond);
    BOOST_TEST(!pop[1].aways[1]);
}

BOOST_AUTO_TEST_CASE(the_token_outlasts_a_reboot_and_the_writer_repairs) {
    Pop pop(2);
    pop.start_with_writer();
    for (unsigned i = 1; i <= 5; ++i)
        pop.claim(1, nth(i), 600);
    pop.run_for(5 * kSecond);
    pop.sim.reboot(20 * kSecond, pop.now_us);
    pop.run_for(40 * kSecond);
    BOOST_TEST(pop.writer_row() == "steerdns;fleet=pop1;writer=a;token=1");
    BOOST_TEST(pop[0].router.counters().writer_rows == 1U);
    BOOST_TEST(pop.rows().size() == 5U);
    BOOST_TEST(pop[1].router.counters().rows_added == 0U);
    BOOST_TEST(pop[1].logged("written again") <= 1U);  // the reboot itself
}

BOOST_AUTO_TEST_CASE(alone_everybody_writes_and_no_writer_row_is_written) {
    Pop pop(2);
    pop.start_with_writer();
    pop.role(0, Role::alone);
    pop.role(1, Role::alone);
    for (std::size_t i = 0; i < 2; ++i) {
        const AddressBytes bytes = bytes_of(nth(static_cast<unsigned>(i) + 1));
        pop[i].router.claim(1, {&bytes, 1}, "www.example", pop.now_ms() + 60'000, 1800, i + 1,
                            pop.now_ms());
    }
    pop.run_for(kSecond);
    BOOST_TEST(pop.rows().size() == 2U);
    BOOST_TEST((pop[1].outcomes.at(2) == Outcome::installed));
    BOOST_TEST(pop[1].router.counters().writer_rows == 0U);
    BOOST_TEST(pop[1].router.highest_token() == 1U);
    // They merge: what one hands out the other takes.
    std::size_t handed = 0;
    pop[0].router.for_each_claim([&](const SharedClaim& claim) {
        ++handed;
        BOOST_TEST(claim.origin.name == "www.example");
        BOOST_TEST(claim.row_life_s == 1800U);
        pop[1].router.take_claims({&claim, 1}, false, pop.now_ms());
    });
    BOOST_TEST(handed == 1U);
    BOOST_TEST(pop[1].router.status().claims == 2U);
    pop.run_for(5 * kSecond);
    BOOST_TEST(pop.rows().size() == 2U);
    BOOST_TEST(pop.removes == 0U);
}

BOOST_AUTO_TEST_CASE(in_a_fleet_a_shutdown_removes_nothing) {
    Pop pop(2);
    pop.start_with_writer();
    pop.claim(1, nth(1), 300);
    pop.run_for(kSecond);
    for (auto& box : pop.boxes)
        box->router.cleanup(pop.now_ms());
    pop.run_for(5 * kSecond);
    BOOST_TEST(pop[0].router.cleaned());
    BOOST_TEST(pop[1].router.cleaned());
    BOOST_TEST(pop.rows().size() == 1U);
    BOOST_TEST(pop.rows(kWriters).size() == 1U);
}

BOOST_AUTO_TEST_CASE(without_rights_to_write_the_row_nothing_is_written) {
    Pop pop(2);
    rossim::Fault refuse;
    refuse.command = "address-list/add$";
    refuse.times = 0;
    refuse.until_us = pop.now_us + 60 * kSecond;
    refuse.message = "failure: out of memory";
    pop.sim.inject(refuse);
    pop.start_with_writer();
    pop.claim(0, nth(1), 300);
    pop.run_for(30 * kSecond);
    BOOST_TEST(!pop[0].router.status().writes);
    BOOST_TEST(pop[0].logged("refused our writer row in list steerdns-writer") == 1U);
    pop.run_for(30 * kSecond);
    BOOST_TEST(pop[0].router.status().writes);
    BOOST_TEST(pop.rows().size() == 1U);
}

BOOST_AUTO_TEST_CASE(comments_of_writer_rows_are_read_as_written) {
    const std::string comment = writer_comment("pop 1;x=", "box\n", 42);
    const auto facts = parse_writer_comment(comment);
    BOOST_REQUIRE(facts.has_value());
    BOOST_TEST(facts->fleet == escaped_name("pop 1;x="));
    BOOST_TEST(facts->box == "box\\010");
    BOOST_TEST(facts->token == 42U);
    for (const auto* const bad :
         {"", "steerdns", "steerdns;", "steerdns;fleet=a", "steerdns;writer=a;token=1",
          "xsteerdns;fleet=a;writer=b;token=1", "steerdns;fleet=;writer=b;token=1"})
        BOOST_TEST(!parse_writer_comment(bad).has_value());
    for (const auto* const token :
         {"", "-1", "1x", "0x1", "9007199254740992", "99999999999999999999999"}) {
        const std::string text = std::string("steerdns;fleet=a;writer=b;token=") + token;
        BOOST_TEST(parse_writer_comment(text)->token == 0U);
    }
    BOOST_TEST(parse_writer_comment("steerdns;token=9007199254740991;writer=b;fleet=a")->token ==
               kHighestToken);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::routeros::test
