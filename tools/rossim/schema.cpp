#include "tools/rossim/schema.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <stdexcept>

namespace rossim {

std::string_view built_in_schema_text();
std::string_view built_in_manual_text();

namespace {

using Menus = std::map<std::string, SchemaMenu, std::less<>>;

// "7.16.2"
Version read_version(std::string_view text) {
    int parts[3] = {0, 0, 0};
    const char* at = text.data();
    const char* const end = at + text.size();
    for (int& part : parts) {
        at = std::from_chars(at, end, part).ptr;
        if (at == end) break;
        ++at;  // the dot
    }
    return {parts[0], parts[1], parts[2]};
}

std::string_view text_of(const boost::json::value& value) {
    return value.as_string();
}

struct Tree {
    std::vector<Version> versions;  // the oldest first
    std::vector<std::string> names;
    Menus menus;
    std::map<std::string, VersionSet, std::less<>> others;

    Tree();

  private:
    VersionSet all() const { return (VersionSet{1} << versions.size()) - 1; }
    VersionSet span(const boost::json::array& ends) const;
    VersionSet spans(const boost::json::array& list) const;
    VersionSet versions_of(const boost::json::object& entry, std::string_view key,
                           VersionSet whole) const;
    SchemaCommand read_command(const boost::json::object& from, VersionSet whole) const;
    SchemaMenu read_menu(const boost::json::object& from) const;
};

// From the first to the last of two names.
VersionSet Tree::span(const boost::json::array& ends) const {
    const auto at = [this](const boost::json::value& name) {
        const auto it = std::find(names.begin(), names.end(), text_of(name));
        if (it == names.end())
            throw std::runtime_error("schema.json: a version that it does not list");
        return it - names.begin();
    };
    const VersionSet up_to_last = (VersionSet{2} << at(ends.at(1))) - 1;
    const VersionSet before_first = (VersionSet{1} << at(ends.at(0))) - 1;
    return up_to_last & ~before_first;
}

// One span, or a list of them.
VersionSet Tree::spans(const boost::json::array& list) const {
    if (list.empty()) return all();
    if (list[0].is_string()) return span(list);
    VersionSet versions_found = 0;
    for (const auto& one : list)
        versions_found |= span(one.as_array());
    return versions_found;
}

VersionSet Tree::versions_of(const boost::json::object& entry, std::string_view key,
                             VersionSet whole) const {
    const auto* const list = entry.if_contains(key);
    return list != nullptr ? spans(list->as_array()) & whole : whole;
}

SchemaCommand Tree::read_command(const boost::json::object& from, VersionSet whole) const {
    SchemaCommand command;
    command.versions = versions_of(from, "_versions", whole);
    for (const auto& [name, value] : from) {
        if (name.starts_with('_')) continue;
        SchemaArgument& argument = command.arguments[name];
        argument.versions = versions_of(value.as_object(), "versions", command.versions);
        if (const auto* const values = value.as_object().if_contains("values")) {
            for (const auto& one : values->as_array())
                argument.values.emplace_back(text_of(one));
        }
    }
    return command;
}

SchemaMenu Tree::read_menu(const boost::json::object& from) const {
    SchemaMenu menu;
    menu.versions = versions_of(from, "_versions", all());
    menu.needs_switch_chip = from.contains("_switch_chip");
    for (const auto& [name, value] : from) {
        if (name == "_required") {
            for (const auto& one : value.as_array())
                menu.required.emplace_back(text_of(one));
        } else if (!name.starts_with('_')) {
            menu.commands[name] = read_command(value.as_object(), menu.versions);
        }
    }
    return menu;
}

Tree::Tree() {
    const boost::json::value root = boost::json::parse(built_in_schema_text());
    for (const auto& name : root.at("_versions").as_array()) {
        names.emplace_back(text_of(name));
        versions.push_back(read_version(names.back()));
    }
    for (const auto& [path, menu] : root.at("menus").as_object())
        menus[path] = read_menu(menu.as_object());
    for (const auto& [path, list] : root.at("other_menus").as_object())
        others[path] = spans(list.as_array());
    const boost::json::value manual = boost::json::parse(built_in_manual_text());
    for (const auto& [path, menu] : manual.at("menus").as_object())
        menus[path] = read_menu(menu.as_object());
}

const Tree& tree() {
    static const Tree kTree;
    return kTree;
}

}  // namespace

bool SchemaArgument::is_flag() const {
    return values.size() == 2 && values[0] == "no" && values[1] == "yes";
}

Schema::Schema(Version version, bool has_switch_chip) : has_switch_chip_(has_switch_chip) {
    // A minor release is listed once: 7.16.0 is taken for the listed 7.16.2.
    const auto& all = tree().versions;
    const auto later = std::find_if(all.begin(), all.end(), [version](const Version& listed) {
        return std::pair(listed.major, listed.minor) > std::pair(version.major, version.minor);
    });
    const auto index = later == all.begin() ? 0 : later - all.begin() - 1;
    mine_ = VersionSet{1} << index;
}

const Menus& Schema::menus() {
    return tree().menus;
}

const SchemaMenu* Schema::menu(std::string_view path) const {
    const auto it = menus().find(path);
    return it != menus().end() && has(it->second) ? &it->second : nullptr;
}

const SchemaCommand* Schema::command(std::string_view path, std::string_view name) const {
    const SchemaMenu* const in = menu(path);
    if (in == nullptr) return nullptr;
    const auto it = in->commands.find(name);
    return it != in->commands.end() && has(it->second.versions) ? &it->second : nullptr;
}

const SchemaArgument* Schema::argument(std::string_view path, std::string_view command_name,
                                       std::string_view name) const {
    const SchemaCommand* const in = command(path, command_name);
    if (in == nullptr) return nullptr;
    const auto it = in->arguments.find(name);
    return it != in->arguments.end() && has(it->second.versions) ? &it->second : nullptr;
}

bool Schema::has_menu_below(std::string_view path) const {
    for (auto it = menus().lower_bound(path); it != menus().end(); ++it) {
        const std::string_view full = it->first;
        if (!full.starts_with(path)) return false;
        if ((full.size() == path.size() || full[path.size()] == '/') && has(it->second))
            return true;
    }
    return false;
}

bool Schema::is_path_only(std::string_view path) const {
    const auto it = tree().others.find(path);
    return it != tree().others.end() && has(it->second);
}

}  // namespace rossim
