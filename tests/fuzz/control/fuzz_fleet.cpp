// What Redis, a Sentinel and the other boxes send: any bytes leave a fleet with a role for its router, and with reports that are
// JSON. The first byte says whose bytes follow.
#include <boost/json/serialize.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "control/sinks/fleet/fleet.h"
#include "control/sinks/fleet/sentinel.h"
#include "fuzz/require.h"
#include "support/silent_router.h"

namespace {

using namespace steer;

constexpr std::uint64_t kNow = 100'000;

constexpr std::size_t kMaxRows = 100;

void messages_are_claims_or_nothing(std::string_view bytes) {
    if (const auto message = fleet::decode_message(bytes)) {
        std::size_t claims = 0;
        for (const std::string& again : fleet::encode_messages(message->box, message->claims)) {
            const auto read = fleet::decode_message(again);
            REQUIRE(read && read->box == message->box);
            claims += read->claims.size();
        }
        REQUIRE(claims == message->claims.size());
    }
    if (const auto claim = fleet::decode_member(bytes)) {
        const auto again = fleet::decode_member(fleet::encode_member(*claim));
        REQUIRE(again && again->list == claim->list && again->name == claim->name);
    }
}

std::string bulk(std::string_view text) {
    return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

// As a subscriber's message, and as replies of the other connection.
void a_fleet_keeps_a_role(std::string_view bytes, bool as_message) {
    test::SilentLink commands, messages, to_router;
    test::DeafSink sink;
    auto config = test::one_list_config();
    config.lists.front().max_rows = kMaxRows;
    routeros::Router router(config, sink, to_router);
    router.start(kNow);
    fleet::Fleet one({"pop1", "dns1", "aa", 1'500}, {}, commands, messages,
                     [](routeros::Level, const std::string&) {});
    one.start(kNow);
    one.follow({{"edge1", {{3, "policy"}}, &router, [] {}}}, kNow);
    one.connect(kNow);
    one.commands().tick(kNow);
    one.messages().tick(kNow);
    one.messages().connected(kNow);
    one.commands().connected(kNow);
    const std::string channel = "steerdns:{pop1}:router:edge1:claims";
    one.commands().received(":1\r\n" + bulk("1") + "*2\r\n" + bulk("1000") + bulk("0"), kNow);
    one.messages().received("*3\r\n" + bulk("subscribe") + bulk(channel) + ":1\r\n", kNow);
    if (as_message)
        one.messages().received("*3\r\n" + bulk("message") + bulk(channel) + bulk(bytes), kNow);
    else
        one.commands().received(bytes, kNow);
    for (std::uint64_t at = kNow; at < kNow + 3'000; at += 300)
        one.tick(at);
    REQUIRE(one.roles().size() == 1);
    REQUIRE(router.status().claims <= kMaxRows);
    REQUIRE(!boost::json::serialize(one.report(kNow)).empty());
}

void a_sentinel_names_a_master_or_an_error(std::string_view bytes) {
    test::SilentLink link;
    fleet::SentinelQuery query(link, "shared", {});
    int ended = 0;
    query.ask(kNow, [&ended](const Result<fleet::MasterAddress>& found, std::uint64_t) {
        ++ended;
        REQUIRE(found ? !found->host.empty() && found->port != 0 : !found.error().text.empty());
    });
    query.connected(kNow);
    query.received(bytes, kNow);
    query.tick(kNow + fleet::SentinelQuery::kPatienceMs);
    REQUIRE(ended == 1 && !query.is_requesting());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0] % 4) {
        case 0:
            messages_are_claims_or_nothing(bytes);
            break;
        case 1:
            a_fleet_keeps_a_role(bytes, true);
            break;
        case 2:
            a_fleet_keeps_a_role(bytes, false);
            break;
        default:
            a_sentinel_names_a_master_or_an_error(bytes);
            break;
    }
    return 0;
}
