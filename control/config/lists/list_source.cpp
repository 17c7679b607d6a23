#include "control/config/lists/list_source.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>

#include "control/config/lists/rules.h"
#include "control/config/plugin_type.h"
#include "control/config/text/url.h"
#include "control/config/values.h"
#include "matchers/list/no_list.h"
#include "matchers/name_matcher.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

// In ListUse::strict: a response policy zone that may have unsupported records.
constexpr std::string_view kLenient = "lenient";

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
    if (use.type == "rpz") {
        put(list, "zone", text_node(file));
        if (!use.selectors.empty()) put(list, "name", text_node(use.selectors.front()));
        if (!use.strict.empty()) put(list, "lenient", text_node("true"));
        Node zones;
        zones.kind = Node::Kind::list;
        zones.items.push_back(std::move(list));
        put(args, "zones", std::move(zones));
        return args;
    }
    if (use.type == "adlist") {
        put(list, "list", text_node(file));
        if (!use.format.empty()) put(list, "format", text_node(use.format));
        if (!use.strict.empty()) put(list, "lenient", text_node("true"));
        if (use.match_all) put(list, "match_all", text_node("true"));
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
    if (use.match_all) put(args, "match_all", text_node("true"));
    if (!use.strict.empty())
        put(args, use.strict == kLenient ? "lenient" : "strict",
            text_node(use.strict == kLenient ? "true" : use.strict));
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

std::uint32_t shrink_of(Reading& in, const ListUse& use) {
    return use.max_shrink.value_or(in.settings().control.fetch.max_shrink);
}

ReadList& begin_list(Reading& in, const std::string& file, const Place& place, const ListUse& use) {
    ReadList list{.owner = std::string(place.owner),
                  .source = file,
                  .file = file,
                  .max_shrink = shrink_of(in, use),
                  .use = use,
                  .line = place.line};
    list.use.max_shrink = list.max_shrink;
    return in.settings().lists.emplace_back(std::move(list));
}

bool is_text(const ListUse& use) {
    return use.type != "geosite" && use.type != "geoip";
}

std::optional<Error> why_no_list(std::string_view bytes, const ListUse& use) {
    return is_text(use) ? matchers::why_no_list(bytes) : std::nullopt;
}

// The content of a copy, if it can be a list. Error: the reason alone.
Result<std::string> content_of_copy(const std::string& file, const ListUse& use) {
    auto content = Reading::read_text(file);
    if (!content) return content;
    if (auto no_list = why_no_list(*content, use)) return *std::move(no_list);
    return content;
}

std::nullopt_t refuse_list(Reading& in, const Place& place, const std::string& text) {
    in.report().error(place.line, place.name() + ": " + text);
    return std::nullopt;
}

// A copy was a list when it was fetched: what damaged it must not stop a start.
std::nullopt_t skip_damaged(Reading& in, const Place& place, ReadList& read,
                            const std::string& why) {
    read.loaded = false;
    read.is_damaged = true;
    in.report().warn(place.line, "the copy " + matchers::quoted_path(read.file) + " of " +
                                     read.source + " in " + place.name() + " cannot be " + why);
    return std::nullopt;
}

std::optional<ListBytes> read_copy(Reading& in, const Text& written, const Place& place,
                                   const ListUse& use) {
    if (use.type.empty())
        return refuse_list(
            in, place,
            "a list from a URL needs a plugin of its own: define a domain_set or ip_set with it, "
            "and write its $TAG here");
    const auto url = parse_url(written.value);
    if (!url) return refuse_list(in, place, url.error().text);
    if (in.settings().control.lists.empty())
        return refuse_list(
            in, place, "lists from URLs need a folder, but 'lists' of 'control' is off: set it");
    RemoteList& list = remote(in.settings(), *url);
    ListUse resolved = use;
    resolved.max_shrink = shrink_of(in, use);
    resolved.ready = true;  // `ready` does not change which copies are valid
    if (std::find(list.uses.begin(), list.uses.end(), resolved) == list.uses.end())
        list.uses.push_back(std::move(resolved));
    ReadList& read = begin_list(in, list.file, place, use);
    read.source = list.url;
    read.is_remote = true;
    std::error_code error;
    if (!std::filesystem::exists(list.file, error) && !error) {
        read.loaded = false;
        in.report().warn(place.line, list.url + " in " + place.name() +
                                         " has not been fetched yet: it is empty until then");
        return std::nullopt;
    }
    auto content = content_of_copy(list.file, use);
    if (!content) {
        list.is_damaged = true;
        return skip_damaged(
            in, place, read,
            "used: " + content.error().text + "; it is fetched again, and empty until then");
    }
    list.present = true;
    return ListBytes{list.file, *std::move(content)};
}

// The zone of a secondary as text.
std::optional<ListBytes> read_zone_copy(Reading& in, const Text& written, const Place& place,
                                        const ListUse& use) {
    if (use.type.empty())
        return refuse_list(
            in, place,
            "a list from a secondary needs a plugin of its own: define a domain_set with "
            "it, and write its $TAG here");
    const std::string tag = written.value.substr(1);
    const auto secondary = in.refer(tag, Wanted::secondary, place.line);
    if (!secondary) return std::nullopt;
    in.settings().listed_secondaries.push_back(*secondary);
    if (in.settings().control.lists.empty())
        return refuse_list(
            in, place,
            "the zone of a secondary needs a folder, but 'lists' of 'control' is off: "
            "set it");
    const std::string file = list_file_of(in.settings().control.lists, tag);
    ReadList& read = begin_list(in, file, place, use);
    read.source = written.value;
    read.is_remote = true;
    std::error_code error;
    if (!std::filesystem::exists(file, error) && !error) {
        read.loaded = false;
        in.report().warn(place.line, written.value + " in " + place.name() +
                                         " has not been transferred yet: it is empty until then");
        return std::nullopt;
    }
    auto content = Reading::read_text(file);
    if (!content) {
        return skip_damaged(
            in, place, read,
            "read: " + content.error().text + "; it is empty until the next transfer");
    }
    return ListBytes{file, *std::move(content)};
}

bool is_line_of(const Error& error, const std::string& file) {
    return error.file == file && error.line > 0;
}
std::string at_line(const Error& error) {
    return "line " + std::to_string(error.line) + ": " + error.text;
}
// ", beginning with line 3: ..."; empty: no line is bad.
std::string first_bad(const std::vector<Error>& warnings, const std::string& file) {
    const auto bad = std::find_if(warnings.begin(), warnings.end(),
                                  [&](const Error& e) { return is_line_of(e, file); });
    return bad == warnings.end() ? std::string{} : ", beginning with " + at_line(*bad);
}

// The reason as a sentence without the path of the copy, because people know the list by its URL.
std::optional<Error> why_not(const std::vector<Error>& errors, const std::vector<Error>& warnings,
                             const std::string& file, std::string_view type) {
    if (errors.empty()) return std::nullopt;
    if (is_line_of(errors.front(), file)) return Error{at_line(errors.front())};
    const std::string bad = first_bad(warnings, file);
    return Error{"no line of it is valid for type " + std::string(type) +
                 (bad.empty() ? ": " + errors.front().text : bad)};
}

// Regexps that are valid one by one, but take too long together, would stop every later start and reload.
std::optional<Error> why_too_costly(const Settings& settings) {
    matchers::NameMatcherBuilder builder;
    std::size_t patterns = 0;
    const auto add = [&](const std::vector<RuleAt>& rules) {
        for (const RuleAt& at : rules) {
            if (at.rule.kind != matchers::RuleKind::regexp &&
                at.rule.kind != matchers::RuleKind::keyword)
                continue;
            builder.add(0, at.rule, settings.files[at.file], at.line);
            ++patterns;
        }
    };
    for (const Plugin& plugin : settings.plugins)
        for_each_rules(plugin, add);
    if (patterns == 0) return std::nullopt;
    std::vector<Error> errors, warnings;
    builder.build(errors, warnings);
    if (errors.empty()) return std::nullopt;
    return Error{errors.front().text};
}

}  // namespace

