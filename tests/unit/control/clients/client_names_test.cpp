// Which name wins, what a name may be, and the file of given names.
#include "control/sources/clients/client_names.h"

#include <boost/test/unit_test.hpp>

#include "control/sources/clients/client_state.h"
#include "support/temp_folder.h"
#include "unit/control/clients/loaded_names.h"

using namespace steer;
using namespace steer::clients;

namespace {

KnownClient known_client(const char* address, std::string mac, std::string name,
                         NameSource source) {
    return {*IpAddress::parse(address), std::move(mac), std::move(name), source, "x"};
}

std::string merged(const std::vector<KnownClient>& known, const GivenNames& given) {
    std::string out;
    for (const ClientRow& row : merge(known, given))
        out += (row.address ? row.address->to_string() : "-") + " " +
               (row.mac.empty() ? "-" : row.mac) + " " + (row.name.empty() ? "-" : row.name) + " " +
               std::string(word_of(row.source)) + ";";
    return out;
}

const std::string kMac = "00:1d:aa:00:00:01";

BOOST_AUTO_TEST_CASE(addresses_of_one_mac_share_the_best_name) {
    const std::vector<KnownClient> known{
        known_client("2001:db8::5", kMac, "", NameSource::lease),
        known_client("192.0.2.5", kMac, "laptop", NameSource::lease),
        known_client("192.0.2.5", "", "work.lan", NameSource::record),
        known_client("192.0.2.6", "", "", NameSource::none),
        known_client("192.0.2.6", "", "disk.lan", NameSource::record)};
    BOOST_TEST(merged(known, {}) == "192.0.2.5 " + kMac +
                                        " laptop lease;192.0.2.6 - disk.lan record;2001:db8::5 " +
                                        kMac + " laptop lease;");
}

BOOST_AUTO_TEST_CASE(sources_have_an_order) {
    std::vector<KnownClient> known;
    const auto add = [&known](const char* name, NameSource source) {
        known.push_back(known_client("192.0.2.5", "", name, source));
        return merged(known, {});
    };
    BOOST_TEST(add("Leos-iPad", NameSource::mdns) == "192.0.2.5 - Leos-iPad mdns;");
    BOOST_TEST(add("host5.isp.example", NameSource::ptr) == "192.0.2.5 - host5.isp.example ptr;");
    BOOST_TEST(add("leo.lan", NameSource::record) == "192.0.2.5 - leo.lan record;");
    BOOST_TEST(add("ipad", NameSource::lease) == "192.0.2.5 - ipad lease;");
}

BOOST_AUTO_TEST_CASE(a_given_name_wins_by_address_before_mac) {
    const std::vector<KnownClient> known{
        known_client("192.0.2.5", kMac, "laptop", NameSource::lease),
        known_client("192.0.2.6", kMac, "", NameSource::lease)};
    BOOST_TEST(merged(known, {{kMac, {"Anna", 1, "uid 0"}}, {"192.0.2.6", {"Dock", 2, "uid 0"}}}) ==
               "192.0.2.5 " + kMac + " Anna given;192.0.2.6 " + kMac + " Dock given;");
}

BOOST_AUTO_TEST_CASE(given_names_of_unknown_clients_are_rows) {
    BOOST_TEST(merged({}, {{kMac, {"Anna", 1, ""}}, {"192.0.2.9", {"TV", 1, ""}}}) ==
               "- " + kMac + " Anna given;192.0.2.9 - TV given;");
}

BOOST_AUTO_TEST_CASE(names_of_devices_that_are_not_plain_text_are_omitted) {
    BOOST_TEST(merged({known_client("192.0.2.5", "", "a\x1b[2Jb", NameSource::lease),
                       known_client("192.0.2.6", "", std::string(64, 'a'), NameSource::lease)},
                      {}) == "192.0.2.5 - - ;192.0.2.6 - - ;");
    // HTML and SQL are text.
    BOOST_TEST(merged({known_client("192.0.2.5", "", "<b>'; DROP", NameSource::lease)}, {}) ==
               "192.0.2.5 - <b>'; DROP lease;");
}

BOOST_AUTO_TEST_CASE(keys_have_one_form) {
    BOOST_TEST(*key_of("AA-BB-CC-00-11-22") == "aa:bb:cc:00:11:22");
    BOOST_TEST(*key_of("aabb.cc00.1122") == "aa:bb:cc:00:11:22");
    BOOST_TEST(*key_of("2001:DB8:0::1") == "2001:db8::1");
    for (const char* wrong : {"", "laptop", "192.0.2.0/24", "aa:bb:cc:00:11", "aa:bb:cc:00:11:2g"})
        BOOST_TEST(!key_of(wrong), wrong);
}

BOOST_AUTO_TEST_CASE(names_are_short_plain_text) {
    BOOST_TEST(*checked_name("  Küche <b>  ") == "Küche <b>");
    BOOST_TEST(checked_name(std::string(63, 'a')).has_value());
    for (const std::string& wrong :
         {std::string(), std::string("  "), std::string(64, 'a'), std::string("a\nb"),
          std::string("a\x1b[0m"), std::string("a\0b", 3), std::string("\xff\xfe")})
        BOOST_TEST(!checked_name(wrong));
}

BOOST_AUTO_TEST_CASE(locally_administered_macs_are_private) {
    for (const char* mac :
         {"02:00:00:00:00:01", "da:a1:19:00:00:01", "fe:00:00:00:00:01", "36:00:00:00:00:01"})
        BOOST_TEST(is_private_mac(mac), mac);
    for (const char* mac : {"00:1d:aa:00:00:01", "e4:5f:01:00:00:01", "", "a"})
        BOOST_TEST(!is_private_mac(mac), mac);
}

BOOST_AUTO_TEST_CASE(given_names_survive_in_a_file) {
    const test::TempFolder folder;
    const std::string file = folder / "clients.json";
    BOOST_TEST(loaded(file)->empty());
    const GivenNames names{{kMac, {"Anna's \"tablet\"", 1790000000, "uid 0"}},
                           {"2001:db8::1", {"TV", 2, ""}}};
    BOOST_TEST(*save_names(file, state_text(names)));
    BOOST_TEST((*loaded(file) == names));
    BOOST_TEST(!*save_names(folder / "gone/clients.json", state_text(names)));
}

BOOST_AUTO_TEST_CASE(wrong_rows_of_the_file_are_omitted) {
    const test::TempFolder folder;
    const std::string file = folder.write(
        "clients.json", R"({"x": {"name": "a"}, "192.0.2.1": {"name": ""}, "192.0.2.2": 5,
        "192.0.2.3": {"name": "tv\u001b[0m"}, "192.0.2.4": {"name": "tv", "at": "x"}})");
    std::size_t left_out = 0;
    const auto names = load_names(file, left_out);
    BOOST_TEST_REQUIRE(names.has_value());
    BOOST_TEST(left_out == 4U);
    BOOST_TEST(names->size() == 1U);
    BOOST_TEST(names->at("192.0.2.4").name == "tv");
    BOOST_TEST(!loaded(folder.write("clients.json", "{\"a\":")));
}

}  // namespace
