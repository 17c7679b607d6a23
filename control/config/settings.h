// The settings of one configuration: typed, complete (every default filled in), checked, and with
// the line of everything that a later message may have to name. Made by load() (load.h), read by
// control/program/build and by the daemon's start; no worker ever sees them.
//
// What load() guarantees when it reports no error:
// - every reference (`PluginIndex`) is valid and of the right role, and following references never
// comes back;
// - every file that is named was read, every regexp compiles, every address and number is in its
// range;
// - an executor that was written in place (`exec: forward 192.0.2.1`) is a plugin like the others,
// with a tag of
//   its own ("main[2]": second rule of `main`).
// Lines are 1-based, in the configuration unless a `file` stands next to them; 0: a default, not
// written anywhere. Those of an included file are counted from a multiple of kLinesPerSource, so
// that one number says file and line: Settings::error() names both.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "control/config/settings/executor_settings.h"
#include "control/config/settings/lines.h"
#include "control/config/settings/list_settings.h"
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

// std::variant of all but the first, which is no type of settings.
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
    std::vector<std::string> opened;    // every file but `file`, also those that could not be read
    Log log;
    Dataplane dataplane;
    Control control;
    Policy policy;
    Mdns mdns;
    std::vector<RemoteList> remote_lists;
    std::vector<ReadList> lists;  // as plugins read them, in the order of reading
    std::vector<RuleFile> rule_files;
    std::vector<PluginIndex> listed_secondaries;  // that plugins read as lists, in any order
    std::vector<SecretFile> secrets;
    Fleet fleet;
    std::vector<Router> routers;  // named ones first; then those written inside a plugin
    std::vector<OpnsenseRouter> opnsense;
    std::vector<Plugin> plugins;  // as written; those written in place at the end
    // The executors that queries enter, each once, in the order of the servers that name them; at least one.
    std::vector<PluginIndex> entries{0};

    [[nodiscard]] const Plugin& plugin(PluginIndex i) const { return plugins[i]; }
    // What is wrong with something at `line` of these settings.
    [[nodiscard]] Error error(int line, std::string text) const {
        const std::size_t source = source_of(line);
        return {std::move(text), source == 0 ? file : included.at(source - 1),
                line_in_source(line)};
    }
};

}  // namespace steer::config
