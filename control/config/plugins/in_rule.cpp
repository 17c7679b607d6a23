#include "control/config/plugins/in_rule.h"

#include <utility>
#include <vector>

#include "control/config/plugin_type.h"
#include "control/config/predecessors.h"
#include "control/config/text/suggestion.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

std::optional<PluginIndex> in_place(Reading& in, const PluginType& type, std::string_view words,
                                    Wanted wanted, const InRule& where) {
    const Role role = wanted == Wanted::matcher ? Role::matcher : Role::executor;
    if (type.role != role) {
        in.report().error(
            where.line, "'" + std::string(type.name) + "' in " + std::string(where.owner) +
                            " is not " + (wanted == Wanted::matcher ? "a matcher" : "an executor") +
                            ": expected " +
                            (wanted == Wanted::matcher ? "one such as 'qname' or '$TAG'"
                                                       : "one such as 'forward' or '$TAG'"));
        return std::nullopt;
    }
    if (type.read_quick == nullptr) {
        in.report().error(where.line, "'" + std::string(type.name) +
                                          "' cannot be written inside a sequence: define it under "
                                          "'plugins' with a tag, and write '$TAG' here");
        return std::nullopt;
    }
    Plugin plugin;
    plugin.tag = where.tag;
    plugin.type = type.name;
    plugin.role = type.role;
    plugin.line = where.line;
    type.read_quick(in, words, where.line, plugin);
    return in.add_in_place(std::move(plugin));
}

// `$FORWARD UPSTREAM...` of mosdns: a forward that asks these of its upstreams alone.
std::optional<PluginIndex> with_arguments(Reading& in, std::string_view word,
                                          std::string_view words, Wanted wanted,
                                          const InRule& where) {
    const auto* const what = in.find_tag(word.substr(1));
    if (wanted != Wanted::executor || (what != nullptr && what->type != "forward")) {
        in.report().error(where.line, matchers::quoted(word) + " with arguments (" +
                                          matchers::quoted(words) +
                                          ") is not supported: only a forward takes arguments, "
                                          "tags of its upstreams; define a plugin with them");
        return std::nullopt;
    }
    const auto of = in.refer(word.substr(1), wanted, where.line);
    if (!of) return std::nullopt;
    Plugin plugin;
    plugin.tag = where.tag;
    plugin.type = find_type("forward")->name;
    plugin.role = Role::executor;
    plugin.line = where.line;
    plugin.args = Forward{};
    Reading::UpstreamPick pick{in.add_in_place(std::move(plugin)), *of, {}, where.line};
    for (const auto tag : split_words(words))
        pick.tags.emplace_back(tag);
    const PluginIndex made = pick.made;
    in.pick_upstreams(std::move(pick));
    return made;
}

void unknown(Reading& in, std::string_view word, Wanted wanted, const InRule& where) {
    std::vector<std::string_view> names;
    if (wanted == Wanted::executor)
        names = {"accept", "return", "reject", "drop", "mark", "jump", "goto"};
    const Role role = wanted == Wanted::matcher ? Role::matcher : Role::executor;
    for (const PluginType* type : plugin_types()) {
        if (type->role == role && type->read_quick != nullptr) names.push_back(type->name);
    }
    const std::string hint =
        suggestion(wanted == Wanted::matcher ? NameOf::matcher : NameOf::executor, word, {}, names);
    in.report().unknown(where.line,
                        std::string(wanted == Wanted::matcher ? "matcher " : "executor ") +
                            matchers::quoted(word) + " in " + std::string(where.owner) +
                            (hint.empty() ? ": write '$TAG' to use a plugin" : hint));
}

}  // namespace

std::string tag_of_match(std::string_view of, std::size_t number) {
    return std::string(of) + ".matches[" + std::to_string(number) + "]";
}

std::optional<PluginIndex> read_use(Reading& in, std::string_view text, Wanted wanted,
                                    const InRule& where) {
    std::string_view words = text;
    const std::string_view word = take_word(words);
    if (const auto* const what = in.find_tag(word.starts_with('$') ? word.substr(1) : word);
        what != nullptr && what->left_out && wanted == Wanted::executor)
        return std::nullopt;  // reported where it is written
    if (word.starts_with('$')) {
        if (!words.empty()) return with_arguments(in, word, words, wanted, where);
        return in.refer(word.substr(1), wanted, where.line);
    }
    if (const PluginType* type = find_type(word)) return in_place(in, *type, words, wanted, where);
    if (in.find_tag(word) != nullptr && words.empty()) {
        in.report().warn(where.line, matchers::quoted(word) + " in " + std::string(where.owner) +
                                         " is the tag of a plugin: read as '$" + std::string(word) +
                                         "'; write the '$'");
        return in.refer(word, wanted, where.line);
    }
    if (const auto* const theirs = predecessors::find_type(word)) {
        report_type(in, *theirs, where.line, "in " + std::string(where.owner));
        return std::nullopt;
    }
    unknown(in, word, wanted, where);
    return std::nullopt;
}

std::optional<MatchUse> read_match_use(Reading& in, std::string_view text, const InRule& where) {
    MatchUse use;
    use.line = where.line;
    text = trimmed(text);
    if (text.starts_with('!')) {
        use.negate = true;
        text = trimmed(text.substr(1));
    }
    if (text.empty() || text.starts_with('!')) {
        in.report().error(where.line,
                          "a matcher of " + std::string(where.owner) +
                              ": expected '$TAG' or a matcher such as 'qname domain:example.org', "
                              "with at most one '!' before it");
        return std::nullopt;
    }
    const auto index = read_use(in, text, Wanted::matcher, where);
    if (!index) return std::nullopt;
    use.plugin = *index;
    return use;
}

}  // namespace steer::config
