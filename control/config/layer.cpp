#include "control/config/layer.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "control/config/placeholders.h"
#include "control/config/sections/sections.h"
#include "control/config/values.h"
#include "control/host/process/files_as.h"
#include "control/host/process/regular_file.h"
#include "matchers/content_hash.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::array<std::string_view, 5> kAllowed{"plugins", "routers", "policy", "mdns",
                                                   "control"};

std::string tag_of(const Node& plugin) {
    const Node* const tag = plugin.find("tag");
    return tag == nullptr || !tag->is_text() ? std::string() : std::string(trimmed(tag->text));
}

void add_to(matchers::ContentHash& hash, const Node& node) {
    hash.add_number(static_cast<std::uint64_t>(node.kind));
    hash.add_text(node.text);
    hash.add_number(node.items.size());
    for (const Node& item : node.items)
        add_to(hash, item);
    // The order of keys has no meaning.
    std::vector<const Entry*> entries;
    for (const Entry& entry : node.entries)
        entries.push_back(&entry);
    std::ranges::sort(entries, {},
                      [](const Entry* entry) -> const std::string& { return entry->key; });
    for (const Entry* entry : entries) {
        hash.add_text(entry->key);
        add_to(hash, entry->value);
    }
}

using Overrides = std::vector<ManagedOverride>;

void lay(Node& base, const Node& over, const std::string& path, Overrides& overrides) {
    for (const Entry& entry : over.entries) {
        const std::string here = path.empty() ? entry.key : path + "." + entry.key;
        const auto at = std::ranges::find(base.entries, entry.key, &Entry::key);
        if (at == base.entries.end()) {
            overrides.push_back({here, {}, entry.line});
            base.entries.push_back(entry);
        } else if (at->value.is_map() && entry.value.is_map()) {
            lay(at->value, entry.value, here, overrides);
        } else {
            overrides.push_back({here, hash_of(at->value), entry.line});
            at->value = entry.value;
            at->line = entry.line;
        }
    }
}

// `plugin`: of the layer, with the tag of `base`.
void lay_plugin(Node& base, const Node& plugin, Overrides& overrides) {
    const std::string path = "plugins." + tag_of(plugin);
    const Node* const type = plugin.find("type");
    const Node* const type_before = base.find("type");
    const bool is_other = type != nullptr && type->is_text() && type_before != nullptr &&
                          type_before->is_text() && type->text != type_before->text;
    if (is_other) {
        overrides.push_back({path, hash_of(base), plugin.line});
        base.entries = plugin.entries;
        return;
    }
    Node rest = plugin;
    std::erase_if(rest.entries, [](const Entry& e) { return e.key == "tag" || e.key == "type"; });
    lay(base, rest, path, overrides);
}

void check_control(Reading& in, const Node& control, int line) {
    if (control.is_null()) return;
    if (!control.is_map()) {
        in.report().error(
            line, "'control': expected a map with 'http', found " + std::string(control.what()));
        return;
    }
    for (const Entry& entry : control.entries) {
        if (entry.key != "http")
            in.report().error(entry.line, matchers::quoted(entry.key) +
                                              " of 'control' may not be in this file, only 'http': "
                                              "write it into " +
                                              matchers::quoted_path(in.settings().file));
    }
}

void check_plugins(Reading& in, const Node& plugins, int line) {
    if (plugins.is_null()) return;
    if (!plugins.is_list()) {
        in.report().error(
            line, "'plugins': expected a list of plugins, found " + std::string(plugins.what()));
        return;
    }
    std::vector<std::string> tags;
    for (const Node& plugin : plugins.items) {
        const std::string tag = tag_of(plugin);
        if (tag.empty()) {
            in.report().error(plugin.line,
                              "a plugin in this file needs a 'tag': write that of the plugin that "
                              "it changes, or a new one");
        } else if (std::ranges::find(tags, tag) != tags.end()) {
            in.report().error(plugin.line, "the tag " + matchers::quoted(tag) +
                                               " is given twice in this file: use unique tags");
        }
        tags.push_back(tag);
    }
}

void check_layer(Reading& in, const Node& top) {
    check_sections(in, top);
    for (const Entry& entry : top.entries) {
        const auto all = sections();
        const bool is_known = std::ranges::find(all, entry.key, &Section::name) != all.end();
        if (is_known && std::ranges::find(kAllowed, entry.key) == kAllowed.end())
            in.report().error(
                entry.line,
                "the section " + matchers::quoted(entry.key) +
                    " may not be in this file, only plugins, routers, policy, mdns and 'http' of "
                    "'control': write it into " +
                    matchers::quoted_path(in.settings().file));
        if (entry.key == "control") check_control(in, entry.value, entry.line);
        if (entry.key == "plugins") check_plugins(in, entry.value, entry.line);
    }
}

