// A Fleet with a router that is never connected, and a Redis whose replies the test writes.
#include "control/sinks/fleet/fleet.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <utility>

#include "routeros/router.h"
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
        open(now_ms);
        fleet.commands().received("*0\r\n", now_ms);
        if (router.status().claims == 0) fleet.commands().received(time(now_ms), now_ms);
    }
    // The same, before the stored claims were read.
    void open(std::uint64_t now_ms) { open(now_ms, time(now_ms)); }
    void open(std::uint64_t now_ms, const std::string& clock) {
        fleet.connect(now_ms);
        fleet.commands().tick(now_ms);
        fleet.messages().tick(now_ms);
        fleet.messages().connected(now_ms);
        fleet.commands().connected(now_ms);
        fleet.commands().received(":1\r\n$1\r\n1\r\n" + clock, now_ms);
        fleet.messages().received("*3\r\n$9\r\nsubscribe\r\n" + bulk(channel) + ":1\r\n", now_ms);
    }
    static std::string bulk(std::string_view text) {
        return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
    }
    static std::string time(std::uint64_t now_ms) {
        const std::uint64_t theirs_ms = now_ms + 1'000'000;
        return "*2\r\n" + bulk(std::to_string(theirs_ms / 1000)) +
               bulk(std::to_string(theirs_ms % 1000 * 1000));
    }
    using Words = std::vector<std::string>;
    // What was sent since the last call.
    std::vector<Words> taken() {
        RedisReplies sent;
        sent.feed(std::exchange(commands.sent, {}));
        std::vector<Words> all;
        for (auto command = sent.take(); command && *command; command = sent.take()) {
            Words& words = all.emplace_back();
            for (const RedisReply& word : (*command)->items)
                words.push_back(word.text);
        }
        return all;
    }
    // Answers all open commands like a Redis in which `holder` has the lease, also those that follow; returns their names in
    // order.
    Words answer_all(std::uint64_t now_ms) {
        Words names;
        while (const std::size_t open = fleet.commands().unanswered()) {
            std::vector<Words> asked = taken();
            BOOST_TEST_REQUIRE(asked.size() >= open);
            asked.erase(asked.begin(), asked.end() - static_cast<std::ptrdiff_t>(open));
            std::string replies;
            for (const Words& words : asked) {
                replies += answer(words, now_ms);
                names.push_back(words.front());
            }
            fleet.commands().received(replies, now_ms);
        }
        return names;
    }
    std::string answer(const Words& words, std::uint64_t now_ms) {
        const std::string& command = words.front();
        if (command == "TIME") return time(now_ms);
        if (command.starts_with("EVAL") && words[3].find(":serves:") != std::string::npos) {
            steps.push_back(*(words.end() - 3));
            return ":" + std::to_string(held_key) + "\r\n";
        }
        if (command.starts_with("EVAL")) {
            lease_wanted = words.back() == "1";
            return "*2\r\n" + bulk(holder.empty() ? "0" : "7") + bulk(holder);
        }
        std::string reply;
        if (command == "ZRANGEBYSCORE" && words[1] == channel) {
            pages_asked.push_back(words[2] + " " + words[6]);
            if (pages.empty()) return "*0\r\n";
            reply = pages.front();
            pages.erase(pages.begin());
            return reply;
        }
        if (command == "ZRANGEBYSCORE") {
            reply = "*" + std::to_string(2 * boxes.size()) + "\r\n";
            for (const std::string& box : boxes)
                reply += bulk(box) + bulk(std::to_string(now_ms + 1'000'000));
            return reply;
        }
        if (command == "MGET") {
            reply = "*" + std::to_string(boxes.size()) + "\r\n";
            for (std::size_t i = 0; i < boxes.size(); ++i)
                reply +=
                    bulk(R"({"version":"1","ready":true,"addresses":[)" + box_addresses + "]}");
            return reply;
        }
        if (command == "SET") box_status = words[2];
        return ":1\r\n";
    }
    // So many stored claims; the n-th ends `step_ms` after the one before it.
    static std::string page(std::uint64_t first_ms, std::uint64_t step_ms, std::uint32_t count) {
        std::string reply = "*" + std::to_string(2 * count) + "\r\n";
        for (std::uint32_t i = 0; i < count; ++i) {
            const SharedClaim one{.list = "policy",
                                  .address = numbered(i).bytes,
                                  .name = "www.example",
                                  .lease_end_ms = 0,
                                  .row_life_s = 330};
            reply += bulk(encode_member(one)) + bulk(std::to_string(first_ms + i * step_ms));
        }
        return reply;
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
    // A claim of this box's clients, which the others get.
    void share(const IpAddress& address) {
        fleet.claimed("edge1",
                      {.list = 3,
                       .addresses = {&address, 1},
                       .name = "www.example",
                       .raised_ms = kStart + 20,
                       .lease_end_ms = kStart + 60'000,
                       .row_life_s = 330},
                      kStart + 20);
        fleet.flush(kStart + 20);
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
    // What Redis has, and what it was asked.
    std::string holder = "dns1/aa";
    std::vector<std::string> boxes, pages, pages_asked;
    std::string box_addresses;  // of every box, as JSON
    std::string box_status;     // by this box of itself
    bool lease_wanted = false;
    std::vector<std::string> steps;  // of the service addresses
    int held_key = 0;                // the number of the address that no other box can take over
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
    share(address);
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

// Whatever another box, or who can write to Redis, says: a claim gets what one of this box could have.
struct JudgedPlace : FleetPlace {
    explicit JudgedPlace(ClaimTerms terms = terms_of(3'600, false)) {
        fleet.follow({judged(router, std::move(terms))}, kStart);
        connect(kStart + 10);
    }
    static PeerRouter judged(routeros::Router& router, ClaimTerms terms) {
        return {"edge1",
                {{3, "policy", config::Quorum::healthy, config::ReadyNeed::off, std::move(terms)}},
                &router,
                [] {}};
    }
    static ClaimTerms terms_of(std::uint32_t life_s, bool fixed) {
        ClaimTerms terms;
        terms.never_claim = matchers::PrefixSet({*matchers::Prefix::parse("10.0.0.0/8"),
                                                 *matchers::Prefix::parse("203.0.113.53"),
                                                 *matchers::Prefix::parse("::1")});
        terms.longest_life_s = life_s;
        terms.fixed = fixed;
        return terms;
    }
    void push(const char* address, std::uint32_t life_s, std::uint64_t end_ms) {
        const SharedClaim theirs{.list = "policy",
                                 .address = IpAddress::parse(address)->bytes,
                                 .name = "www.example",
                                 .lease_end_ms = end_ms,
                                 .row_life_s = life_s};
        fleet.messages().received("*3\r\n$7\r\nmessage\r\n" + bulk(channel) +
                                      bulk(encode_messages("dns2/bb", {theirs}).front()),
                                  kStart + 30);
    }
    // Checks the boxes for 3 s.
    void see(std::uint64_t begin_ms) {
        for (std::uint64_t now_ms = begin_ms; now_ms < begin_ms + 3'000; now_ms += 300) {
            fleet.tick(now_ms);
            answer_all(now_ms + 10);
        }
    }
    // Life in s and end in ms after kStart + 30, of each claim.
    [[nodiscard]] std::vector<std::string> claims() const {
        std::vector<std::string> all;
        router.for_each_claim([&](const routeros::SharedClaim& one) {
            all.push_back(std::to_string(one.row_life_s) + " " +
                          std::to_string(one.until_ms - kStart - 30));
        });
        return all;
    }
    static constexpr std::uint64_t kInTime = kStart + 90'000 + 1'000'000;
};

BOOST_FIXTURE_TEST_CASE(addresses_that_a_list_never_claims_are_refused_from_redis, JudgedPlace) {
    for (const char* never : {"10.1.2.3", "203.0.113.53", "::1"})
        push(never, 330, kInTime);
    BOOST_TEST(router.status().claims == 0U);
    BOOST_TEST(fleet.counters().claims_forbidden == 3U);
    BOOST_TEST(fleet.counters().claims_received == 0U);
    const auto lines = std::ranges::count_if(
        logged, [](const std::string& line) { return line.find("never claims") != line.npos; });
    BOOST_TEST(lines == 1);
    push("203.0.113.9", 330, kInTime);
    BOOST_TEST(router.status().claims == 1U);
}

BOOST_FIXTURE_TEST_CASE(addresses_of_other_boxes_are_claimed_by_no_list, JudgedPlace) {
    NeededHosts hosts;
    fleet.use_hosts(hosts);
    boxes = {"dns1/aa", "dns2/bb"};
    box_addresses = R"("203.0.113.9","2001:db8::9","garbage",7)";
    see(kStart + 300);
    BOOST_TEST(hosts.forbids({}, {}, *IpAddress::parse("203.0.113.9")));
    BOOST_TEST(hosts.forbids({}, {}, *IpAddress::parse("2001:db8::9")));
    const IpAddress behind_nat64 = *IpAddress::parse("64:ff9b::cb00:7109");  // of 203.0.113.9
    BOOST_TEST(hosts.forbids({}, {}, behind_nat64));
    BOOST_TEST(!hosts.forbids({}, {*IpAddress::parse("203.0.113.9")}, behind_nat64));
    push("203.0.113.9", 330, kInTime);
    BOOST_TEST(fleet.counters().claims_forbidden == 1U);
    push("203.0.113.10", 330, kInTime);
    BOOST_TEST(fleet.counters().claims_received == 1U);
    boxes = {"dns1/aa"};
    see(kStart + 4'000);
    BOOST_TEST(!hosts.forbids({}, {}, *IpAddress::parse("203.0.113.9")));
    // An address in `allow_claim` is claimed all the same.
    const auto own = *IpAddress::parse("203.0.113.11");
    hosts.set(this, {&own, 1});
    ClaimTerms terms = terms_of(3'600, false);
    terms.allowed = {own};
    fleet.follow({judged(router, terms)}, kStart + 8'000);
    push("203.0.113.11", 330, kInTime);
    BOOST_TEST(fleet.counters().claims_received == 2U);
}

// However many addresses a box says that it has.
BOOST_FIXTURE_TEST_CASE(a_box_keeps_few_addresses_from_the_lists, JudgedPlace) {
    NeededHosts hosts;
    fleet.use_hosts(hosts);
    boxes = {"dns1/aa", "dns2/bb"};
    for (unsigned n = 1; n <= 17; ++n)
        box_addresses += (n == 1 ? "\"" : ",\"") + numbered(n).to_string() + "\"";
    see(kStart + 300);
    BOOST_TEST(hosts.forbids({}, {}, numbered(16)));
    BOOST_TEST(!hosts.forbids({}, {}, numbered(17)));
}

BOOST_AUTO_TEST_CASE(stored_claims_are_judged_as_published_ones) {
    fleet.follow({JudgedPlace::judged(router, JudgedPlace::terms_of(3'600, false))}, kStart);
    open(kStart + 10);
    SharedClaim stored{.list = "policy",
                       .address = {},
                       .name = "www.example",
                       .lease_end_ms = 0,
                       .row_life_s = 330};
    std::string page = "*4\r\n";
    for (const char* address : {"10.9.9.9", "203.0.113.9"}) {
        stored.address = IpAddress::parse(address)->bytes;
        page += bulk(encode_member(stored)) + bulk(std::to_string(JudgedPlace::kInTime));
    }
    fleet.commands().received(page, kStart + 40);
    BOOST_TEST(fleet.counters().claims_forbidden == 1U);
    BOOST_TEST(router.status().claims == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_claim_from_redis_lives_no_longer_than_one_of_this_box, JudgedPlace) {
    for (const std::uint64_t end_ms :
         {std::uint64_t{INT64_MAX}, std::uint64_t{1} << 63, UINT64_MAX, kInTime + 86'400'000}) {
        push("203.0.113.9", UINT32_MAX, end_ms);
        BOOST_TEST(claims() == std::vector<std::string>{"3600 3600000"},
                   boost::test_tools::per_element());
    }
    push("203.0.113.10", 0, kInTime);  // no timeout: this box's setting alone gives that
    BOOST_TEST(std::ranges::count(claims(), "0 " + std::to_string(90'000 - 30)) == 0);
    BOOST_TEST(router.status().claims == 2U);
}

BOOST_AUTO_TEST_CASE(rows_without_a_timeout_are_those_of_a_list_that_has_them) {
    JudgedPlace place(JudgedPlace::terms_of(0, true));
    place.push("203.0.113.9", 330, JudgedPlace::kInTime);
    BOOST_TEST(place.claims().front().starts_with("0 "));
    JudgedPlace fixed(JudgedPlace::terms_of(600, true));
    fixed.push("203.0.113.9", 0, JudgedPlace::kInTime);
    BOOST_TEST(fixed.claims().front().starts_with("600 "));
}

BOOST_AUTO_TEST_CASE(a_clock_of_redis_beyond_all_years_is_no_clock) {
    for (const char* seconds : {"18446744073709551", "9223372036854775808", "253402300799"}) {
        FleetPlace place;
        place.open(kStart, "*2\r\n" + bulk(seconds) + bulk("999999"));
        place.share(numbered(1));
        BOOST_TEST(place.fleet.counters().claims_sent == 0U);
        BOOST_TEST(place.fleet.counters().claims_not_sent == 1U);
    }
}

BOOST_AUTO_TEST_CASE(claims_that_redis_was_too_slow_for_are_published_later) {
    connect(kStart + 10);
    fleet.commands().received("*2\r\n" + bulk("7") + bulk("dns1/aa"), kStart + 20);
    for (std::uint32_t i = 0; fleet.counters().claims_not_sent == 0; ++i) {
        BOOST_TEST_REQUIRE(i < RedisConnection::kMaxUnanswered);
        const IpAddress address = numbered(i);
        claim_one(3, address, kStart + 20);
        share(address);
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
    BOOST_TEST(sink.logged("is written by dns2 of fleet pop1, token 8") == 1U);
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

// Claims that end or are prolonged between two pages shift all others.
BOOST_AUTO_TEST_CASE(stored_claims_are_read_by_their_ends) {
    open(kStart + 10);
    const std::uint64_t end_ms = kStart + 1'000'000 + 60'000;
    const std::string begin = std::to_string(kStart + 10 + 1'000'000);
    const std::string last = std::to_string(end_ms + 999);
    pages = {page(end_ms, 1, 1'000), page(end_ms + 999, 0, 1'000)};
    answer_all(kStart + 5'000);
    BOOST_TEST(pages_asked == (Words{begin + " 0", last + " 0", last + " 1000"}),
               boost::test_tools::per_element());
    BOOST_TEST(router.status().claims == 1'000U);
    BOOST_TEST(fleet.counters().claims_received == 2'000U);
}

// Redis returns. A box that wrote alone goes on until it has the claims of the others, and no box wants the lease before.
BOOST_AUTO_TEST_CASE(a_box_writes_alone_until_it_has_the_stored_claims) {
    holder = "";
    fleet.tick(kStart + kLease);
    BOOST_TEST(role_of(kStart + kLease) == "alone");
    open(kStart + 2'000);
    std::vector<Words> asked = taken();
    std::erase_if(asked, [](const Words& words) { return words.front() == "SUBSCRIBE"; });
    const std::size_t open_now = fleet.commands().unanswered();
    BOOST_TEST_REQUIRE(asked.size() >= open_now);
    asked.erase(asked.begin(), asked.end() - static_cast<std::ptrdiff_t>(open_now));
    // The first page is full, so that the election is answered before the last one.
    pages = {page(kStart + 1'060'000, 1, 1'000)};
    for (const Words& words : asked)
        fleet.commands().received(answer(words, kStart + 2'010), kStart + 2'010);
    BOOST_TEST(role_of(kStart + 2'010) == "alone");
    answer_all(kStart + 2'020);
    BOOST_TEST(role_of(kStart + 2'020) == "waiting");
}

// The command was not sent, so no reply would ever say that it has them.
BOOST_AUTO_TEST_CASE(stored_claims_that_could_not_be_asked_for_are_asked_for_again) {
    connect(kStart + 10);
    answer_all(kStart + 20);
    while (fleet.commands().command({"PING"}, kStart + 30)) {
    }
    fleet.follow({{"edge1", {{3, "policy"}, {4, "streams"}}, &router, [] {}}}, kStart + 40);
    pages_asked.clear();
    answer_all(kStart + 50);
    BOOST_TEST(pages_asked.empty());
    fleet.tick(kStart + 310);
    answer_all(kStart + 320);
    BOOST_TEST(pages_asked.size() == 1U);
    fleet.tick(kStart + 610);
    answer_all(kStart + 620);
    BOOST_TEST(pages_asked.size() == 1U);
}

// Redis has the ends of leases alone. What the row board promises beyond them would be lost with the writer.
BOOST_AUTO_TEST_CASE(a_box_that_comes_back_gets_all_claims_of_the_writer) {
    claim_all(3, 100);
    connect(kStart + 10);
    answer_all(kStart + 20);
    BOOST_TEST(fleet.counters().claims_sent == 100U);
    std::uint64_t now_ms = kStart + 10;
    const auto see = [&](const std::vector<std::string>& alive) {
        boxes = alive;
        for (int i = 0; i < 7; ++i) {
            now_ms += 300;
            fleet.tick(now_ms);
            answer_all(now_ms + 10);
        }
        return fleet.counters().claims_sent;
    };
    BOOST_TEST(see({"dns1/aa", "dns2/bb"}) == 100U);  // it was there when all were shared
    BOOST_TEST(see({"dns1/aa", "dns2/bb"}) == 100U);
    BOOST_TEST(see({"dns1/aa"}) == 100U);
    BOOST_TEST(see({"dns1/aa", "dns2/cc"}) == 200U);
    BOOST_TEST(see({"dns1/aa", "dns2/cc"}) == 200U);
    holder = "dns2/cc";
    BOOST_TEST(see({"dns1/aa", "dns2/cc", "dns3/dd"}) == 200U);  // the writer shares them
}

BOOST_AUTO_TEST_CASE(a_list_that_a_reload_adds_gets_its_stored_claims) {
    connect(kStart + 10);
    answer_all(kStart + 20);
    commands.sent.clear();
    fleet.follow({{"edge1", {{3, "policy"}}, &router, [] {}}}, kStart + 30);
    BOOST_TEST(commands.sent.find("ZRANGEBYSCORE") == std::string::npos);
    fleet.follow({{"edge1", {{3, "policy"}, {4, "streams"}}, &router, [] {}}}, kStart + 40);
    BOOST_TEST(commands.sent.find("ZRANGEBYSCORE") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_claim_is_stored_before_it_is_published) {
    connect(kStart + 10);
    answer_all(kStart + 20);
    commands.sent.clear();
    const auto address = numbered(1);
    share(address);
    BOOST_TEST(commands.sent.find("ZADD") < commands.sent.find("PUBLISH"));
    BOOST_TEST(commands.sent.find("PUBLISH") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_paused_router_cannot_be_taken_over) {
    connect(kStart + 10);
    answer_all(kStart + 20);
    router.pause(kStart + 20);
    fleet.poll(kStart + 30, [] {});
    answer_all(kStart + 30);
    BOOST_TEST(box_status.find(R"("state":"paused")") != std::string::npos);
    router.resume(kStart + 40);
    fleet.poll(kStart + 50, [] {});
    answer_all(kStart + 50);
    BOOST_TEST(box_status.find(R"("state":"connecting")") != std::string::npos);
}

// Otherwise only a writer would, and a dead router's claims would fill Redis.
BOOST_AUTO_TEST_CASE(without_a_writer_ended_claims_are_forgotten_too) {
    holder = "";
    connect(kStart + 10);
    answer_all(kStart + 20);
    std::vector<std::string> asked;
    for (std::uint64_t at = kStart + 310; at < kStart + 310 + 7 * 300; at += 300) {
        fleet.tick(at);
        for (std::string& one : answer_all(at))
            asked.push_back(std::move(one));
    }
    BOOST_TEST(std::ranges::count(asked, "PEXPIRE") == 1);
    BOOST_TEST(std::ranges::count(asked, "ZREMRANGEBYSCORE") == 2);  // of the boxes, too
}

BOOST_AUTO_TEST_CASE(a_long_lease_keeps_the_box_alive_between_its_signs) {
    test::SilentLink commands_of, messages_of;
    const Fleet slow({"pop1", "dns1", "aa", 10'000}, {}, commands_of, messages_of,
                     [](routeros::Level, const std::string&) {});
    BOOST_TEST(slow.tick_ms() == 2'000U);  // and a sign of life every third
    BOOST_TEST(slow.box_life_ms() == 18'000U);
    BOOST_TEST(fleet.box_life_ms() == 5'000U);
}

BOOST_AUTO_TEST_CASE(the_last_box_serves_on_and_says_so) {
    const BoxFacts ready{.is_ready = true,
                         .fitness = Fitness::ready,
                         .addresses = {*IpAddress::parse("192.0.2.53")}};
    BoxFacts failing = ready;
    failing.is_ready = false;
    failing.fitness = Fitness::failing;
    fleet.set_facts(ready, kStart);
    BOOST_TEST(!fleet.is_kept_serving());  // without Redis it decides alone
    connect(kStart + 10);
    answer_all(kStart + 20);
    BOOST_TEST(fleet.is_kept_serving());
    held_key = 1;
    fleet.set_facts(failing, kStart + 30);
    answer_all(kStart + 40);
    BOOST_TEST(fleet.is_kept_serving());
    BOOST_TEST(steps.back() == "ask");
    BOOST_REQUIRE(!fleet.problems().empty());
    BOOST_TEST(fleet.problems().front() ==
               "fleet pop1: this box is not ready, and serves on: no other box was ready for "
               "192.0.2.53 in the last 5 s; mend the conditions of /readyz that fail, or another "
               "box");
    held_key = 0;
    fleet.tick(kStart + 900);
    answer_all(kStart + 910);
    BOOST_TEST(!fleet.is_kept_serving());
    BOOST_TEST(fleet.problems().empty());
    BOOST_TEST(box_status.find(R"("addresses":["192.0.2.53"])") != std::string::npos);
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
