#include "record_commands.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "output.h"
#include "report.h"

namespace steerctl {
namespace json = boost::json;

StaticCommands::StaticCommands(CLI::App& app, Options& options)
    : records(app.add_subcommand("static", "Show, add and remove records of a static plugin")) {
    records->require_subcommand(1);
    records->fallthrough();
    print = records->add_subcommand("print",
                                    "Show the records, their numbers and where they are written");
    add = records->add_subcommand("add", "Add a record, which a restart keeps");
    remove = records->add_subcommand("remove", "Remove records that 'add' made");
    print->add_option("PROPERTY=VALUE", options.rules,
                      "Only records with these properties, as in name=nas.lan");
    add->add_option("PROPERTY=VALUE", options.rules,
                    "Properties as in RouterOS's /ip/dns/static: name=nas.lan "
                    "address=192.168.88.10")
        ->required();
    remove
        ->add_option("WHICH", options.rules,
                     "A number, as printed, or properties of the records: name=nas.lan")
        ->required();
    for (CLI::App* const verb : {print, add, remove})
        verb->add_option("--plugin", options.tag,
                         "Tag of the static plugin; required if there are several");
}

int StaticCommands::run(const Options& options) const {
    json::object params;
    if (!options.tag.empty()) params["plugin"] = options.tag;
    json::array words;
    for (const std::string& word : options.rules) {
        // As typed at a router: "print where name=...", "remove [find name=...]".
        const bool is_filler = word == "where" || word == "find" || word == "[find";
        if (add->parsed() || !is_filler) words.emplace_back(word);
    }
    if (print->parsed()) {
        if (!words.empty()) params["where"] = std::move(words);
        return show(options, "static.print", static_records_text, params);
    }
    if (add->parsed()) {
        params["record"] = std::move(words);
        return show(options, "static.add", static_changed_text, params, kLongPatience);
    }
    const std::string first = options.rules.front();
    const bool is_number =
        first.size() <= 9 && first.find_first_not_of("0123456789") == std::string::npos;
    if (is_number && options.rules.size() > 1)
        return misused("static remove: write one number, or properties");
    if (is_number) {
        params["number"] = std::stoul(first);
    } else {
        params["where"] = std::move(words);
    }
    return show(options, "static.remove", static_changed_text, params, kLongPatience);
}

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

}  // namespace steerctl
