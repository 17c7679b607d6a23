#include "control/config/reading.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "control/config/values.h"
#include "control/host/process/files_as.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

// Of resolve(), after a reported error: no file has this name.
constexpr std::string_view kRefusedPath("\0", 1);

std::string_view article(std::string_view noun) {
    return std::string_view("aeio").find(noun.front()) == std::string_view::npos ? "a " : "an ";
}

std::string_view word_for(Wanted wanted) {
    switch (wanted) {
        case Wanted::domain_set:
            return "a domain_set";
        case Wanted::ip_set:
            return "an ip_set";
        case Wanted::provider:
            return "a provider";
        case Wanted::secondary:
            return "a secondary";
        case Wanted::matcher:
            return "a matcher";
        case Wanted::executor:
            return "an executor";
    }
    return "";
}

constexpr std::string_view kSecondary = "secondary";  // a zone: no set

// Of a provider: it is a set of addresses, not of names.
bool holds_addresses(std::string_view type) {
    return type == "ip_set" || type == "geoip" || type == "ros_list";
}

bool fits(const Reading::Declared& what, Wanted wanted) {
    switch (wanted) {
        case Wanted::domain_set:
            return what.role == Role::provider && !holds_addresses(what.type) &&
                   what.type != kSecondary;
        case Wanted::ip_set:
            return what.role == Role::provider && holds_addresses(what.type);
        case Wanted::provider:
            return what.role == Role::provider && what.type != kSecondary;
        case Wanted::secondary:
            return what.type == kSecondary;
        case Wanted::matcher:
            return what.role == Role::matcher;
        case Wanted::executor:
            return what.role == Role::executor;
    }
    return false;
}

}  // namespace

Reading::Reading(std::string file, const LoadOptions& options) : report_(file), options_(options) {
    base_dir_ = options.base_dir;
    if (base_dir_.empty()) base_dir_ = std::filesystem::path(file).parent_path().string();
    settings_.file = file;
    settings_.files.push_back(std::move(file));
}

void Reading::set_layer(std::size_t source, std::string folder) {
    layer_source_ = source;
    layer_folder_ = std::move(folder);
}

std::optional<std::string> Reading::layer_text(const std::string& file, bool& has_file) const {
    has_file = false;
    if (options_.managed.text) return options_.managed.text;
    if (options_.texts != nullptr) {
        if (const auto known = options_.texts->find(file); known != options_.texts->end())
            return std::string(known->second.text());
        // The texts of a configuration without a layer.
        if (options_.texts->contains(settings_.file)) return std::nullopt;
    }
    has_file = options_.managed.has_file;
    return std::nullopt;
}

std::string Reading::path_in_layer(std::string_view path) const {
    std::string whole = (std::filesystem::path(layer_folder_) / path).lexically_normal().string();
    return whole.starts_with(layer_folder_ + "/") ? whole : std::string();
}

bool Reading::leaves_layer(std::string_view path, int line) const {
    return layer_source_ != 0 && config::source_of(line) == layer_source_ &&
           path_in_layer(path).empty();
}

ResolvedPath Reading::resolve_in_layer(std::string_view path, int line) {
    if (std::string whole = path_in_layer(path); !whole.empty()) {
        settings_.named.push_back(whole);
        return ResolvedPath(std::move(whole));
    }
    report_.error(line, "the file " + matchers::quoted_path(std::string(path)) + " is outside of " +
                            layer_folder_ + ": put it there, or name it in " +
                            matchers::quoted_path(report_.file()));
    return ResolvedPath(std::string(kRefusedPath));
}

ResolvedPath Reading::resolve(std::string_view path, int line) {
    if (layer_source_ != 0 && config::source_of(line) == layer_source_)
        return resolve_in_layer(path, line);
    const std::filesystem::path given(path);
    const bool is_whole = given.is_absolute() || base_dir_.empty();
    std::string whole =
        is_whole ? given.string()
                 : (std::filesystem::path(base_dir_) / given).lexically_normal().string();
    settings_.named.push_back(whole);
    return ResolvedPath(std::move(whole));
}

Result<std::string> Reading::read_text(const std::string& path, bool or_pipe) {
    if (path.empty() || path.find('\0') != std::string::npos) return Error{"not a path"};
    const RootToRead files(path);
    std::error_code status;
    const auto kind = std::filesystem::status(path, status).type();
    if (status) return Error{status.message()};
    const bool pipe = or_pipe && kind == std::filesystem::file_type::fifo;
    if (kind != std::filesystem::file_type::regular && !pipe) {
        return Error{"not a regular file"};
    }
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in) return Error{std::strerror(errno)};
    std::string content{std::istreambuf_iterator<char>(in), {}};
    if (in.bad()) return Error{std::strerror(errno)};
    return {boost::system::in_place_value, std::move(content)};
}

