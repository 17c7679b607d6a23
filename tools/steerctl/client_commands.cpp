// Commands about names of clients.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <vector>

#include "commands.h"

namespace steerctl {
namespace json = boost::json;
namespace {

constexpr const char* kClientHelp = "Address, MAC address or name of the client";

Run add_client_name(CLI::App& command, Options& options) {
    const auto client = std::make_shared<std::string>();
    const auto name = std::make_shared<std::string>();
    command.add_option("CLIENT", *client, kClientHelp)->required();
    command.add_option("NAME", *name, "The name, at most 63 bytes; in quotes if it has blanks")
        ->required();
    return [&options, client, name] {
        return show(options, "clients.name", client_changed_text,
                    json::object{{"client", *client}, {"name", *name}});
    };
}

Run add_client_removal(CLI::App& command, Options& options) {
    const auto client = std::make_shared<std::string>();
    command.add_option("CLIENT", *client, kClientHelp)->required();
    return [&options, client] {
        return show(options, "clients.forget", client_changed_text,
                    json::object{{"client", *client}});
    };
}

// `clients group add` and `remove`; only adding needs a member.
Run add_group_change(CLI::App& command, Options& options, const char* method, bool adds) {
    const auto members = std::make_shared<std::vector<std::string>>();
    command.add_option("GROUP", options.group, "The group's name; in quotes if it has blanks")
        ->required();
    auto* const clients =
        command.add_option("CLIENT", *members,
                           adds ? "Addresses, prefixes, MAC addresses or names of devices"
                                : "The members to remove (default: the whole group)");
    if (adds) clients->required();
    return [&options, method, members] {
        json::object params{{"group", options.group}};
        if (!members->empty()) params["clients"] = json::array(members->begin(), members->end());
        return show(options, method, group_changed_text, params);
    };
}

Run add_group_member(CLI::App& command, Options& options) {
    return add_group_change(command, options, "clients.group_add", true);
}

Run add_group_removal(CLI::App& command, Options& options) {
    return add_group_change(command, options, "clients.group_remove", false);
}

constexpr Command kGroupCommands[] = {
    {"add", "Add devices to a group; a group that is new is made", add_group_member},
    {"remove", "Remove devices from a group, or the group", add_group_removal}};

Run add_groups(CLI::App& command, Options& options) {
    command.require_subcommand(0, 1);
    return [&command, &options, below = add_commands(command, options, kGroupCommands)] {
        return command.get_subcommands().empty() ? show(options, "clients.groups", groups_text)
                                                 : below();
    };
}

constexpr Command kClientCommands[] = {
    {"group", "Show the groups of devices, or change one", add_groups},
    {"name", "Give a name to a client", add_client_name},
    {"forget", "Remove the name that a person gave to a client", add_client_removal}};

}  // namespace

Run add_client_list(CLI::App& command, Options& options) {
    command.require_subcommand(0, 1);
    return [&command, &options, below = add_commands(command, options, kClientCommands)] {
        return command.get_subcommands().empty() ? show(options, "clients.list", clients_text)
                                                 : below();
    };
}

}  // namespace steerctl
