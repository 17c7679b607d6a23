// A Withdrawal and a Redis whose replies the test writes. What its script does is tested with a real Redis (fleet_e2e.py).
#include "control/sinks/fleet/withdrawal.h"

#include <boost/test/unit_test.hpp>
#include <utility>

#include "support/silent_router.h"

namespace steer::fleet {
namespace {

constexpr std::uint64_t kBegin = 100'000;

struct WithdrawalPlace {
    WithdrawalPlace() {
        redis.start(kBegin);
        redis.tick(kBegin);
        redis.connected(kBegin);
        withdrawal.connected();
        link.sent.clear();
    }
    void follow(Fitness fitness, std::uint64_t now_ms) {
        withdrawal.follow({"192.0.2.53", "2001:db8:53::53"}, fitness);
        turn(now_ms);
    }
    void turn(std::uint64_t now_ms) {
        withdrawal.tick(now_ms);
        redis.send_now();
    }
    // The steps that were sent since the last call.
    std::string steps() {
        RedisReplies sent;
        sent.feed(std::exchange(link.sent, {}));
        std::string all;
        for (auto command = sent.take(); command && *command; command = sent.take()) {
            const auto& words = (*command)->items;
            if (words.size() < 8) continue;
            BOOST_TEST(words[2].text == "2");
            BOOST_TEST(words[3].text == "steerdns:{pop1}:serves:192.0.2.53");
            BOOST_TEST(words[5].text == "dns1");
            all += (all.empty() ? "" : " ") + words[6].text;
        }
        return all;
    }
    void answer(std::string_view reply, std::uint64_t now_ms) {
        while (redis.unanswered() > 1)
            redis.received(":0\r\n", now_ms);
        redis.received(std::string(reply) + "\r\n", now_ms);
    }