bool has_page(const Node& top) {
    const Node* const control = top.find("control");
    const Node* const http = control == nullptr ? nullptr : control->find("http");
    if (http == nullptr) return false;
    const std::string word = http->is_text() ? lowered(trimmed(http->text)) : std::string();
    return http->is_map() || word == "on" || word == "true";
}

std::string user_of(const Node& top) {
    const Node* const control = top.find("control");
    const Node* const user = control == nullptr ? nullptr : control->find("user");
    return user == nullptr || !user->is_text() ? std::string() : std::string(trimmed(user->text));
}

// Removes what the layer may not have of this type.
void leave_out(Node& plugin, std::string_view type, Reading& in) {
    const auto args = std::ranges::find(plugin.entries, "args", &Entry::key);
    if (args == plugin.entries.end()) return;
    for (const NotInLayer& setting : kNotInLayer) {
        auto& entries = args->value.entries;
        const auto at = std::ranges::find(entries, setting.key, &Entry::key);
        if (setting.type != type || at == entries.end()) continue;
        const std::string text = not_in_layer(setting, tag_of(plugin)) +
                                 ", and is left out: write it into " +
                                 matchers::quoted_path(in.settings().file);
        in.report().warn(at->line, text);
        in.settings().managed.left_out.push_back(in.settings().error(at->line, text).sentence());
        entries.erase(at);
    }
}

std::string_view type_of(const Node& plugin) {
    const Node* const type = plugin.find("type");
    return type == nullptr || !type->is_text() ? std::string_view() : trimmed(type->text);
}

}  // namespace

std::string not_in_layer(const NotInLayer& setting, std::string_view tag) {
    return "'" + std::string(setting.key) + "' of " + std::string(setting.type) + " '" +
           std::string(tag) + "' may not be in the layer over the configuration";
}

Result<std::optional<std::string>> read_managed(const std::string& file) {
    const Descriptor fd = open_regular(file, O_NOFOLLOW);
    if (fd.get() < 0) {
        if (errno == ENOENT) return std::optional<std::string>{};
        if (errno == ELOOP) return Error{"it is a link: put the file itself there"};
        if (errno == EACCES)
            return Error{"Permission denied: it must belong to the daemon's user ('chown' it)"};
        return Error{why_not_open(errno)};
    }
    struct stat is {};
    if (::fstat(fd.get(), &is) != 0) return Error{std::strerror(errno)};
    if (is.st_uid != 0 && is.st_uid != FilesAs::uid())
        return Error{"it belongs to another user: 'chown' it to the daemon's user"};
    const auto size = static_cast<std::size_t>(is.st_size);
    if (size > kMaxManagedBytes)
        return Error{"it has more than " + std::to_string(kMaxManagedBytes) +
                     " bytes: shorten it; lists belong into files of their own"};
    std::string text(size, '\0');
    errno = 0;
    if (!read_fully(fd.get(), text.data(), text.size()))
        return Error{errno == 0 ? "it became shorter: try again" : std::strerror(errno)};
    return {boost::system::in_place_value, std::optional<std::string>(std::move(text))};
}

std::string hash_of(const Node& node) {
    matchers::ContentHash hash;
    add_to(hash, node);
    return hash.hex();
}

Result<Node> merged_document(const std::string& path, LoadOptions options) {
    options.keeps_placeholders = true;
    Reading in(path, options);
    const auto text = in.source_text(path);
    if (!text) return Error{text.error().text, path};
    Node top = parse_document(*text, in.report());
    if (top.is_map()) {
        Layer layer = Layer::read(in, top);
        layer.lay_over_sections(top, in.settings());
        if (auto plugins = take_plugins(top, in)) {
            layer.lay_over_plugins(*plugins, in);
            std::erase_if(top.entries, [](const Entry& e) { return e.key == "plugins"; });
            top.entries.push_back({"plugins", plugins->line, *std::move(plugins)});
        }
    }
    auto errors = in.report().take_errors();
    if (!errors.empty()) return errors.front();
    return {boost::system::in_place_value, std::move(top)};
}

