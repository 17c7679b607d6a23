// A Fleet with a router that is never connected, and a Redis whose replies the test writes.
#include "control/fleet/fleet.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <utility>

#include "support/silent_router.h"

namespace steer::fleet {
namespace {

using routeros::Role;

constexpr std::uint64_t kStart = 100'000, kLease = 1'500;

struct FleetPlace {
    FleetPlace() {
        router.start(kStart);
        fleet.start(kStart);
        fleet.follow({{"edge1", {{3, "policy"}}, &router, [] {}}}, kStart);
    }
    // Both connections are there, the format is ours, Redis's clock is at 1,000 s more than ours, no claims are stored.
    void connect(std::uint64_t now_ms) {
        fleet.connect(now_ms);
        fleet.commands().tick(now_ms);
        fleet.messages().tick(now_ms);
        fleet.messages().connected(now_ms);
        fleet.commands().connected(now_ms);
        fleet.commands().received(":1\r\n$1\r\n1\r\n" + time(now_ms), now_ms);
        fleet.messages().received("*3\r\n$9\r\nsubscribe\r\n" + bulk(channel) + ":1\r\n", now_ms);
        fleet.commands().received("*0\r\n" + time(now_ms), now_ms);
    }
    static std::string bulk(std::string_view text) {
        return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
    }
    static std::string time(std::uint64_t now_ms) {
        const std::uint64_t theirs_ms = now_ms + 1'000'000;
        return "*2\r\n" + bulk(std::to_string(theirs_ms / 1000)) +
               bulk(std::to_string(theirs_ms % 1000 * 1000));
    }
    // Answers all open commands like a Redis in which dns1 has the lease, also those that follow; returns their names in
    // order.
    std::vector<std::string> answer_all(std::uint64_t now_ms) {
        std::vector<std::string> all;
        while (const std::size_t open = fleet.commands().unanswered()) {
            RedisReplies asked;
            asked.feed(std::exchange(commands.sent, {}));
            std::vector<std::string> names;
            for (auto command = asked.take(); command && *command; command = asked.take())
                names.push_back((*command)->items.front().text);
            BOOST_TEST_REQUIRE(names.size() >= open);
            names.erase(names.begin(), names.end() - static_cast<std::ptrdiff_t>(open));
            std::string replies;
            for (const std::string& name : names)
                replies += answer(name, now_ms);
            fleet.commands().received(replies, now_ms);
            all.insert(all.end(), names.begin(), names.end());
        }
        return all;
    }
    static std::string answer(std::string_view command, std::uint64_t now_ms) {
        if (command == "TIME") return time(now_ms);
        if (command.starts_with("EVAL")) return "*2\r\n" + bulk("7") + bulk("dns1/aa");
        return command == "ZRANGEBYSCORE" || command == "MGET" ? "*0\r\n" : ":1\r\n";
    }
    // So many claims, each of another address, as if this box had raised them.
    void claim_all(routeros::ListId list, std::uint32_t count) {
        for (std::uint32_t i = 0; i < count; ++i)
            claim_one(list, numbered(i), kStart);
    }
    void claim_one(routeros::ListId list, const IpAddress& address, std::uint64_t now_ms) {
        const routeros::SharedClaim own{.list = list,
                                        .address = address.bytes,
                                        .origin = routeros::Origin{"www.example"},
                                        .until_ms = kStart + 60'000,
                                        .row_life_s = 330};
        router.take_claims({&own, 1}, false, now_ms);
    }
    static IpAddress numbered(std::uint32_t number) {
        auto address = *IpAddress::parse("203.0.0.0");
        address.bytes[14] = static_cast<std::uint8_t>(number >> 8);
        address.bytes[15] = static_cast<std::uint8_t>(number);
        return address;
    }
    [[nodiscard]] std::string role_of(std::uint64_t now_ms) const {
        return std::string(fleet.report(now_ms).at("routers").at(0).at("role").as_string());
    }