std::size_t rules_of(const Plugin& plugin) {
    if (const auto* set = std::get_if<IpSet>(&plugin.args)) return set->prefixes.size();
    if (const auto* hosts = std::get_if<Hosts>(&plugin.args)) return hosts->rules.size();
    if (const auto* redirect = std::get_if<Redirect>(&plugin.args)) return redirect->rules.size();
    std::size_t all = 0;
    if (const auto* rpz = std::get_if<Rpz>(&plugin.args)) {
        for (const RpzZone& zone : rpz->zones)
            all += zone.rules();
    }
    if (const auto* set = std::get_if<DomainSet>(&plugin.args)) {
        for (const RuleStep& step : set->steps)
            all += step.rules.size();
    }
    return all;
}

ListUse use_of(const Plugin& plugin, const Node& args) {
    ListUse use{plugin.type, {}, {}, {}, 0, {}};
    const auto text = [&](std::string_view key) {
        const Node* const node = args.find(key);
        return node != nullptr && node->is_text() ? node->text : std::string{};
    };
    use.format = text("format");
    use.strict = text("lenient") == "true" ? std::string(kLenient) : text("strict");
    // A value that is not a number is reported with its row.
    const std::string shrink = text("max_shrink");
    std::uint32_t percent = 0;
    const auto end = std::from_chars(shrink.data(), shrink.data() + shrink.size(), percent);
    if (!shrink.empty() && end.ec == std::errc{}) use.max_shrink = percent;
    use.ready = parse_boolean(text("ready")).value_or(true);
    use.match_all = parse_boolean(text("match_all")).value_or(false);
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
    if (is_secondary(written.value)) return read_zone_copy(in, written, place, use);
    const ResolvedPath resolved = in.resolve(written.value, place.line);
    const std::string& file = resolved.text();
    begin_list(in, file, place, use);
    auto bytes = in.read_file(resolved, place);
    if (!bytes) return std::nullopt;
    if (const auto no_list = why_no_list(*bytes, use)) {
        in.report().error_in(file, 1, no_list->text);
        return std::nullopt;
    }
    return ListBytes{file, *std::move(bytes)};
}

