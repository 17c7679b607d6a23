// mark: the query has one of the given marks.
#include "control/config/plugins/words.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::string_view kMarkForms = "numbers, 0..4294967295";

void read_mark_all(Reading& in, const std::vector<Text>& words, Plugin& plugin) {
    MarkMatch out;
    for (const Text& item : words) {
        for (const Text& word : words_of(item.value, item.line)) {
            const auto mark = parse_integer(word.value);
            if (mark && *mark <= UINT32_MAX) {
                out.marks.push_back(static_cast<std::uint32_t>(*mark));
            } else {
                in.report().error(word.line, owner_of(plugin) + " has " +
                                                 matchers::quoted(word.value) + ": expected " +
                                                 std::string(kMarkForms));
            }
        }
    }
    if (out.marks.size() > kMaxMarks) {
        in.report().error(plugin.line, owner_of(plugin) + " has " +
                                           std::to_string(out.marks.size()) +
                                           " numbers: expected at most 64");
    }
    plugin.args = std::move(out);
}

}  // namespace

const PluginType kMarkType{"mark",
                           Role::matcher,
                           "Matches if the query has one of the marks that `exec: mark` sets.",
                           "mark N...",
                           "list of numbers; or the same words as one text",
                           no_rows,
                           read_words<kMarkForms, read_mark_all>,
                           read_quick_words<kMarkForms, read_mark_all>};

}  // namespace steer::config
