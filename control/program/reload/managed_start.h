// The layer managed.yaml at a start: a layer that is wrong does not stop it.
//
// Then its last good copy is used, or no layer if that is wrong, too. Beside the layer's file are
// that copy, and notes about the layer in force. They are files of the daemon's user, and are
// opened as that user.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "control/config/load.h"
#include "control/program/reload/reloader.h"

namespace steer {

// FOLDER/managed.yaml: FOLDER/managed.good.yaml, FOLDER/managed.json.
std::string good_copy_of(const std::string& layer_file);
std::string notes_of(const std::string& layer_file);

struct ManagedNotes {
    // From the path of a value to the hash of what it replaced when it was written
    // (config::ManagedOverride).
    std::map<std::string, std::string> replaced;
    std::string proved;  // all_texts_hash() of the configuration that was in force last
    bool operator==(const ManagedNotes&) const = default;
};
Result<ManagedNotes> load_notes(const std::string& layer_file);
Result<void> save_notes(const std::string& layer_file, const ManagedNotes& notes);

// A hash of the configuration, its included files and its layer, as they were read.
std::string all_texts_hash(const config::SourceTexts& texts);

// `loaded`: what source.load() returned. Returns it, if its layer is good or the configuration is
// wrong without it; else what `load` returns for another layer. Settings::managed then says why.
// Builds the configuration once more if its texts are not those that were in force last.
config::LoadOutcome start_with_layer(
    const ConfigSource& source, config::LoadOutcome loaded,
    const std::function<config::LoadOutcome(const ConfigSource&)>& load);

}  // namespace steer
