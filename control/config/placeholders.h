// ${NAME}, ${env:NAME} and ${NAME:-default} in the values of a configuration, from the environment;
// $${ is a "${".
//
// Done once, on the parsed tree: a value can bring no structure of its own. A name that is not set
// is an error with its line. Names that stand for facts of a query (${qname}) are left as they are.
#pragma once

#include "control/config/document.h"
#include "control/config/reading.h"

namespace steer::config {

void expand_placeholders(Node& node, Reading& in);

}  // namespace steer::config
