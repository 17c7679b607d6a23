#include "cache_commands.h"

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

CacheCommands::CacheCommands(CLI::App& app, Options& options)
    : cache(app.add_subcommand("cache", "Show, clear, save and restore the caches")) {
    cache->require_subcommand(1);
    cache->fallthrough();
    stats = cache->add_subcommand("stats", "Show size and counters of each cache");
    show = cache->add_subcommand("show", "Show the cached answers of a name");
    show->add_option("NAME", options.name, "Domain name")->required();
    print = cache->add_subcommand("print", "List the cached answers of types A, AAAA and CNAME");
    print->add_flag("--all", options.all, "List answers of all types");
    print->add_option("--most", options.top, "Maximum number of answers (default: 1000)");
    print->add_option("--suffix", options.suffix, "Only this name and all names below it");
    print->add_option("--instance", options.instance, "Only the cache with this tag");
    flush = cache->add_subcommand("flush",
                                  "Remove answers from the caches; exactly one filter is required");
    flush->add_flag("--all", options.all, "Remove all answers of all caches");
    flush->add_option("--name", options.name, "Remove answers of this name");
    flush->add_option("--suffix", options.suffix,
                      "Remove answers of this name and all names below it");
    flush->add_option("--tag", options.tag,
                      "Remove answers of names in the domain_set with this tag");
    flush->add_option("--instance", options.instance, "Remove answers of the cache with this tag");
    flush->add_flag("--with-rows", options.with_rows,
                    "Also remove the rows of their addresses from routers");
    dump = cache->add_subcommand("dump", "Write the answers of a cache to a file");
    dump->add_option("FILE", options.file, "File to write")->required()->type_name("FILE");
    dump->add_option("--instance", options.instance,
                     "Tag of the cache; required if there are several");
    restore = cache->add_subcommand("restore", "Add the answers of a dump to a cache");
    restore->add_option("FILE", options.file, "Dump to read")->required()->type_name("FILE");
    restore->add_option("--instance", options.instance,
                        "Tag of the cache; required if there are several");
}

int CacheCommands::run(const Options& options) const {
    json::object params;
    const auto put = [&params](const char* key, const std::string& text) {
        if (!text.empty()) params[key] = text;
    };
    if (stats->parsed()) return steerctl::show(options, "cache.stats", cache_stats_text);
    put("name", options.name);
    put("suffix", options.suffix);
    put("tag", options.tag);
    put("instance", options.instance);
    if (print->parsed()) {
        params["all"] = options.all;
        if (print->count("--most") != 0) params["most"] = options.top;
        return steerctl::show(options, "cache.print", cache_show_text, params, kLongPatience);
    }
    if (flush->parsed()) {
        if (options.all) params["all"] = true;
        if (params.size() != 1) {
            return misused(
                "cache flush: expected exactly one filter; write --name NAME, --suffix NAME, "
                "--tag "
                "SET, --instance CACHE or --all");
        }
        if (options.with_rows) params["with_rows"] = true;
    }
    // The daemon has another working folder.
    if (dump->parsed() || restore->parsed())
        put("file", std::filesystem::absolute(options.file).string());
    const char* const method = show->parsed()      ? "cache.show"
                               : flush->parsed()   ? "cache.flush"
                               : restore->parsed() ? "cache.restore"
                                                   : "cache.dump";
    return steerctl::show(options, method, show->parsed() ? cache_show_text : cache_done_text,
                          params, kLongPatience);
}

}  // namespace steerctl
