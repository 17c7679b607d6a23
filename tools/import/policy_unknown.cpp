#include "tools/import/policy_unknown.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "matchers/predecessors.h"
#include "tools/import/known_keys.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr std::array<std::string_view, 7> kRuleWords{"accept", "return", "reject", "drop",
                                                     "mark",   "jump",   "goto"};
// Keys whose value is a tag without '$'.
constexpr std::array<std::string_view, 3> kKeysOfTags{"primary", "secondary", "entry"};

template <class List>
bool has_word(const List& list, std::string_view word) {
    return std::ranges::find(list, word) != list.end();
}

std::string_view without_dollar(std::string_view word) {
    return word.starts_with('$') ? word.substr(1) : word;
}

std::string_view first_word_of(std::string_view words) {
    return words.substr(0, words.find(' '));
}

// The name of a part's table.
std::string part_of(std::string_view type, std::string_view key, bool is_list) {
    if (key == "ipv6") return std::string(type) + ".ipv4";
    return std::string(type).append(".").append(key).append(is_list ? "[]" : "");
}

}  // namespace

PolicyUnknown::PolicyUnknown(const Tree* plugins) {
    if (plugins == nullptr || !plugins->is_list()) return;
    std::map<std::string, int> counts;
    std::vector<std::pair<std::string, const Tree*>> named;
    for (const Tree& plugin : plugins->items) {
        if (!plugin.is_map()) continue;
        const std::string type(plugin.get("type"));
        std::string tag(plugin.get("tag"));
        // As our parser names it.
        if (tag.empty()) tag = type + "_" + std::to_string(++counts[type]);
        tags_.insert(tag);
        if (!is_plugin_type(type)) gone_.insert(tag);
        named.emplace_back(std::move(tag), &plugin);
    }
    bool is_new = !gone_.empty();
    while (is_new) {
        is_new = false;
        for (const auto& [tag, plugin] : named) {
            if (!is_gone(tag) && !needs(*plugin).empty()) is_new |= gone_.insert(tag).second;
        }
    }
}

bool PolicyUnknown::is_gone(std::string_view tag) const {
    return gone_.contains(tag);
}

std::string PolicyUnknown::needs(const Tree& plugin) const {
    const Tree* const args = plugin.find("args");
    if (args == nullptr) return {};
    if (plugin.get("type") == "any_match") {
        for (const Tree& item : args->items) {
            if (!why_no_match(item.text).empty()) return in_quotes(item.text);
        }
    }
    for (const auto& [key, value] : args->entries) {
        const bool is_tag = value.text.starts_with('$') || has_word(kKeysOfTags, key);
        if (is_tag && is_gone(without_dollar(value.text)))
            return in_quotes(without_dollar(value.text));
    }
    return {};
}

std::string PolicyUnknown::why_no_plugin(const Tree& plugin) const {
    const std::string_view type = plugin.get("type");
    if (type.empty()) return "it has no 'type'";
    if (!is_plugin_type(type)) return "there is no plugin type " + in_quotes(type);
    const std::string other = needs(plugin);
    return other.empty() ? other : "it needs " + other + ", which is not imported";
}

std::string PolicyUnknown::why_no_exec(std::string_view words) const {
    const std::string_view first = first_word_of(words);
    const std::string_view tag = without_dollar(
        first == "jump" || first == "goto" ? trimmed(words.substr(first.size())) : first);
    if (is_gone(tag)) return in_quotes(tag) + " is not imported";
    const bool is_known = first.starts_with('$') || has_word(kRuleWords, first) ||
                          is_known_type(first, KnownRole::executor) || tags_.contains(first) ||
                          predecessors::find_type(first) != nullptr;
    return is_known ? std::string() : "there is no executor " + in_quotes(first);
}

std::string PolicyUnknown::why_no_match(std::string_view words) const {
    words = trimmed(words);
    while (words.starts_with('!'))
        words = trimmed(words.substr(1));
    const std::string_view first = first_word_of(words);
    const bool is_known =
        first.starts_with('$') || is_known_type(first, KnownRole::matcher) || tags_.contains(first);
    if (!is_known) return "there is no matcher " + in_quotes(first);
    for (const std::string& word : split(words, ' ')) {
        const bool is_tag = word.starts_with('$') || word == first;
        if (is_tag && is_gone(without_dollar(word)))
            return in_quotes(without_dollar(word)) + " is not imported";
    }
    return {};
}

std::string PolicyUnknown::why_no_matches(const Tree& rule) const {
    const Tree* const matches = rule.find("matches");
    if (matches == nullptr) return {};
    if (matches->is_text() && !matches->text.empty()) return why_no_match(matches->text);
    for (const Tree& item : matches->items) {
        if (std::string why = why_no_match(item.text); !why.empty()) return why;
    }
    return {};
}

void PolicyUnknown::clean(Tree& map, std::string_view where, const std::string& owner,
                          const NoteTo& note) const {
    if (!map.is_map() || !has_known_keys(where)) return;
    std::erase_if(map.entries, [&](const Tree::Entry& entry) {
        if (is_known_key(where, entry.first)) return false;
        note(entry.second.line, in_quotes(entry.first) + " of " + owner +
                                    " is not imported: there is no such setting");
        return true;
    });
}

void PolicyUnknown::clean_list(Tree& list, std::string_view key, const std::string& owner,
                               const NoteTo& note) const {
    std::erase_if(list.items, [&](const Tree& item) {
        const std::string_view text = item.is_map() ? item.get("exec") : item.text;
        const bool is_tag = text.starts_with('$') || key == "sets" || item.is_map();
        if (!is_tag || !is_gone(without_dollar(text))) return false;
        note(item.line, in_quotes(text) + " in " + in_quotes(key) + " of " + owner +
                            " is not imported: this plugin is not imported");
        return true;
    });
}

void PolicyUnknown::clean_args(Tree& args, std::string_view type, const std::string& owner,
                               const NoteTo& note) const {
    if (args.is_list() && type != "sequence") clean_list(args, "args", owner, note);
    clean(args, type, owner, note);
    for (auto& [key, value] : args.entries) {
        if (value.is_list()) clean_list(value, key, owner, note);
        const std::string where = part_of(type, key, value.is_list());
        std::string part = in_quotes(key);
        part.append(" of ").append(owner);
        clean(value, where, part, note);
        for (Tree& item : value.items)
            clean(item, where, part, note);
    }
}

}  // namespace steer::importing
