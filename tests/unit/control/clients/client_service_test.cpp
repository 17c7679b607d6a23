// What the control socket asks about names of clients.
#include "control/sources/clients/client_service.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "control/api/rpc/json_rpc.h"
#include "control/config/load.h"
#include "support/temp_folder.h"
#include "unit/control/clients/loaded_names.h"

namespace json = boost::json;
using namespace steer;
using namespace steer::clients;

namespace {

const std::string kTabletMac = "02:1d:aa:00:00:01";

struct ClientWorld {
    explicit ClientWorld(std::string file = {}, GivenNames given = {})
        : service(main_io, std::move(file), std::move(given), [] { return 1'790'000'000; }) {
        service.add_source([this](std::vector<KnownClient>& out) { out = leases; });
        methods.find_clients_by([this](std::string_view written, ops::ClientAs as) {
            return service.find(written, as);
        });
        service.add_methods(methods);
        const auto loaded = config::load_text(
            "plugins:\n"
            "  - { tag: local, type: static, args: { records: [ { name: nas.lan, address: "
            "192.0.2.8 },\n"
            "      { name: off.lan, address: 192.0.2.9, disabled: true }, { name: alias.lan, type: "
            "CNAME, cname: nas.lan } ] } }\n"
            "  - { tag: main, type: sequence, args: [ { exec: $local }, { exec: "
            "forward 192.0.2.1 } ] }\n",
            "steer.yaml");
        BOOST_REQUIRE(loaded.ok());
        service.follow(loaded.settings);
    }
    void follow(const std::string& plugins) {
        const auto loaded =
            config::load_text("plugins:\n" + plugins +
                                  "  - { tag: main, type: sequence, args: [ { exec: reject } ] }\n",
                              "steer.yaml");
        BOOST_REQUIRE(loaded.ok());
        service.follow(loaded.settings);
    }

    json::value ask(const std::string& method, const std::string& params) {
        std::string answer;
        rpc.handle(
            R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}", {},
            [&answer](const std::string& line) { answer = line; });
        const auto work = boost::asio::make_work_guard(main_io);
        main_io.restart();
        while (answer.empty())
            main_io.run_one();
        return json::parse(answer);
    }
    std::string result(const std::string& method, const std::string& params) {
        const json::value answer = ask(method, params);
        const auto* const found = answer.as_object().if_contains("result");
        BOOST_REQUIRE_MESSAGE(found != nullptr, json::serialize(answer));
        return json::serialize(*found);
    }
    std::string error(const std::string& method, const std::string& params) {
        const json::value answer = ask(method, params);
        const auto* const found = answer.as_object().if_contains("error");
        BOOST_REQUIRE_MESSAGE(found != nullptr, json::serialize(answer));
        return std::string(found->as_object().at("message").as_string());
    }
    // "ADDRESS NAME SOURCE;" of each client.
    std::string listed() {
        std::string out;
        const json::value answer = json::parse(result("clients.list", "{}"));
        const auto text = [](const json::value& value) {
            return value.is_null() ? std::string("-") : std::string(value.as_string());
        };
        for (const json::value& row : answer.at("clients").as_array())
            out += text(row.at("address")) + " " + text(row.at("name")) + " " +
                   text(row.at("source")) + ";";
        return out;
    }