Result<std::string> Reading::source_text(const std::string& path) {
    if (options_.texts != nullptr) {
        if (const auto known = options_.texts->find(path); known != options_.texts->end()) {
            settings_.texts[path] = known->second;
            return {boost::system::in_place_value, std::string(known->second.text())};
        }
    }
    FilesAs::note_source(path);
    auto text = read_text(path, path == settings_.file);
    if (text) settings_.texts[path] = *text;
    return text;
}

std::optional<std::string> Reading::read_file(const ResolvedPath& resolved, const Place& place) {
    const std::string& path = resolved.text();
    if (path == kRefusedPath) return std::nullopt;
    settings_.opened.push_back(path);
    auto content = read_text(path);
    if (content) return *std::move(content);
    std::string text = "the file " + matchers::quoted_path(path) + " in " + place.name() +
                       " cannot be read: " + content.error().text;
    std::error_code error;
    if (std::filesystem::exists(path, error)) {
        report_.error(place.line, std::move(text));
    } else {
        absent_.push_back({path, std::move(text), place.line});
    }
    return std::nullopt;
}

void Reading::note_secret(int line, std::string what, std::string file) {
    if (file.empty()) file = settings_.error(line, {}).file;
    settings_.secrets.push_back({std::move(file), std::move(what), line});
}

void Reading::report_absent() {
    const auto is_fetched = [this](const std::string& file) {
        const auto path = std::filesystem::path(file).lexically_normal();
        return std::ranges::any_of(settings_.plugins, [&](const Plugin& plugin) {
            const auto* const download = std::get_if<Download>(&plugin.args);
            return download != nullptr && download->startup_if_missing &&
                   std::ranges::any_of(download->items, [&](const DownloadItem& item) {
                       return std::filesystem::path(item.file).lexically_normal() == path;
                   });
        });
    };
    for (Absent& absent : std::exchange(absent_, {})) {
        // The download warns about it.
        if (options_.downloads_tried || !is_fetched(absent.file))
            report_.error(absent.line, std::move(absent.text));
    }
}

void Reading::make_picks() {
    for (const UpstreamPick& pick : std::exchange(picks_, {})) {
        const Plugin& of = settings_.plugin(pick.of);
        const auto* const forward = std::get_if<Forward>(&of.args);
        if (forward == nullptr) continue;  // what is wrong with it was reported
        Forward made = *forward;
        made.picked_from = pick.of;
        made.upstreams.clear();
        for (const std::string& tag : pick.tags) {
            const auto at = std::ranges::find(forward->upstreams, tag, &UpstreamSettings::tag);
            if (at != forward->upstreams.end()) {
                made.upstreams.push_back(*at);
            } else {
                report_.error(pick.line, "'$" + of.tag + "' has no upstream with the tag " +
                                             matchers::quoted(tag));
            }
        }
        settings_.plugins[pick.made].args = std::move(made);
    }
}

std::uint32_t Reading::file_number(const std::string& path) {
    auto& files = settings_.files;
    const auto at = std::find(files.begin(), files.end(), path);
    const auto number = static_cast<std::uint32_t>(at - files.begin());
    if (at == files.end()) files.push_back(path);
    return number;
}