    const std::string channel = "steerdns:{pop1}:router:edge1:claims";
    test::SilentLink commands, messages, to_router;
    test::DeafSink sink;
    std::vector<std::string> logged;
    routeros::Router router{test::one_list_config(), sink, to_router};
    Fleet fleet{{"pop1", "dns1", "aa", kLease},
                {},
                commands,
                messages,
                [this](routeros::Level, const std::string& line) { logged.push_back(line); }};
};

BOOST_FIXTURE_TEST_SUITE(fleet_of_boxes, FleetPlace)

BOOST_AUTO_TEST_CASE(without_redis_every_box_writes_after_a_lease) {
    BOOST_TEST(role_of(kStart) == "waiting");
    fleet.tick(kStart + kLease - 1);
    BOOST_TEST(role_of(kStart) == "waiting");
    fleet.tick(kStart + kLease);
    BOOST_TEST(role_of(kStart) == "alone");
    BOOST_TEST((router.status().role == Role::alone));
}

BOOST_AUTO_TEST_CASE(the_holder_of_the_lease_writes_and_the_others_stand_by) {
    connect(kStart + 10);
    BOOST_TEST(fleet.is_connected());
    BOOST_TEST(commands.sent.find("EVAL") != std::string::npos);
    fleet.commands().received("*2\r\n" + bulk("7") + bulk("dns2/bb"), kStart + 20);
    BOOST_TEST(role_of(kStart + 20) == "standby");
    fleet.tick(kStart + 300);
    // Signs of life, the clock and the election, in the order of the questions.
    BOOST_TEST(fleet.commands().unanswered() > 0U);
    fleet.tick(kStart + 10 + kLease);
    BOOST_TEST(role_of(kStart + 10 + kLease) == "alone");
}

BOOST_AUTO_TEST_CASE(claims_go_to_the_others_and_come_from_them) {
    connect(kStart + 10);
    commands.sent.clear();
    const auto address = *IpAddress::parse("203.0.113.9");
    fleet.claimed("edge1",
                  {.list = 3,
                   .addresses = {&address, 1},
                   .name = "www.example",
                   .raised_ms = kStart + 20,
                   .lease_end_ms = kStart + 60'000,
                   .row_life_s = 330},
                  kStart + 20);
    fleet.flush(kStart + 20);
    BOOST_TEST(commands.sent.find("PUBLISH") != std::string::npos);
    BOOST_TEST(commands.sent.find("ZADD") != std::string::npos);
    BOOST_TEST(commands.sent.find(std::to_string(kStart + 60'000 + 1'000'000)) !=
               std::string::npos);
    BOOST_TEST(fleet.counters().claims_sent == 1U);

    SharedClaim theirs{.list = "policy",
                       .address = address.bytes,
                       .name = "www.example",
                       .lease_end_ms = kStart + 90'000 + 1'000'000,
                       .row_life_s = 330};
    const auto pushed = [&](const std::string& payload) {
        fleet.messages().received("*3\r\n$7\r\nmessage\r\n" + bulk(channel) + bulk(payload),
                                  kStart + 30);
    };
    pushed(encode_messages("dns1/aa", {theirs}).front());  // its own
    BOOST_TEST(router.status().claims == 0U);
    pushed(encode_messages("dns2/bb", {theirs}).front());
    BOOST_TEST(router.status().claims == 1U);
    theirs.list = "unknown";
    pushed(encode_messages("dns2/bb", {theirs}).front());
    pushed("garbage");
    BOOST_TEST(fleet.counters().claims_received == 1U);
    BOOST_TEST(fleet.counters().claims_unknown == 1U);
    BOOST_TEST(fleet.counters().messages_bad == 1U);
}

BOOST_AUTO_TEST_CASE(claims_that_redis_was_too_slow_for_are_published_later) {
    connect(kStart + 10);
    fleet.commands().received("*2\r\n" + bulk("7") + bulk("dns1/aa"), kStart + 20);
    for (std::uint32_t i = 0; fleet.counters().claims_not_sent == 0; ++i) {
        BOOST_TEST_REQUIRE(i < RedisConnection::kMaxUnanswered);
        const IpAddress address = numbered(i);
        const Claim claim{.list = 3,
                          .addresses = {&address, 1},
                          .name = "www.example",
                          .raised_ms = kStart + 20,
                          .lease_end_ms = kStart + 60'000,
                          .row_life_s = 330};
        claim_one(3, address, kStart + 20);
        fleet.claimed("edge1", claim, kStart + 20);
        fleet.flush(kStart + 20);
    }
    BOOST_TEST(answer_all(kStart + 40).size() > 1'000U);
    const std::uint64_t before = fleet.counters().claims_sent;
    fleet.tick(kStart + 50);
    answer_all(kStart + 60);
    BOOST_TEST(fleet.counters().claims_sent == before + router.status().claims);
}

// A slow Redis gets no more at a time than it confirms, so that elections do not wait behind all claims.
BOOST_AUTO_TEST_CASE(after_a_connect_all_claims_are_published_in_parts) {
    claim_all(3, 10'000);
    connect(kStart + 10);
    BOOST_TEST(fleet.counters().claims_sent == 2'000U);
    const std::size_t at_first = fleet.commands().unanswered();
    BOOST_TEST(at_first < 100U);
    fleet.tick(kStart + 310);
    BOOST_TEST(fleet.counters().claims_sent == 2'000U);
    const auto asked = answer_all(kStart + 320);
    BOOST_TEST(std::ranges::count(asked, "ZADD") >= 40);
    BOOST_TEST(fleet.counters().claims_sent == 10'000U);
    // What is not confirmed when the connection ends is published after the next one.
    fleet.commands().closed("closed by Redis", kStart + 330);
    fleet.messages().tick(kStart + 10'000);
    commands.sent.clear();
    connect(kStart + 10'000);
    fleet.commands().closed("closed by Redis", kStart + 10'010);
    commands.sent.clear();
    connect(kStart + 20'000);
    BOOST_TEST(fleet.counters().claims_sent == 14'000U);
    answer_all(kStart + 20'010);
    BOOST_TEST(fleet.counters().claims_sent == 22'000U);
}

BOOST_AUTO_TEST_CASE(a_list_with_several_ids_is_published_once) {
    routeros::RouterConfig config = test::one_list_config();
    config.lists.push_back(config.lists.front());
    config.lists.back().id = 4;
    router.configure(config, kStart);
    fleet.follow({{"edge1", {{3, "policy"}, {4, "policy"}}, &router, [] {}}}, kStart);
    claim_all(3, 100);
    claim_all(4, 150);
    connect(kStart + 10);
    BOOST_TEST(fleet.counters().claims_sent == 150U);
}

BOOST_AUTO_TEST_CASE(the_script_of_the_election_is_sent_once) {
    connect(kStart + 10);
    answer_all(kStart + 20);
    fleet.tick(kStart + 310);
    BOOST_TEST(commands.sent.find("redis.call") == std::string::npos);
    BOOST_TEST(std::ranges::count(answer_all(kStart + 320), "EVALSHA") == 1);
    BOOST_TEST(role_of(kStart + 320) == "writer");
    fleet.tick(kStart + 610);  // after SCRIPT FLUSH
    commands.sent.clear();
    fleet.commands().received(time(kStart + 620), kStart + 620);
    fleet.commands().received("-NOSCRIPT No matching script. Please use EVAL.\r\n", kStart + 620);
    BOOST_TEST(fleet.is_connected());
    BOOST_TEST(role_of(kStart + 620) == "writer");
    while (fleet.commands().unanswered() > 0)
        fleet.commands().received(":1\r\n", kStart + 630);
    fleet.tick(kStart + 910);
    BOOST_TEST(std::ranges::count(answer_all(kStart + 920), "EVAL") == 1);
    fleet.tick(kStart + 1'210);
    BOOST_TEST(std::ranges::count(answer_all(kStart + 1'220), "EVALSHA") == 1);
}

// `serves` gives a list an id for each group of clients; boxes know it by its tag.
BOOST_AUTO_TEST_CASE(a_claim_of_others_covers_the_answers_of_every_group_of_clients) {
    routeros::RouterConfig config = test::one_list_config();
    config.lists.push_back(config.lists.front());
    config.lists.back().id = 4;
    router.configure(config, kStart);
    fleet.follow({{"edge1", {{3, "policy"}, {4, "policy"}, {5, "other"}}, &router, [] {}}}, kStart);
    connect(kStart + 10);
    const SharedClaim theirs{.list = "policy",
                             .address = IpAddress::parse("203.0.113.9")->bytes,
                             .name = "www.example",
                             .lease_end_ms = kStart + 90'000 + 1'000'000,
                             .row_life_s = 330};
    fleet.messages().received("*3\r\n$7\r\nmessage\r\n" + bulk(channel) +
                                  bulk(encode_messages("dns2/bb", {theirs}).front()),
                              kStart + 30);
    std::vector<routeros::ListId> lists;
    router.for_each_claim([&](const routeros::SharedClaim& one) { lists.push_back(one.list); });
    std::ranges::sort(lists);
    BOOST_TEST(lists == (std::vector<routeros::ListId>{3, 4}), boost::test_tools::per_element());
    BOOST_TEST(fleet.counters().claims_received == 1U);
}

// Without this an answer that the former writer holds would leave before its row.
BOOST_AUTO_TEST_CASE(while_the_lease_changes_hands_the_former_writer_stands_by) {
    connect(kStart + 10);
    answer_all(kStart + 20);
    BOOST_TEST(role_of(kStart + 20) == "writer");
    const auto elected = [&](const std::string& reply, std::uint64_t now_ms) {
        fleet.tick(now_ms);
        fleet.commands().received(time(now_ms), now_ms);
        fleet.commands().received(reply, now_ms);
        while (fleet.commands().unanswered() > 0)
            fleet.commands().received(":1\r\n", now_ms);
        return role_of(now_ms);
    };
    const std::string nobody = "*2\r\n" + bulk("0") + bulk("");
    BOOST_TEST(elected(nobody, kStart + 310) == "standby");
    BOOST_TEST(elected(nobody, kStart + 310 + kLease - 10) == "standby");
    BOOST_TEST(elected(nobody, kStart + 310 + kLease) == "waiting");
    BOOST_TEST(elected("*2\r\n" + bulk("8") + bulk("dns2/bb"), kStart + 2'500) == "standby");
    BOOST_TEST(sink.said("is written by dns2 of fleet pop1, token 8") == 1U);
}

BOOST_AUTO_TEST_CASE(a_stop_gives_up_the_leases_and_the_router_waits) {
    connect(kStart + 10);
    fleet.commands().received("*2\r\n" + bulk("7") + bulk("dns1/aa"), kStart + 20);
    BOOST_TEST(role_of(kStart + 20) == "writer");
    BOOST_TEST(fleet.counters().terms == 1U);
    BOOST_TEST(fleet.counters().failovers == 0U);
    commands.sent.clear();
    fleet.stop(kStart + 30);
    BOOST_TEST(commands.sent.find("EVAL") != std::string::npos);
    BOOST_TEST((router.status().role == Role::standby));
    BOOST_TEST(!fleet.has_stopped());
    fleet.commands().closed("closed by Redis", kStart + 40);
    BOOST_TEST(fleet.has_stopped());
}

BOOST_AUTO_TEST_CASE(a_new_router_is_followed_on_the_same_connection) {
    connect(kStart + 10);
    messages.sent.clear();
    auto config = test::one_list_config();
    config.name = "edge2";
    routeros::Router second(config, sink, to_router);
    fleet.follow(
        {{"edge1", {{3, "policy"}}, &router, [] {}}, {"edge2", {{3, "policy"}}, &second, [] {}}},
        kStart + 20);
    BOOST_TEST(fleet.is_connected());
    BOOST_TEST(messages.sent.find("SUBSCRIBE") != std::string::npos);
    BOOST_TEST(messages.sent.find("router:edge2:claims") != std::string::npos);
    BOOST_TEST((second.status().role == Role::waiting));
    BOOST_TEST(fleet.counters().losses == 0U);
}

BOOST_AUTO_TEST_CASE(a_wrong_clock_is_a_problem_of_the_machine_alone) {
    std::int64_t wall_ms = kStart + 1'000'000;
    fleet.set_wall_clock([&wall_ms] { return wall_ms; });
    connect(kStart);
    BOOST_TEST(fleet.problems().empty());
    wall_ms -= 3'600'000;
    answer_all(kStart);
    fleet.tick(kStart + 300);
    answer_all(kStart + 300);
    BOOST_TEST_REQUIRE(fleet.problems().size() == 1U);
    BOOST_TEST(fleet.problems().front().find("this box's clock is 3600 s behind Redis's") !=
               std::string::npos);
    BOOST_TEST(fleet.report(kStart + 300).at("clock_ahead_ms").as_int64() == 3'600'300);
    BOOST_TEST(role_of(kStart + 300) == "writer");
}

BOOST_AUTO_TEST_CASE(data_of_another_version_is_refused) {
    fleet.connect(kStart);
    fleet.commands().tick(kStart);
    fleet.commands().connected(kStart);
    fleet.commands().received(":0\r\n$1\r\n9\r\n", kStart + 1);
    BOOST_TEST(!fleet.is_connected());
    BOOST_REQUIRE(!logged.empty());
    BOOST_TEST(logged.back().find("is not of this version of SteerDNS") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::fleet
