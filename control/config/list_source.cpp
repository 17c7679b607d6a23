#include "control/config/list_source.h"

#include <algorithm>
#include <filesystem>
#include <limits>

#include "control/config/plugins/plugin_type.h"
#include "control/config/rules.h"
#include "control/config/url.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

Node text_node(std::string text) {
    Node out;
    out.kind = Node::Kind::text;
    out.text = std::move(text);
    return out;
}
Node list_node(const std::vector<std::string>& texts) {
    Node out;
    out.kind = Node::Kind::list;
    for (const std::string& text : texts)
        out.items.push_back(text_node(text));
    return out;
}

void put(Node& map, std::string key, Node value) {
    map.kind = Node::Kind::map;
    map.entries.push_back({std::move(key), 0, std::move(value)});
}

// The `args` of a plugin that has the file as its only list.
Node args_of(const std::string& file, const ListUse& use) {
    Node args, list;
    if (use.type == "adlist") {
        put(list, "list", text_node(file));
        if (!use.format.empty()) put(list, "format", text_node(use.format));
        Node lists;
        lists.kind = Node::Kind::list;
        lists.items.push_back(std::move(list));
        put(args, "lists", std::move(lists));
        put(args, "max_names", text_node("100000000"));  // check_list() counts
        return args;
    }
    const bool geo = use.type == "geosite" || use.type == "geoip";
    geo ? put(args, "file", text_node(file)) : put(args, "files", list_node({file}));
    if (!use.format.empty()) put(args, "format", text_node(use.format));
    if (!use.selectors.empty()) put(args, "selectors", list_node(use.selectors));
    if (!use.strict.empty()) put(args, "strict", text_node(use.strict));
    return args;
}

RemoteList& remote(Settings& settings, const Url& url) {
    auto& all = settings.remote_lists;
    const std::string text = url.text();
    const auto known =
        std::find_if(all.begin(), all.end(), [&](const RemoteList& r) { return r.url == text; });
    if (known != all.end()) return *known;
    return all.emplace_back(
        RemoteList{text, settings.control.lists + "/" + file_name_of(url), {}, false});
}

std::optional<ListBytes> read_copy(Reading& in, const Text& written, const Place& place,
                                   const ListUse& use) {
    const auto refuse = [&](const std::string& text) {
        in.report().error(place.line, place.name() + ": " + text);
        return std::nullopt;
    };
    if (use.type.empty())
        return refuse(
            "a list by URL stands in `files` of a plugin of its own: make a domain_set or ip_set "
            "of it, and write its $TAG here");
    const auto url = parse_url(written.value);
    if (!url) return refuse(url.error().text);
    if (in.settings().control.lists.empty())
        return refuse("lists by URL need a folder: 'lists' of 'control' is off");
    RemoteList& list = remote(in.settings(), *url);
    if (std::find(list.uses.begin(), list.uses.end(), use) == list.uses.end())
        list.uses.push_back(use);
    std::error_code error;
    if (!std::filesystem::exists(list.file, error) && !error) {
        in.report().warn(place.line, list.url + " in " + place.name() +
                                         " has not been fetched yet: it is empty until it is");
        return std::nullopt;
    }
    auto content = Reading::read_text(list.file);
    if (!content)
        return refuse("the copy " + matchers::quoted_path(list.file) + " of " + list.url +
                      " cannot be read: " + content.error().text);
    list.present = true;
    return ListBytes{list.file, *std::move(content)};
}

// For people who know the list by its URL.
std::optional<Error> why_not(Reading& in, const std::string& file, std::string_view type) {
    const auto errors = in.report().take_errors(), warnings = in.report().take_warnings();
    if (errors.empty()) return std::nullopt;
    const auto of_file = [&file](const Error& e) { return e.file == file && e.line > 0; };
    const auto at_line = [](const Error& e) {
        return "line " + std::to_string(e.line) + ": " + e.text;
    };
    if (of_file(errors.front())) return Error{at_line(errors.front())};
    const auto bad = std::find_if(warnings.begin(), warnings.end(), of_file);
    return Error{
        "no line of it is good for type " + std::string(type) +
        (bad == warnings.end() ? ": " + errors.front().text : ", beginning with " + at_line(*bad))};
}

}  // namespace

std::size_t rules_of(const Plugin& plugin) {
    if (const auto* set = std::get_if<DomainSet>(&plugin.args)) return set->rules.size();
    if (const auto* set = std::get_if<IpSet>(&plugin.args)) return set->prefixes.size();
    if (const auto* hosts = std::get_if<Hosts>(&plugin.args)) return hosts->rules.size();
    std::size_t all = 0;
    if (const auto* set = std::get_if<AdguardSet>(&plugin.args)) {
        for (const AdguardStep& step : set->steps)
            all += step.rules.size();
    }
    return all;
}

ListUse use_of(const Plugin& plugin, const Node& args) {
    ListUse use{plugin.type, {}, {}, {}, 0};
    const auto text = [&](std::string_view key) {
        const Node* const node = args.find(key);
        return node != nullptr && node->is_text() ? node->text : std::string{};
    };
    use.format = text("format");
    use.strict = text("strict");
    const Node* const selectors = args.find("selectors");
    if (selectors != nullptr) {
        for (const Node& item : selectors->items)
            use.selectors.push_back(item.text);
    }
    return use;
}

std::optional<ListBytes> read_list_source(Reading& in, const Text& written, const Place& place,
                                          const ListUse& use) {
    if (is_url(written.value)) return read_copy(in, written, place, use);
    const std::string file = in.resolve(written.value);
    auto bytes = in.read_file(file, place);
    if (!bytes) return std::nullopt;
    return ListBytes{file, *std::move(bytes)};
}

Result<std::size_t> check_list(const std::string& file, const ListUse& use) {
    const PluginType* const type = find_type(use.type);
    if (type == nullptr) return Error{"no plugin type '" + std::string(use.type) + "'"};
    const Node args = args_of(file, use);
    const LoadOptions options;
    Reading in("(a list)", options);  // a list is read as one that a configuration names
    // What was fetched has met its limit of bytes.
    in.settings().control.fetch.max_size = std::numeric_limits<std::uint64_t>::max();
    Plugin plugin;
    plugin.tag = "list";
    plugin.type = type->name;
    plugin.role = type->role;
    type->read(in, &args, plugin);
    in.settings().plugins.push_back(std::move(plugin));
    check_patterns(in);
    if (auto why = why_not(in, file, use.type)) return *std::move(why);
    const std::size_t rules = rules_of(in.settings().plugins.front());
    if (use.most_rules > 0 && rules > use.most_rules)
        return Error{"it has " + std::to_string(rules) + " names, and 'max_names' allows " +
                     std::to_string(use.most_rules)};
    if (rules == 0) return Error{"there is no rule in it for a " + std::string(use.type)};
    return rules;
}

}  // namespace steer::config
