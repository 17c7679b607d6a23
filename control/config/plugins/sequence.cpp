// sequence: rules, top down; each runs an executor if all its matchers hold.
#include <algorithm>
#include <utility>

#include "control/config/plugins/plugin_type.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::size_t kMostMarks = 64;

class SequenceReader {
  public:
    SequenceReader(Reading& in, const Plugin& plugin)
        : in_(in), tag_(plugin.tag), owner_(owner_of(plugin)) {}

    void rule(const Node& node, std::size_t number) {
        number_ = number;
        matchers_ = 0;
        if (!node.is_map()) {
            error(node.line, "rule " + std::to_string(number) + " of " + owner_ +
                                 ": expected a map with 'exec' and perhaps 'matches', found " +
                                 std::string(node.what()));
            return;
        }
        ExecRule rule;
        rule.line = node.line;
        for (const Entry& entry : node.entries) {
            if (entry.key == "matches") {
                read_matches(entry, rule);
            } else if (entry.key == "exec") {
                rule.line = entry.line;
            } else {
                error(entry.line, "unknown key " + matchers::quoted(entry.key) + " in rule " +
                                      std::to_string(number) + " of " + owner_ +
                                      did_you_mean(entry.key, {"matches", "exec"}));
            }
        }
        const Node* exec = node.find("exec");
        if (exec == nullptr) {
            error(node.line,
                  "rule " + std::to_string(number) + " of " + owner_ +
                      " has no 'exec': write what happens if it matches, as in 'exec: accept'");
        } else if (!exec->is_text() || trim(exec->text).empty()) {
            error(exec->line,
                  "'exec' of rule " + std::to_string(number) + " of " + owner_ +
                      ": expected text such as '$TAG', 'accept' or 'forward 192.0.2.1', found " +
                      std::string(exec->is_text() ? "nothing" : exec->what()));
        } else if (read_exec(exec->text, rule)) {
            out.rules.push_back(std::move(rule));
        }
    }

    Sequence out;

  private:
    void error(int line, std::string text) { in_.report().error(line, std::move(text)); }
    void warn(int line, std::string text) { in_.report().warn(line, std::move(text)); }

    // ---- matches

    void read_matches(const Entry& entry, ExecRule& rule) {
        if (entry.value.is_text()) return read_match(entry.value.text, entry.value.line, rule);
        if (!entry.value.is_list() || entry.value.items.empty()) {
            error(entry.line,
                  "'matches' of rule " + std::to_string(number_) + " of " + owner_ +
                      ": expected a matcher or a list of them, found " +
                      std::string(entry.value.is_list() ? "an empty list" : entry.value.what()));
            return;
        }
        for (const Text& item : read_texts(in_, entry.value, {"matches", owner_, entry.line})) {
            read_match(item.value, item.line, rule);
        }
    }

    void read_match(std::string_view text, int line, ExecRule& rule) {
        ++matchers_;
        MatchUse use;
        use.line = line;
        text = trim(text);
        if (text.starts_with('!')) {
            use.negate = true;
            text = trim(text.substr(1));
        }
        if (text.empty() || text.starts_with('!')) {
            error(line, "a matcher of " + owner_ +
                            ": expected '$TAG' or a matcher such as 'qname domain:example.org', "
                            "with at most one '!' before it");
            return;
        }
        if (const auto index = find(text, line, Wanted::matcher)) {
            use.plugin = *index;
            rule.matches.push_back(use);
        }
    }

    // ---- exec

    // False: something was reported, or it can be no rule.
    bool read_exec(std::string_view text, ExecRule& rule) {
        std::string_view words = trim(text);
        const std::string_view all = words;
        const std::string_view word = take_word(words);
        if (word == "accept" || word == "return") {
            rule.kind = word == "accept" ? ExecRule::Kind::accept : ExecRule::Kind::return_;
            if (!words.empty())
                error(rule.line, "'" + std::string(word) + "' takes no arguments: remove " +
                                     matchers::quoted(words));
            return true;
        }
        if (word == "reject") return read_reject(words, rule);
        if (word == "mark") return read_mark(words, rule);
        if (word == "jump" || word == "goto") {
            error(rule.line,
                  "'" + std::string(word) +
                      "' is not supported yet: write 'exec: $TAG' of the other sequence");
            return false;
        }
        const auto index = find(all, rule.line, Wanted::executor);
        if (index) rule.plugin = *index;
        return index.has_value();
    }

    bool read_reject(std::string_view words, ExecRule& rule) {
        rule.kind = ExecRule::Kind::reject;
        if (words.empty()) return true;
        const auto rcode = parse_rcode(words);
        if (!rcode) {
            error(rule.line, "'reject' of " + owner_ + " has " + matchers::quoted(words) +
                                 ": expected a response code, 0..15 or a name such as NXDOMAIN");
            return false;
        }
        rule.rcode = *rcode;
        return true;
    }

