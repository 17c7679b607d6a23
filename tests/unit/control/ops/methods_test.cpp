// What a method's declaration gives: the check of its parameters, typed reading, the audit's decision, `methods`.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <string>

#include "control/api/rpc/json_rpc.h"
#include "control/api/rpc/methods.h"
#include "report.h"

namespace steer::ops {
namespace {

namespace json = boost::json;

Method sample() {
    return {.name = "sample",
            .help = "Shows what it was given.",
            .changes = Changes::with("on"),
            .piece = Piece::small(),
            .parameters = {{"tag", ParamType::text, "the tag of a set", true},
                           {"name", ParamType::domain_name, "a name below it"},
                           {"address", ParamType::address, "whose rows go"},
                           {"file", ParamType::path, "the file to write"},
                           {"on", ParamType::flag, "without it, only tells"},
                           {"top", ParamType::number, "maximum number of rows", false, 1, 300},
                           {"since", ParamType::number, "a serial"},
                           {"add", ParamType::texts, "rules to add"}},
            .run = [](const Arguments& asked) -> RpcResult { return asked.json(); },
            .members = "given more?",
            .result = "what it was given"};
}

// The sentence of the error; empty: the method takes them.
std::string refused(std::string_view params) {
    const auto error = check_params(sample(), json::parse(params));
    if (!error) return {};
    BOOST_TEST(static_cast<int>(error->code) == static_cast<int>(RpcCode::invalid_params));
    return error->message;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(method_declarations)

BOOST_AUTO_TEST_CASE(parameters_of_the_right_type_are_accepted) {
    BOOST_TEST(refused(R"({"tag":"own"})") == "");
    BOOST_TEST(refused(R"({"tag":"own","name":"a.example.","address":"2001:db8::1","file":"/x",
        "on":false,"top":300,"since":18446744073709551615,"add":[]})") == "");
    BOOST_TEST(
        refused(R"({"tag":"own","name":".","address":"192.0.2.1","top":1.0,"add":["x","y"]})") ==
        "");
}

BOOST_AUTO_TEST_CASE(a_wrong_parameter_is_named_with_what_was_expected) {
    const auto with = [](const std::string& more) {
        return refused(R"({"tag":"own",)" + more + "}");
    };
    BOOST_TEST(refused(R"({"tag":7})") == "\"tag\": expected a text (the tag of a set)");
    BOOST_TEST(refused(R"({"tag":""})") == "\"tag\": expected a text (the tag of a set), not \"\"");
    BOOST_TEST(with(R"("name":"a..b")") ==
               "\"name\": expected a domain name (a name below it), not \"a..b\"");
    BOOST_TEST(with(R"("address":"nowhere")") ==
               "\"address\": expected an IP address (whose rows go), not \"nowhere\"");
    BOOST_TEST(with(R"("file":"x")") ==
               "\"file\": expected an absolute path (the file to write), not \"x\"");
    BOOST_TEST(with(R"("on":1)") == "\"on\": expected true or false (without it, only tells)");
    const std::string top =
        "\"top\": expected a whole number from 1 to 300 (maximum number of rows)";
    for (const char* const number : {"0", "301", "-1", "1.5", "true", "1e300", "null", "[1]"})
        BOOST_TEST(with(R"("top":)" + std::string(number)) == top);
    BOOST_TEST(with(R"("since":-1)") == "\"since\": expected a whole number (a serial)");
    for (const char* const list : {"{}", "[1]", R"(["x",null])"})
        BOOST_TEST(with(R"("add":)" + std::string(list)) ==
                   "\"add\": expected a list of texts (rules to add)");
}

BOOST_AUTO_TEST_CASE(names_of_clients_become_addresses_for_those_who_may_know) {
    Methods methods;
    methods.add({.name = "shows",
                 .help = "Shows what it was given.",
                 .changes = Changes::nothing(),
                 .piece = Piece::small(),
                 .parameters = {{"client", ParamType::client, "whose"},
                                {"device", ParamType::device, "whose"},
                                {"all", ParamType::devices, "whose"}},
                 .run = [](const Arguments& asked) -> RpcResult { return asked.json(); },
                 .members = "client?",
                 .result = "what it was given"});
    const auto ask = [&methods](std::string_view params, AccessRole role) {
        std::string out;
        methods.call(*methods.find("shows"), json::parse(params),
                     [&out](const RpcResult& result) {
                         out = result ? json::serialize(*result) : result.error().message;
                     },
                     {.role = role});
        return out;
    };
    BOOST_TEST(ask(R"({"client":"tv"})", AccessRole::admin) ==
               "\"client\": \"tv\" is not an address or a prefix");
    methods.find_clients_by([](std::string_view written, ClientAs as) -> Result<std::string> {
        if (written != "tv") return Error{"nobody is " + std::string(written)};
        return {boost::system::in_place_value,
                as == ClientAs::device ? "02:00:00:00:00:01" : "192.0.2.1"};
    });
    BOOST_TEST(ask(R"({"client":"tv","device":"tv","all":["192.0.2.0/24","tv"]})",
                   AccessRole::operate) == R"({"client":"192.0.2.1","device":"02:00:00:00:00:01",)"
                                           R"("all":["192.0.2.0/24","02:00:00:00:00:01"]})");
    BOOST_TEST(ask(R"({"all":["tv","x"]})", AccessRole::operate) == "\"all\": nobody is x");
    BOOST_TEST(ask(R"({"client":"192.0.2.7"})", AccessRole::read) == R"({"client":"192.0.2.7"})");
    BOOST_TEST(ask(R"({"client":"tv"})", AccessRole::read) ==
               "\"client\": names of clients need the role operate: write an address or a "
               "prefix, not \"tv\"");
    BOOST_TEST(ask(R"({"client":""})", AccessRole::admin) ==
               "\"client\": expected an address, a prefix or the name of a client (whose), not "
               "\"\"");
}

BOOST_AUTO_TEST_CASE(a_missing_parameter_is_named) {
    const std::string missing = "\"tag\" is missing: expected a text (the tag of a set)";
    BOOST_TEST(refused("{}") == missing);
    BOOST_TEST(refused("null") == missing);
    BOOST_TEST(refused(R"({"top":3})") == missing);
}

BOOST_AUTO_TEST_CASE(an_unknown_parameter_is_refused_with_the_known_ones) {
    BOOST_TEST(refused(R"({"tag":"own","tug":1})") ==
               "sample has no parameter \"tug\"; it has: tag, name, address, file, on, top, since, "
               "add");
    BOOST_TEST(refused(R"(["own"])") == "parameters are given by name, in an object");
    const auto none = check_params(
        {.name = "bare", .help = "", .changes = Changes::nothing(), .piece = Piece::small()},
        json::object{{"\x1b", 1}});
    BOOST_REQUIRE(none);
    BOOST_TEST(none->message == "bare has no parameter \"\\x1b\"; it takes none");
}

BOOST_AUTO_TEST_CASE(command_line_arguments_are_read_by_type) {
    const Arguments asked(json::parse(R"({"tag":"own","top":7,"on":true,"add":["x","y"]})"));
    BOOST_TEST(asked.text("tag") == "own");
    BOOST_TEST(asked.text("name") == "");
    BOOST_TEST(!asked.find_text("name").has_value());
    BOOST_TEST(asked.number("top", 1) == 7U);
    BOOST_TEST(asked.number("since", 9) == 9U);
    BOOST_TEST((asked.has("on") && asked.is_true("on")));
    BOOST_TEST((!asked.has("all") && !asked.is_true("all")));
    BOOST_TEST(asked.texts("add").size() == 2U);
    BOOST_TEST(asked.texts("remove").empty());
}

BOOST_AUTO_TEST_CASE(a_method_runs_only_with_valid_parameters) {
    Methods methods;
    int runs = 0;
    methods.add({.name = "count",
                 .help = "Counts.",
                 .changes = Changes::always(),
                 .piece = Piece::small(),
                 .parameters = {{"by", ParamType::number, "how many"}},
                 .run = [&](const Arguments& asked, const RpcDone& done) {
                     runs += static_cast<int>(asked.number("by", 1));
                     done(json::value(runs));
                 }});
    const JsonRpc rpc(methods);
    const auto ask = [&](const std::string& params) {
        return rpc.handle(R"({"jsonrpc":"2.0","id":1,"method":"count","params":)" + params + "}");
    };
    BOOST_TEST(ask("{}").find("\"result\":1}") != std::string::npos);
    BOOST_TEST(ask(R"({"by":2})").find("\"result\":3}") != std::string::npos);
    BOOST_TEST(ask(R"({"by":"2"})").find("-32602") != std::string::npos);
    BOOST_TEST(ask(R"({"to":2})").find("-32602") != std::string::npos);
    BOOST_TEST(runs == 3);
}

BOOST_AUTO_TEST_CASE(a_method_has_one_result_even_if_its_receiver_throws) {
    const Method method{.name = "one",
                        .help = "Says one.",
                        .changes = Changes::nothing(),
                        .piece = Piece::small(),
                        .run = [](const Arguments&) -> RpcResult { return json::value(1); }};
    int results = 0;
    BOOST_CHECK_THROW(Methods().call(method, json::value{},
                                     [&](const RpcResult&) {
                                         ++results;
                                         throw std::runtime_error("no memory");
                                     }),
                      std::runtime_error);
    BOOST_TEST(results == 1);
}

BOOST_AUTO_TEST_CASE(a_declaration_says_which_requests_are_logged) {
    const json::value none = nullptr, on = json::object{{"on", true}};
    BOOST_TEST((!Changes::nothing().by(none) && !Changes::nothing().by(on)));
    BOOST_TEST((Changes::always().by(none) && Changes::always().by(on)));
    BOOST_TEST((!Changes::with("on").by(none) && Changes::with("on").by(on)));
    BOOST_TEST(!Changes::with("on").by(json::array{"on"}));
    const json::value off = json::object{{"on", false}};
    BOOST_TEST(Changes::with("on").by(off), "turning something off changes it too");
}

BOOST_AUTO_TEST_CASE(methods_lists_the_declared_methods) {
    Methods methods;
    methods.add(sample());
    const auto answer =
        json::parse(JsonRpc(methods).handle(R"({"jsonrpc":"2.0","id":1,"method":"methods"})"));
    const json::value& result = answer.at("result");
    const auto& all = result.at("methods").as_array();
    BOOST_REQUIRE_EQUAL(all.size(), 4U);
    BOOST_TEST(json::serialize(all[0]) ==
               R"({"name":"methods","help":"Lists the methods of the control socket.",)"
               R"("changes":false,"role":"read","result":"`methods`: name, help, changes, role, )"
               R"(result, sizes and parameters of each",)"
               R"("members":"methods","most_bytes":16777216,"most_rows":0,"parameters":[]})");
    BOOST_TEST(all[1].at("name").as_string() == "rpc.discover");
    BOOST_TEST(all[2].at("name").as_string() == "rpc.whoami");
    BOOST_TEST(all[3].at("changes").as_string() == "on");
    BOOST_TEST(all[3].at("role").as_string() == "operate");
    BOOST_TEST(json::serialize(all[3].at("parameters").as_array()[5]) ==
               R"({"name":"top","type":"a whole number from 1 to 300","required":false,)"
               R"("meaning":"maximum number of rows"})");
    const std::string text = steerctl::methods_text(result);
    BOOST_TEST(
        text.starts_with("methods (read)\n    Lists the methods of the control socket.\nrpc."));
    BOOST_TEST(text.find("required  the tag of a set\n") != std::string::npos);
    const std::string page = steerctl::methods_page(result);
    BOOST_TEST(page.find("## `sample`\n\nShows what it was given.\n\nChanges: with `on`. Role: "
                         "`read`, with `on` `operate`.\nResult: what it was given.\n"
                         "Members: `given`, `more?`.\nIn one piece: at most 64.0 KiB.\n\n"
                         "| parameter | type | required | meaning |\n|---|---|---|---|\n"
                         "| `tag` | a text | yes | the tag of a set |\n") != std::string::npos);
    BOOST_TEST(
        page.find("Changes: nothing. Role: `read`.\nResult: `role` and `who`.\nMembers: `role`, "
                  "`who`.\nIn one piece: at most 64.0 KiB.\n\n## `sample`") != std::string::npos);
    const json::value schema = openrpc_method(sample()).at("result").at("schema");
    BOOST_TEST(json::serialize(schema) ==
               R"({"type":"object","properties":{"given":{},"more":{}},"required":["given"],)"
               R"("additionalProperties":false})");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::ops
