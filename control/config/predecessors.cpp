#include "control/config/predecessors.h"

#include <algorithm>
#include <array>

#include "control/config/plugin_type.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

// Types of mosdns v4 and mosdns-x that v5 does not have.
constexpr std::string_view kTypesOfV4[] = {
    "fast_forward", "query_matcher", "response_matcher", "blackhole",      "_block",        "_pass",
    "bufsize",      "padding",       "edns0_filter",     "query_is_edns0", "client_limiter"};

constexpr std::string_view kOthersWithKeys[] = {"upstream", "download", "job", "log"};

// "upstream" of "upstream 2 of forward 'main'", "cache" of "cache 'main'", "log" of "'log'".
std::string_view first_word(std::string_view owner) {
    if (owner.starts_with('\'')) {
        owner.remove_prefix(1);
        return owner.substr(0, owner.find('\''));
    }
    return owner.substr(0, owner.find(' '));
}

bool says_nothing(const Node& node) {
    if (node.is_null()) return true;
    if (node.is_text())
        return node.text.empty() || node.text == "0" || lowered(node.text) == "false";
    return node.is_list() ? node.items.empty() : node.entries.empty();
}

bool is_secret_or_address(std::string_view key) {
    return key == "username" || key == "address" || key.starts_with("password");
}

// An empty text declines what a profile of `network.outbound` would set.
bool declines_by_empty_text(const Entry& entry) {
    return entry.value.is_text() && entry.value.text.empty() &&
           (entry.key == "socks5" || entry.key == "bootstrap");
}

}  // namespace

void report_type(Reading& in, const PredecessorType& type, int line, const std::string& where) {
    const std::string name = std::string(type.name) + " " + where;
    if (type.fate == PredecessorType::Fate::refused) {
        in.report().error(line, name + " is not supported: " + std::string(type.text));
    } else {
        in.report().warn(line, name + " has no effect here: " + std::string(type.text));
    }
}

bool take_predecessor_key(Reading& in, const Entry& entry, std::string_view owner) {
    const auto* const row =
        predecessors::find_key(first_word(owner), entry.key, predecessors::kNone);
    if (row == nullptr) return false;
    if (!says_nothing(entry.value)) {
        in.report().warn(entry.line, Place{entry.key, owner, entry.line}.name() +
                                         " has no effect here: " + std::string(row->text));
    }
    return true;
}

bool counts_as_absent(Reading& in, const Entry& entry, std::string_view owner) {
    const std::string_view where = first_word(owner);
    const bool of_theirs =
        find_type(where) != nullptr || std::ranges::count(kOthersWithKeys, where) > 0;
    if (!of_theirs || is_secret_or_address(entry.key)) return false;
    const auto name = [&] { return Place{entry.key, owner, entry.line}.name(); };
    if (declines_by_empty_text(entry)) return false;
    if (entry.value.is_null() || (entry.value.is_text() && entry.value.text.empty())) {
        in.report().warn(entry.line,
                         name() + " is empty and is ignored: remove it, or write a value");
        return true;
    }
    if (entry.value.is_text() && entry.value.text == "0" &&
        predecessors::find_key(where, entry.key, predecessors::kZero) != nullptr) {
        in.report().warn(entry.line, name() + " is 0, so its default applies: remove it");
        return true;
    }
    return false;
}

bool is_mosdns_v4(Reading& in, const Node& top) {
    const auto say = [&](int line, std::string_view what) {
        in.report().error(
            line, std::string(what) +
                      " belongs to mosdns v4 or mosdns-x: convert the configuration to mosdns v5, "
                      "where servers and lists are plugins and a sequence is a list of {matches, "
                      "exec}");
        return true;
    };
    for (const std::string_view key : predecessors::kSectionsOfV4) {
        const auto at = std::ranges::find(top.entries, key, &Entry::key);
        if (at != top.entries.end()) return say(at->line, "the section '" + at->key + "'");
    }
    const Node* const plugins = top.find("plugins");
    if (plugins == nullptr || !plugins->is_list()) return false;
    for (const Node& plugin : plugins->items) {
        const Node* const type = plugin.is_map() ? plugin.find("type") : nullptr;
        if (type != nullptr && type->is_text() && std::ranges::count(kTypesOfV4, type->text) > 0)
            return say(type->line, "plugin type " + matchers::quoted(type->text));
        const Node* const args = plugin.is_map() ? plugin.find("args") : nullptr;
        if (type != nullptr && type->is_text() && type->text == "sequence" && args != nullptr &&
            args->is_map() && args->find("exec") != nullptr && args->find("exec")->is_list())
            return say(args->line, "a sequence whose 'args' has one list 'exec'");
    }
    return false;
}

}  // namespace steer::config
