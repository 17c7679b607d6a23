// The engine of an OPNsense router, against a router of a few lines and with a clock that is set by hand.
#define BOOST_TEST_MODULE opnsense
#include "control/sinks/opnsense/alias_engine.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "control/sinks/routers/needed_lists.h"

namespace steer::opnsense {
namespace {

namespace json = boost::json;

const IpAddress kA = *IpAddress::parse("203.0.113.7");
const IpAddress kB = *IpAddress::parse("203.0.113.8");
const IpAddress kSix = *IpAddress::parse("2001:db8::7");

struct Observed final : SinkObserver {
    void installed(const ClaimSink&, ListId list, const IpAddress& address,
                   std::uint32_t until_s) override {
        rows[{list, address.to_string()}] = until_s;
        if (gone.contains({list, address.to_string()})) ++returned;
    }
    void ended(const ClaimSink&, ListId list, const IpAddress& address) override {
        rows.erase({list, address.to_string()});
    }
    void lost(const ClaimSink&, ListId list, const IpAddress& address) override {
        rows.erase({list, address.to_string()});
        gone.insert({list, address.to_string()});
        ++losses;
    }
    void refused(const ClaimSink&, ListId list, const IpAddress& address,
                 RefusedFor whom) override {
        refusals.insert({list, address.to_string()});
        refused_for = whom;
    }
    void epoch(const ClaimSink&, ListId list) override { ++epochs[list]; }
    void away(const ClaimSink&, ListId list, bool value) override { is_away[list] = value; }
    void settled(std::uint64_t token, Outcome outcome) override {
        BOOST_TEST(outcomes.emplace(token, outcome).second);  // once
    }
    [[nodiscard]] bool is_settled(std::uint64_t token, Outcome outcome) const {
        const auto at = outcomes.find(token);
        return at != outcomes.end() && at->second == outcome;
    }
    std::map<std::pair<ListId, std::string>, std::uint32_t> rows;
    std::size_t losses = 0, returned = 0;
    std::set<std::pair<ListId, std::string>> gone;  // lost
    std::set<std::pair<ListId, std::string>> refusals;
    RefusedFor refused_for = RefusedFor::all;  // the last
    std::map<ListId, unsigned> epochs;
    std::map<ListId, bool> is_away;
    std::map<std::uint64_t, Outcome> outcomes;
};

struct Nobody final : ClaimSink {
    [[nodiscard]] std::vector<KeptList> lists() const override { return {}; }
    void claim(const Claim&, std::uint64_t) override {}
    [[nodiscard]] SinkHealth health() const override { return {}; }
};

// What OPNsense does with the requests of the engine.
struct Box {
    struct Alias {
        std::string type = "external", description = "SteerDNS", expire;
        bool enabled = true;
        std::set<std::string> table;
    };
    std::map<std::string, Alias> aliases;
    unsigned status = 200;          // of every reply
    unsigned write_status = 200;    // of adds and deletions
    unsigned list_status = 200;     // of reads
    std::string garbage;            // instead of every reply
    unsigned empty_lists = 0;       // this many reads fail on the router
    std::size_t most = 0;           // elements of a table at a time
    std::vector<std::string> seen;  // "add stream 203.0.113.7"

    std::string reply(const ApiRequest& request) {
        if (!garbage.empty()) return garbage;
        const std::string name = request.path.substr(request.path.rfind('/') + 1);
        const auto alias = aliases.find(name);
        const json::object body =
            request.body.empty() ? json::object() : json::parse(request.body).as_object();
        if (request.path.ends_with("/export")) return exported();
        if (request.path.find("/list/") != std::string::npos) {
            seen.push_back("list " + name);
            json::array rows;
            if (empty_lists > 0) {
                --empty_lists;
                return R"({"total":0,"rows":[]})";
            }
            for (const std::string& ip : alias->second.table)
                rows.push_back(json::object{{"ip", ip}});
            const auto total = rows.size();
            return json::serialize(json::object{{"total", total}, {"rows", std::move(rows)}});
        }
        const std::string address(body.at("address").as_string());
        const bool adds = request.path.find("/add/") != std::string::npos;
        seen.push_back((adds ? "add " : "delete ") + name + " " + address);
        if (write_status != 200) return "{}";
        if (adds && alias == aliases.end())
            return R"({"status":"failed","status_msg":"nonexistent alias"})";
        if (adds)
            alias->second.table.insert(address);
        else
            alias->second.table.erase(address);
        most = std::max(most, alias->second.table.size());
        return R"({"status":"done"})";
    }

    [[nodiscard]] unsigned status_of(const ApiRequest& request) const {
        const bool writes = request.path.find("/add/") != std::string::npos ||
                            request.path.find("/delete/") != std::string::npos;
        if (status != 200) return status;
        return writes ? write_status : request.path.ends_with("/export") ? 200 : list_status;
    }

