// ${NAME}, ${env:NAME} and ${NAME:-default} in the values of a configuration, from the environment;
// $${ is a "${".
//
// Done once, on the parsed tree, so a value cannot add structure. The reader of the setting decides
// what a value means (text, a number, true), as for text in the file. A name that is not set is an
// error with its line and its path in the document. Names for facts of a query (${qname}) stay
// unchanged.
#pragma once

#include <optional>

#include "control/config/document.h"
#include "control/config/reading.h"

namespace steer::config {

void expand_placeholders(Node& top, Reading& in);

// `include`: uses the plugins of other files, before those of the file that includes them.
//
// Only `plugins` and `include` of an included file are used. Paths start from the folder of the
// file that names them; for the configuration itself, as for all its paths. Reported as errors: a
// file that cannot be read, one that is included twice or includes itself, more than
// kMaxIncludeDepth levels, more than kMaxIncluded files.
inline constexpr std::size_t kMaxIncludeDepth = 8;
inline constexpr std::size_t kMaxIncluded = 100;  // files

// All plugins, included ones first: those of `top`, and of the files that its `include` leads to.
// Moves the used parts out of `top`. No value: a file could not be used, which is reported.
std::optional<Node> take_plugins(Node& top, Reading& in);

// Checks the sections of the file of `top`: reports each one that is unknown or not supported.
void check_sections(Reading& in, const Node& top);

}  // namespace steer::config
