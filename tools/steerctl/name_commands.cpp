// Commands about names, their addresses and their clients.
#include <boost/json/object.hpp>
#include <utility>

#include "commands.h"

namespace steerctl {
namespace json = boost::json;
namespace {

// Suffixes are made here, of as many names as the daemon gives.
int count_hits(const Options& options, bool groups) {
    constexpr unsigned kMostNames = 10'000;
    json::object params{{"seconds", options.seconds}, {"top", groups ? kMostNames : options.top}};
    if (!options.address.empty()) params["client"] = options.address;
    if (!options.name.empty()) params["name"] = options.name;
    Reply reply =
        ask(options.socket, "hits", params, kLongPatience + std::chrono::seconds(options.seconds));
    if (!reply.error.empty()) return fail(reply);
    if (groups) reply.result = group_hits(std::move(reply.result), options.labels, options.top);
    if (options.as_json) {
        print_json(reply.result);
    } else {
        print(hits_text(reply.result));
    }
    return 0;
}

}  // namespace

Run add_leases(CLI::App& command, Options& options) {
    command.add_option("--tag", options.tag, "Only the dhcp_leases with this tag");
    return [&options] {
        return show(options, "leases", leases_text,
                    options.tag.empty() ? json::value() : json::object{{"tag", options.tag}});
    };
}

Run add_reverse(CLI::App& command, Options& options) {
    command.add_option("IP", options.name, "IP address")->required();
    return [&options] {
        return show(options, "reverse", reverse_text, json::object{{"address", options.name}});
    };
}

Run add_why(CLI::App& command, Options& options) {
    command.add_option("NAME", options.name, "Domain name")->required();
    command.add_option("--client", options.address,
                       "Of the rules of people, only those for this client: an address, or its "
                       "name");
    return [&options] {
        json::object params{{"name", options.name}};
        if (!options.address.empty()) params["client"] = options.address;
        return show(options, "why", why_text, params, kLongPatience);
    };
}

Run add_hits(CLI::App& command, Options& options) {
    command.add_option("--seconds", options.seconds, "Duration in seconds")
        ->check(CLI::Range(1, 300))
        ->capture_default_str();
    command.add_option("--top", options.top, "Number of names, clients, types and rules")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    command.add_option("--client", options.address,
                       "Only this client: an address, a prefix, or its name");
    command.add_option("--name", options.name, "Only queries for this name and names below it");
    const auto* const suffix =
        command
            .add_option("--suffix", options.labels,
                        "Also group names by registrable domain, or by their last LABELS labels")
            ->option_text("[LABELS]")
            ->expected(0, 1)
            ->default_str("0")
            ->check(CLI::Range(0, 20));
    return [&options, suffix] { return count_hits(options, suffix->count() > 0); };
}

}  // namespace steerctl
