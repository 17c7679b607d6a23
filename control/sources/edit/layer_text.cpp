#include "control/sources/edit/layer_text.h"

#include <algorithm>
#include <array>
#include <utility>

#include "control/config/document.h"
#include "control/config/document_text.h"
#include "control/config/layer.h"
#include "control/config/report.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::edit {
namespace {

using config::Entry;
using config::Node;
using matchers::trimmed;

constexpr std::string_view kHead =
    "# Over the configuration: written by steerdnsd for the forms of its page and for 'steerctl\n"
    "# managed'. A change there writes it again, without other comments. docs/guides/managed.md\n";
constexpr std::array<std::string_view, 3> kSections{"routers", "policy", "mdns"};
constexpr std::string_view kForm =
    "expected plugins.TAG, routers.NAME, policy.SETTING, mdns.SETTING or http";

Result<Node> parse(const std::string& file, std::string_view text) {
    config::Report report(file);
    Node node = config::parse_document(text, report);
    auto errors = report.take_errors();
    if (!errors.empty()) return errors.front();
    return {boost::system::in_place_value, std::move(node)};
}

// A map, also of an empty text.
Result<Node> parse_layer(const std::string& file, const std::string& text) {
    auto top = parse(file, text);
    if (!top) return Error{top.error().sentence() + "; correct the file, or undo its last change"};
    if (top->is_null()) top->kind = Node::Kind::map;
    if (!top->is_map())
        return Error{file + " is no map of sections: correct the file, or undo its last change"};
    return top;
}

Node map() {
    Node out;
    out.kind = Node::Kind::map;
    return out;
}

Node text_node(std::string text) {
    Node out;
    out.kind = Node::Kind::text;
    out.text = std::move(text);
    return out;
}

// The value of a key, which is made if it is missing.
Node& at(Node& map, const std::string& key, Node::Kind kind) {
    const auto found = std::ranges::find(map.entries, key, &Entry::key);
    Node& node = found != map.entries.end() ? found->value
                                            : map.entries.emplace_back(Entry{key, 0, {}}).value;
    if (node.is_null()) node.kind = kind;
    return node;
}

void set(Node& map, const std::string& key, Node value) {
    at(map, key, value.kind) = std::move(value);
}

bool erase(Node& map, const std::string& key) {
    return std::erase_if(map.entries, [&](const Entry& e) { return e.key == key; }) > 0;
}

bool has_tag(const Node& plugin, const std::string& tag) {
    const Node* const found = plugin.find("tag");
    return found != nullptr && found->is_text() && trimmed(found->text) == tag;
}

// `value` as an item of `plugins`: its tag first.
Result<Node> plugin_of(const LayerPart& part, const Node& value) {
    if (!value.is_map())
        return Error{
            "the value of a plugin: expected a map with 'type' and 'args', or one of "
            "them, found " +
            std::string(value.what())};
    // A type that is not written is that of the configuration, where no other has these settings.
    const Node *const type = value.find("type"), *const args = value.find("args");
    for (const config::NotInLayer& setting : config::kNotInLayer) {
        const bool is_type = type == nullptr || (type->is_text() && type->text == setting.type);
        if (is_type && args != nullptr && args->find(setting.key) != nullptr)
            return Error{config::not_in_layer(setting, part.key) +
                         ": write it into the configuration itself"};
    }
    Node out = map();
    out.entries.push_back({"tag", 0, text_node(part.key)});
    for (const Entry& entry : value.entries) {
        if (entry.key != "tag") {
            out.entries.push_back(entry);
        } else if (!has_tag(value, part.key)) {
            return Error{"the value has another tag than " + matchers::quoted(part.key)};
        }
    }
    return {boost::system::in_place_value, std::move(out)};
}

Result<void> put(Node& top, const LayerPart& part, Node value) {
    if (part.section != "plugins") {
        if (part.key.empty()) {
            set(top, part.section, std::move(value));
        } else {
            set(at(top, part.section, Node::Kind::map), part.key, std::move(value));
        }
        return {};
    }
    auto plugin = plugin_of(part, value);
    if (!plugin) return plugin.error();
    Node& plugins = at(top, "plugins", Node::Kind::list);
    const auto old = std::ranges::find_if(
        plugins.items, [&](const Node& item) { return has_tag(item, part.key); });
    if (old != plugins.items.end()) {
        *old = *std::move(plugin);
    } else {
        plugins.items.push_back(*std::move(plugin));
    }
    return {};
}

// False: there is no such part.
bool remove(Node& top, const LayerPart& part) {
    if (part.key.empty()) return erase(top, part.section);
    if (top.find(part.section) == nullptr) return false;
    Node& section = at(top, part.section, Node::Kind::map);
    const bool is_removed =
        part.section == "plugins"
            ? std::erase_if(section.items,
                            [&](const Node& item) { return has_tag(item, part.key); }) > 0
            : erase(section, part.key);
    if (section.items.empty() && section.entries.empty()) erase(top, part.section);
    return is_removed;
}

std::string text_of(const Node& top) {
    std::string out(kHead);
    if (!top.entries.empty()) out += config::yaml_of(top);
    return out;
}

}  // namespace

