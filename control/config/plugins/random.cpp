// random: holds for a share of all queries.
#include <charconv>

#include "control/config/plugins/words.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::string_view kRandomForms = "one number, 0..1";

void read_random_all(Reading& in, const std::vector<Text>& words, Plugin& plugin) {
    RandomMatch out;
    if (words.size() > 1) {
        in.report().error(words.front().line,
                          owner_of(plugin) + " has " + std::to_string(words.size()) +
                              " numbers: expected " + std::string(kRandomForms));
    } else if (!words.empty()) {
        const std::string& text = words.front().value;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(),
                                                  out.probability, std::chars_format::fixed);
        if (error != std::errc{} || end != text.data() + text.size() ||
            !(out.probability >= 0 && out.probability <= 1)) {
            in.report().error(words.front().line, owner_of(plugin) + " has " +
                                                      matchers::quoted(text) + ": expected " +
                                                      std::string(kRandomForms));
        }
    }
    plugin.args = out;
}

}  // namespace

const PluginType kRandomType{"random",
                             Role::matcher,
                             "Matches this share of all queries, at random.",
                             "random SHARE",
                             "one number, 0..1",
                             no_rows,
                             read_words<kRandomForms, read_random_all>,
                             read_quick_words<kRandomForms, read_random_all>};

}  // namespace steer::config