ManagedPlace managed_place(Reading& in, std::string_view text, int line) {
    ManagedPlace out;
    const std::string word = lowered(text);
    if (word == "on") {
        out.use = ManagedPlace::Use::on;
    } else if (word == "off") {
        out.use = ManagedPlace::Use::off;
    } else if (word != "auto") {
        out.use = ManagedPlace::Use::on;
        out.file = in.resolve(text, line);
    }
    return out;
}

ManagedPlace managed_place(Reading& in, const Node& top) {
    const Node* const control = top.find("control");
    const Node* const managed = control == nullptr ? nullptr : control->find("managed");
    ManagedPlace place;
    if (managed != nullptr && managed->is_text())
        place = managed_place(in, managed->text, managed->line);
    if (place.use == ManagedPlace::Use::with_page)
        place.use = has_page(top) ? ManagedPlace::Use::on : ManagedPlace::Use::off;
    return place;
}

Layer Layer::read(Reading& in, const Node& top) {
    Layer out;
    const ManagedOptions& how = in.managed();
    if (!how.is_on) return out;
    const ManagedPlace place = managed_place(in, top);
    if (place.use == ManagedPlace::Use::off) return out;
    Settings& settings = in.settings();
    settings.managed.file = place.file;
    settings.named.push_back(place.file);
    bool has_file = false;
    std::optional<std::string> text = in.layer_text(place.file, has_file);
    if (!text && !has_file) return out;
    const auto refuse = [&](const std::string& why) {
        in.report().error_in(place.file, 0, "the layer over the configuration is not read: " + why);
        return Layer();
    };
    std::error_code error;
    if (!text && !std::filesystem::exists(std::filesystem::symlink_status(place.file, error))) {
        if (error && error != std::errc::no_such_file_or_directory)
            in.report().warn_in(place.file, 0,
                                "this layer over the configuration is left out: " +
                                    error.message() + "; check it as root");
        return out;
    }
    if (how.as_user) {
        auto rights = how.as_user(user_of(top));
        if (!rights) return refuse(rights.error().text);
        out.rights_ = *std::move(rights);
    }
    if (!text) {
        auto content = read_managed(place.file);
        if (!content) return refuse(content.error().text);
        if (!*content) return out;
        text = **std::move(content);
    }
    settings.managed.is_used = true;
    settings.texts[place.file] = *text;
    settings.included.push_back(place.file);
    in.report().add_source(place.file);
    in.set_layer(settings.included.size(),
                 std::filesystem::path(place.file).parent_path().string());
    const int before = static_cast<int>(settings.included.size()) * kLinesPerSource;
    const std::size_t errors = in.report().error_count();
    Node layer = parse_document(*text, in.report(), before);
    if (in.report().error_count() > errors || layer.is_null()) return out;
    if (!layer.is_map()) {
        in.report().error(std::max(layer.line, before + 1),
                          "expected a map with 'plugins', 'routers', 'policy', 'mdns' or "
                          "'control', found " +
                              std::string(layer.what()));
        return out;
    }
    expand_placeholders(layer, in);
    check_layer(in, layer);
    if (in.report().error_count() == errors) out.top_ = std::move(layer);
    return out;
}

void Layer::lay_over_sections(Node& top, Settings& settings) {
    for (const Entry& entry : top_.entries) {
        if (entry.key == "plugins" || entry.value.is_null()) continue;
        Node alone;
        alone.kind = Node::Kind::map;
        alone.entries.push_back(entry);
        lay(top, alone, {}, settings.managed.overrides);
    }
}

void Layer::lay_over_plugins(Node& list, Reading& in) {
    const Node* const plugins = top_.find("plugins");
    if (plugins == nullptr) return;
    for (Node plugin : plugins->items) {
        const std::string tag = tag_of(plugin);
        const auto at = std::ranges::find(list.items, tag, tag_of);
        const std::string_view own = type_of(plugin);
        leave_out(plugin, own.empty() && at != list.items.end() ? type_of(*at) : own, in);
        if (at != list.items.end()) {
            lay_plugin(*at, plugin, in.settings().managed.overrides);
        } else if (const Node* const type = plugin.find("type");
                   type == nullptr || type->is_null()) {
            in.report().error(plugin.line,
                              "the configuration has no plugin " + matchers::quoted(tag) +
                                  " to change: write a 'type' to add one, or remove this");
        } else {
            in.settings().managed.overrides.push_back({"plugins." + tag, {}, plugin.line});
            list.items.push_back(plugin);
        }
    }
}

}  // namespace steer::config