std::optional<std::string> Reading::environment(const std::string& name) const {
    if (options_.environment) return options_.environment(name);
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

const Reading::Declared* Reading::find_tag(std::string_view tag) const {
    const auto at = declared_.find(tag);
    return at == declared_.end() ? nullptr : &at->second;
}

std::optional<PluginIndex> Reading::refer(std::string_view tag, Wanted wanted, int line) {
    const Declared* what = find_tag(tag);
    if (what == nullptr) {
        std::vector<std::string_view> tags;
        for (const auto& [known, declared] : declared_) {
            if (fits(declared, wanted)) tags.push_back(known);
        }
        const std::string hint = did_you_mean(tag, tags);
        report_.error(
            line,
            "there is no plugin " + matchers::quoted(tag) +
                (hint.empty() ? ", expected the tag of " + std::string(word_for(wanted)) : hint));
        return std::nullopt;
    }
    if (!what->role) return std::nullopt;  // of an unknown type, which was reported already
    if (!fits(*what, wanted)) {
        std::string text = matchers::quoted(tag) + " is " + std::string(article(what->type)) +
                           what->type + ", expected " + std::string(word_for(wanted));
        if (wanted == Wanted::matcher && what->role == Role::provider && what->type != kSecondary) {
            text += std::string(": write '") +
                    (holds_addresses(what->type) ? "client_ip" : "qname") + " $" +
                    std::string(tag) + "'";
        }
        report_.error(line, std::move(text));
        return std::nullopt;
    }
    if (what->left_out) {
        report_.error(line, matchers::quoted(tag) + " is " + std::string(article(what->type)) +
                                what->type + ", which does nothing here: name another executor");
        return std::nullopt;
    }
    if (!what->readable) return std::nullopt;
    return what->index;
}

std::optional<PluginIndex> Reading::refer_bare(std::string_view tag, Wanted wanted,
                                               const Place& place) {
    if (tag.starts_with('$') && find_tag(tag) == nullptr) {
        tag.remove_prefix(1);
        report_.warn(place.line, place.name() + " takes a bare tag: write " +
                                     matchers::quoted(tag) + " without '$'");
    }
    return refer(tag, wanted, place.line);
}

PluginIndex Reading::add_in_place(Plugin plugin) {
    plugin.in_place = true;
    const std::string wished = plugin.tag;
    for (int n = 2; find_tag(plugin.tag) != nullptr; ++n)
        plugin.tag = wished + "-" + std::to_string(n);
    settings_.plugins.push_back(std::move(plugin));
    return static_cast<PluginIndex>(settings_.plugins.size() - 1);
}

RouterIndex Reading::add_router(Router router) {
    auto& routers = settings_.routers;
    const auto same_access = [](const Router& a, const Router& b) {
        return a.host == b.host && a.port == b.port && a.username == b.username &&
               a.password == b.password && a.tls == b.tls && a.tls_ca == b.tls_ca &&
               a.tls_pin == b.tls_pin && a.tls_anonymous == b.tls_anonymous &&
               a.connect_timeout == b.connect_timeout && a.send_timeout == b.send_timeout &&
               a.receive_timeout == b.receive_timeout && a.cpu_percent == b.cpu_percent &&
               a.scripts == b.scripts && a.repair_connections == b.repair_connections;
    };
    std::string name = router.name;
    int other = 1;
    for (std::size_t i = 0; i < routers.size(); ++i) {
        if (same_access(routers[i], router)) return static_cast<RouterIndex>(i);
        if (routers[i].name == name) name = router.name + "#" + std::to_string(++other);
    }
    router.name = std::move(name);
    routers.push_back(std::move(router));
    return static_cast<RouterIndex>(routers.size() - 1);
}

std::string found(const Node& node) {
    return node.is_text() ? " is " + matchers::quoted(node.text) + ": "
                          : ": found " + std::string(node.what()) + ", ";
}

std::vector<Text> read_texts(Reading& in, const Node& node, const Place& place) {
    std::vector<Text> out;
    if (!node.is_list()) {
        in.report().error(
            place.line,
            place.name() + ": expected a list, found " + std::string(node.what()) +
                (node.is_text() ? "; write [" + matchers::quoted(node.text) + "]" : ""));
        return out;
    }
    for (const Node& item : node.items) {
        if (item.is_text() && !trimmed(item.text).empty()) {
            out.push_back({std::string(trimmed(item.text)), item.line});
        } else {
            in.report().error(item.line,
                              "an item of " + place.name() + ": expected text, found " +
                                  (item.is_text() ? "nothing" : std::string(item.what())));
        }
    }
    return out;
}

std::vector<matchers::Prefix> read_prefixes(Reading& in, const Node& node, const Place& place) {
    std::vector<matchers::Prefix> out;
    for (const Text& item : read_texts(in, node, place)) {
        if (auto prefix = matchers::Prefix::parse(item.value)) {
            out.push_back(*prefix);
        } else {
            in.report().error(
                item.line, matchers::quoted(item.value) + " in " + place.name() +
                               " is not an address or prefix: expected one such as 192.0.2.0/24 or "
                               "2001:db8::/32");
        }
    }
    return out;
}

std::optional<Endpoint> read_endpoint(Reading& in, const Node& node, const Place& place) {
    auto endpoint = node.is_text() ? parse_endpoint(trimmed(node.text)) : std::nullopt;
    if (!endpoint) {
        in.report().error(
            place.line,
            place.name() +
                (node.is_text() ? " is " + matchers::quoted(node.text) + ": "
                                : ": found " + std::string(node.what()) + ", ") +
                "expected an IP address and a port such as 127.0.0.1:53, [::1]:53, or :53 for all "
                "addresses");
        return std::nullopt;
    }
    endpoint->line = place.line;
    return endpoint;
}

}  // namespace steer::config
