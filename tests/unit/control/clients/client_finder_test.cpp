// What a person means with the client that they write.
#include "control/sources/clients/client_finder.h"

#include <boost/test/unit_test.hpp>

using namespace steer;
using namespace steer::clients;

namespace {

using ops::ClientAs;

const std::string kLaptop = "00:1d:aa:00:00:01", kOther = "00:1d:aa:00:00:02";

ClientRow row_for(const char* address, std::string mac, std::string name, NameSource source) {
    ClientRow row;
    if (*address != '\0') row.address = *IpAddress::parse(address);
    row.mac = std::move(mac);
    row.name = std::move(name);
    row.source = source;
    return row;
}

const std::vector<ClientRow> kRows{row_for("192.0.2.7", kLaptop, "Laptop", NameSource::given),
                                   row_for("2001:db8::7", kLaptop, "Laptop", NameSource::given),
                                   row_for("192.0.2.8", "", "TV", NameSource::lease),
                                   row_for("192.0.2.9", "", "nas.lan", NameSource::record),
                                   row_for("192.0.2.10", kOther, "", NameSource::none),
                                   row_for("", "00:1d:aa:00:00:03", "Away", NameSource::given)};

std::string shown(const Result<std::string>& found) {
    return found ? *found : "error: " + found.error().text;
}
std::string found(std::string_view written, ClientAs as,
                  const std::vector<ClientRow>& rows = kRows) {
    return shown(found_client(written, as, [&rows] { return rows; }));
}

BOOST_AUTO_TEST_SUITE(client_finder)

BOOST_AUTO_TEST_CASE(addresses_stand_for_themselves_and_read_no_names) {
    const auto never = []() -> std::vector<ClientRow> {
        BOOST_ERROR("the names were read");
        return {};
    };
    for (const ClientAs as : {ClientAs::address, ClientAs::device}) {
        BOOST_TEST(*found_client("192.0.2.1", as, never) == "192.0.2.1");
        BOOST_TEST(*found_client(" 2001:DB8::/48 ", as, never) == "2001:db8::/48");
    }
    BOOST_TEST(*found_client("00-1D-AA-00-00-01", ClientAs::device, never) == kLaptop);
}

BOOST_AUTO_TEST_CASE(a_device_cannot_take_a_name_of_the_configuration) {
    // The NAS calls itself otherwise; another device calls itself as the configuration calls the NAS.
    const std::vector<KnownClient> known{
        {*IpAddress::parse("192.0.2.9"), kLaptop, "DiskStation", NameSource::lease, "edge1"},
        {*IpAddress::parse("192.0.2.9"), "", "nas.lan", NameSource::record, "local"},
        {*IpAddress::parse("192.0.2.66"), kOther, "nas.lan", NameSource::lease, "edge1"}};
    const auto rows = merge(known, {});
    BOOST_TEST(found("NAS.lan", ClientAs::device, rows) == kLaptop);
    BOOST_TEST(found("nas.lan", ClientAs::address, rows) == "192.0.2.9");
    BOOST_TEST(found("diskstation", ClientAs::device, rows) == kLaptop);
    // A given name stays the first.
    const auto given = merge(known, {{kLaptop, {"the NAS", 1, "anna"}}});
    BOOST_TEST(found("nas.lan", ClientAs::device, given) == kLaptop);
    BOOST_TEST(found("the nas", ClientAs::device, given) == kLaptop);
}

BOOST_AUTO_TEST_CASE(a_name_stands_for_the_device_in_any_case) {
    BOOST_TEST(found("laptop", ClientAs::device) == kLaptop);
    BOOST_TEST(found(" tv", ClientAs::device) == "192.0.2.8");
    BOOST_TEST(found("NAS.lan", ClientAs::address) == "192.0.2.9");
    BOOST_TEST(found("away", ClientAs::device) == "00:1d:aa:00:00:03");
    BOOST_TEST(found(kOther, ClientAs::address) == "192.0.2.10");
}

BOOST_AUTO_TEST_CASE(what_is_not_clear_is_an_error_that_lists_what_to_write) {
    BOOST_TEST(found("LAPTOP", ClientAs::address) ==
               "error: \"LAPTOP\" is the name of 192.0.2.7, 2001:db8::7: write one of them");
    BOOST_TEST(found(kLaptop, ClientAs::address) ==
               "error: \"00:1d:aa:00:00:01\" is the MAC address of 192.0.2.7, 2001:db8::7: write "
               "one of them");
    BOOST_TEST(found("away", ClientAs::address) ==
               "error: no address of \"away\" is known now: write an address");
    BOOST_TEST(found("kitchen", ClientAs::address) ==
               "error: \"kitchen\" is not an address, a prefix, a MAC address or the name of a "
               "client; 'steerctl clients' shows those that are known");
    std::vector<ClientRow> many;
    for (int i = 1; i < 10; ++i)
        many.push_back(
            row_for(("192.0.2." + std::to_string(i)).c_str(), "", "android", NameSource::lease));
    BOOST_TEST(found("android", ClientAs::device, many) ==
               "error: \"android\" is the name of 192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4, "
               "192.0.2.5 and 4 others: write one of them");
}

BOOST_AUTO_TEST_CASE(a_device_that_chooses_the_name_of_another_changes_nothing) {
    std::vector<ClientRow> rows = kRows;
    for (const NameSource source : {NameSource::lease, NameSource::mdns}) {
        rows.push_back(row_for("192.0.2.66", "", "laptop", source));
        rows.push_back(row_for("192.0.2.67", "", "nas.lan", source));
    }
    BOOST_TEST(found("laptop", ClientAs::device, rows) == kLaptop);
    BOOST_TEST(found("nas.lan", ClientAs::device, rows) == "192.0.2.9");
}

BOOST_AUTO_TEST_CASE(a_rule_may_be_for_a_group) {
    GroupBook groups;
    BOOST_REQUIRE(groups.add("Kids", {"192.0.2.1"}, {}));
    BOOST_REQUIRE(groups.add("Laptop", {"192.0.2.1"}, {}));
    BOOST_REQUIRE(groups.add("TV", {"192.0.2.1"}, {}));
    const auto audience = [&groups](std::string_view written) {
        return found_audience(written, groups, [] { return kRows; });
    };
    BOOST_TEST(audience("kids")->group == "Kids");
    BOOST_TEST(audience("kids")->clients.empty());
    BOOST_TEST(audience("192.0.2.0/24")->clients == "192.0.2.0/24");
    BOOST_TEST(audience("nas.lan")->clients == "192.0.2.9");
    // A lease has this name, too: the device chose it.
    BOOST_TEST(audience("tv")->group == "TV");
    BOOST_TEST(audience("laptop").error().text ==
               "\"laptop\" is a group and the name of 00:1d:aa:00:00:01: write the address, or "
               "`group` (--group)");
    BOOST_TEST(audience("nobody").has_error());
    BOOST_REQUIRE(groups.add("KIDS", {"192.0.2.1"}, {}));
    BOOST_TEST(audience("KIDS")->group == "KIDS");
    BOOST_TEST(audience("kids").has_error());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