    boost::asio::io_context main_io;
    std::vector<KnownClient> leases;
    ClientService service;
    ops::Methods methods;
    ops::JsonRpc rpc{methods};
};

BOOST_AUTO_TEST_CASE(records_of_the_configuration_are_names) {
    ClientWorld world;
    BOOST_TEST(world.listed() == "192.0.2.8 nas.lan record;");
    world.follow(
        "  - { tag: etc, type: hosts, args: { entries: [ 'printer.lan 192.0.2.10 "
        "2001:db8::10', "
        "'domain:ads.example 0.0.0.0' ] } }\n"
        "  - { tag: zone, type: arbitrary, args: { rules: [ 'tv.lan. 60 IN A 192.0.2.11', "
        "'12.2.0.192.in-addr.arpa. 60 IN PTR phone.lan.' ] } }\n");
    BOOST_TEST(world.listed() ==
               "192.0.2.10 printer.lan record;192.0.2.11 tv.lan record;192.0.2.12 phone.lan ptr;"
               "2001:db8::10 printer.lan record;");
}

BOOST_AUTO_TEST_CASE(a_name_for_an_address_is_kept_for_its_mac) {
    const test::TempFolder folder;
    const std::string file = folder / "clients.json";
    ClientWorld world(file);
    world.leases = {
        {*IpAddress::parse("192.0.2.50"), kTabletMac, "ipad", NameSource::lease, "edge1"}};
    BOOST_TEST(
        world.result("clients.name", R"({"client":"192.0.2.50","name":" Leo's <b>tablet</b> "})") ==
        R"({"client":"02:1d:aa:00:00:01","name":"Leo's <b>tablet</b>","kept":true})");
    BOOST_TEST(loaded(file)->at(kTabletMac).name == "Leo's <b>tablet</b>");
    // A new lease
    world.leases = {
        {*IpAddress::parse("192.0.2.77"), kTabletMac, "ipad", NameSource::lease, "edge1"}};
    BOOST_TEST(world.listed() == "192.0.2.8 nas.lan record;192.0.2.77 Leo's <b>tablet</b> given;");
    const json::value row = json::parse(world.result("clients.list", "{}")).at("clients").at(1);
    BOOST_TEST(row.at("private_mac").as_bool());
    BOOST_TEST(row.at("given_at").as_int64() == 1'790'000'000);
    // Forgotten by its address
    BOOST_TEST(world.result("clients.forget", R"({"client":"192.0.2.77"})") ==
               R"({"client":"02:1d:aa:00:00:01","name":"Leo's <b>tablet</b>","kept":true})");
    BOOST_TEST(loaded(file)->empty());
    BOOST_TEST(world.listed() == "192.0.2.8 nas.lan record;192.0.2.77 ipad lease;");
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_whole_is_kept_before_the_first_change) {
    const test::TempFolder folder;
    const std::string file = folder.write("clients.json", "{\"a\":");
    ClientWorld world(file);
    world.service.set_damaged("it cannot be read");
    Problems problems;
    world.service.add_problems(problems);
    BOOST_TEST(problems.size() == 1U);
    world.result("clients.name", R"({"client":"192.0.2.50","name":"TV"})");
    world.result("clients.name", R"({"client":"192.0.2.51","name":"TV 2"})");
    BOOST_TEST(folder.read("clients.json.damaged") == "{\"a\":");
    BOOST_TEST(loaded(file)->size() == 2U);
    problems.clear();
    world.service.add_problems(problems);
    BOOST_TEST(problems.empty());
}

BOOST_AUTO_TEST_CASE(wrong_requests_are_refused_with_what_to_write) {
    ClientWorld world;
    BOOST_TEST(world.error("clients.name", R"({"client":"tablet","name":"x"})")
                   .find("is not an address, a prefix, a MAC address or the name of a client") !=
               std::string::npos);
    BOOST_TEST(world.error("clients.name", R"({"client":"192.0.2.1","name":"a\u001b[0m"})")
                   .find("cannot be printed") != std::string::npos);
    BOOST_TEST(world.error("clients.name", R"({"client":"192.0.2.1","name":" "})")
                   .find("the name is empty") != std::string::npos);
    BOOST_TEST(world.error("clients.forget", R"({"client":"192.0.2.1"})")
                   .find("no name was given to 192.0.2.1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(two_devices_do_not_have_one_given_name) {
    ClientWorld world({}, {{kTabletMac, {"Tablet", 1, ""}}, {"192.0.2.50", {"old", 1, ""}}});
    world.leases = {
        {*IpAddress::parse("192.0.2.50"), kTabletMac, "ipad", NameSource::lease, "edge1"}};
    BOOST_TEST(world.error("clients.name", R"({"client":"192.0.2.51","name":"TABLET"})") ==
               "\"Tablet\" is the name of 02:1d:aa:00:00:01: write another name, or forget that "
               "one first");
    // Nothing has changed.
    BOOST_TEST(world.listed() == "192.0.2.8 nas.lan record;192.0.2.50 old given;");
    // The same device, by its name; what was given to its address ends.
    BOOST_TEST(world.result("clients.name", R"({"client":"192.0.2.50","name":"tablet"})") ==
               R"({"client":"02:1d:aa:00:00:01","name":"tablet","kept":false})");
    BOOST_TEST(world.listed() == "192.0.2.8 nas.lan record;192.0.2.50 tablet given;");
}

BOOST_AUTO_TEST_CASE(clients_are_named_and_forgotten_by_their_names) {
    ClientWorld world({}, {{"192.0.2.50", {"TV", 1, ""}}});
    world.leases = {
        {*IpAddress::parse("192.0.2.50"), kTabletMac, "ipad", NameSource::lease, "edge1"}};
    // The name was given to the address before its MAC address was known.
    BOOST_TEST(world.result("clients.forget", R"({"client":"tv"})") ==
               R"({"client":"192.0.2.50","name":"TV","kept":false})");
    BOOST_TEST(world.result("clients.name", R"({"client":"IPAD","name":"Leo"})") ==
               R"({"client":"02:1d:aa:00:00:01","name":"Leo","kept":false})");
    BOOST_TEST(world.result("clients.name", R"({"client":"nas.lan","name":"Disk"})") ==
               R"({"client":"192.0.2.8","name":"Disk","kept":false})");
}

BOOST_AUTO_TEST_CASE(without_a_file_names_hold_until_the_end) {
    ClientWorld world;
    BOOST_TEST(world.result("clients.name", R"({"client":"192.0.2.1","name":"x"})") ==
               R"({"client":"192.0.2.1","name":"x","kept":false})");
    BOOST_TEST(world.listed().ends_with("192.0.2.1 x given;"));
}

BOOST_AUTO_TEST_CASE(a_name_that_cannot_be_written_is_undone) {
    const test::TempFolder folder;
    std::filesystem::create_directory(folder / "clients.json");  // a folder in place of the file
    ClientWorld world(folder / "clients.json",
                      {{"192.0.2.1", {"before", 1, ""}}, {"192.0.2.50", {"old", 1, ""}}});
    world.leases = {
        {*IpAddress::parse("192.0.2.50"), kTabletMac, "ipad", NameSource::lease, "edge1"}};
    BOOST_TEST(!world.error("clients.name", R"({"client":"192.0.2.50","name":"new"})").empty());
    BOOST_TEST(world.listed().find("192.0.2.50 old given;") != std::string::npos);
    world.leases.clear();
    BOOST_TEST(!world.error("clients.name", R"({"client":"192.0.2.1","name":"after"})").empty());
    BOOST_TEST(world.listed().find("192.0.2.1 before given;") != std::string::npos);
    BOOST_TEST(!world.error("clients.forget", R"({"client":"192.0.2.1"})").empty());
    BOOST_TEST(world.listed().find("192.0.2.1 before given;") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(more_names_than_are_kept_are_refused) {
    GivenNames given;
    for (std::size_t i = 0; i < kMaxGivenNames; ++i)
        given["10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1)] = {"x", 1, ""};
    ClientWorld world({}, std::move(given));
    BOOST_TEST(world.error("clients.name", R"({"client":"192.0.2.1","name":"z"})")
                   .find("10000 given names already") != std::string::npos);
    BOOST_TEST(world.result("clients.name", R"({"client":"10.0.0.1","name":"y"})").find("\"y\"") !=
               std::string::npos);
    BOOST_TEST(json::parse(world.result("clients.list", R"({"limit":3})"))
                   .at("clients")
                   .as_array()
                   .size() == 3U);
}

}  // namespace
