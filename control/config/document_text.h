// Nodes as text: YAML for a person, and JSON for a page.
#pragma once

#include <string>

#include "control/config/document.h"

namespace steer::config {

// A map or list in block form, which parse_document() reads as the same node. Placeholders stay.
// The lines of the node have no effect.
std::string yaml_of(const Node& node);

}  // namespace steer::config
