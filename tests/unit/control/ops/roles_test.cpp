// Roles of peers and of requests.
#include <grp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>
#include <string>

#include "control/api/rpc/audit.h"
#include "control/api/rpc/json_rpc.h"
#include "control/api/rpc/peer.h"

namespace json = boost::json;
using namespace steer;
using namespace steer::ops;

namespace {

Methods& three_methods() {
    static Methods methods;
    static const bool kAdded = [] {
        const auto nothing = [](const Arguments&) -> RpcResult { return json::value("done"); };
        methods.add({.name = "look",
                     .help = "Looks.",
                     .changes = Changes::nothing(),
                     .piece = Piece::small(),
                     .run = nothing});
        methods.add({.name = "switch",
                     .help = "Shows or sets.",
                     .changes = Changes::with("on"),
                     .piece = Piece::small(),
                     .parameters = {{"on", ParamType::flag, "the new state"}},
                     .run = nothing});
        methods.add({.name = "write",
                     .help = "Writes a file.",
                     .changes = Changes::always(),
                     .piece = Piece::small(),
                     .role = AccessRole::admin,
                     .run = nothing});
        methods.add({.name = "secret",
                     .help = "Shows a secret.",
                     .changes = Changes::nothing(),
                     .piece = Piece::small(),
                     .role = AccessRole::admin,
                     .run = nothing});
        return true;
    }();
    (void)kAdded;
    return methods;
}

json::object asked(AccessRole role, std::string_view method, const json::object& params = {},
                   const RpcObserver& observer = {}) {
    std::string response;
    JsonRpc(three_methods())
        .handle(
            json::serialize(json::object{
                {"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}}),
            {role, "uid 7"}, [&](std::string text) { response = std::move(text); }, observer);
    return json::parse(response).as_object();
}

bool may(AccessRole role, std::string_view method, const json::object& params = {}) {
    const auto answer = asked(role, method, params);
    if (answer.contains("result")) return true;
    BOOST_TEST(answer.at("error").at("code").as_int64() == -32001);
    return false;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(roles)

BOOST_AUTO_TEST_CASE(a_method_that_changes_nothing_needs_read) {
    BOOST_TEST(may(AccessRole::read, "look"));
    BOOST_TEST(!may(AccessRole::none, "look"));
}

BOOST_AUTO_TEST_CASE(a_method_that_changes_with_a_parameter_needs_operate_for_that_only) {
    BOOST_TEST(may(AccessRole::read, "switch"));
    BOOST_TEST(!may(AccessRole::read, "switch", {{"on", true}}));
    BOOST_TEST(may(AccessRole::operate, "switch", {{"on", true}}));
}

BOOST_AUTO_TEST_CASE(a_declared_role_is_needed) {
    BOOST_TEST(!may(AccessRole::operate, "write"));
    BOOST_TEST(may(AccessRole::admin, "write"));
    BOOST_TEST(!may(AccessRole::operate, "secret"));
    BOOST_TEST(may(AccessRole::admin, "secret"));
}

BOOST_AUTO_TEST_CASE(a_refusal_names_both_roles_and_is_logged_for_requests_that_change_nothing) {
    std::string line;
    const auto answer =
        asked(AccessRole::read, "secret", {},
              [&](const Method& method, const json::value& params, const RpcResult& result) {
                  audit_request([&](const std::string& text) { line = text; }, "uid 7", method,
                                params, result);
              });
    const std::string why =
        "secret needs the role \"admin\", and you have \"read\": ask the administrator for it "
        "(`roles` of `control`)";
    BOOST_TEST(answer.at("error").at("message").as_string() == why);
    BOOST_TEST(line == "control request secret {} of uid 7: refused: " + why);
}

BOOST_AUTO_TEST_CASE(unknown_parameters_are_not_reported_to_who_may_not_ask) {
    BOOST_TEST(asked(AccessRole::read, "write", {{"x", 1}}).at("error").at("code").as_int64() ==
               -32001);
}

BOOST_AUTO_TEST_CASE(root_is_admin_and_others_have_their_highest_row) {
    const auto resolved = PeerRoles::resolve({{.user = "4711", .role = AccessRole::read},
                                              {.group = "77", .role = AccessRole::operate},
                                              {.group = "78", .role = AccessRole::admin}});
    BOOST_REQUIRE(resolved);
    BOOST_TEST((resolved->of({.uid = 0}) == AccessRole::admin));
    BOOST_TEST((resolved->of({.uid = 4711, .gid = 1}) == AccessRole::read));
    BOOST_TEST((resolved->of({.uid = 4711, .gid = 77}) == AccessRole::operate));
    BOOST_TEST((resolved->of({.uid = 5, .gid = 1, .groups = {3, 77, 78}}) == AccessRole::admin));
    BOOST_TEST((resolved->of({.uid = 5, .gid = 1, .groups = {3}}) == AccessRole::none));
    BOOST_TEST(resolved->are_set());
}

BOOST_AUTO_TEST_CASE(without_rows_everyone_is_admin) {
    BOOST_TEST((PeerRoles().of({.uid = 5, .gid = 1}) == AccessRole::admin));
}

BOOST_AUTO_TEST_CASE(names_are_resolved_and_unknown_ones_are_an_error_with_their_line) {
    const auto root = PeerRoles::resolve({{.user = "root", .role = AccessRole::read}});
    BOOST_REQUIRE(root);
    const auto none =
        PeerRoles::resolve({{.group = "no-such-group", .role = AccessRole::read, .line = 9}});
    BOOST_REQUIRE(!none);
    BOOST_TEST(none.error().line == 9);
    BOOST_TEST(none.error().text.find("no group \"no-such-group\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_peer_of_a_socket_has_our_credentials_and_groups) {
    std::array<int, 2> pair{};
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()) == 0);
    const auto peer = peer_of(pair[0]);
    BOOST_REQUIRE(peer);
    BOOST_TEST(peer->uid == ::geteuid());
    BOOST_TEST(peer->pid == ::getpid());
    BOOST_TEST(peer->groups.size() == static_cast<std::size_t>(::getgroups(0, nullptr)));
    BOOST_TEST(!peer_of(-1));
    ::close(pair[0]);
    ::close(pair[1]);
}

BOOST_AUTO_TEST_SUITE_END()
