#include "control/program/reload/managed_start.h"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <optional>
#include <utility>

#include "control/config/layer.h"
#include "control/config/start_settings.h"
#include "control/host/process/files_as.h"
#include "control/host/process/rights.h"
#include "control/host/process/state_file.h"
#include "control/program/build/image_folder.h"
#include "control/program/reload/judge.h"
#include "matchers/content_hash.h"

namespace steer {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostNotes = std::size_t{1} << 20;
constexpr std::string_view kLoss = "changes of overridden values are not noticed";

std::string beside(const std::string& file, std::string_view ending) {
    constexpr std::string_view kYaml = ".yaml";
    std::string out = file.ends_with(kYaml) ? file.substr(0, file.size() - kYaml.size()) : file;
    return out.append(ending);
}

// The user that wrote the layer, for a start that is still root; empty: this process.
std::string writer_of(const ConfigSource& source, const config::Settings& settings) {
    if (!source.user.empty()) return source.user;
    const auto name = resolve_user(settings.control.user);
    return name ? *name : std::string();
}

std::vector<Error> errors_of(const ConfigSource& source, const config::Settings& settings) {
    const std::string& user = source.files_user(settings);
    const FilesAs files(user, sources_of(settings));
    build::Registry registry;
    build::ImageFolder images(settings.control.images, user);
    return judge(settings, registry, images.folder().empty() ? nullptr : &images).errors;
}

// Whether the layer, and not the configuration alone, may be the reason of these errors.
bool may_be_wrong(const config::LoadOutcome& loaded) {
    const config::ManagedLayer& layer = loaded.settings.managed;
    return layer.is_used || std::ranges::any_of(loaded.errors, [&](const Error& error) {
               return error.file == layer.file;
           });
}

}  // namespace

std::string good_copy_of(const std::string& layer_file) {
    return beside(layer_file, ".good.yaml");
}

std::string notes_of(const std::string& layer_file) {
    return beside(layer_file, ".json");
}

Result<ManagedNotes> load_notes(const std::string& layer_file) {
    const auto all = load_state(notes_of(layer_file), kMostNotes, kLoss);
    if (!all) return all.error();
    ManagedNotes notes;
    notes.proved = text_at(*all, "proved");
    const json::value* const replaced = all->if_contains("replaced");
    if (replaced != nullptr && replaced->is_object()) {
        for (const auto& [path, hash] : replaced->get_object()) {
            if (hash.is_string()) notes.replaced[path] = hash.get_string();
        }
    }
    return notes;
}

Result<void> save_notes(const std::string& layer_file, const ManagedNotes& notes) {
    json::object replaced;
    for (const auto& [path, hash] : notes.replaced)
        replaced[path] = hash;
    return save_state(
        notes_of(layer_file),
        json::serialize(json::object{{"proved", notes.proved}, {"replaced", std::move(replaced)}}),
        {.setting = "managed", .mode = 0600}, "what the layer over the configuration replaces",
        kLoss);
}

std::string all_texts_hash(const config::SourceTexts& texts) {
    matchers::ContentHash hash;
    for (const auto& [file, text] : texts) {
        hash.add_text(file);
        hash.add_text(text.text());
    }
    return hash.hex();
}

config::LoadOutcome start_with_layer(
    const ConfigSource& source, config::LoadOutcome loaded,
    const std::function<config::LoadOutcome(const ConfigSource&)>& load) {
    const std::string file = loaded.settings.managed.file;
    if (file.empty() || !may_be_wrong(loaded)) return loaded;
    std::optional<std::string> good;
    std::string proved;
    {
        const FilesAs files(writer_of(source, loaded.settings));
        if (auto copy = config::read_managed(good_copy_of(file))) good = *std::move(copy);
        if (auto notes = load_notes(file)) proved = notes->proved;
    }
    if (loaded.ok()) {
        if (all_texts_hash(loaded.settings.texts) == proved) return loaded;
        loaded.errors = errors_of(source, loaded.settings);
        if (loaded.ok()) return loaded;
    }
    std::vector<std::optional<std::string>> others;
    if (good && loaded.settings.texts[file].text() != *good) others.push_back(std::move(good));
    others.emplace_back();
    for (auto& text : others) {
        const bool is_last_good = text.has_value();
        const ConfigSource other = source.with_layer(std::move(text));
        auto again = load(other);
        if (!again.ok() || !errors_of(other, again.settings).empty()) continue;
        config::ManagedLayer& layer = again.settings.managed;
        layer.file = file;
        layer.error = loaded.errors.front().sentence();
        layer.is_last_good = is_last_good;
        return again;
    }
    return loaded;
}

}  // namespace steer
