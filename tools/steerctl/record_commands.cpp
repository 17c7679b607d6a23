#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <utility>

#include "commands.h"

namespace steerctl {
namespace json = boost::json;
namespace {

json::object of_plugin(const Options& options) {
    json::object params;
    if (!options.tag.empty()) params["plugin"] = options.tag;
    return params;
}

// As typed at a router: "print where name=...", "remove [find name=...]".
json::array properties(const Options& options) {
    json::array words;
    for (const std::string& word : options.rules) {
        if (word != "where" && word != "find" && word != "[find") words.emplace_back(word);
    }
    return words;
}

void add_plugin_tag(CLI::App& command, Options& options) {
    command.add_option("--plugin", options.tag,
                       "Tag of the static plugin; required if there are several");
}

Run add_static_print(CLI::App& command, Options& options) {
    command.add_option("PROPERTY=VALUE", options.rules,
                       "Only records with these properties, as in name=nas.lan");
    add_plugin_tag(command, options);
    return [&options] {
        json::object params = of_plugin(options);
        json::array words = properties(options);
        if (!words.empty()) params["where"] = std::move(words);
        return show(options, "static.print", static_records_text, params);
    };
}

Run add_static_add(CLI::App& command, Options& options) {
    command
        .add_option("PROPERTY=VALUE", options.rules,
                    "Properties as in RouterOS's /ip/dns/static: name=nas.lan "
                    "address=192.168.88.10")
        ->required();
    add_plugin_tag(command, options);
    return [&options] {
        json::object params = of_plugin(options);
        params["record"] = json::array(options.rules.begin(), options.rules.end());
        return show(options, "static.add", static_changed_text, params, kLongPatience);
    };
}

int remove_records(const Options& options) {
    json::object params = of_plugin(options);
    const std::string& first = options.rules.front();
    const bool is_number =
        first.size() <= 9 && first.find_first_not_of("0123456789") == std::string::npos;
    if (is_number && options.rules.size() > 1)
        return misused("static remove: write one number, or properties");
    if (is_number) {
        params["number"] = std::stoul(first);
    } else {
        params["where"] = properties(options);
    }
    return show(options, "static.remove", static_changed_text, params, kLongPatience);
}

Run add_static_remove(CLI::App& command, Options& options) {
    command
        .add_option("WHICH", options.rules,
                    "A number, as printed, or properties of the records: name=nas.lan")
        ->required();
    add_plugin_tag(command, options);
    return [&options] { return remove_records(options); };
}

constexpr Command kStaticCommands[] = {
    {"print", "Show the records, their numbers and where they are written", add_static_print},
    {"add", "Add a record, which a restart keeps", add_static_add},
    {"remove", "Remove records that 'add' made", add_static_remove}};

// By how much of TAG, what to do and RULE... is there.
int run_rules(const Options& options) {
    if (options.tag.empty()) return show(options, "rules", rule_sets_text);
    json::object params{{"tag", options.tag}};
    if (options.verb.empty() || options.verb == "list") {
        if (options.rules.empty())
            return show(options, "rules.list", rules_text, params, kLongPatience);
        return misused("rules TAG list: unexpected rules; write 'add' or 'remove' before them");
    }
    if (options.rules.empty())
        return misused("rules TAG " + options.verb +
                       ": a rule is missing; write at least one, as in 'ads.example'");
    json::array given;
    for (const std::string& rule : options.rules)
        given.emplace_back(rule);
    params[options.verb] = std::move(given);
    return show(options, "rules.change", rules_changed_text, params, kLongPatience);
}

}  // namespace

Run add_static(CLI::App& command, Options& options) {
    command.require_subcommand(1);
    return add_commands(command, options, kStaticCommands);
}

Run add_rules(CLI::App& command, Options& options) {
    command.add_option("TAG", options.tag,
                       "Tag of the dynamic_domain_set (default: show all sets)");
    command.add_option("WHAT", options.verb, "list (default), add or remove")
        ->check(CLI::IsMember({"list", "add", "remove"}));
    command.add_option("RULE", options.rules,
                       "Rules: domain:NAME, full:NAME, keyword:TEXT or regexp:PATTERN");
    return [&options] { return run_rules(options); };
}

}  // namespace steerctl
