#include "control/sinks/fleet/shared_state.h"

#include <boost/test/unit_test.hpp>
#include <optional>

#include "support/silent_router.h"

namespace steer::fleet {
namespace {

constexpr std::uint64_t kStateNow = 1'000'000;
constexpr std::int64_t kStateDifference = 1'790'000'000'000;  // Redis's clock is since 1970

std::string bulk_of(const std::string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

struct StatePlace {
    StatePlace() {
        redis.start(kStateNow);
        redis.tick(kStateNow);
        redis.connected(kStateNow);
        state.use({"rules"},
                  {.arrived = [this](const StoredEntry& one) { arrived.push_back(one); },
                   .stored =
                       [this](const EntryChange& change, const Result<StoredEntry>& stored) {
                           BOOST_TEST(change.number == 7U);
                           if (stored)
                               answer = *stored;
                           else
                               refusal = stored.error().text;
                       },
                   .read =
                       [this](const std::string& kind, const Result<void>& done) {
                           read.push_back(done ? kind : done.error().text);
                       },
                   .has_room = [this](std::size_t) { return has_room; },
                   .has_lost = [this] { return std::exchange(has_lost, false); }});
    }
    void begin() {
        state.begin(kStateDifference, kStateNow);
        redis.send_now();
    }
    test::SilentLink link;
    RedisConnection redis{link, {}, false, 1'500, {}};
    SharedState state{"steerdns:{pop1}:", "edge-a", redis};
    std::vector<StoredEntry> arrived;
    std::optional<StoredEntry> answer;
    std::string refusal;
    std::vector<std::string> read;
    bool has_room = true, has_lost = false;
};

BOOST_FIXTURE_TEST_SUITE(shared_state, StatePlace)

BOOST_AUTO_TEST_CASE(all_entries_are_read_page_by_page) {
    begin();
    BOOST_TEST(link.sent.find("HSCAN") != std::string::npos);
    link.sent.clear();
    redis.received("*2\r\n" + bulk_of("42") + "*4\r\n" + bulk_of("k1") +
                       bulk_of("100 edge-b {\"a\":1}") + bulk_of("k2") + bulk_of("101 edge-b "),
                   kStateNow);
    BOOST_TEST_REQUIRE(arrived.size() == 2U);
    BOOST_TEST(arrived[0].key == "k1");
    BOOST_TEST(arrived[0].value == "{\"a\":1}");
    BOOST_TEST(arrived[0].box == "edge-b");
    BOOST_TEST(arrived[0].stamp_ms == 100U);
    BOOST_TEST(arrived[1].value == "");
    BOOST_TEST(read.empty());
    // That was removed 30 days ago and more.
    BOOST_TEST(link.sent.find("HDEL") != std::string::npos);
    BOOST_TEST(link.sent.find("101 edge-b ") != std::string::npos);
    redis.received(":1\r\n*2\r\n" + bulk_of("0") + "*0\r\n", kStateNow);
    BOOST_TEST((read == std::vector<std::string>{"rules"}));
}

BOOST_AUTO_TEST_CASE(what_was_removed_lately_is_kept) {
    begin();
    link.sent.clear();
    const auto lately = static_cast<std::uint64_t>(kStateDifference) + kStateNow - 1'000;
    redis.received("*2\r\n" + bulk_of("0") + "*2\r\n" + bulk_of("k2") +
                       bulk_of(std::to_string(lately) + " edge-b "),
                   kStateNow);
    BOOST_TEST(link.sent.find("HDEL") == std::string::npos);
    BOOST_TEST(read.size() == 1U);
}

BOOST_AUTO_TEST_CASE(garbage_is_counted_and_skipped) {
    begin();
    redis.received("*2\r\n" + bulk_of("0") + "*8\r\n" + bulk_of("k1") + bulk_of("soon edge-b {}") +
                       bulk_of("k2") + bulk_of("100") + bulk_of("") + bulk_of("100 edge-b {}") +
                       bulk_of("k3") + bulk_of("100 edge-b " + std::string(5'000, 'x')),
                   kStateNow);
    BOOST_TEST(arrived.empty());
    BOOST_TEST(read.size() == 1U);
    for (const char* const message :
         {"", "rules", "rules k1", "rules k1\n", "rules k1\n12", "\n12 edge-b {}"})
        state.took_message(message, kStateNow);
    state.took_message("other k1\n12 edge-b {}", kStateNow);  // of a newer version
    BOOST_TEST(arrived.empty());
    BOOST_TEST(state.take_bad() == 10U);
    BOOST_TEST(state.take_bad() == 0U);
    state.took_message("rules k 1\n12 edge-b {}", kStateNow);
    BOOST_TEST_REQUIRE(arrived.size() == 1U);
    BOOST_TEST(arrived[0].key == "k 1");
}

BOOST_AUTO_TEST_CASE(a_change_is_stored_now_or_at_its_own_time) {
    EntryChange change{.kind = "rules", .key = "k1", .value = "{}", .number = 7};
    BOOST_TEST(!state.put(change, 0, kStateNow));  // there is no connection
    begin();
    redis.received("*2\r\n" + bulk_of("0") + "*0\r\n", kStateNow);
    link.sent.clear();
    BOOST_TEST(state.put(change, 0, kStateNow));
    redis.send_now();
    BOOST_TEST(link.sent.find(bulk_of("k1") + bulk_of("edge-a") + bulk_of("{}") + bulk_of("0")) !=
               std::string::npos);
    redis.received(bulk_of("500 edge-a {}"), kStateNow);
    BOOST_TEST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->stamp_ms == 500U);

    change.wall_ms = 1'000;
    BOOST_TEST(state.put(change, 250, kStateNow));
    redis.send_now();
    BOOST_TEST(link.sent.find(bulk_of("{}") + bulk_of("1250")) != std::string::npos);
    redis.received("-FULL 32768 entries are stored\r\n", kStateNow);
    BOOST_TEST(refusal.find("there are too many") != std::string::npos);

    change.value = std::string(5'000, 'x');
    BOOST_TEST(state.put(change, 0, kStateNow));
    BOOST_TEST(refusal == "it is too long");
}

BOOST_AUTO_TEST_CASE(reading_waits_for_room_and_begins_again_after_a_loss) {
    begin();
    has_room = false;
    link.sent.clear();
    redis.received("*2\r\n" + bulk_of("42") + "*0\r\n", kStateNow);
    state.tick(kStateNow);
    BOOST_TEST(link.sent.empty());
    BOOST_TEST(!state.is_due(kStateNow + SharedState::kReadAgainMs));  // it is still reading
    has_room = true;
    state.tick(kStateNow);
    BOOST_TEST(link.sent.find(bulk_of("42")) != std::string::npos);
    redis.received("*2\r\n" + bulk_of("0") + "*0\r\n", kStateNow);
    BOOST_TEST(read.size() == 1U);
    BOOST_TEST(!state.is_due(kStateNow + SharedState::kReadLostMs));
    has_lost = true;
    BOOST_TEST(!state.is_due(kStateNow + SharedState::kReadLostMs - 1));
    BOOST_TEST(state.is_due(kStateNow + SharedState::kReadLostMs));
    BOOST_TEST(state.is_due(kStateNow + SharedState::kReadAgainMs));
}

BOOST_AUTO_TEST_CASE(a_key_of_another_type_is_named_and_a_stamp_of_the_future_is_now) {
    begin();
    redis.received("-WRONGTYPE Operation against a key\r\n", kStateNow);
    BOOST_TEST_REQUIRE(read.size() == 1U);
    BOOST_TEST(read[0].find("WRONGTYPE") != std::string::npos);
    state.took_message("rules k1\n18446744073709551615 edge-b {}", kStateNow);
    BOOST_TEST_REQUIRE(arrived.size() == 1U);
    BOOST_TEST(arrived[0].stamp_ms <=
               static_cast<std::uint64_t>(kStateDifference) + kStateNow + 1'000);
    state.took_message("rules k1\n5 edge-a {}", kStateNow);
    BOOST_TEST(arrived[1].box == "");  // this box
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::fleet
