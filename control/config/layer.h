// The layer over the configuration: managed.yaml, which the daemon writes for its forms.
//
// A map is overridden by key, a plugin by its tag, a list as a whole. A plugin of another type than
// the configuration's replaces it whole. The layer may hold `plugins`, `routers`, `policy`, `mdns`
// and `http` of `control`; all else is refused. Its paths start from its folder, and lie below it:
// all texts of rows of the types Files and FileName (setting.h).
//
// The daemon's user writes the file. So a process with more rights opens it, and what it names, as
// that user only (ManagedOptions::as_user). It must be a regular file of that user or of root, of
// at most kMaxManagedBytes, and no link.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "control/config/reading.h"

namespace steer::config {

inline constexpr std::size_t kMaxManagedBytes = std::size_t{1} << 20;

// A setting of a plugin type that only the configuration itself has. One in the layer is left out.
struct NotInLayer {
    std::string_view type, key;
};
inline constexpr NotInLayer kNotInLayer[] = {{"recursion", "extra"}};
// "'extra' of recursion 'resolve' may not be in the layer"
std::string not_in_layer(const NotInLayer& setting, std::string_view tag);

class Layer {
  public:
    // Reads the layer of the configuration `top`. Reports what is wrong with it; then nothing is
    // laid over anything.
    static Layer read(Reading& in, const Node& top);

    // Keeps the lowered rights until it is destroyed.
    void lay_over_sections(Node& top, Settings& settings);
    void lay_over_plugins(Node& list, Reading& in);

  private:
    Node top_;  // null: no layer
    std::shared_ptr<void> rights_;
};

// The configuration with the plugins of its included files, and with the layer over it: as a tree,
// without reading any setting. Placeholders stay. Error: the first one.
Result<Node> merged_document(const std::string& path, LoadOptions options);

// The text of a layer's file, or of its last good copy. No value: there is no such file. Error: the
// reason, and what to do. The calling thread has the rights of the daemon's user (FilesAs).
Result<std::optional<std::string>> read_managed(const std::string& file);

// "auto", "on", "off" or a path.
ManagedPlace managed_place(Reading& in, std::string_view text, int line);
// The same, from the configuration's text alone.
ManagedPlace managed_place(Reading& in, const Node& top);

// A hash of a value, without its lines.
std::string hash_of(const Node& node);

}  // namespace steer::config
