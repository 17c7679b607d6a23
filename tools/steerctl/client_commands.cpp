// Commands about names of clients.
#include <boost/json/object.hpp>
#include <memory>
#include <string>

#include "commands.h"

namespace steerctl {
namespace json = boost::json;
namespace {

constexpr const char* kClientHelp = "Address, or MAC address such as 00:1d:aa:bb:cc:dd";

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

constexpr Command kClientCommands[] = {
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
