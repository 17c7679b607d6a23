// The API's user and service.
#include <algorithm>
#include <charconv>

#include "control/operator/doctor/checks.h"

namespace steer::doctor {
namespace {

using routeros::Menu;

// For lists, leases, router_lists, the doctor, and one that is replaced.
constexpr unsigned kSessions = 5;

// Advice to limit the row's `address` to ours, with the command if our address is known.
Finding open_to_all(std::string check, std::string what, std::string why,
                    const routeros::CommandForm& form, const Row& row, const Expected& expected) {
    Finding finding = problem(std::move(check), std::move(what), std::move(why));
    finding.level = Level::advice;
    if (expected.plan.api_client.empty())
        finding.advice = "set its address to the address of this machine";
    else
        set_row(finding, form, Menu::ip, row, {{"address", expected.plan.api_client}});
    return finding;
}

void check_user(const RouterFacts& router, const Expected& expected, const std::string& name,
                Findings& out) {
    const Row* const user = router.table("/user").find("name", name);
    if (user == nullptr) return;  // a user of RADIUS: the router does not list it
    if (!user->has("address"))
        out.push_back(
            open_to_all("user-address", "the user " + name + " may log in from every address",
                        "a client that learns its password can write address lists from anywhere",
                        routeros::forms::set_user, *user, expected));
    const Row* const group = router.table("/user/group").find("name", user->get("group"));
    if (group == nullptr) return;
    std::string missing;
    std::vector<std::string_view> needed{"read", "api"};
    const setup::RouterPlan& plan = expected.plan;
    if (!plan.egresses.empty() || !plan.route_tables.empty()) needed.push_back("write");
    for (const std::string_view policy : needed) {
        if (!group->lists("policy", policy))
            missing.append(missing.empty() ? "" : ",").append(policy);
    }
    if (!missing.empty()) {
        out.push_back({.check = "user-rights",
                       .level = Level::problem,
                       .what = "the group " + std::string(group->get("name")) + " of the user " +
                               name + " does not have the policies " + missing,
                       .why = "SteerDNS cannot keep the address lists of this router",
                       .advice =
                           "add these policies to the group; a group that is given policies loses "
                           "all that are not named",
                       .fix = {},
                       .undo = {}});
    }
    for (const std::string_view policy : {"policy", "ftp", "password", "sensitive", "reboot"}) {
        if (!group->lists("policy", policy)) continue;
        out.push_back({.check = "user-rights-wide",
                       .level = Level::advice,
                       .what = "the user " + name + " has more rights than SteerDNS needs (" +
                               std::string(policy) + ")",
                       .why = "an intruder on this machine controls the router, too",
                       .advice = "give it a group with the policies read,write,api only "
                                 "(steerdnsd --routeros-setup has the commands)",
                       .fix = {},
                       .undo = {}});
        break;
    }
}

// The row that is configured: since 7.19 connections are listed under the same name, and are dynamic.
void check_service(const RouterFacts& router, const Expected& expected,
                   const setup::ApiService& api, Findings& out) {
    const std::string name = api.tls ? "api-ssl" : "api";
    const auto& rows = router.table("/ip/service").rows;
    const auto service = std::ranges::find_if(
        rows, [&](const Row& row) { return row.get("name") == name && !row.is("dynamic"); });
    if (service == rows.end()) return;
    // 7.24 calls `address` `available-from`, and still takes the former name.
    if (!service->has("address") && !service->has("available-from"))
        out.push_back(open_to_all("service-address",
                                  "the service " + name + " is open to every address",
                                  "everybody who reaches the router can try passwords at its API",
                                  routeros::forms::set_service, *service, expected));
    const std::string_view text = service->get("max-sessions");
    unsigned most = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), most);
    if (error != std::errc{} || most >= kSessions) return;
    Finding finding{.check = "service-sessions",
                    .level = Level::problem,
                    .what = "the service " + name + " accepts " + std::string(text) +
                            " sessions; SteerDNS needs " + std::to_string(kSessions),
                    .why = "a session that is refused leaves lists or leases unread",
                    .advice = {},
                    .fix = {},
                    .undo = {}};
    set_row(finding, routeros::forms::set_sessions, Menu::ip, *service, {{"max-sessions", "20"}});
    out.push_back(std::move(finding));
}

}  // namespace

void check_api(const RouterFacts& router, const Expected& expected, Findings& out) {
    for (const std::string& user : expected.plan.users)
        check_user(router, expected, user, out);
    for (const setup::ApiService& service : expected.plan.services)
        check_service(router, expected, service, out);
}

Findings judge(const RouterFacts& router, const Expected& expected) {
    Findings out;
    check_menus(router, out);
    check_features(router, expected, out);
    check_api(router, expected, out);
    check_policy(router, expected, out);
    check_routes(router, expected, out);
    check_detours(router, expected, out);
    check_dns(router, expected, out);
    check_dhcp(router, expected, out);
    check_nat64(router, expected, out);
    check_bypass(router, expected, out);
    return out;
}

Finding problem(std::string check, std::string what, std::string why, std::string advice) {
    return {std::move(check),
            Level::problem,
            std::move(what),
            std::move(why),
            std::move(advice),
            {},
            {}};
}

void set_row(Finding& finding, const routeros::CommandForm& form, Menu family, const Row& row,
             const std::vector<std::pair<std::string, std::string>>& values) {
    Change fix{&form, family, {{".id", std::string(row.id())}}}, undo = fix;
    for (const auto& [name, value] : values) {
        fix.arguments.emplace_back(name, value);
        const std::string_view was = row.get(name);
        if (was.empty() && routeros::is_matcher(form, name))
            undo.arguments.emplace_back("!" + name, "");
        else
            undo.arguments.emplace_back(name, was == "true" ? "yes" : was == "false" ? "no" : was);
    }
    finding.fix.push_back(std::move(fix));
    finding.undo.insert(finding.undo.begin(), undo.text());
}

std::string row_text(const Row& row) {
    std::string text(row.id());
    if (row.has("comment")) text.append(" (").append(row.get("comment")).append(")");
    return text;
}

}  // namespace steer::doctor
