#include "control/operator/doctor/visit.h"

namespace steer::doctor {
namespace {

using routeros::Menu;
namespace forms = routeros::forms;

struct Reading {
    const routeros::CommandForm* form;
    bool both_families = false;
    bool only_disabled = false;  // an address list is long
};

constexpr Reading kReadings[] = {
    {&forms::read_services},
    {&forms::read_users},
    {&forms::read_groups},
    {&forms::read_settings},
    {&forms::read_tables},
    {&forms::read_lists},
    {&forms::read_members},
    {&forms::read_addresses, true},
    {&forms::read_routes, true},
    {&forms::read_mangle, true},
    {&forms::read_filter, true},
    {&forms::read_nat, true},
    {&forms::read_disabled_rows, true, true},
    {&forms::print_dns},
    {&forms::print_static},
    {&forms::print_forwarders},
    {&forms::read_dhcp_networks},
    {&forms::read_dhcp_options},
    {&forms::read_option_sets},
    {&forms::read_dhcp_servers},
    {&forms::read_relays},
    {&forms::read_dhcp_clients},
    {&forms::read_dhcp_alerts},
    {&forms::read_pools},
    {&forms::read_dhcp6_servers},
    {&forms::read_dhcp6_options},
    {&forms::read_nd},
    {&forms::read_routing_rules},
    {&forms::read_vrfs},
    {&forms::read_switches},
    {&forms::read_switch_ports},
    {&forms::read_bridge_ports},
};

std::string menu_name(const routeros::CommandForm& form, Menu family) {
    constexpr std::string_view kBoth = "/ip*";
    if (!form.menu.starts_with(kBoth)) return std::string(form.menu);
    return menu_of(family, form.menu.substr(kBoth.size()));
}

// Versions write `true` or `yes`.
routeros::Command print_command(const Reading& reading, Menu family) {
    routeros::Command command(*reading.form, family);
    if (reading.only_disabled)
        command.proplist().query("disabled", "true").query("disabled", "yes").query_ops("|");
    return command;
}

std::string read_menu(routeros::Client& client, const Reading& reading, Menu family,
                      RouterFacts& facts) {
    const routeros::CommandForm& form = *reading.form;
    routeros::Client::Reply reply;
    if (std::string why = client.ask(print_command(reading, family), reply); !why.empty())
        return why;
    Table& table = facts.tables[menu_name(form, family)];
    table.feature = form.feature;
    if (!reply.ending.ok) table.error = reply.ending.message;
    for (auto& row : reply.rows)
        table.rows.emplace_back(std::move(row));
    return {};
}

}  // namespace

std::string read_router(routeros::Client& client, RouterFacts& facts) {
    routeros::Client::Reply resource;
    if (std::string why = client.ask(routeros::print(routeros::forms::print_resource), resource);
        !why.empty())
        return why;
    for (const auto& row : resource.rows) {
        const auto version = row.find("version");
        if (version != row.end())
            facts.version = version->second.substr(0, version->second.find(' '));
    }
    for (const Reading& reading : kReadings) {
        std::string why = read_menu(client, reading, Menu::ip, facts);
        if (why.empty() && reading.both_families)
            why = read_menu(client, reading, Menu::ipv6, facts);
        if (!why.empty()) return why;
    }
    return {};
}

std::string carry_out(routeros::Client& client, const std::vector<Change>& changes) {
    for (const Change& change : changes) {
        routeros::Client::Reply reply;
        if (std::string why = client.ask(change.command(), reply); !why.empty()) return why;
        // A row of an address list that is there already does what it should.
        const bool is_there =
            change.form == &routeros::forms::add_row &&
            reply.ending.message.find("already have such entry") != std::string::npos;
        if (!reply.ending.ok && !is_there) return change.text() + ": " + reply.ending.message;
    }
    return {};
}

}  // namespace steer::doctor
