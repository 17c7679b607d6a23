// Which lease gets which name, and what workers answer then.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "control/sources/leases/lease_names.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/query.h"

namespace steer::leases {
namespace {

using routeros::DhcpLease;

config::DhcpLeases args(std::vector<std::string> servers = {}) {
    config::DhcpLeases out;
    out.domain = "lan";
    out.servers = std::move(servers);
    return out;
}

DhcpLease v4(routeros::RowId id, std::string address, std::string name, std::string mac = {}) {
    return {id, false, false, std::move(address), std::move(mac), std::move(name), "dhcp1"};
}
DhcpLease v6(routeros::RowId id, std::string address, std::string mac) {
    return {id, true, false, std::move(address), std::move(mac), {}, "dhcp6"};
}

LeaseBook name_all(const std::vector<RouterLeases>& all, const config::DhcpLeases& how = args()) {
    std::vector<const RouterLeases*> pointers;
    for (const RouterLeases& one : all)
        pointers.push_back(&one);
    return name_leases(pointers, how);
}

std::vector<std::string> named(const LeaseBook& book) {
    std::vector<std::string> out;
    for (const NamedLease& lease : book.named)
        out.push_back(lease.name + " " + lease.address.to_string());
    return out;
}

const auto kEach = boost::test_tools::per_element();

BOOST_AUTO_TEST_SUITE(lease_names)

BOOST_AUTO_TEST_CASE(host_names_become_labels) {
    const auto label = [](std::string_view host) { return label_of(host, "home.arpa").value(); };
    BOOST_TEST(label("Laptop") == "laptop");
    BOOST_TEST(label("laptop.home.arpa") == "laptop");
    BOOST_TEST(label("LAPTOP.Home.Arpa.") == "laptop");
    BOOST_TEST(label("Living Room_TV") == "living-room-tv");
    BOOST_TEST(label(std::string(63, 'a')) == std::string(63, 'a'));
    const std::pair<std::string, std::string_view> refused[] = {{"", "label"},
                                                                {std::string(64, 'a'), "label"},
                                                                {"laptop.example", "home.arpa"},
                                                                {"a.laptop.home.arpa", "home.arpa"},
                                                                {"-x", "hyphens"},
                                                                {"x-", "hyphens"},
                                                                {"x\n", "hyphens"},
                                                                {std::string("x\0y", 3), "hyphens"},
                                                                {"*", "hyphens"},
                                                                {"j\xc3\xbcrgen", "hyphens"},
                                                                {"<script>", "hyphens"},
                                                                {"WPAD", "trust"},
                                                                {"isatap.home.arpa", "trust"},
                                                                {"localhost", "trust"}};
    for (const auto& [host, why] : refused) {
        const auto refusal = label_of(host, "home.arpa");
        BOOST_REQUIRE_MESSAGE(!refusal, host);
        BOOST_TEST(refusal.error().text.find(why) != std::string::npos, refusal.error().text);
    }
}

BOOST_AUTO_TEST_CASE(the_first_client_with_a_name_keeps_it) {
    auto fixed = v4(9, "192.168.88.9", "printer", "mac-9");
    fixed.is_static = true;
    const auto book = name_all(
        {{"edge1",
          {v4(2, "192.168.88.2", "laptop", "mac-2"), v4(3, "192.168.88.3", "laptop", "mac-3"),
           v4(4, "192.168.88.4", "printer", "mac-4"), fixed}}});
    BOOST_TEST(named(book) == (std::vector<std::string>{"laptop.lan 192.168.88.2",
                                                        "printer.lan 192.168.88.9"}),
               kEach);
    BOOST_REQUIRE(book.nameless.size() == 2U);
    BOOST_TEST(book.nameless[0].address == "192.168.88.3");
    BOOST_TEST(book.nameless[0].why == "is already the name of 192.168.88.2");
    BOOST_TEST(book.nameless[1].why == "is already the name of 192.168.88.9");
}

BOOST_AUTO_TEST_CASE(a_name_has_all_addresses_of_its_client) {
    const auto book =
        name_all({{"edge1",
                   {v4(2, "192.168.88.2", "laptop", "mac-2"), v4(7, "10.0.0.2", "laptop", "mac-2"),
                    v6(1, "fd00::2", "mac-2"), v6(2, "fd00::3", "mac-3"), v6(3, "fd00::4", "")}}});
    BOOST_TEST(
        named(book) == (std::vector<std::string>{"laptop.lan 10.0.0.2", "laptop.lan 192.168.88.2",
                                                 "laptop.lan fd00::2"}),
        kEach);
    BOOST_TEST(book.nameless.empty());
}

BOOST_AUTO_TEST_CASE(leases_are_taken_from_the_configured_routers_and_servers) {
    const std::vector<RouterLeases> all{
        {"edge1", {v4(5, "192.168.88.2", "laptop", "a")}},
        {"edge2",
         {v4(1, "192.168.89.2", "laptop", "b"), v4(2, "192.168.88.2", "tv", "c"),
          v6(1, "fd00::b", "b")}}};
    const auto book = name_all(all);
    BOOST_TEST(named(book) == (std::vector<std::string>{"laptop.lan 192.168.88.2"}), kEach);
    BOOST_TEST(book.named[0].router == "edge1");
    BOOST_TEST(book.nameless.size() == 3U);
    BOOST_TEST(
        named(name_all(all, args({"dhcp6"}))).empty());  // without its IPv4 lease it has no name
    BOOST_TEST(named(name_all(all, args({"dhcp1"}))).size() == 1U);
}

BOOST_AUTO_TEST_CASE(invalid_addresses_are_left_out) {
    const auto book = name_all(
        {{"edge1", {v4(1, "999.1.1.1", "a"), v4(2, "fd00::1", "b"), v4(3, "192.168.88.1", "")}}});
    BOOST_TEST(book.named.empty());
    BOOST_TEST(book.nameless.size() == 2U);
}

struct Answers {
    explicit Answers(const LeaseBook& book, const config::DhcpLeases& how = args())
        : table(table_of(book, how)) {}
    const dns::Answer* find(const std::string& name, std::uint16_t type,
                            std::uint16_t klass = dns::kIn) {
        return table->find(*dns::name_from_text(name), type, klass, scratch);
    }
    std::unique_ptr<const LiveTable> table;
    matchers::NameMatcher::Scratch scratch;
};

BOOST_AUTO_TEST_CASE(workers_answer_names_and_reverse_names) {
    const auto book = name_all({{"edge1",
                                 {v4(2, "192.168.88.2", "laptop", "m"), v6(1, "fd00::2", "m"),
                                  v4(3, "192.168.88.3", "tv", "n")}}});
    Answers answers(book);
    const auto* const a = answers.find("laptop.lan", dns::kA);
    BOOST_REQUIRE(a != nullptr);
    BOOST_TEST(a->address_count == 1);
    BOOST_TEST(a->ttl_count == 1);
    BOOST_TEST(answers.find("laptop.lan", dns::kAaaa)->address_count == 1);
    const auto* const none = answers.find("tv.lan", dns::kAaaa);
    BOOST_REQUIRE(none != nullptr);
    BOOST_TEST(none->rcode == dns::kNoError);
    BOOST_TEST(none->address_count == 0);
    BOOST_TEST(answers.find("2.88.168.192.in-addr.arpa", dns::kPtr)->ttl_count == 1);
    BOOST_TEST(
        answers.find("2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa",
                     dns::kPtr) != nullptr);
    BOOST_TEST(answers.find("other.lan", dns::kA) == nullptr);
    BOOST_TEST(answers.find("www.laptop.lan", dns::kA) == nullptr);
    BOOST_TEST(answers.find("laptop.lan", dns::kA, 3) == nullptr);
    auto without = args();
    without.ptr = false;
    BOOST_TEST(Answers(book, without).find("2.88.168.192.in-addr.arpa", dns::kPtr) == nullptr);
}

// Else a static lease could name any address of the internet.
BOOST_AUTO_TEST_CASE(an_address_outside_of_the_dhcp_networks_has_no_reverse_name) {
    DhcpLease outside = v4(7, "203.0.113.7", "laptop", "m");
    outside.is_outside = true;
    const auto book = name_all({{"edge1", {v4(2, "192.168.88.2", "laptop", "m"), outside}}});
    Answers answers(book);
    BOOST_TEST(answers.find("laptop.lan", dns::kA)->address_count == 2);
    BOOST_TEST(answers.find("2.88.168.192.in-addr.arpa", dns::kPtr) != nullptr);
    BOOST_TEST(answers.find("7.113.0.203.in-addr.arpa", dns::kPtr) == nullptr);
}

BOOST_AUTO_TEST_CASE(devices_are_listed_with_and_without_a_name) {
    auto tv = v4(3, "192.168.88.3", "<tv>", "00:1D:AA:00:00:03");
    tv.comment = "Kids";
    tv.lists = "Slow, night,,";
    auto laptop = v4(2, "192.168.88.2", "laptop", "00:1d:aa:00:00:02");
    laptop.lists = "office";
    auto own = v6(3, "fd00::3", "00:1d:aa:00:00:02");
    own.lists = "six";
    const auto book = name_all({{"edge1",
                                 {laptop, v6(1, "fd00::2", "00:1d:aa:00:00:02"), own, tv,
                                  v4(4, "192.168.88.4", "", "no address")}}});
    const auto table = table_of(book, args());
    const auto find = [&](const char* address) {
        const auto* const found = table->devices.find(*IpAddress::parse(address));
        BOOST_REQUIRE(found != nullptr);
        return *found;
    };
    for (const char* address : {"192.168.88.2", "fd00::2"}) {
        BOOST_TEST(find(address).mac == 0x001daa000002U);
        BOOST_TEST(find(address).label == "laptop");
        BOOST_TEST(find(address).name == "laptop.lan");
    }
    BOOST_TEST(find("192.168.88.2").server == "dhcp1");
    BOOST_TEST(find("192.168.88.3").mac == 0x001daa000003U);
    BOOST_TEST(find("192.168.88.3").label.empty());  // its host name was refused
    BOOST_TEST(find("192.168.88.3").comment == "kids");
    using Lists = std::vector<std::string>;
    BOOST_TEST((find("192.168.88.3").lists == Lists{"slow", "night"}));
    // A binding without lists has those of the IPv4 lease with its MAC address.
    BOOST_TEST((find("fd00::2").lists == Lists{"office"}));
    BOOST_TEST((find("fd00::3").lists == Lists{"six"}));
    const DeviceSet night{{}, {}, {"night"}}, six{{}, {}, {"six"}};
    const auto tv_now = find("192.168.88.3"), own_now = find("fd00::3");
    BOOST_TEST(night.has(&tv_now, 0));
    BOOST_TEST(!night.has(&own_now, 0));
    BOOST_TEST(six.has(&own_now, 0));
    BOOST_TEST(find("192.168.88.4").mac == 0U);
    BOOST_TEST(table->devices.find(*IpAddress::parse("192.168.88.5")) == nullptr);
    const auto guests = name_all({{"edge1", {v4(2, "192.168.88.2", "laptop", "m")}}}, args({"x"}));
    BOOST_TEST(guests.devices.empty());  // of another DHCP server
}

// A router that knows the address for another client does not lend that one's name.
BOOST_AUTO_TEST_CASE(a_device_has_the_name_of_its_own_lease) {
    auto first = v4(2, "192.168.88.2", "", "00:1d:aa:00:00:02");
    first.is_static = true;
    const auto book = name_all(
        {{"edge1", {first}}, {"edge2", {v4(2, "192.168.88.2", "laptop", "00:1d:aa:00:00:03")}}});
    const auto table = table_of(book, args());
    const auto* const found = table->devices.find(*IpAddress::parse("192.168.88.2"));
    BOOST_REQUIRE(found != nullptr);
    BOOST_TEST(found->mac == 0x001daa000002U);
    BOOST_TEST(found->label.empty());
}

BOOST_AUTO_TEST_CASE(without_leases_there_are_no_names) {
    BOOST_TEST(Answers({}).find("laptop.lan", dns::kA) == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::leases
