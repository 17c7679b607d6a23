#include "tools/import/ros_live.h"

#include <array>
#include <span>
#include <string_view>

#include "routeros/client.h"
#include "routeros/features.h"

namespace steer::importing {
namespace {

constexpr std::array<std::string_view, 20> kSettings{"servers",
                                                     "dynamic-servers",
                                                     "allow-remote-requests",
                                                     "cache-size",
                                                     "cache-max-ttl",
                                                     "address-list-extra-time",
                                                     "vrf",
                                                     "max-concurrent-queries",
                                                     "max-concurrent-tcp-sessions",
                                                     "mdns-repeat-ifaces",
                                                     "max-udp-packet-size",
                                                     "query-server-timeout",
                                                     "doh-timeout",
                                                     "query-total-timeout",
                                                     "doh-max-concurrent-queries",
                                                     "use-doh-server",
                                                     "doh-max-server-connections",
                                                     "verify-doh-cert",
                                                     "cache-used",
                                                     "comment"};
constexpr std::array<std::string_view, 21> kStatic{
    "name",         "regexp",          "type",        "address",       "address-list", "cname",
    "forward-to",   "match-subdomain", "mx-exchange", "mx-preference", "ns",           "srv-port",
    "srv-priority", "srv-target",      "srv-weight",  "text",          "ttl",          "disabled",
    "dynamic",      "comment",         "invalid"};
constexpr std::array<std::string_view, 5> kAdlist{"url", "file", "ssl-verify", "disabled",
                                                  "comment"};
constexpr std::array<std::string_view, 6> kForwarders{
    "name", "dns-servers", "doh-servers", "verify-doh-cert", "disabled", "comment"};

struct Menu {
    const routeros::CommandForm* print;
    std::span<const std::string_view> properties;
};
constexpr std::array<Menu, 4> kMenus{{{&routeros::forms::print_dns, kSettings},
                                      {&routeros::forms::print_static, kStatic},
                                      {&routeros::forms::print_adlists, kAdlist},
                                      {&routeros::forms::print_forwarders, kForwarders}}};

// Missing in older versions.
bool is_optional(const Menu& menu) {
    return menu.print == &routeros::forms::print_adlists ||
           menu.print == &routeros::forms::print_forwarders;
}

void take_row(const Menu& menu, const routeros::Properties& values, RosDns& dns) {
    const std::string path(menu.print->menu);
    if (path == "/ip/dns") {
        dns.was_set = true;
        for (const std::string_view name : menu.properties) {
            if (const auto it = values.find(name); it != values.end())
                dns.set(name, {path, it->second});
        }
        return;
    }
    auto& table = path == "/ip/dns/static"   ? dns.statics
                  : path == "/ip/dns/adlist" ? dns.adlists
                                             : dns.forwarders;
    RosRow out{"row " + std::to_string(table.size()) + " of " + path, {}};
    for (const std::string_view name : menu.properties) {
        if (const auto it = values.find(name); it != values.end())
            out.values.emplace_back(name, it->second);
    }
    table.push_back(std::move(out));
}

// Why it could not be read; empty: it was.
std::string read_all(const RouterLogin& login, RosDns& dns) {
    routeros::Client client;
    std::string why = client.open(login.to, login.user, login.password);
    if (!why.empty()) return why;
    routeros::Client::Reply reply;
    why = client.ask(routeros::print(routeros::forms::print_resource), reply);
    for (const routeros::Properties& row : reply.rows) {
        const auto it = row.find("version");
        if (it != row.end()) dns.version = it->second.substr(0, it->second.find(' '));
    }
    for (const Menu& menu : kMenus) {
        if (why.empty()) why = client.ask(routeros::Command(*menu.print), reply);
        if (!why.empty()) return why;
        const bool is_missing = is_optional(menu) && reply.ending.says("no such command");
        const auto version = routeros::Version::parse(dns.version);
        const auto* const feature = routeros::find_feature(menu.print->feature);
        if (is_missing && version && feature != nullptr && *version >= feature->first)
            return "the router reports RouterOS " + dns.version + ", which has " +
                   std::string(menu.print->menu) +
                   ", but refuses it; give the user the policy read, or look at the version";
        if (is_missing && version && feature != nullptr)
            dns.notes.push_back({"", routeros::lack_text(*version, *feature)});
        if (!reply.ending.ok && !is_missing)
            return "the router rejected a print command: " + reply.ending.message;
        for (const routeros::Properties& row : reply.rows)
            take_row(menu, row, dns);
    }
    return {};
}

}  // namespace

RosDns read_router(const RouterLogin& login, std::optional<Failure>& failure) {
    RosDns dns;
    dns.source = "the router " + login.router;
    dns.router_address = login.to.host.find(':') == std::string::npos
                             ? login.to.host + ":" + std::to_string(login.to.port)
                             : "[" + login.to.host + "]:" + std::to_string(login.to.port);
    dns.router_user = login.user;
    const std::string why = read_all(login, dns);
    if (!why.empty()) failure = Failure{0, "cannot be read: " + why};
    return dns;
}

}  // namespace steer::importing
