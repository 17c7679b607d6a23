#include "list_commands.h"

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

AdlistCommands::AdlistCommands(CLI::App& app, Options& options)
    : adlist(app.add_subcommand(
          "adlist", "Show ad lists with their names and blocked queries, or pause them")) {
    adlist->require_subcommand(0, 1);
    adlist->fallthrough();
    pause = adlist->add_subcommand("pause", "Stop blocking for SECONDS");
    pause->add_option("SECONDS", options.seconds, "Length of the pause in seconds")->required();
    resume = adlist->add_subcommand("resume", "End a pause of blocking");
    reload = adlist->add_subcommand("reload", "Fetch the lists that have a URL now");
    for (CLI::App* const verb : {pause, resume})
        verb->add_option("--tag", options.tag, "Only the adlist with this tag");
}

int AdlistCommands::run(const Options& options) const {
    json::object params;
    if (!options.tag.empty()) params["tag"] = options.tag;
    if (pause->parsed()) {
        params["seconds"] = options.seconds;
        return steerctl::show(options, "adlist.pause", adlists_text, params);
    }
    if (resume->parsed()) return steerctl::show(options, "adlist.resume", adlists_text, params);
    if (reload->parsed())
        return steerctl::show(options, "lists.fetch", lists_text, nullptr, kLongPatience);
    return steerctl::show(options, "adlist", adlists_text);
}

}  // namespace steerctl
