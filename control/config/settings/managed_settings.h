// The layer over the configuration that the daemon writes for its forms: managed.yaml
// (control/config/layer.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace steer::config {

inline constexpr const char* kManagedFile = "/var/lib/steerdns/managed.yaml";

// `control.managed`.
struct ManagedPlace {
    enum class Use : std::uint8_t { with_page, on, off };
    Use use = Use::with_page;
    std::string file = kManagedFile;
    bool operator==(const ManagedPlace&) const = default;
};

// A value of the configuration in whose place the layer has another.
struct ManagedOverride {
    std::string path;      // "plugins.forward.args.upstreams"
    std::string replaced;  // hash of the configuration's value; empty: it has none
    int line = 0;          // of the value in the layer
    bool operator==(const ManagedOverride&) const = default;
};

struct ManagedLayer {
    std::string file;      // empty: `control.managed` is off
    bool is_used = false;  // whether the file was there, and is part of these settings
    // Of a start with the rights of root: the user that opens what the configuration names, since
    // the layer may name it. Empty: the rights of this process.
    std::string user;
    std::vector<ManagedOverride> overrides;
    std::vector<std::string> left_out;  // what may not be in it: sentences
    // Why a start uses other text than the file's; empty: it does not.
    std::string error;
    bool is_last_good = false;  // with an error: that text is the last good copy; else: no layer
    // With an error: a sentence for the operator.
    [[nodiscard]] std::string report() const {
        return error + "; the start uses " +
               (is_last_good ? "the last good copy of " : "no layer instead of ") + file +
               ": correct the file, or run 'steerctl managed undo'";
    }
};

}  // namespace steer::config
