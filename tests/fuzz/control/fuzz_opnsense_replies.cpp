// Replies of OPNsense: what the readers believe, and an engine that gets them for its requests, one after another. Lines are
// replies; a line that begins with '!' is a failed connection, one that begins with '#' has the status 500.
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "../require.h"
#include "control/sinks/opnsense/alias_engine.h"
#include "control/sinks/opnsense/api.h"

namespace {

using namespace steer;
using namespace steer::opnsense;

struct Observer final : SinkObserver {
    void installed(const ClaimSink&, ListId list, const IpAddress&, std::uint32_t) override {
        REQUIRE(list == 1);
    }
    void ended(const ClaimSink&, ListId list, const IpAddress&) override { REQUIRE(list == 1); }
    void lost(const ClaimSink&, ListId list, const IpAddress&) override { REQUIRE(list == 1); }
    void refused(const ClaimSink&, ListId, const IpAddress&, RefusedFor) override {}
    void epoch(const ClaimSink&, ListId list) override { REQUIRE(list == 1); }
    void away(const ClaimSink&, ListId list, bool value) override {
        REQUIRE(list == 1);
        REQUIRE(value != is_away);
        is_away = value;
    }
    void settled(std::uint64_t token, Outcome) override { REQUIRE(waiting.erase(token) == 1); }

    std::set<std::uint64_t> waiting;
    bool is_away = true;
};

struct Sink final : ClaimSink {
    [[nodiscard]] std::vector<KeptList> lists() const override { return {}; }
    void claim(const Claim&, std::uint64_t) override {}
    [[nodiscard]] SinkHealth health() const override { return {}; }
};

void read_alone(std::string_view reply) {
    if (const auto content = read_table(reply)) REQUIRE(content->hosts.size() <= kMaxElements);
    if (const auto facts = read_facts(reply, {"stream"})) REQUIRE(facts->size() <= 1);
    if (const auto done = read_done(reply); !done) REQUIRE(!done.error().text.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    const Sink sink;
    Observer observer;
    AliasEngine engine(sink, observer, [](routeros::Level, const std::string& line) {
        REQUIRE(line.find('\n') == std::string::npos);
    });
    build::OpnsensePlan plan;
    plan.name = "fw1";
    plan.aliases = {{.name = "stream",
                     .list = 1,
                     .tag = "stream",
                     .v4 = true,
                     .v6 = true,
                     .max_elements = 50,
                     .longest_life_s = 100}};
    std::uint64_t now = 1'000'000;
    engine.configure(plan, true, now);
    IpAddress address = *IpAddress::parse("203.0.113.0");
    for (std::uint64_t token = 1; !rest.empty(); ++token) {
        const auto end = rest.find('\n');
        const std::string reply(rest.substr(0, end));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        read_alone(reply);
        address.bytes[15] = static_cast<std::uint8_t>(token);
        const Claim claim{.list = 1,
                          .addresses = {&address, 1},
                          .raised_ms = now,
                          .lease_end_ms = now + 5'000,
                          .row_life_s = 5,
                          .hold_token = token};
        observer.waiting.insert(token);
        engine.claim(claim, now);
        for (const Lane lane : {Lane::read, Lane::write}) {
            if (!engine.next(lane, now)) continue;
            REQUIRE(!engine.next(lane, now));  // one request at a time
            if (reply.starts_with('!'))
                engine.failed(lane, reply, now);
            else
                engine.reply(lane, reply.starts_with('#') ? 500 : 200, reply, now);
        }
        now += 500;
        REQUIRE(engine.health().rows <= 50 + 3);  // those that stayed after their deletion
        REQUIRE(engine.health().pending <= engine.health().rows);
    }
    plan.aliases.clear();
    engine.configure(plan, true, now);
    REQUIRE(observer.waiting.empty());
    return 0;
}
