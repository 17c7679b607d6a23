// qname, question, cname: the question's name, or a CNAME target of the answer, is in one of the
// given sets or matches one of the given rules.
#include "control/config/plugin_type.h"
#include "control/config/plugins/name_rules.h"
#include "control/config/values.h"

namespace steer::config {
namespace {

template <class T>
void read_qname_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    const std::string owner = owner_of(plugin);
    T out;
    const auto split = split_words(words);
    for (const auto word : split)
        read_name_rule(in, word, line, owner, out);
    if (split.empty())
        in.report().error(line, owner + " has no rule: expected " + std::string(kNameRuleForms));
    plugin.args = std::move(out);
}

template <class T>
void read_qname(Reading& in, const Node* args, Plugin& plugin) {
    const std::string owner = owner_of(plugin);
    if (args != nullptr && args->is_text())
        return read_qname_quick<T>(in, args->text, args->line, plugin);
    T out;
    if (args == nullptr || !args->is_list() || args->items.empty()) {
        in.report().error(plugin.line, "'args' of " + owner + ": expected a list of " +
                                           std::string(kNameRuleForms) + ", found " +
                                           (args == nullptr   ? "nothing"
                                            : args->is_list() ? "an empty list"
                                                              : std::string(args->what())));
    } else {
        for (const Text& item : read_texts(in, *args, {"args", owner, args->line})) {
            read_name_rule(in, item.value, item.line, owner, out);
        }
    }
    plugin.args = std::move(out);
}

}  // namespace

const PluginType kQnameType{
    "qname",
    Role::matcher,
    "Matches if the query's name is in one of the sets or matches one of the rules.",
    "qname RULE|$TAG|&FILE...",
    "list of rules, `$TAG` of a domain_set, or `&FILE`; or the same words as one text",
    [] { return std::vector<RowText>{}; },
    read_qname<Qname>,
    read_qname_quick<Qname>};
const PluginType kQuestionType{
    "question",
    Role::matcher,
    "Like `qname`, but also applies the rules with `dnstype` of an `adguard_rule` or "
    "`domain_set`.",
    "question $TAG|RULE|&FILE...",
    "list of `$TAG` of an adguard_rule or domain_set, rules, or `&FILE`; or the same words as one "
    "text",
    [] { return std::vector<RowText>{}; },
    read_qname<Question>,
    read_qname_quick<Question>};
const PluginType kCnameType{
    "cname",
    Role::matcher,
    "Matches if a CNAME in the answer points to a name that is in one of the sets or matches one "
    "of the rules.",
    "cname RULE|$TAG|&FILE...",
    "list of rules, `$TAG` of a domain_set, or `&FILE`; or the same words as one text",
    [] { return std::vector<RowText>{}; },
    read_qname<Cname>,
    read_qname_quick<Cname>};

}  // namespace steer::config