    bool read_mark(std::string_view words, ExecRule& rule) {
        rule.kind = ExecRule::Kind::mark;
        for (const auto word : split_words(words)) {
            const auto mark = parse_integer(word);
            if (!mark || *mark > 0xffffffff) {
                error(rule.line, "'mark' of " + owner_ + " has " + matchers::quoted(word) +
                                     ": expected numbers, 0..4294967295");
                return false;
            }
            rule.marks.push_back(static_cast<std::uint32_t>(*mark));
        }
        if (rule.marks.empty() || rule.marks.size() > kMostMarks) {
            error(rule.line, "'mark' of " + owner_ + ": expected 1..64 numbers, found " +
                                 std::to_string(rule.marks.size()));
            return false;
        }
        return true;
    }

    // ---- what stands in a rule: $TAG, or a type with its arguments in place

    std::optional<PluginIndex> find(std::string_view text, int line, Wanted wanted) {
        std::string_view words = text;
        const std::string_view word = take_word(words);
        if (word.starts_with('$')) {
            if (!words.empty()) {
                error(line, matchers::quoted(word) + " with arguments (" + matchers::quoted(words) +
                                ") is not supported: write a plugin of its own with them");
                return std::nullopt;
            }
            return in_.refer(word.substr(1), wanted, line);
        }
        if (const PluginType* type = find_type(word)) return in_place(*type, words, line, wanted);
        const auto* known = in_.find_tag(word);
        if (known != nullptr && words.empty()) {
            warn(line, matchers::quoted(word) + " in " + owner_ +
                           " is the tag of a plugin: read as '$" + std::string(word) +
                           "'; write the '$'");
            return in_.refer(word, wanted, line);
        }
        if (find_type_not_yet(word) != nullptr) {
            error(line, "plugin type '" + std::string(word) +
                            "' is not supported yet: remove it from " + owner_);
            return std::nullopt;
        }
        unknown(word, line, wanted);
        return std::nullopt;
    }

    std::optional<PluginIndex> in_place(const PluginType& type, std::string_view words, int line,
                                        Wanted wanted) {
        const Role role = wanted == Wanted::matcher ? Role::matcher : Role::executor;
        if (type.role != role) {
            error(line, "'" + std::string(type.name) + "' in " + owner_ + " is no " +
                            (wanted == Wanted::matcher ? "matcher" : "executor") + ": expected " +
                            (wanted == Wanted::matcher ? "one such as 'qname' or '$TAG'"
                                                       : "one such as 'forward' or '$TAG'"));
            return std::nullopt;
        }
        if (type.read_quick == nullptr) {
            error(line,
                  "'" + std::string(type.name) +
                      "' cannot be written inside a sequence: write it under 'plugins' with a "
                      "tag, and '$TAG' here");
            return std::nullopt;
        }
        Plugin plugin;
        plugin.tag = tag_ + "[" + std::to_string(number_) + "]";
        if (wanted == Wanted::matcher) plugin.tag += ".matches[" + std::to_string(matchers_) + "]";
        plugin.type = type.name;
        plugin.role = type.role;
        plugin.line = line;
        type.read_quick(in_, words, line, plugin);
        return in_.add_in_place(std::move(plugin));
    }

    void unknown(std::string_view word, int line, Wanted wanted) {
        std::vector<std::string_view> names;
        if (wanted == Wanted::executor) names = {"accept", "return", "reject", "mark"};
        const Role role = wanted == Wanted::matcher ? Role::matcher : Role::executor;
        for (const PluginType* type : plugin_types()) {
            if (type->role == role && type->read_quick != nullptr) names.push_back(type->name);
        }
        const std::string hint = did_you_mean(word, names);
        error(line, "unknown " + std::string(wanted == Wanted::matcher ? "matcher " : "executor ") +
                        matchers::quoted(word) + " in " + owner_ +
                        (hint.empty() ? ": write '$TAG' to use a plugin" : hint));
    }

    Reading& in_;
    const std::string& tag_;
    std::string owner_;
    std::size_t number_ = 0, matchers_ = 0;
};

void read(Reading& in, const Node* args, Plugin& plugin) {
    SequenceReader reader(in, plugin);
    if (args == nullptr || !args->is_list() || args->items.empty()) {
        in.report().error(plugin.line,
                          "'args' of " + owner_of(plugin) +
                              ": expected a list of rules, as in '- exec: $TAG', found " +
                              (args == nullptr   ? "nothing"
                               : args->is_list() ? "an empty list"
                                                 : std::string(args->what())));
    } else {
        std::size_t number = 0;
        for (const Node& item : args->items)
            reader.rule(item, ++number);
    }
    plugin.args = std::move(reader.out);
}

}  // namespace

const PluginType kSequenceType{
    "sequence",
    Role::executor,
    "Rules, top down; each runs its `exec` if all of its `matches` hold.",
    "",
    "list of `{matches: MATCHER or list of them, exec: EXECUTOR}`",
    [] { return std::vector<RowText>{}; },
    read,
    nullptr};

}  // namespace steer::config
