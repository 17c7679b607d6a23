// ${NAME}, ${env:NAME} and ${NAME:-default} in the values of a configuration, from the environment;
// $${ is a "${".
//
// Done once, on the parsed tree: a value can bring no structure of its own, and what it means (text,
// a number, true) is decided by who reads it, as for text that was written. A name that is not set
// is an error with its line and its path in the document. Names that stand for facts of a query (${qname}) are left as they are.
#pragma once

#include <optional>

#include "control/config/document.h"
#include "control/config/reading.h"

namespace steer::config {

void expand_placeholders(Node& top, Reading& in);

// `include`: the plugins of other files, as if they stood before those of the file that names them.
//
// Of an included file only `plugins` and its own `include` are taken. Paths start from the folder of
// the file that names them (those of the configuration itself: as all its paths). Refused with a
// sentence: a file that cannot be read, one that is included twice or includes itself, more than
// kMaxIncludeDepth levels, more than kMaxIncluded files.
inline constexpr std::size_t kMaxIncludeDepth = 8;
inline constexpr std::size_t kMaxIncluded = 100;  // files

// All plugins, included ones first: of the list that `top` has, and what its `include` leads to.
// The parts of `top` that are taken are moved. Nothing: a file could not be taken, which is
// reported.
std::optional<Node> take_plugins(Node& top, Reading& in);

// What the file of `top` may have: each section that is unknown or not supported is reported.
void check_sections(Reading& in, const Node& top);

}  // namespace steer::config
