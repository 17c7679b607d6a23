// ${NAME}, ${env:NAME} and ${NAME:-default} in the values of a configuration, from the environment;
// $${ is a "${".
//
// Done once, on the parsed tree: a value can bring no structure of its own, and what it means (text,
// a number, true) is decided by who reads it, as for text that was written. A name that is not set
// is an error with its line and its path in the document. Names that stand for facts of a query (${qname}) are left as they are.
#pragma once

#include "control/config/document.h"
#include "control/config/reading.h"

namespace steer::config {

void expand_placeholders(Node& top, Reading& in);

}  // namespace steer::config
