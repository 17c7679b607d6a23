#include <boost/json/object.hpp>
#include <filesystem>
#include <string>

#include "commands.h"

namespace steerctl {
namespace json = boost::json;
namespace {

json::object cache_filter(const Options& options) {
    json::object params;
    const auto put = [&params](const char* key, const std::string& text) {
        if (!text.empty()) params[key] = text;
    };
    put("name", options.name);
    put("suffix", options.suffix);
    put("tag", options.tag);
    put("instance", options.instance);
    return params;
}

Run add_cache_stats(CLI::App& /*command*/, Options& options) {
    return [&options] { return show(options, "cache.stats", cache_stats_text); };
}

Run add_cache_show(CLI::App& command, Options& options) {
    command.add_option("NAME", options.name, "Domain name")->required();
    return [&options] {
        return show(options, "cache.show", cache_show_text, cache_filter(options), kLongPatience);
    };
}

Run add_cache_print(CLI::App& command, Options& options) {
    command.add_flag("--all", options.all, "List answers of all types");
    const auto* const most =
        command.add_option("--most", options.top, "Maximum number of answers (default: 1000)");
    command.add_option("--suffix", options.suffix, "Only this name and all names below it");
    command.add_option("--instance", options.instance, "Only the cache with this tag");
    return [&options, most] {
        json::object params = cache_filter(options);
        params["all"] = options.all;
        if (most->count() != 0) params["most"] = options.top;
        return show_pages(options, "cache.print", "answers", cache_show_text, params,
                          kLongPatience);
    };
}

Run add_cache_flush(CLI::App& command, Options& options) {
    command.add_flag("--all", options.all, "Remove all answers of all caches");
    command.add_option("--name", options.name, "Remove answers of this name");
    command.add_option("--suffix", options.suffix,
                       "Remove answers of this name and all names below it");
    command.add_option("--tag", options.tag,
                       "Remove answers of names in the domain_set with this tag");
    command.add_option("--instance", options.instance, "Remove answers of the cache with this tag");
    command.add_flag("--with-rows", options.with_rows,
                     "Also remove the rows of their addresses from routers");
    return [&options] {
        json::object params = cache_filter(options);
        if (options.all) params["all"] = true;
        if (params.size() != 1) {
            return misused(
                "cache flush: expected exactly one filter; write --name NAME, --suffix NAME, "
                "--tag "
                "SET, --instance CACHE or --all");
        }
        if (options.with_rows) params["with_rows"] = true;
        return show(options, "cache.flush", cache_done_text, params, kLongPatience);
    };
}

// The daemon has another working folder.
int move_cache_file(const Options& options, const char* method) {
    json::object params = cache_filter(options);
    if (const auto file = std::filesystem::absolute(options.file).string(); !file.empty())
        params["file"] = file;
    return show(options, method, cache_done_text, params, kLongPatience);
}

void add_cache_file(CLI::App& command, Options& options, const char* help) {
    command.add_option("FILE", options.file, help)->required()->type_name("FILE");
    command.add_option("--instance", options.instance,
                       "Tag of the cache; required if there are several");
}

Run add_cache_dump(CLI::App& command, Options& options) {
    add_cache_file(command, options, "File to write");
    return [&options] { return move_cache_file(options, "cache.dump"); };
}

Run add_cache_restore(CLI::App& command, Options& options) {
    add_cache_file(command, options, "Dump to read");
    return [&options] { return move_cache_file(options, "cache.restore"); };
}

constexpr Command kCacheCommands[] = {
    {"stats", "Show size and counters of each cache", add_cache_stats},
    {"show", "Show the cached answers of a name", add_cache_show},
    {"print", "List the cached answers of types A, AAAA and CNAME", add_cache_print},
    {"flush", "Remove answers from the caches; exactly one filter is required", add_cache_flush},
    {"dump", "Write the answers of a cache to a file", add_cache_dump},
    {"restore", "Add the answers of a dump to a cache", add_cache_restore}};

}  // namespace

Run add_cache(CLI::App& command, Options& options) {
    command.require_subcommand(1);
    return add_commands(command, options, kCacheCommands);
}

}  // namespace steerctl
