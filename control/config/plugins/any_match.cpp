// any_match: one of several matchers holds.
#include "control/config/plugins/in_rule.h"
#include "control/config/plugins/words.h"

namespace steer::config {
namespace {

constexpr std::string_view kAnyMatchForms =
    "matchers such as '$TAG' or 'qtype A', with '!' or without";

void read_any_match_all(Reading& in, const std::vector<Text>& words, Plugin& plugin) {
    const std::string owner = owner_of(plugin);
    AnyMatch out;
    for (const Text& word : words) {
        const InRule where{owner, tag_of_match(plugin.tag, out.matches.size() + 1), word.line};
        if (const auto use = read_match_use(in, word.value, where)) out.matches.push_back(*use);
    }
    plugin.args = std::move(out);
}

}  // namespace

const PluginType kAnyMatchType{
    "any_match",
    Role::matcher,
    "Matches if at least one of the matchers matches. They are tested from left to right.",
    "any_match $TAG...",
    "list of matchers as in `matches` of a sequence; `!` negates one. Inline and as one text, each "
    "word is a matcher",
    no_rows,
    read_words<kAnyMatchForms, read_any_match_all>,
    read_quick_words<kAnyMatchForms, read_any_match_all>};

}  // namespace steer::config
