// pihole.toml, the tables of lists and groups, and settings of Pi-hole 5.
#include "tools/import/pihole_import.h"

#include <boost/test/unit_test.hpp>

#include "tools/import/pihole_toml.h"
#include "tools/import/words.h"

using namespace steer::importing;

namespace {

std::string toml_text(std::string_view text) {
    const TomlFile file = read_pihole_toml(text);
    if (file.failure) return std::to_string(file.failure->line) + ": " + file.failure->text;
    std::string out;
    for (const TomlEntry& entry : file.entries)
        out += std::to_string(entry.line) + " " + entry.key + "=" + join(entry.values, "|") + ";";
    return out;
}

Imported import_files(const std::vector<FolderFile>& files) {
    return import_pihole(files, "test", [](const std::string&) { return false; });
}

std::string all_notes(const Imported& made) {
    std::string out;
    for (const Note& note : made.notes)
        out += note.place + ": " + note.text + "\n";
    return out;
}

BOOST_AUTO_TEST_CASE(tables_and_lists_of_toml_are_read) {
    BOOST_TEST(toml_text("# a\n[dns]\n  upstreams = [\n \"a#53\", # text\n \"b\",\n ] ### "
                         "CHANGED\n  port = 53\n\n"
                         " [dns.cache]\n size = 10\r\n") ==
               "3 dns.upstreams=a#53|b;7 dns.port=53;10 dns.cache.size=10;");
    BOOST_TEST(toml_text("a = \"x \\\"y\\\" \\\\\"\nb = true # c\nc = []\n") ==
               "1 a=x \"y\" \\;2 b=true;3 c=;");
}

BOOST_AUTO_TEST_CASE(other_toml_is_refused_with_its_line) {
    BOOST_TEST(toml_text("a = 1\nb\n") == "2: expected KEY = VALUE");
    BOOST_TEST(toml_text("[a\n") == "1: expected [TABLE]");
    BOOST_TEST(toml_text("a = \"x\nb = 1\n") == "1: expected '\"' at the end of a text");
    BOOST_TEST(toml_text("a = [ 1 2 ]") == "1: expected ',' or ']' in a list");
    BOOST_TEST(toml_text("a = [\n1") == "2: expected ',' or ']' in a list");
    BOOST_TEST(toml_text("a = { b = 1 }").starts_with("1: expected a text in quotes"));
    BOOST_TEST(toml_text("a = 1 b = 2") == "1: expected the end of the line");
}

BOOST_AUTO_TEST_CASE(clients_get_the_lists_of_their_groups) {
    const Imported made = import_files(
        {{"group.json",
          R"([{"id":"0","enabled":"1","name":"Default"},{"id":1,"enabled":1,"name":"Kids"}])",
          {}},
         {"adlist.json",
          R"([{"id":1,"address":"https://a.example/","enabled":1},{"id":2,"address":"https://b.example/","enabled":1}])",
          {}},
         {"adlist_by_group.json",
          R"([{"adlist_id":1,"group_id":0},{"adlist_id":1,"group_id":1},{"adlist_id":2,"group_id":1}])",
          {}},
         {"client.json", R"([{"id":7,"ip":"192.0.2.1"},{"id":8,"ip":"AA:BB:CC:DD:EE:FF"}])", {}},
         {"client_by_group.json",
          R"([{"client_id":7,"group_id":1},{"client_id":8,"group_id":0},{"client_id":8,"group_id":1}])",
          {}}});
    BOOST_TEST(all_notes(made) == "");
    BOOST_TEST(made.yaml.find("client_ip 192.0.2.1\", exec: \"goto client_kids\"") !=
               std::string::npos);
    // Both groups have the same lists together, so they share a plugin.
    BOOST_TEST(
        made.yaml.find("client_mac aa:bb:cc:dd:ee:ff\", exec: \"goto client_default_kids\"") !=
        std::string::npos);
    BOOST_TEST(made.yaml.find("ads_default_kids") != std::string::npos);
    BOOST_TEST(made.yaml.find("tag: ads_kids") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(without_groups_everything_is_for_everyone) {
    const Imported made = import_files(
        {{"domainlist.json",
          R"([{"id":1,"type":1,"domain":"ads.example"},{"id":2,"type":3,"domain":"^x;querytype=!a,aaaa"},{"id":3,"type":0,"domain":"y..z"}])",
          {}}});
    BOOST_TEST(made.yaml.find("- ads.example\n") != std::string::npos);
    BOOST_TEST(made.yaml.find("/^x/$dnstype=~A|~AAAA") != std::string::npos);
    BOOST_TEST(all_notes(made) ==
               "row 3 of domainlist.json: the domain 'y..z' is not imported: the name 'y..z' has "
               "an empty label\n");
}

BOOST_AUTO_TEST_CASE(invalid_json_is_a_note) {
    const Imported made = import_files({{"adlist.json", "[{", {}},
                                        {"client.json", "{}", {}},
                                        {"setupVars.conf", "PIHOLE_DNS_1=192.0.2.1\n", {}}});
    BOOST_TEST(all_notes(made) ==
               ": adlist.json is not imported: expected a list of objects in JSON\n"
               ": client.json is not imported: expected a list of objects in JSON\n");
}

BOOST_AUTO_TEST_CASE(networks_have_reverse_zones) {
    const auto zones = [](const std::string& network) {
        return import_files({{"pihole.toml",
                              "dns.revServers = [ \"true," + network + ",192.0.2.1\" ]\n",
                              {}}})
            .yaml;
    };
    BOOST_TEST(zones("10.0.0.0/8").find("\"domain:10.in-addr.arpa\"") != std::string::npos);
    BOOST_TEST(zones("172.16.0.0/12").find("\"domain:31.172.in-addr.arpa\"") != std::string::npos);
    BOOST_TEST(zones("192.0.2.128/25").find("\"domain:255.2.0.192.in-addr.arpa\"") !=
               std::string::npos);
    BOOST_TEST(zones("192.0.2.1").find("\"domain:1.2.0.192.in-addr.arpa\"") != std::string::npos);
    BOOST_TEST(zones("2001:db8::/32").find("\"domain:8.b.d.0.1.0.0.2.ip6.arpa\"") !=
               std::string::npos);
    BOOST_TEST(zones("0.0.0.0/0").find("note, line 1: the network '0.0.0.0/0' is not imported") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(other_folders_are_refused) {
    BOOST_TEST(import_files({}).failure.has_value());
    BOOST_TEST(import_files({{"x.conf", "a", {}}}).failure.has_value());
    BOOST_TEST(import_files({{"setupVars.conf", std::string("a\0b", 3), {}}}).failure.has_value());
}

}  // namespace
