// The text of the layer managed.yaml, changed part by part.
//
// A part is a plugin (`plugins.TAG`), a section (`policy`), a value in a section (`policy.rebind`,
// `routers.edge1`) or `http`, which is `http` of `control`. A changed text is written again: its
// comments and the order of its sections are not kept.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/config/document.h"
#include "matchers/result.h"

namespace steer::edit {

struct LayerPart {
    std::string section;  // "plugins", "routers", "policy", "mdns", "control"
    std::string key;      // the tag of a plugin; may be empty for other sections
    // As in config::ManagedOverride::path.
    [[nodiscard]] std::string path() const { return key.empty() ? section : section + "." + key; }
};
Result<LayerPart> layer_part(std::string_view name);

// A change of parts: each gets its value, YAML (of a plugin, a map without `tag`). An empty value
// removes the part.
struct LayerChange {
    std::vector<LayerPart> parts;
    std::vector<std::string> values;  // as many
};
// Error: a part has no such form, or the numbers differ. `values` may be empty: all are removed.
Result<LayerChange> layer_change(const std::vector<std::string>& parts,
                                 std::vector<std::string> values);
// `text` with the change. Error: a sentence. `file`: the layer's name in it.
Result<std::string> with_change(const std::string& file, const std::string& text,
                                const LayerChange& change);

struct NamedPart {
    std::string name;  // as layer_part() takes it
    config::Node value;
};
// Its plugins, and the values of its sections. Empty if the text is wrong.
std::vector<NamedPart> parts_of(const std::string& text);

}  // namespace steer::edit
