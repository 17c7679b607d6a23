// The words of a matcher: one text, a list under `args`, or in place.
#pragma once

#include <string_view>
#include <vector>

#include "control/config/plugin_type.h"

namespace steer::config {

// Splits one text at blanks and commas (not inside `regexp:`).
std::vector<Text> words_of(std::string_view text, int line);
// Reads `args`: splits a text; takes a list's items unchanged. Reports missing words, with `forms`
// as the expected ones.
std::vector<Text> words_of(Reading& in, const Node* args, const Plugin& plugin,
                           std::string_view forms);
// The same for words in place.
std::vector<Text> words_of(Reading& in, std::string_view text, int line, const Plugin& plugin,
                           std::string_view forms);

// PluginType::read and read_quick of a type that consists of words: `Read` takes them, `Forms`
// names the accepted ones.
template <const std::string_view& Forms, void (*Read)(Reading&, const std::vector<Text>&, Plugin&)>
void read_words(Reading& in, const Node* args, Plugin& plugin) {
    Read(in, words_of(in, args, plugin, Forms), plugin);
}
template <const std::string_view& Forms, void (*Read)(Reading&, const std::vector<Text>&, Plugin&)>
void read_quick_words(Reading& in, std::string_view words, int line, Plugin& plugin) {
    Read(in, words_of(in, words, line, plugin, Forms), plugin);
}

std::vector<RowText> no_rows();

}  // namespace steer::config
