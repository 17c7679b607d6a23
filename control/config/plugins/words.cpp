#include "control/config/plugins/words.h"

#include "control/config/values.h"

namespace steer::config {

std::vector<Text> words_of(std::string_view text, int line) {
    std::vector<Text> out;
    for (const auto word : split_words(text))
        out.push_back({std::string(word), line});
    return out;
}

std::vector<Text> words_of(Reading& in, std::string_view text, int line, const Plugin& plugin,
                           std::string_view forms) {
    auto out = words_of(text, line);
    if (out.empty()) {
        in.report().error(line,
                          owner_of(plugin) + " has no arguments: expected " + std::string(forms));
    }
    return out;
}

std::vector<Text> words_of(Reading& in, const Node* args, const Plugin& plugin,
                           std::string_view forms) {
    if (args != nullptr && args->is_text())
        return words_of(in, args->text, args->line, plugin, forms);
    const std::string owner = owner_of(plugin);
    if (args != nullptr && args->is_list() && !args->items.empty())
        return read_texts(in, *args, {"args", owner, args->line});
    in.report().error(plugin.line, "'args' of " + owner + ": expected a list of " +
                                       std::string(forms) + ", found " +
                                       (args == nullptr   ? "nothing"
                                        : args->is_list() ? "an empty list"
                                                          : std::string(args->what())));
    return {};
}

std::vector<RowText> no_rows() {
    return {};
}

}  // namespace steer::config