Result<LayerPart> layer_part(std::string_view name) {
    if (name == "http") return LayerPart{"control", "http"};
    const auto dot = name.find('.');
    const std::string_view section = name.substr(0, dot);
    const std::string_view key = dot == name.npos ? std::string_view() : name.substr(dot + 1);
    const bool is_section = std::ranges::find(kSections, section) != kSections.end();
    const bool is_good = section == "plugins" ? !key.empty() : is_section && !name.ends_with('.');
    if (!is_good)
        return Error{"there is no part " + matchers::quoted(name) + ": " + std::string(kForm)};
    return LayerPart{std::string(section), std::string(key)};
}

Result<LayerChange> layer_change(const std::vector<std::string>& parts,
                                 std::vector<std::string> values) {
    LayerChange out;
    if (parts.empty()) return Error{"no part is given: " + std::string(kForm)};
    if (values.empty()) values.resize(parts.size());
    if (values.size() != parts.size())
        return Error{"give as many values as parts: an empty value removes its part"};
    for (const std::string& name : parts) {
        auto part = layer_part(name);
        if (!part) return part.error();
        out.parts.push_back(*std::move(part));
    }
    out.values = std::move(values);
    return out;
}

Result<std::string> with_change(const std::string& file, const std::string& text,
                                const LayerChange& change) {
    auto top = parse_layer(file, text);
    if (!top) return top.error();
    for (std::size_t i = 0; i < change.parts.size(); ++i) {
        const LayerPart& part = change.parts[i];
        if (trimmed(change.values[i]).empty()) {
            if (!remove(*top, part))
                return Error{file + " has no part " + matchers::quoted(part.path())};
            continue;
        }
        auto value = parse("the value of " + part.path(), change.values[i]);
        if (!value) return Error{value.error().sentence()};
        if (auto done = put(*top, part, *std::move(value)); !done) return done.error();
    }
    std::string out = text_of(*top);
    if (out.size() > config::kMaxManagedBytes)
        return Error{file + " would have more than " + std::to_string(config::kMaxManagedBytes) +
                     " bytes: put long lists into files of their own"};
    return {boost::system::in_place_value, std::move(out)};
}

std::vector<NamedPart> parts_of(const std::string& text) {
    std::vector<NamedPart> out;
    const auto top = parse_layer("managed.yaml", text);
    if (!top) return out;
    for (const Entry& section : top->entries) {
        for (const Node& item : section.value.items) {
            const Node* const tag = item.find("tag");
            if (tag != nullptr) out.push_back({"plugins." + tag->text, item});
        }
        for (const Entry& entry : section.value.entries) {
            const bool is_http = section.key == "control";
            out.push_back({is_http ? entry.key : section.key + "." + entry.key, entry.value});
        }
    }
    return out;
}

}  // namespace steer::edit