    test::SilentLink link;
    std::string lost;
    RedisConnection redis{link,
                          {},
                          false,
                          1'500,
                          {.ready = [](std::uint64_t) {},
                           .message = {},
                           .lost = [this](const std::string& why, std::uint64_t) { lost = why; }}};
    Withdrawal withdrawal{"steerdns:{pop1}:", "dns1", redis};
};

BOOST_FIXTURE_TEST_SUITE(withdrawal_of_service_addresses, WithdrawalPlace)

BOOST_AUTO_TEST_CASE(a_box_that_never_was_ready_neither_serves_nor_asks) {
    follow(Fitness::failing, kBegin);
    BOOST_TEST(steps().empty());
    BOOST_TEST(!withdrawal.is_serving());
}

BOOST_AUTO_TEST_CASE(a_ready_box_is_marked_each_second) {
    follow(Fitness::ready, kBegin);
    BOOST_TEST(steps() == "mark");
    BOOST_TEST(withdrawal.is_serving());
    turn(kBegin + 900);
    BOOST_TEST(steps().empty());
    turn(kBegin + 1'000);
    BOOST_TEST(steps() == "mark");
}

BOOST_AUTO_TEST_CASE(a_failing_box_serves_until_another_one_is_found) {
    follow(Fitness::ready, kBegin);
    follow(Fitness::failing, kBegin + 100);
    BOOST_TEST(steps() == "mark ask");
    BOOST_TEST(withdrawal.is_serving());
    answer(":2", kBegin + 110);
    BOOST_TEST(withdrawal.is_serving());
    BOOST_TEST(withdrawal.held_for() == "2001:db8:53::53");
    turn(kBegin + 500);
    BOOST_TEST(steps().empty());
    turn(kBegin + 600);
    BOOST_TEST(steps() == "ask");
    answer(":0", kBegin + 610);
    BOOST_TEST(!withdrawal.is_serving());
    BOOST_TEST(withdrawal.held_for().empty());
    turn(kBegin + 5'000);
    BOOST_TEST(steps().empty());
    follow(Fitness::ready, kBegin + 6'000);
    BOOST_TEST(steps() == "mark");
    BOOST_TEST(withdrawal.is_serving());
}

BOOST_AUTO_TEST_CASE(a_box_that_recovers_before_the_answer_is_marked_again) {
    follow(Fitness::ready, kBegin);
    follow(Fitness::failing, kBegin + 100);
    follow(Fitness::ready, kBegin + 200);
    steps();
    answer(":0", kBegin + 210);
    BOOST_TEST(withdrawal.is_serving());
    turn(kBegin + 300);
    BOOST_TEST(steps() == "mark");
}

BOOST_AUTO_TEST_CASE(a_box_that_is_unfit_leaves_without_asking) {
    follow(Fitness::ready, kBegin);
    follow(Fitness::unfit, kBegin + 100);
    BOOST_TEST(steps() == "mark leave");
    BOOST_TEST(!withdrawal.is_serving());
    follow(Fitness::failing, kBegin + 200);
    turn(kBegin + 1'000);
    BOOST_TEST(steps().empty());
}

BOOST_AUTO_TEST_CASE(without_redis_the_box_decides_alone) {
    follow(Fitness::ready, kBegin);
    follow(Fitness::failing, kBegin + 100);
    BOOST_TEST(withdrawal.is_serving());
    withdrawal.lost();
    BOOST_TEST(!withdrawal.is_serving());
    withdrawal.connected();
    turn(kBegin + 2'000);
    BOOST_TEST(!withdrawal.is_serving());  // it does not come back before it is ready
}

BOOST_AUTO_TEST_CASE(a_box_without_addresses_decides_alone) {
    withdrawal.follow({}, Fitness::ready);
    turn(kBegin);
    withdrawal.follow({}, Fitness::failing);
    turn(kBegin + 100);
    BOOST_TEST(!withdrawal.is_serving());
    BOOST_TEST(redis.unanswered() == 0U);
}

BOOST_AUTO_TEST_CASE(a_step_that_redis_does_not_know_any_more_is_repeated) {
    constexpr std::string_view kLost = "-NOSCRIPT No matching script. Please use EVAL.";
    follow(Fitness::ready, kBegin);
    answer(":0", kBegin + 10);
    follow(Fitness::failing, kBegin + 100);
    answer(kLost, kBegin + 110);
    BOOST_TEST(lost.empty());
    BOOST_TEST(withdrawal.is_serving());
    turn(kBegin + 600);
    BOOST_TEST(steps() == "mark ask ask");
    answer(":0", kBegin + 610);
    BOOST_TEST(!withdrawal.is_serving());
    follow(Fitness::ready, kBegin + 700);
    answer(":0", kBegin + 710);
    follow(Fitness::unfit, kBegin + 800);
    answer(kLost, kBegin + 810);
    turn(kBegin + 900);
    BOOST_TEST(steps() == "mark leave leave");
}

BOOST_AUTO_TEST_CASE(an_error_of_redis_ends_the_connection) {
    follow(Fitness::ready, kBegin);
    answer("-WRONGTYPE Operation against a key holding the wrong kind of value", kBegin + 10);
    BOOST_TEST(lost.find("service addresses cannot be shared: WRONGTYPE") == 0U);
}

BOOST_AUTO_TEST_CASE(only_conditions_of_all_boxes_keep_a_box_serving) {
    ops::HealthChecks checks{{"threads", ""}, {"upstreams", ""}, {"lists", ""}};
    BOOST_TEST((fitness_of(checks) == Fitness::ready));
    checks[1].error = "no answer";
    BOOST_TEST((fitness_of(checks) == Fitness::failing));
    keep_serving(checks, "192.0.2.53");
    BOOST_TEST(ops::all_good(checks));
    BOOST_TEST(checks[1].details == "serves on, no other box is ready for 192.0.2.53: no answer");
    checks[1].error = "no answer";
    checks[0].error = "worker 0 is still";
    BOOST_TEST((fitness_of(checks) == Fitness::unfit));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::fleet