ReadList& list_of(Reading& in, const std::string& file, const Place& place) {
    auto& lists = in.settings().lists;
    const auto known = std::find_if(lists.rbegin(), lists.rend(), [&](const ReadList& l) {
        return l.file == file && l.owner == place.owner;
    });
    if (known != lists.rend()) return *known;
    return lists.emplace_back(ReadList{
        .owner = std::string(place.owner), .source = file, .file = file, .line = place.line});
}

std::optional<std::uint32_t> read_max_shrink(Reading& in, const Node& node, const Place& place) {
    std::uint32_t percent = 0;
    if (!read_value(in, node, place, "0..100", percent)) return std::nullopt;
    return percent;
}

Result<std::size_t> check_list(const std::string& file, const ListUse& use) {
    const PluginType* const type = find_type(use.type);
    if (type == nullptr) return Error{"no plugin type '" + std::string(use.type) + "'"};
    const Node args = args_of(file, use);
    const LoadOptions options;
    Reading in("(a list)", options);  // a list is read as one that a configuration names
    // A fetched file is already within its size limit.
    in.settings().control.fetch.max_size = std::numeric_limits<std::uint64_t>::max();
    Plugin plugin;
    plugin.tag = "list";
    plugin.type = type->name;
    plugin.role = type->role;
    type->read(in, &args, plugin);
    in.settings().plugins.push_back(std::move(plugin));
    check_patterns(in);
    const auto errors = in.report().take_errors(), warnings = in.report().take_warnings();
    std::size_t rules = 0;  // the lists of an adlist are plugins of their own
    for (const Plugin& one : in.settings().plugins)
        rules += rules_of(one);
    for (const ReadList& list : in.settings().lists) {
        if (list.rules > 0 && use.strict != kLenient &&
            list.bad_lines - list.of_form > list.rules + list.left_out + list.of_form)
            return Error{std::to_string(list.bad_lines) + " of its lines are invalid and " +
                         std::to_string(list.rules) + " valid for type " + std::string(use.type) +
                         ": not a list, or a list in another format" + first_bad(warnings, file)};
    }
    if (auto why = why_not(errors, warnings, file, use.type)) return *std::move(why);
    if (use.most_rules > 0 && rules > use.most_rules)
        return Error{"it has " + std::to_string(rules) + " names, and 'max_names' allows " +
                     std::to_string(use.most_rules)};
    if (auto why = why_too_costly(in.settings())) return *std::move(why);
    if (rules == 0) return Error{"it contains no rule for a " + std::string(use.type)};
    return rules;
}

}  // namespace steer::config
