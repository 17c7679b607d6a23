// The words of a matcher, which may stand as one text, as a list under `args`, or in place.
#pragma once

#include <string_view>
#include <vector>

#include "control/config/plugin_type.h"

namespace steer::config {

// Of one text: split at blanks and commas (not inside `regexp:`).
std::vector<Text> words_of(std::string_view text, int line);
// Of `args`: a text is split; a list's items are taken as they are. None at all is reported, with `forms` as what was
// expected.
std::vector<Text> words_of(Reading& in, const Node* args, const Plugin& plugin,
                           std::string_view forms);
// As the above, for words in place.
std::vector<Text> words_of(Reading& in, std::string_view text, int line, const Plugin& plugin,
                           std::string_view forms);

// PluginType::read and read_quick of a type that is made of words: `Read` takes them, `Forms` says what they may be.
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
