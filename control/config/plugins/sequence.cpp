// sequence: rules, top down; each runs an executor if all its matchers hold.
#include <ostream>
#include <utility>

#include "control/config/plugin_type.h"
#include "control/config/plugins/in_rule.h"
#include "control/config/reference.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

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
                in_.report().unknown(entry.line, "key " + matchers::quoted(entry.key) +
                                                     " in rule " + std::to_string(number) + " of " +
                                                     owner_ +
                                                     did_you_mean(entry.key, {"matches", "exec"}));
            }
        }
        const Node* exec = node.find("exec");
        if (exec == nullptr && node.find("matches") != nullptr) {
            in_.report().warn(
                node.line, "rule " + std::to_string(number) + " of " + owner_ +
                               " has no 'exec' and no effect: add an action, as in 'exec: accept'");
        } else if (exec == nullptr) {
            error(node.line, "rule " + std::to_string(number) + " of " + owner_ +
                                 " has no 'exec': add an action, as in 'exec: accept'");
        } else if (!exec->is_text() || trimmed(exec->text).empty()) {
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
        if (const auto use =
                read_match_use(in_, text, {owner_, tag_of_match(tag_of_rule(), matchers_), line}))
            rule.matches.push_back(*use);
    }

    [[nodiscard]] std::string tag_of_rule() const {
        return tag_ + "[" + std::to_string(number_) + "]";
    }

    // ---- exec

    // False: an error is reported, or this cannot be a rule.
    bool read_exec(std::string_view text, ExecRule& rule) {
        std::string_view words = trimmed(text);
        const std::string_view all = words;
        const std::string_view word = take_word(words);
        if (word == "accept" || word == "return" || word == "drop") {
            rule.kind = word == "accept" ? ExecRule::Kind::accept
                        : word == "drop" ? ExecRule::Kind::drop
                                         : ExecRule::Kind::return_;
            if (!words.empty())
                error(rule.line, "'" + std::string(word) + "' takes no arguments: remove " +
                                     matchers::quoted(words));
            return true;
        }
        if (word == "reject") return read_reject(words, rule);
        if (word == "mark") return read_mark(words, rule);
        if (word == "jump" || word == "goto") return read_jump(word, words, rule);
        const auto index = read_use(in_, all, Wanted::executor, {owner_, tag_of_rule(), rule.line});
        if (index) rule.plugin = *index;
        return index.has_value();
    }

    // `jump` or `goto`, and the tag behind it.
    bool read_jump(std::string_view word, std::string_view tag, ExecRule& rule) {
        const Place place{word, owner_, rule.line};
        if (tag.empty() || tag.find(' ') != std::string_view::npos) {
            error(rule.line, place.name() + ": expected the tag of a sequence, found " +
                                 (tag.empty() ? "nothing" : matchers::quoted(tag)));
            return false;
        }
        rule.kind = word == "jump" ? ExecRule::Kind::jump : ExecRule::Kind::goto_;
        const auto index = in_.refer_bare(tag, Wanted::executor, place);
        if (!index) return false;
        const std::string_view bare = tag.starts_with('$') ? tag.substr(1) : tag;
        if (const auto* what = in_.find_tag(bare); what != nullptr && what->type != "sequence") {
            error(rule.line, place.name() + " names " + matchers::quoted(bare) + ", a " +
                                 what->type + ": expected a sequence; write 'exec: $" +
                                 std::string(bare) + "'");
            return false;
        }
        rule.plugin = *index;
        return true;
    }

    bool read_reject(std::string_view words, ExecRule& rule) {
        rule.kind = ExecRule::Kind::reject;
        if (words.empty()) return true;
        const auto rcode = parse_rcode(words);
        constexpr std::uint16_t kMax = 15;  // the header has four bits
        if (!rcode || *rcode > kMax) {
            error(rule.line, "'reject' of " + owner_ + " has " + matchers::quoted(words) +
                                 ": expected a response code, 0..15 or a name such as NXDOMAIN");
            return false;
        }
        rule.rcode = static_cast<std::uint8_t>(*rcode);
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
        if (rule.marks.empty() || rule.marks.size() > kMaxMarks) {
            error(rule.line, "'mark' of " + owner_ + ": expected 1..64 numbers, found " +
                                 std::to_string(rule.marks.size()));
            return false;
        }
        return true;
    }

    Reading& in_;
    const std::string& tag_;
    std::string owner_;
    std::size_t number_ = 0, matchers_ = 0;
};

void read_sequence(Reading& in, const Node* args, Plugin& plugin) {
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

constexpr std::string_view kSequenceRules =
    R"(`matches` is one matcher or a list of matchers that must all match. `!` before a matcher negates it.
A matcher is `$TAG` or an inline matcher (`qname domain:example.org`). `exec` is one of:

| `exec` | effect |
|---|---|
| `accept` | ends the program with the current response |
| `return` | leaves this sequence, see below |
| `reject [RCODE]` | ends the program with a response code, by number or name; default: REFUSED |
| `drop` | ends the program without an answer; counted as verdict `dropped_by_policy` |
| `mark N...` | sets marks on the query |
| `jump TAG` | runs another sequence, then continues here |
| `goto TAG` | runs another sequence instead of the rest of this one |
| `$TAG` | runs an executor or a sequence, then continues here |
| inline executor | `forward 192.0.2.1`, `cache 4096 short_circuit`, `debug_print TEXT`, `query_summary TEXT` |

**Return**: after a `jump`, `return` continues in the calling sequence. Otherwise it ends the
program. A sequence that runs as `$TAG` passes `accept`, `reject`, `drop` and `return` on to its
caller; in mosdns it does not. After `goto`, a `return` continues in the sequence that jumped to
this one.

**Rules continue**: after `cache` or `forward` the next rule runs. Add `matches: has_resp` with
`exec: accept` after a cache, or set `short_circuit: true`. A query that reaches the end without a
response gets NOERROR without records (mosdns: REFUSED). `--check` warns where this can happen.

)";

constexpr std::string_view kSequenceEntry = R"(
**Entry**: queries enter the sequence that no other plugin refers to. If there are several such
sequences, set `entry` in a `udp_server` and a `tcp_server`. Without a server plugin, UDP and TCP
port 53 of every address of the ports are served.
)";

void write_sequence_rules(std::ostream& out) {
    out << kSequenceRules;
    write_paragraph(out,
                    "**Wrapping executors**: `cache`, " + names_of(Sink::router, "`") +
                        ", `reverse_lookup`, `metrics_collector`, `learn_domain` and "
                        "`query_summary` wrap the rest of their sequence. The rest runs inside "
                        "them, and they process the response that it returns.");
    out << kSequenceEntry << '\n';
}

}  // namespace

const PluginType kSequenceType{"sequence",
                               Role::executor,
                               "A list of rules that run from top to bottom. Each rule runs its "
                               "`exec` if all of its `matches` match.",
                               "",
                               "list of `{matches: MATCHER or list of them, exec: EXECUTOR}`",
                               [] { return std::vector<RowText>{}; },
                               read_sequence,
                               nullptr,
                               {.reference = write_sequence_rules}};

}  // namespace steer::config
