// The libraries against this kernel, in a network namespace of the test's own; `nft` and `ipset` make the sets and read them.
#define BOOST_TEST_MODULE sets_kernel
#include <boost/test/unit_test.hpp>

#include <poll.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "control/sinks/set_process/ipset_writer.h"
#include "control/sinks/set_process/nftables_watch.h"
#include "control/sinks/set_process/nftables_writer.h"
#include "control/sinks/set_process/route_watch.h"
#include "control/sinks/set_process/route_writer.h"

using namespace steer;
using namespace steer::sets;

namespace {

struct Namespace {
    Namespace() { BOOST_TEST_REQUIRE(::unshare(CLONE_NEWNET) == 0); }
};
BOOST_TEST_GLOBAL_FIXTURE(Namespace);

std::string output(const std::string& command) {
    std::string all;
    std::FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
    std::array<char, 4096> part{};
    while (std::fgets(part.data(), static_cast<int>(part.size()), pipe) != nullptr)
        all += part.data();
    ::pclose(pipe);
    return all;
}
void run(const std::string& command) {
    const std::string result = output(command + " && echo done");
    BOOST_TEST_REQUIRE(result == "done\n", command << ": " << result);
}

SetName nft(const std::string& name, bool v6 = false) {
    return {"inet", "t", name, v6};
}
SetName old(const std::string& name, bool v6 = false) {
    return {"", "", name, v6};
}
SetElement element(const std::string& prefix, std::uint32_t timeout_s) {
    return {matchers::Prefix::parse(prefix).value(), timeout_s};
}
bool add(SetWriter& writer, const SetName& set, const std::vector<SetElement>& elements) {
    return writer.add(set, elements).has_value();
}

struct Sets {
    Sets() {
        run("nft add table inet t");
        run("nft 'add set inet t hash { type ipv4_addr; flags timeout; }'");
        run("nft 'add set inet t missing4 { type ipv4_addr; flags interval,timeout; }'");
        run("nft 'add set inet t merged { type ipv4_addr; flags interval,timeout; auto-merge; }'");
        run("nft 'add set inet t plain { type ipv6_addr; }'");
        run("nft 'add set inet t ports { type inet_service; }'");
        run("ipset create net4 hash:net timeout 0");
        run("ipset create ip6 hash:ip family inet6");
        run("ipset create pairs hash:ip,port");
        run("ipset create few hash:ip maxelem 2");
    }
    ~Sets() {
        run("nft flush ruleset");
        run("ipset destroy");
    }
    Sets(const Sets&) = delete;
    Sets& operator=(const Sets&) = delete;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(kernel, Sets)

BOOST_AUTO_TEST_CASE(the_flags_of_sets_are_read) {
    NftablesWriter nftables;
    IpsetWriter ipsets;
    BOOST_TEST((nftables.read(nft("hash")).value() == SetAbility{true, false, false, true}));
    BOOST_TEST((nftables.read(nft("missing4")).value() == SetAbility{true, true, false, true}));
    // libnftables 1.0.6 may crash when it divides merged elements.
    BOOST_TEST((nftables.read(nft("merged")).value() == SetAbility{true, true, false, false}));
    BOOST_TEST((nftables.read(nft("plain", true)).value() == SetAbility{false, false}));
    BOOST_TEST(nftables.read(nft("nothing")).error().text == "there is no such set");
    BOOST_TEST(nftables.read({"ip", "nowhere", "x", false}).error().text == "there is no such set");
    BOOST_TEST(nftables.read(nft("ports")).error().text ==
               "its type is \"inet_service\", expected ipv4_addr");
    BOOST_TEST(nftables.read(nft("hash", true)).error().text ==
               "its type is \"ipv4_addr\", expected ipv6_addr");
    BOOST_TEST((ipsets.read(old("net4")).value() == SetAbility{true, true, false, true}));
    BOOST_TEST((ipsets.read(old("ip6", true)).value() == SetAbility{false, false}));
    BOOST_TEST(ipsets.read(old("nothing")).error().text ==
               "The set with the given name does not exist");
    BOOST_TEST(ipsets.read(old("pairs")).error().text ==
               "its type is hash:ip,port, expected hash:net, hash:ip or bitmap:ip");
    BOOST_TEST(ipsets.read(old("ip6")).error().text == "its family is inet6, expected inet");
}

// With what this kernel does itself, and as on kernels that leave an element its timeout.
BOOST_AUTO_TEST_CASE(an_element_gets_the_new_timeout) {
    for (const bool renews : {NftablesWriter::kernel_renews(), false}) {
        NftablesWriter nftables(renews);
        for (const char* const name : {"hash", "missing4"}) {
            const std::string first = name == std::string("hash") ? "192.0.2.1" : "192.0.2.0/24";
            run(std::string("nft flush set inet t ") + name);
            BOOST_TEST(
                add(nftables, nft(name), {element(first, 100), element("198.51.100.9", 100)}));
            BOOST_TEST(
                add(nftables, nft(name), {element(first, 700), element("198.51.100.8", 100)}));
            const std::string now = output(std::string("nft list set inet t ") + name);
            BOOST_TEST(now.find(first + " timeout 11m40s") != std::string::npos, now);
            BOOST_TEST(now.find("198.51.100.9 timeout 1m40s") != std::string::npos, now);
            BOOST_TEST(now.find("198.51.100.8 timeout 1m40s") != std::string::npos, now);
        }
        // The same timeout, mostly elapsed: it starts again.
        run("nft 'add element inet t hash { 203.0.113.1 timeout 100s expires 5s }'");
        run("nft 'add element inet t missing4 { 203.0.113.0/24 timeout 100s expires 5s }'");
        BOOST_TEST(add(nftables, nft("hash"), {element("203.0.113.1", 100)}));
        BOOST_TEST(add(nftables, nft("missing4"), {element("203.0.113.0/24", 100)}));
        for (const char* const name : {"hash", "missing4"}) {
            const std::string now = output(std::string("nft list set inet t ") + name);
            BOOST_TEST(now.find("timeout 1m40s expires 1m3") != std::string::npos, now);
        }
        run("nft flush set inet t merged");
        for (const std::uint32_t life : {100U, 700U, 800U})
            BOOST_TEST(add(nftables, nft("merged"),
                           {element("192.0.2.0/24", life), element("192.0.3.0/24", life)}));
        const std::string merged = output("nft list set inet t merged");
        BOOST_TEST(merged.find("192.0.2.0/23") != std::string::npos, merged);
    }
    IpsetWriter ipsets;
    BOOST_TEST(add(ipsets, old("net4"), {element("192.0.2.0/24", 100)}));
    BOOST_TEST(add(ipsets, old("net4"), {element("192.0.2.0/24", 700), element("192.0.9.1", 700)}));
    const std::string now = output("ipset list net4");
    BOOST_TEST((now.find("192.0.2.0/24 timeout 700") != std::string::npos ||
                now.find("192.0.2.0/24 timeout 699") != std::string::npos),
               now);
    BOOST_TEST(ipsets.has(old("net4"), matchers::Prefix::parse("192.0.2.0/24").value()).value());
    BOOST_TEST(!ipsets.has(old("net4"), matchers::Prefix::parse("192.0.4.0/24").value()).value());
    BOOST_TEST(
        !ipsets.has(old("nothing"), matchers::Prefix::parse("192.0.4.0/24").value()).has_value());
}

BOOST_AUTO_TEST_CASE(sets_without_timeouts_and_ipv6_sets_are_filled) {
    NftablesWriter nftables;
    IpsetWriter ipsets;
    for (int again = 0; again < 2; ++again) {
        BOOST_TEST(add(nftables, nft("plain", true), {element("2001:db8::1", 0)}));
        BOOST_TEST(add(ipsets, old("ip6", true), {element("2001:db8::1", 0)}));
    }
    BOOST_TEST(output("nft list set inet t plain").find("{ 2001:db8::1 }") != std::string::npos);
    BOOST_TEST(output("ipset list ip6").find("2001:db8::1\n") != std::string::npos);
}

// Of a full set: an element may have ended a moment ago.
BOOST_AUTO_TEST_CASE(elements_are_removed_and_missing_ones_are_no_error) {
    NftablesWriter nftables;
    IpsetWriter ipsets;
    const auto prefixes = [](const std::vector<std::string>& texts) {
        std::vector<matchers::Prefix> all;
        for (const std::string& text : texts)
            all.push_back(matchers::Prefix::parse(text).value());
        return all;
    };
    const std::vector<SetElement> three{element("192.0.2.1", 60), element("192.0.2.2", 60),
                                        element("192.0.2.3", 60)};
    for (const char* const name : {"hash", "missing4"}) {
        BOOST_TEST(add(nftables, nft(name), three));
        BOOST_TEST(nftables.remove(nft(name), prefixes({"192.0.2.1"})).has_value());
        BOOST_TEST(nftables.remove(nft(name), prefixes({"192.0.2.1", "192.0.2.2"})).has_value());
        const std::string now = output(std::string("nft list set inet t ") + name);
        BOOST_TEST(now.find("192.0.2.1 ") == std::string::npos, now);
        BOOST_TEST(now.find("192.0.2.2 ") == std::string::npos, now);
        BOOST_TEST(now.find("192.0.2.3 ") != std::string::npos, now);
    }
    BOOST_TEST(nftables.remove(nft("nothing"), prefixes({"192.0.2.1"})).has_value());
    BOOST_TEST(add(ipsets, old("net4"), three));
    BOOST_TEST(ipsets.remove(old("net4"), prefixes({"192.0.2.1"})).has_value());
    BOOST_TEST(ipsets.remove(old("net4"), prefixes({"192.0.2.1", "192.0.2.2"})).has_value());
    const std::string now = output("ipset list net4");
    BOOST_TEST(now.find("192.0.2.1 ") == std::string::npos, now);
    BOOST_TEST(now.find("192.0.2.2 ") == std::string::npos, now);
    BOOST_TEST(now.find("192.0.2.3 ") != std::string::npos, now);
    BOOST_TEST(ipsets.remove(old("nothing"), prefixes({"192.0.2.1"})).error().text ==
               "The set with the given name does not exist");
}

BOOST_AUTO_TEST_CASE(refused_elements_are_reported) {
    NftablesWriter nftables;
    IpsetWriter ipsets;
    BOOST_TEST(nftables.add(nft("nothing"), std::vector{element("192.0.2.1", 0)}).error().text ==
               "No such file or directory");
    BOOST_TEST(ipsets.add(old("nothing"), std::vector{element("192.0.2.1", 0)}).error().text ==
               "The set with the given name does not exist");
    run("nft 'add element inet t missing4 { 10.0.0.0/8 }'");
    BOOST_TEST(nftables.add(nft("missing4"), std::vector{element("10.1.0.0/24", 60)})
                   .error()
                   .text.find("overlaps") != std::string::npos);
    const std::vector<SetElement> three{element("192.0.2.1", 0), element("192.0.2.2", 0),
                                        element("192.0.2.3", 0)};
    const auto full = ipsets.add(old("few"), three);
    BOOST_TEST_REQUIRE(!full.has_value());
    BOOST_TEST(full.error().text.find("full") != std::string::npos, full.error().text);
    // And the library is as before.
    BOOST_TEST(add(ipsets, old("net4"), {element("192.0.2.1", 60)}));
    BOOST_TEST(add(nftables, nft("hash"), {element("192.0.2.1", 60)}));
}

BOOST_AUTO_TEST_CASE(only_changes_by_others_are_notified) {
    NftablesWriter nftables(false);  // which deletes as well
    auto watch = NftablesWatch::open();
    BOOST_TEST_REQUIRE(watch.has_value());
    const auto changes = [&](int wait_ms) {
        pollfd fd{watch->fd(), POLLIN, 0};
        ::poll(&fd, 1, wait_ms);
        std::vector<SetName> all;
        BOOST_TEST(watch->read([&](const SetName& name) { all.push_back(name); }));
        return all;
    };
    BOOST_TEST(add(nftables, nft("hash"), {element("192.0.2.1", 60)}));
    BOOST_TEST(add(nftables, nft("hash"), {element("192.0.2.1", 90)}));
    BOOST_TEST(changes(1'000).empty());
    run("nft flush set inet t hash");
    const auto flushed = changes(1'000);
    BOOST_TEST_REQUIRE(!flushed.empty());
    BOOST_TEST((flushed.front() == nft("hash")));
    run("nft delete table inet t");
    const auto deleted = changes(1'000);
    BOOST_TEST(std::count(deleted.begin(), deleted.end(), SetName{"inet", "t", "", false}) == 1);
    run("nft add table inet t");
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

SetName table(unsigned number, bool v6 = false) {
    return {SetName::kRoutes, std::to_string(number), "", v6};
}
std::vector<std::string> ours(RouteWriter& writer, const SetName& set) {
    std::vector<std::string> all;
    for (const auto& prefix : writer.ours(set).value())
        all.push_back(prefix.to_string());
    std::sort(all.begin(), all.end());
    return all;
}
using Texts = std::vector<std::string>;

struct Tables {
    Tables() { run("ip link set lo up"); }
    ~Tables() {
        for (const char* const number : {"5301", "7"}) {
            (void)output(std::string("ip route flush table ") + number);
            (void)output(std::string("ip -6 route flush table ") + number);
        }
    }
    Tables(const Tables&) = delete;
    Tables& operator=(const Tables&) = delete;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(route_tables, Tables)

BOOST_AUTO_TEST_CASE(routes_are_added_read_and_removed) {
    for (const unsigned number : {5301U, 7U}) {
        RouteWriter writer;
        const SetName four = table(number), six = table(number, true);
        BOOST_TEST((writer.read(four).value() == SetAbility{false, true, true}));
        BOOST_TEST(ours(writer, four).empty());
        BOOST_TEST(ours(writer, six).empty());
        for (int again = 0; again < 2; ++again) {
            BOOST_TEST(add(writer, four, {element("203.0.113.7", 0), element("203.0.113.8", 0)}));
            BOOST_TEST(add(writer, six, {element("2001:db8::7", 0)}));
        }
        BOOST_TEST((ours(writer, four) == Texts{"203.0.113.7/32", "203.0.113.8/32"}));
        BOOST_TEST((ours(writer, six) == Texts{"2001:db8::7/128"}));
        const std::string shown = output("ip route show table " + std::to_string(number));
        BOOST_TEST(shown.find("blackhole 203.0.113.7 proto 153 metric 153") != std::string::npos,
                   shown);
        const std::vector gone{matchers::Prefix::parse("203.0.113.7").value(),
                               matchers::Prefix::parse("203.0.113.99").value()};
        BOOST_TEST(writer.remove(four, gone).has_value());
        BOOST_TEST(writer.remove(six, std::vector{matchers::Prefix::parse("2001:db8::7").value()})
                       .has_value());
        BOOST_TEST((ours(writer, four) == Texts{"203.0.113.8/32"}));
        BOOST_TEST(ours(writer, six).empty());
        BOOST_TEST(writer.remove(six, std::vector{matchers::Prefix::parse("2001:db8::7").value()})
                       .has_value());
    }
}

BOOST_AUTO_TEST_CASE(routes_of_others_are_left_alone) {
    RouteWriter writer;
    const SetName four = table(5301), six = table(5301, true);
    run("ip route add blackhole 203.0.113.7/32 table 5301 proto static metric 153");
    run("ip route add blackhole 203.0.113.9/32 table 5301 proto 153 metric 7");
    run("ip -6 route add blackhole 2001:db8::7/128 table 5301 proto static metric 153");
    BOOST_TEST(ours(writer, four).empty());
    BOOST_TEST(add(writer, four, {element("203.0.113.7", 0), element("203.0.113.9", 0)}));
    BOOST_TEST((ours(writer, four) == Texts{"203.0.113.7/32", "203.0.113.9/32"}));
    const auto refused = writer.add(six, std::vector{element("2001:db8::7", 0)});
    BOOST_TEST_REQUIRE(!refused.has_value());
    BOOST_TEST(refused.error().text == "another program has a route with metric 153");
    for (const char* const one : {"203.0.113.7", "203.0.113.9"})
        BOOST_TEST(
            writer.remove(four, std::vector{matchers::Prefix::parse(one).value()}).has_value());
    BOOST_TEST(writer.remove(six, std::vector{matchers::Prefix::parse("2001:db8::7").value()})
                   .has_value());
    const std::string left = output("ip route show table 5301; ip -6 route show table 5301");
    BOOST_TEST(left.find("203.0.113.7 proto static") != std::string::npos, left);
    BOOST_TEST(left.find("203.0.113.9 proto 153 metric 7") != std::string::npos, left);
    BOOST_TEST(left.find("2001:db8::7") != std::string::npos, left);
    BOOST_TEST(ours(writer, four).empty());
}

BOOST_AUTO_TEST_CASE(a_hundred_thousand_routes_are_read_whole) {
    RouteWriter writer;
    std::vector<SetElement> all;
    std::vector<matchers::Prefix> prefixes;
    for (unsigned i = 0; i < 100'000; ++i) {
        const std::uint8_t bytes[]{20, static_cast<std::uint8_t>(i >> 16),
                                   static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
        prefixes.push_back(matchers::Prefix::masked(IpAddress::from_v4(bytes), 128));
        all.push_back({prefixes.back(), 0});
    }
    BOOST_TEST(writer.add(table(5301), all).has_value());
    BOOST_TEST(ours(writer, table(5301)).size() == 100'000U);
    BOOST_TEST(writer.add(table(5301), all).has_value());  // 100,000 refusals
    BOOST_TEST(writer.remove(table(5301), prefixes).has_value());
    BOOST_TEST(ours(writer, table(5301)).empty());
}

BOOST_AUTO_TEST_CASE(only_removals_by_others_are_reported) {
    RouteWriter writer;
    BOOST_TEST_REQUIRE(writer.open().has_value());
    auto watch = RouteWatch::open(writer.port());
    BOOST_TEST_REQUIRE(watch.has_value());
    const auto changes = [&](int wait_ms) {
        pollfd fd{watch->fd(), POLLIN, 0};
        ::poll(&fd, 1, wait_ms);
        std::vector<SetName> found;
        BOOST_TEST(watch->read([&](const SetName& name) { found.push_back(name); }));
        return found;
    };
    for (const bool v6 : {false, true}) {
        const std::string one = v6 ? "2001:db8::7" : "203.0.113.7";
        const std::string ip = v6 ? "ip -6 route" : "ip route";
        const auto route = [&](const char* verb, const char* where) {
            std::string command = ip;
            for (const std::string& word :
                 {std::string(verb), "blackhole " + one, std::string(where)})
                command.append(" ").append(word);
            run(command);
        };
        const SetName set = table(5301, v6);
        BOOST_TEST(add(writer, set, {element(one, 0)}));
        BOOST_TEST(
            writer.remove(set, std::vector{matchers::Prefix::parse(one).value()}).has_value());
        BOOST_TEST(add(writer, set, {element(one, 0)}));
        route("add", "table 5302 proto static");
        route("del", "table 5302");
        BOOST_TEST(changes(0).empty());
        route("del", "table 5301 proto 153");
        BOOST_TEST((changes(10'000) == std::vector{set}));
    }
}

BOOST_AUTO_TEST_SUITE_END()
