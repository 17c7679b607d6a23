// The settings of one configuration: typed, complete (with all defaults), checked. They include the
// line of everything that a later message may have to name. load() (load.h) makes them.
// control/program/build and the daemon's start read them; no worker ever sees them.
//
// If load() reports no error, it guarantees:
// - every reference (`PluginIndex`) is valid and has the right role; references have no circle;
// - every named file was read, every regexp compiles, every address and number is in its range;
// - an executor that is written in place (`exec: forward 192.0.2.1`) is a plugin like the others,
//   with its own tag ("main[2]": second rule of `main`).
// Lines are 1-based, in the configuration, unless a `file` is beside them. 0: a default, not
// written in a file. Lines of an included file count from a multiple of kLinesPerSource, so one
// number identifies file and line. Settings::error() names both.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "control/config/settings/executor_settings.h"
#include "control/config/settings/limit_settings.h"
#include "control/config/settings/lines.h"
#include "control/config/settings/list_settings.h"
#include "control/config/settings/managed_settings.h"
#include "control/config/settings/matcher_settings.h"
#include "control/config/settings/plugin_tables.h"
#include "control/config/settings/recorder_settings.h"
#include "control/config/settings/secondary_settings.h"
#include "control/config/settings/section_settings.h"
#include "control/config/settings/server_settings.h"
#include "control/config/settings/sink_settings.h"
#include "control/config/settings/task_settings.h"
#include "control/config/settings/upstream_settings.h"
#include "matchers/result.h"

namespace steer::config {

enum class Role : std::uint8_t { provider, matcher, executor, server };

// A std::variant of all types except the first, which is not a settings type.
template <class, class... Settings>
using VariantOf = std::variant<Settings...>;
#define STEER_SETTINGS_TYPE(settings, kind) , settings
using PluginArgs = VariantOf<void STEER_PLUGIN_SETTINGS(STEER_SETTINGS_TYPE)>;
#undef STEER_SETTINGS_TYPE

struct Plugin {
    std::string tag;  // unique
    std::string_view type;
    Role role = Role::executor;
    int line = 0;
    bool in_place = false;  // written inside a sequence, not under `plugins:`
    PluginArgs args;
};

// The server that the plugin is; nullptr: it is none. stream_server_of(): one over connections.
inline const StreamServer* stream_server_of(const Plugin& plugin) {
    return std::get_if<StreamServer>(&plugin.args);
}
inline const Server* server_of(const Plugin& plugin) {
    if (const auto* const udp = std::get_if<UdpServer>(&plugin.args)) return udp;
    return stream_server_of(plugin);
}

// A file that holds what other users of the machine must not read.
struct SecretFile {
    std::string file;
    std::string what;  // "the password of router 'home'"
    int line = 0;      // of the setting
};

struct Settings {
    std::string file;                   // the configuration's name, as given to load()
    std::vector<std::string> included;  // files, in the order of reading
    SourceTexts texts;                  // of `file` and `included`
    std::vector<std::string> files;     // [0] is `file`; then every rule file that was read
    std::vector<std::string> opened;    // all files but `file`, also those that could not be read
    std::vector<std::string> named;     // every path in it, also paths that are only written
    ManagedLayer managed;
    Log log;
    Dataplane dataplane;
    Control control;
    Policy policy;
    CookieSettings cookies;
    QuicSettings quic;
    std::vector<Limit> limits;
    Mdns mdns;
    std::vector<RemoteList> remote_lists;
    std::vector<ReadList> lists;  // as plugins read them, in that order
    std::vector<RuleFile> rule_files;
    std::vector<PluginIndex> listed_secondaries;  // that plugins read as lists, in any order
    std::vector<SecretFile> secrets;
    Fleet fleet;
    std::vector<Router> routers;  // named ones first; then those inside a plugin
    std::vector<OpnsenseRouter> opnsense;
    std::vector<Plugin> plugins;  // in the order of the text; those in place at the end
    // The executors that queries enter, each once, in the order of the servers that name them; at
    // least one.
    std::vector<PluginIndex> entries{0};

    // Whether the layer over the configuration may name this file, so that root does not open it.
    [[nodiscard]] bool may_be_managed(const std::string& path) const {
        return managed.is_used &&
               path.starts_with(managed.file.substr(0, managed.file.rfind('/') + 1));
    }
    [[nodiscard]] const Plugin& plugin(PluginIndex i) const { return plugins[i]; }
    // An error about something at `line` of these settings.
    [[nodiscard]] Error error(int line, std::string text) const {
        const std::size_t source = source_of(line);
        return {std::move(text), source == 0 ? file : included.at(source - 1),
                line_in_source(line)};
    }
};

}  // namespace steer::config