    [[nodiscard]] std::string exported() const {
        json::object all;
        for (const auto& [name, alias] : aliases) {
            all["uuid of " + name] = json::object{{"name", name},
                                                  {"type", alias.type},
                                                  {"description", alias.description},
                                                  {"expire", alias.expire},
                                                  {"enabled", alias.enabled ? "1" : "0"}};
        }
        return json::serialize(json::object{{"aliases", json::object{{"alias", std::move(all)}}}});
    }
};

struct Lab {
    explicit Lab(std::vector<build::AliasPlan> aliases = {{.name = "stream",
                                                           .list = 1,
                                                           .tag = "stream",
                                                           .v4 = true,
                                                           .v6 = true,
                                                           .max_elements = 20'000,
                                                           .longest_life_s = 3'600}}) {
        plan.name = "fw1";
        plan.address = *IpAddress::parse("192.0.2.1");
        plan.aliases = std::move(aliases);
        for (const auto& alias : plan.aliases)
            box.aliases[alias.name] = {};
        engine.configure(plan, true, now);
    }

    // Runs the clock, with replies after `latency_ms`.
    void run(std::uint64_t ms) {
        const std::uint64_t end = now + ms;
        for (; now < end; ++now) {
            for (const Lane lane : {Lane::write, Lane::read}) {
                auto& flight = flights[static_cast<std::size_t>(lane)];
                if (flight && now >= flight->first) {
                    const auto done = std::exchange(flight, std::nullopt);
                    if (is_cut)
                        engine.failed(lane, "cannot be connected to: Connection refused", now);
                    else
                        engine.reply(lane, box.status_of(done->second), box.reply(done->second),
                                     now);
                }
                if (!flight) {
                    if (auto request = engine.next(lane, now))
                        flight = {now + latency_ms, *std::move(request)};
                }
            }
        }
    }

    // Until all was read: an empty table twice.
    void start() { run(1'100); }

    void claim(std::vector<IpAddress> addresses, std::uint32_t life_s = 600,
               std::uint64_t token = 0, ListId list = 1) {
        Claim claim;
        claim.list = list;
        claim.addresses = addresses;
        claim.raised_ms = now;
        claim.lease_end_ms = now + life_s * 1'000U;
        claim.row_life_s = life_s;
        claim.hold_token = token;
        engine.claim(claim, now);
    }

    // 10.0.0.1 and later, as answers for names of their own below the domain that a client got.
    void flood(unsigned from, unsigned count, const std::string& domain, const std::string& from_ip,
               std::uint64_t first_token = 0) {
        const IpAddress client = *IpAddress::parse(from_ip);
        for (unsigned i = from; i < from + count; ++i) {
            IpAddress address = *IpAddress::parse("10.0.0.0");
            address.bytes[15] = static_cast<std::uint8_t>(i);
            const std::string name = "n" + std::to_string(i) + "." + domain;
            Claim claim;
            claim.list = 1;
            claim.addresses = {&address, 1};
            claim.name = name;
            claim.client = &client;
            claim.raised_ms = now;
            claim.lease_end_ms = now + 600'000U;
            claim.row_life_s = 600;
            claim.hold_token = first_token == 0 ? 0 : first_token + (i - from);
            engine.claim(claim, now);
        }
    }

    // The elements of shared_plan(): two domains at their share, and the rest of a third.
    void fill() {
        flood(0, 40, "evil.example", "192.0.2.66");
        flood(40, 40, "bad.example", "192.0.2.67");
        flood(80, 20, "fine.example", "192.0.2.8");
    }

    [[nodiscard]] bool has_logged(const std::string& part) const {
        return std::ranges::any_of(
            logged, [&](const std::string& line) { return line.find(part) != std::string::npos; });
    }

    Nobody sink;
    Observed observed;
    Box box;
    std::vector<std::string> logged;
    build::OpnsensePlan plan;
    AliasEngine engine{sink, observed, [this](routeros::Level, const std::string& line) {
                           logged.push_back(line);
                       }};
    std::uint64_t now = 1'000'000;
    std::uint64_t latency_ms = 5;
    bool is_cut = false;
    std::array<std::optional<std::pair<std::uint64_t, ApiRequest>>, kLanes> flights;
};

// With shares of a tenth, 40 % and 60 % of 100 elements, or without.
build::AliasPlan shared_plan(bool has_shares = true) {
    build::AliasPlan plan{.name = "stream",
                          .list = 1,
                          .tag = "stream",
                          .v4 = true,
                          .max_elements = 100,
                          .longest_life_s = 3'600};
    if (has_shares) plan.shares = {10, 40, 60};
    return plan;
}

BOOST_AUTO_TEST_SUITE(alias_engine)

BOOST_AUTO_TEST_CASE(one_domain_fills_an_alias_only_without_shares) {
    for (const bool has_shares : {false, true}) {
        Lab lab({shared_plan(has_shares)});
        lab.start();
        lab.flood(0, 120, "evil.example", "192.0.2.66");
        lab.flood(200, 1, "good.example", "192.0.2.7");
        lab.run(3'000);
        BOOST_TEST(lab.box.aliases["stream"].table.contains("10.0.0.200") == has_shares);
        const AliasReport report = lab.engine.report().aliases.at(0);
        BOOST_TEST(report.elements == (has_shares ? 41U : 100U));
        BOOST_TEST(report.counters.over_share == (has_shares ? 80U : 0U));
        BOOST_TEST(report.counters.full == (has_shares ? 0U : 21U));
        BOOST_TEST(lab.has_logged("names below evil.example have their share of the 100 elements "
                                  "of alias 'stream' (40)") == has_shares);
        BOOST_TEST((lab.observed.refused_for == (has_shares ? RefusedFor::name : RefusedFor::all)));
    }
}

BOOST_AUTO_TEST_CASE(a_client_above_its_share_is_named_and_held_answers_are_refused) {
    Lab lab({shared_plan()});
    lab.start();
    for (unsigned d = 0; d < 60; ++d)
        lab.flood(d, 1, "d" + std::to_string(d) + ".example", "192.0.2.66");
    lab.flood(100, 1, "m.example", "192.0.2.66", 7);
    BOOST_TEST(lab.observed.is_settled(7, Outcome::refused));
    BOOST_TEST((lab.observed.refused_for == RefusedFor::client));
    BOOST_TEST(lab.has_logged("OPNsense router 'fw1': client 192.0.2.66 has its share"));
    lab.flood(101, 1, "m.example", "192.0.2.7", 8);
    lab.run(1'000);
    BOOST_TEST(lab.observed.is_settled(8, Outcome::installed));
}

BOOST_AUTO_TEST_CASE(a_full_alias_deletes_elements_of_the_largest_share_before_it_adds_others) {
    Lab lab({shared_plan()});
    lab.latency_ms = 2;
    lab.start();
    lab.fill();
    lab.run(2'000);
    BOOST_TEST(lab.box.aliases["stream"].table.size() == 100);
    for (unsigned i = 0; i < 20; ++i) {  // every other one waits
        const std::string domain = "good" + std::to_string(i) + ".example";
        lab.flood(200 + i, 1, domain, "192.0.2.7", i % 2 == 0 ? 0 : 100 + i);
        if (i % 5 == 4) lab.run(100);
    }
    lab.run(2'000);
    const auto& table = lab.box.aliases["stream"].table;
    for (unsigned i = 0; i < 20; ++i)
        BOOST_TEST(table.contains("10.0.0." + std::to_string(200 + i)));
    for (unsigned i = 80; i < 100; ++i)
        BOOST_TEST(table.contains("10.0.0." + std::to_string(i)));
    BOOST_TEST(lab.observed.is_settled(101, Outcome::installed));
    BOOST_TEST(lab.box.most == 100);
    BOOST_TEST(table.size() == 100);
    const AliasReport report = lab.engine.report().aliases.at(0);
    BOOST_TEST(report.counters.evicted == 20);
    BOOST_TEST(lab.observed.losses == 20);
    BOOST_TEST(report.elements == 100);
    BOOST_TEST(lab.observed.rows.size() == 100);  // the row board forgets the others
}

// Its deletion comes later, and workers do not learn of its end a second time.
BOOST_AUTO_TEST_CASE(an_evicted_element_is_not_reported_again_after_a_failed_connection) {
    Lab lab({shared_plan()});
    lab.start();
    lab.fill();
    lab.run(2'000);
    lab.is_cut = true;
    lab.flood(200, 1, "good.example", "192.0.2.7");
    lab.run(20'000);
    lab.is_cut = false;
    lab.run(60'000);
    BOOST_TEST(lab.box.aliases["stream"].table.contains("10.0.0.200"));
    BOOST_TEST(lab.observed.losses == 1);
    BOOST_TEST(lab.observed.returned == 0);
}

BOOST_AUTO_TEST_CASE(elements_of_other_domains_do_not_wait_behind_a_flood) {
    for (const std::uint64_t token : {0U, 1'000U}) {
        Lab lab({shared_plan()});
        lab.latency_ms = 20;
        lab.start();
        lab.flood(0, 40, "evil.example", "192.0.2.66", token);
        lab.run(500);
        lab.flood(200, 2, "good.example", "192.0.2.7", token == 0 ? 0 : 2'000);
        lab.run(150);
        const auto& table = lab.box.aliases["stream"].table;
        BOOST_TEST(table.contains("10.0.0.200"));
        BOOST_TEST(table.contains("10.0.0.201"));
        BOOST_TEST(table.size() < 42);
    }
}

BOOST_AUTO_TEST_CASE(a_share_is_not_exceeded_while_evicted_elements_are_still_there) {
    Lab lab({shared_plan()});
    lab.start();
    lab.fill();
    lab.run(3'000);
    lab.is_cut = true;  // nothing can be deleted
    lab.run(1'000);
    for (unsigned i = 0; i < 30; ++i) {
        lab.flood(120 + i, 1, "good" + std::to_string(i) + ".example", "192.0.2.7");
        lab.flood(i, 1, "evil.example", "192.0.2.66");
        lab.flood(150 + i, 1, "evil.example", "192.0.2.66");
    }
    BOOST_TEST(lab.engine.report().aliases.at(0).elements <= 164);
    lab.is_cut = false;
    lab.run(40'000);
    const auto& table = lab.box.aliases["stream"].table;
    BOOST_TEST(table.size() == 100);
    BOOST_TEST(lab.box.most == 100);
    for (unsigned i = 0; i < 30; ++i)
        BOOST_TEST(table.contains("10.0.0." + std::to_string(120 + i)));
}

BOOST_AUTO_TEST_CASE(a_claim_is_added_and_deleted_when_its_lease_ends) {
    Lab lab;
    lab.start();
    BOOST_TEST(!lab.observed.is_away.at(1));
    lab.claim({kA, kSix}, 60);
    lab.run(100);
    BOOST_TEST(
        (lab.box.aliases["stream"].table == std::set<std::string>{"203.0.113.7", "2001:db8::7"}));
    BOOST_TEST((lab.observed.rows.at({1, "203.0.113.7"}) == 1'001 + 60));
    lab.run(59'700);
    BOOST_TEST(lab.box.aliases["stream"].table.size() == 2);
    lab.run(500);
    BOOST_TEST(lab.box.aliases["stream"].table.empty());
    BOOST_TEST(lab.observed.rows.empty());
}

BOOST_AUTO_TEST_CASE(renewals_write_nothing) {
    Lab lab;
    lab.start();
    for (int i = 0; i < 5; ++i) {
        lab.claim({kA}, 60);
        lab.run(30'000);
    }
    BOOST_TEST(std::ranges::count(lab.box.seen, "add stream 203.0.113.7") == 1);
    BOOST_TEST(lab.box.aliases["stream"].table.size() == 1);
}

BOOST_AUTO_TEST_CASE(a_held_answer_is_settled_by_the_reply) {
    Lab lab;
    lab.start();
    lab.latency_ms = 40;
    lab.claim({kA, kB}, 60, 7);
    lab.run(42);
    BOOST_TEST(!lab.observed.outcomes.contains(7));
    lab.run(60);
    BOOST_TEST(lab.observed.is_settled(7, Outcome::installed));
    lab.claim({kA, kB}, 60, 8);
    BOOST_TEST(lab.observed.is_settled(8, Outcome::already_there));
}

BOOST_AUTO_TEST_CASE(held_answers_overtake_background_writes) {
    Lab lab;
    lab.start();
    for (std::uint8_t i = 0; i < 200; ++i) {
        IpAddress address = *IpAddress::parse("198.51.100.0");
        address.bytes[15] = i;
        lab.claim({address});
    }
    lab.run(20);
    lab.claim({kA}, 60, 7);
    lab.run(15);
    BOOST_TEST(lab.observed.is_settled(7, Outcome::installed));
}

BOOST_AUTO_TEST_CASE(background_writes_leave_the_router_time) {
    Lab lab;
    lab.start();
    lab.latency_ms = 10;
    for (std::uint8_t i = 0; i < 200; ++i) {
        IpAddress address = *IpAddress::parse("198.51.100.0");
        address.bytes[15] = i;
        lab.claim({address});
    }
    lab.run(1'000);  // half of the time, 10 ms each: about 50
    const std::size_t half = lab.box.aliases["stream"].table.size();
    BOOST_TEST(half >= 40);
    BOOST_TEST(half <= 55);
}

BOOST_AUTO_TEST_CASE(an_unreachable_router_holds_no_answer_and_gets_its_claims_later) {
    Lab lab;
    lab.is_cut = true;
    lab.start();
    lab.claim({kA}, 600, 7);
    BOOST_TEST(lab.observed.is_settled(7, Outcome::router_away));
    BOOST_TEST(lab.has_logged("Connection refused"));
    lab.is_cut = false;
    lab.run(40'000);
    BOOST_TEST(lab.box.aliases["stream"].table.contains("203.0.113.7"));
    BOOST_TEST(lab.has_logged("is reachable again"));
    BOOST_TEST(std::ranges::count_if(lab.logged, [](const std::string& line) {
                   return line.find("refused") != std::string::npos;
               }) == 1);
}

BOOST_AUTO_TEST_CASE(a_connection_that_breaks_releases_the_held) {
    Lab lab;
    lab.start();
    lab.latency_ms = 200;
    lab.claim({kA}, 600, 7);
    lab.run(10);
    lab.is_cut = true;
    lab.run(300);
    BOOST_TEST(lab.observed.is_settled(7, Outcome::router_away));
    BOOST_TEST(lab.observed.is_away.at(1));
    lab.is_cut = false;
    lab.run(60'000);
    BOOST_TEST(lab.box.aliases["stream"].table.contains("203.0.113.7"));
    BOOST_TEST(!lab.observed.is_away.at(1));
}

BOOST_AUTO_TEST_CASE(a_reboot_is_noticed_and_the_table_filled_again) {
    Lab lab;
    lab.start();
    lab.claim({kA, kB});
    lab.run(200);
    lab.box.aliases["stream"].table.clear();
    lab.run(11'000);
    BOOST_TEST(lab.box.aliases["stream"].table.size() == 2);
    BOOST_TEST(lab.observed.epochs[1] == 1);
    BOOST_TEST(lab.observed.rows.size() == 2);
    BOOST_TEST(lab.has_logged("lost 2 elements"));
    BOOST_TEST(lab.engine.report().aliases.at(0).counters.lost == 2);
}

BOOST_AUTO_TEST_CASE(a_first_read_that_failed_on_the_router_makes_no_host_foreign) {
    Lab lab;
    lab.box.aliases["stream"].table = {"203.0.113.7", "203.0.113.8"};
    lab.box.empty_lists = 1;
    lab.run(900);
    lab.claim({kA});
    lab.run(20'000);
    BOOST_TEST(lab.has_logged("had 1 hosts that no answer has claimed"));
    BOOST_TEST(lab.engine.report().aliases.at(0).foreign == 0);
    BOOST_TEST(lab.engine.health().rows == 2);
}

BOOST_AUTO_TEST_CASE(a_read_that_failed_on_the_router_loses_no_element) {
    Lab lab;
    lab.start();
    lab.claim({kA, kB});
    lab.run(100);
    lab.box.empty_lists = 1;
    lab.run(25'000);
    BOOST_TEST(lab.box.empty_lists == 0);
    BOOST_TEST(lab.engine.report().aliases.at(0).counters.lost == 0);
    BOOST_TEST(lab.observed.epochs[1] == 0);
    BOOST_TEST(std::ranges::count(lab.box.seen, "add stream 203.0.113.7") == 1);
    lab.box.aliases["stream"].table.clear();
    lab.run(11'500);  // the next read, and another
    BOOST_TEST(lab.box.aliases["stream"].table.size() == 2);
}

BOOST_AUTO_TEST_CASE(a_new_process_adopts_the_table_and_ends_what_no_client_claims) {
    Lab lab;
    lab.box.aliases["stream"].table = {"203.0.113.7", "203.0.113.8", "10.0.0.0/8"};
    lab.start();
    lab.claim({kA}, 7'200);
    lab.run(3'590'000);
    BOOST_TEST(lab.box.aliases["stream"].table.size() == 3);
    lab.run(20'000);
    BOOST_TEST(
        (lab.box.aliases["stream"].table == std::set<std::string>{"10.0.0.0/8", "203.0.113.7"}));
    BOOST_TEST(std::ranges::count(lab.box.seen, "add stream 203.0.113.7") == 0);
    BOOST_TEST(lab.engine.report().aliases.at(0).foreign == 1);
}

BOOST_AUTO_TEST_CASE(an_alias_that_is_not_given_to_us_is_never_written) {
    const std::vector<std::pair<std::function<void(Box::Alias&)>, std::string>> cases{
        {[](auto& a) { a.type = "host"; }, "has the type \"host\""},
        {[](auto& a) { a.enabled = false; }, "is disabled"},
        {[](auto& a) { a.expire = "3600"; }, "Expire"},
        {[](auto& a) { a.description = "my hosts"; }, "is not given to SteerDNS"}};
    for (const auto& [spoil, sentence] : cases) {
        Lab lab;
        spoil(lab.box.aliases["stream"]);
        lab.box.aliases["stream"].table = {"203.0.113.9"};
        lab.run(50);
        lab.claim({kA}, 600, 7);
        lab.run(29'000);
        BOOST_TEST(lab.has_logged(sentence), sentence);
        BOOST_TEST(lab.observed.is_settled(7, Outcome::router_away));
        BOOST_TEST(lab.box.seen.empty());
        BOOST_TEST(lab.logged.size() == 1);
        lab.box.aliases["stream"] = {};  // the operator mends it
        lab.run(3'000);
        BOOST_TEST(lab.box.aliases["stream"].table.contains("203.0.113.7"), sentence);
    }
}

BOOST_AUTO_TEST_CASE(consent_that_is_withdrawn_ends_the_writes) {
    const std::vector<std::pair<std::function<void(Box::Alias&)>, std::string>> cases{
        {[](auto& a) { a.type = "host"; }, "has the type \"host\""},
        {[](auto& a) { a.expire = "3600"; }, "Expire"},
        {[](auto& a) { a.description = "my hosts"; }, "is not given to SteerDNS"}};
    for (const auto& [spoil, sentence] : cases) {
        for (const bool is_flushed : {true, false}) {
            Lab lab;
            lab.start();
            lab.claim({kA, kB}, 100);
            lab.run(100);
            Box::Alias& alias = lab.box.aliases["stream"];
            BOOST_TEST(alias.table.size() == 2);
            spoil(alias);
            if (is_flushed) alias.table.clear();
            lab.run(61'000);
            lab.box.seen.clear();
            lab.claim({kSix}, 600, 7);
            lab.run(70'000);  // the leases end
            BOOST_TEST(lab.observed.is_settled(7, Outcome::router_away));
            BOOST_TEST(lab.box.seen.empty(), sentence);
            BOOST_TEST(alias.table.size() == (is_flushed ? 0 : 2), sentence);
            BOOST_TEST(lab.has_logged(sentence), sentence);
            BOOST_TEST(!lab.engine.report().aliases.at(0).error.empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(lost_elements_are_added_again_only_with_consent) {
    Lab lab;
    lab.start();
    lab.claim({kA, kB});
    lab.run(100);
    lab.box.seen.clear();
    lab.box.aliases["stream"].description = "my hosts";
    lab.box.aliases["stream"].table.clear();
    lab.run(20'000);
    BOOST_TEST(lab.has_logged("lost 2 elements"));
    BOOST_TEST(lab.box.aliases["stream"].table.empty());
    BOOST_TEST(std::ranges::count(lab.box.seen, "add stream 203.0.113.7") == 0);
}

BOOST_AUTO_TEST_CASE(an_alias_that_is_missing_or_removed_is_reported) {
    Lab lab;
    lab.box.aliases.clear();
    lab.start();
    BOOST_TEST(lab.has_logged("does not exist"));
    lab.box.aliases["stream"] = {};
    lab.run(31'000);
    BOOST_TEST(!lab.observed.is_away.at(1));
    lab.box.aliases.clear();
    lab.claim({kA}, 600, 7);
    lab.run(20);
    BOOST_TEST(lab.observed.is_settled(7, Outcome::router_away));
    BOOST_TEST(lab.has_logged("nonexistent alias"));
    BOOST_TEST(lab.observed.is_away.at(1));
}

BOOST_AUTO_TEST_CASE(refused_credentials_are_explained_and_retried_every_half_minute) {
    for (const auto& [status, sentence] : std::map<unsigned, std::string>{
             {401, "refuses the key"}, {403, "privileges"}, {404, "is it OPNsense"}}) {
        Lab lab;
        lab.box.status = status;
        lab.run(29'000);
        BOOST_TEST(lab.has_logged(sentence), sentence);
        BOOST_TEST(lab.logged.size() == 1);
        lab.box.status = 200;
        lab.run(3'000);
        BOOST_TEST(!lab.observed.is_away.at(1));
    }
}

BOOST_AUTO_TEST_CASE(garbage_is_no_reply) {
    for (const std::string& garbage :
         {std::string("<html>"), std::string("[]]"), std::string("{\"rows\":[]}"),
          std::string("\xff\xfe"), std::string(200, '{')}) {
        Lab lab;
        lab.start();
        lab.claim({kA}, 600, 7);
        lab.box.garbage = garbage;
        lab.run(11'000);
        BOOST_TEST(lab.observed.outcomes.contains(7));
        BOOST_TEST(lab.observed.is_away.at(1));
        lab.box.garbage.clear();
        lab.run(40'000);
        BOOST_TEST(lab.box.aliases["stream"].table.contains("203.0.113.7"));
    }
}

BOOST_AUTO_TEST_CASE(three_slow_writes_in_a_row_end_the_holding_until_a_fast_one) {
    Lab lab;
    lab.plan.aliases[0].sync_timeout_ms = 100;
    lab.engine.configure(lab.plan, false, lab.now);
    lab.start();
    lab.latency_ms = 300;
    lab.run(400);
    for (std::uint8_t i = 1; i <= 3; ++i) {
        IpAddress address = *IpAddress::parse("198.51.100.0");
        address.bytes[15] = i;
        lab.claim({address}, 600, i);
        lab.run(400);
    }
    BOOST_TEST(lab.observed.is_away.at(1));
    lab.latency_ms = 5;
    lab.claim({kA}, 600, 9);
    BOOST_TEST(lab.observed.is_settled(9, Outcome::router_away));
    lab.run(1'000);
    BOOST_TEST(!lab.observed.is_away.at(1));
}

BOOST_AUTO_TEST_CASE(a_reload_ends_the_elements_of_a_removed_alias) {
    Lab lab({{.name = "stream", .list = 1, .tag = "a", .v4 = true, .v6 = true},
             {.name = "media", .list = 2, .tag = "b", .v4 = true, .v6 = true}});
    lab.start();
    lab.claim({kA}, 60);
    lab.claim({kB}, 60, 0, 2);
    lab.run(100);
    lab.plan.aliases.pop_back();
    lab.engine.configure(lab.plan, false, lab.now);
    BOOST_TEST(lab.engine.lists().size() == 1);
    lab.run(30'000);
    BOOST_TEST(lab.box.aliases["media"].table.size() == 1);
    lab.run(31'000);
    BOOST_TEST(lab.box.aliases["media"].table.empty());
    BOOST_TEST(lab.engine.report().aliases.size() == 1);
    lab.plan.aliases.clear();
    lab.engine.configure(lab.plan, false, lab.now);
    BOOST_TEST(lab.engine.is_idle());
}

BOOST_AUTO_TEST_CASE(a_removed_alias_that_the_operator_takes_back_is_given_up) {
    Lab lab;
    lab.start();
    lab.claim({kA}, 600);
    lab.run(100);
    lab.plan.aliases.clear();
    lab.engine.configure(lab.plan, false, lab.now);
    BOOST_TEST(!lab.engine.is_idle());
    lab.box.aliases["stream"].description = "my hosts";
    lab.run(61'000);
    BOOST_TEST(lab.engine.is_idle());
    BOOST_TEST(lab.has_logged("its elements stay"));
    BOOST_TEST(lab.box.aliases["stream"].table.size() == 1);
}

BOOST_AUTO_TEST_CASE(an_alias_that_a_reload_gives_back_is_read_at_once) {
    Lab lab;
    lab.plan.read_every_ms = 3'600'000;
    lab.engine.configure(lab.plan, false, lab.now);
    lab.start();
    lab.claim({kA}, 7'200);
    lab.run(100);
    const auto alias = lab.plan.aliases;
    lab.plan.aliases.clear();
    lab.engine.configure(lab.plan, false, lab.now);
    lab.run(100);
    lab.plan.aliases = alias;
    lab.engine.configure(lab.plan, false, lab.now);
    BOOST_TEST(lab.engine.wake_ms(Lane::read) <= lab.now);
    lab.run(100);
    BOOST_TEST(lab.engine.report().aliases.at(0).ready);
    BOOST_TEST(!lab.observed.is_away.at(1));
}

BOOST_AUTO_TEST_CASE(a_shorter_read_every_holds_for_the_next_read) {
    Lab lab;
    lab.plan.read_every_ms = 3'600'000;
    lab.engine.configure(lab.plan, false, lab.now);
    lab.start();
    lab.run(5'000);
    lab.box.seen.clear();
    lab.plan.read_every_ms = 1'000;
    lab.engine.configure(lab.plan, false, lab.now);
    lab.run(900);
    BOOST_TEST(lab.box.seen.empty());
    lab.run(200);
    BOOST_TEST(lab.box.seen.size() == 1);
}

BOOST_AUTO_TEST_CASE(two_aliases_of_a_list_share_its_families) {
    Lab lab({{.name = "four", .list = 1, .tag = "a", .v4 = true},
             {.name = "six", .list = 1, .tag = "a", .v6 = true}});
    lab.start();
    lab.claim({kA, kSix}, 60, 7);
    lab.run(100);
    BOOST_TEST(lab.observed.is_settled(7, Outcome::installed));
    BOOST_TEST((lab.box.aliases["four"].table == std::set<std::string>{"203.0.113.7"}));
    BOOST_TEST((lab.box.aliases["six"].table == std::set<std::string>{"2001:db8::7"}));
    BOOST_TEST(lab.engine.lists().size() == 1);
}

BOOST_AUTO_TEST_CASE(a_pause_writes_nothing_and_holds_no_answer) {
    Lab lab;
    lab.start();
    lab.engine.pause(true);
    BOOST_TEST(lab.observed.is_away.at(1));
    lab.claim({kA}, 600, 7);
    BOOST_TEST(lab.observed.is_settled(7, Outcome::router_away));
    lab.run(5'000);
    BOOST_TEST(lab.box.aliases["stream"].table.empty());
    lab.engine.pause(false);
    lab.run(100);
    BOOST_TEST(lab.box.aliases["stream"].table.size() == 1);
    BOOST_TEST(!lab.observed.is_away.at(1));
}

BOOST_AUTO_TEST_CASE(readiness_needs_all_aliases_of_a_list_and_names_the_error) {
    Lab lab({{.name = "four", .list = 1, .tag = "a", .ready = config::ReadyNeed::any, .v4 = true},
             {.name = "six", .list = 1, .tag = "a", .ready = config::ReadyNeed::any, .v6 = true},
             {.name = "other", .list = 2, .tag = "b", .v4 = true}});
    const auto error = [&] { return needed_lists_error(lab.engine.needed(), lab.now); };
    BOOST_TEST(error() == "list \"a\" cannot be written to fw1");  // never reached
    lab.start();
    BOOST_TEST_REQUIRE(lab.engine.needed().size() == 1U);
    BOOST_TEST(error() == "");
    lab.is_cut = true;
    lab.run(12'000);  // the tables are read every 10 s
    BOOST_TEST(error() == "");
    lab.run(3'000);
    BOOST_TEST(error() ==
               "list \"a\" cannot be written to fw1 (cannot be connected to: Connection refused)");
    lab.engine.pause(true);
    BOOST_TEST(error() == "");
    lab.engine.pause(false);
    lab.is_cut = false;
    lab.run(31'000);
    BOOST_TEST(error() == "");
    lab.box.aliases.erase("six");
    lab.claim({kSix});
    lab.run(2'900);
    BOOST_TEST(error() == "");
    lab.run(200);
    BOOST_TEST(error().starts_with(
        "list \"a\" cannot be written to fw1 (alias 'six' cannot be written: "));
}

BOOST_AUTO_TEST_CASE(an_alias_that_never_could_be_written_is_not_ready_at_once) {
    Lab lab(
        {{.name = "stream", .list = 1, .tag = "a", .ready = config::ReadyNeed::all, .v4 = true}});
    lab.box.aliases["stream"].enabled = false;
    lab.run(100);
    BOOST_TEST(needed_lists_error(lab.engine.needed(), lab.now) ==
               "list \"a\" cannot be written to fw1 (alias 'stream' is disabled: enable it, and "
               "apply)");
}

BOOST_AUTO_TEST_CASE(writes_refused_with_5xx_are_tried_every_half_minute_and_end_readiness) {
    for (const unsigned status : {500U, 503U}) {
        Lab lab({{.name = "stream",
                  .list = 1,
                  .tag = "a",
                  .ready = config::ReadyNeed::all,
                  .v4 = true}});
        lab.start();
        lab.box.write_status = status;
        lab.box.seen.clear();
        lab.claim({kA}, 600, 7);
        const auto error = [&] { return needed_lists_error(lab.engine.needed(), lab.now); };
        lab.run(3'100);
        BOOST_TEST(lab.observed.is_settled(7, Outcome::router_away));
        for (unsigned ms = 0; ms < 57'000; ms += 10) {
            lab.run(10);
            BOOST_TEST_REQUIRE(error().find("user-config-readonly") != std::string::npos);
        }
        BOOST_TEST(std::ranges::count(lab.box.seen, "list stream") <= 3);
        BOOST_TEST(std::ranges::count(lab.box.seen, "add stream 203.0.113.7") <= 3);
        BOOST_TEST(lab.logged.size() == 2);  // in sync; refused
        BOOST_TEST(lab.engine.report().aliases.at(0).counters.failed >= 2);
        lab.box.write_status = 200;
        lab.run(31'000);
        BOOST_TEST(lab.box.aliases["stream"].table.contains("203.0.113.7"));
        BOOST_TEST(error() == "");
        BOOST_TEST(!lab.observed.is_away.at(1));
        BOOST_TEST(lab.has_logged("is written again"));
        BOOST_TEST(lab.engine.report().aliases.at(0).error.empty());
    }
}

BOOST_AUTO_TEST_CASE(reads_that_fail_are_tried_less_and_less_often) {
    Lab lab;
    lab.start();
    lab.box.seen.clear();
    lab.box.list_status = 500;
    lab.run(120'000);
    BOOST_TEST(lab.box.seen.size() <= 9);
    lab.box.list_status = 200;
    lab.run(32'000);
    BOOST_TEST(!lab.observed.is_away.at(1));
}

BOOST_AUTO_TEST_CASE(slow_writes_end_no_readiness) {
    Lab lab(
        {{.name = "stream", .list = 1, .tag = "a", .ready = config::ReadyNeed::all, .v4 = true}});
    lab.start();
    lab.latency_ms = 600;
    for (unsigned i = 1; i <= 3; ++i) {
        IpAddress address = kA;
        address.bytes[15] = static_cast<std::uint8_t>(i);
        lab.claim({address}, 600, i);
        lab.run(1'000);
    }
    BOOST_TEST(lab.observed.is_away.at(1));
    lab.run(5'000);
    BOOST_TEST(needed_lists_error(lab.engine.needed(), lab.now) == "");
}

BOOST_AUTO_TEST_CASE(claims_above_the_limit_are_dropped_and_made_again_when_there_is_room) {
    Lab lab({{.name = "stream", .list = 1, .tag = "a", .v4 = true, .max_elements = 1}});
    lab.start();
    lab.claim({kA}, 5);
    lab.claim({kB}, 600, 7);
    BOOST_TEST(lab.observed.is_settled(7, Outcome::refused));
    BOOST_TEST(lab.observed.refusals.size() == 1);
    BOOST_TEST(lab.observed.refusals.contains({1, "203.0.113.8"}));
    BOOST_TEST(lab.has_logged("max_elements"));
    BOOST_TEST(lab.observed.epochs[1] == 0);
    lab.run(5'200);
    BOOST_TEST(lab.observed.epochs[1] == 1);
    BOOST_TEST(lab.engine.report().aliases.at(0).counters.full == 1);
}

BOOST_AUTO_TEST_CASE(an_answer_with_one_address_above_the_limit_is_not_held) {
    Lab lab({{.name = "stream", .list = 1, .tag = "a", .v4 = true, .max_elements = 1}});
    lab.start();
    lab.claim({kA, kB}, 600, 7);
    BOOST_TEST(lab.observed.is_settled(7, Outcome::refused));
    lab.run(100);
    BOOST_TEST(lab.box.aliases["stream"].table.size() == 1);
    BOOST_TEST(lab.observed.is_settled(7, Outcome::refused));
}

BOOST_AUTO_TEST_CASE(dropped_claims_are_made_again_every_10_s_at_most) {
    Lab lab({{.name = "stream", .list = 1, .tag = "a", .v4 = true, .max_elements = 1}});
    lab.start();
    for (unsigned i = 0; i < 5; ++i) {  // one is deleted, another dropped
        lab.claim({i % 2 == 0 ? kA : kB}, 1);
        lab.claim({i % 2 == 0 ? kB : kA}, 600);
        lab.run(1'100);
    }
    BOOST_TEST(std::ranges::count_if(lab.box.seen, [](const std::string& request) {
                   return request.starts_with("delete");
               }) == 5);
    BOOST_TEST(lab.observed.epochs[1] == 1);
    lab.run(5'000);
    BOOST_TEST(lab.observed.epochs[1] == 1);
    lab.run(2'000);
    BOOST_TEST(lab.observed.epochs[1] == 2);
    lab.run(20'000);
    BOOST_TEST(lab.observed.epochs[1] == 2);
}

BOOST_AUTO_TEST_CASE(a_removed_alias_makes_no_claims_again) {
    Lab lab({{.name = "stream", .list = 1, .tag = "a", .v4 = true, .max_elements = 2}});
    lab.start();
    lab.claim({kA}, 2);
    lab.claim({kB}, 600);
    lab.claim({*IpAddress::parse("203.0.113.9")}, 600);  // dropped
    lab.run(100);
    lab.plan.aliases.clear();
    lab.engine.configure(lab.plan, false, lab.now);
    lab.run(5'000);
    BOOST_TEST((lab.box.aliases["stream"].table == std::set<std::string>{"203.0.113.8"}));
    BOOST_TEST(lab.observed.epochs[1] == 0);
}

BOOST_AUTO_TEST_CASE(ten_thousand_elements_are_kept_and_found_again) {
    Lab lab;
    lab.latency_ms = 1;
    lab.start();
    for (unsigned i = 0; i < 10'000; ++i) {
        IpAddress address = *IpAddress::parse("198.18.0.0");
        address.bytes[14] = static_cast<std::uint8_t>(i >> 8);
        address.bytes[15] = static_cast<std::uint8_t>(i);
        lab.claim({address}, 7'200);
    }
    lab.run(45'000);
    BOOST_TEST(lab.box.aliases["stream"].table.size() == 10'000);
    BOOST_TEST(lab.engine.health().pending == 0);
    Lab next;
    next.latency_ms = 1;
    next.box.aliases["stream"].table = lab.box.aliases["stream"].table;
    next.start();
    BOOST_TEST(next.engine.health().rows == 10'000);
    BOOST_TEST(next.observed.rows.size() == 10'000);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::opnsense
