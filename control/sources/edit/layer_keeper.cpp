#include "control/sources/edit/layer_keeper.h"

#include <algorithm>
#include <utility>

#include "control/config/layer.h"
#include "control/host/process/new_file.h"
#include "control/program/reload/managed_start.h"
#include "matchers/quote.h"

namespace steer::edit {
namespace {

struct Kept {
    std::vector<std::string> changed;
    std::string error;
};

bool is_at_or_below_path(const std::string& path, const std::string& parent) {
    return path == parent || path.starts_with(parent + ".");
}

std::string keep_copy(const std::string& layer_file, const std::string& text) {
    const std::string file = good_copy_of(layer_file);
    const auto before = config::read_managed(file);
    if (before && *before && **before == text) return {};
    NewFile::remove_left(file);
    NewFile copy(file);
    copy.write(text);
    return copy.replace(NewFile::kForOwner) ? std::string() : copy.failure().sentence();
}

Kept kept(const config::ManagedLayer& layer, const config::SourceTexts& texts,
          const std::vector<std::string>& accepted) {
    Kept out;
    if (const auto text = texts.find(layer.file); text != texts.end())
        out.error = keep_copy(layer.file, std::string(text->second.text()));
    const auto before = load_notes(layer.file);
    if (!before) out.error = before.error().sentence();
    ManagedNotes notes;
    notes.proved = all_texts_hash(texts);
    for (const config::ManagedOverride& one : layer.overrides) {
        const bool is_accepted = std::ranges::any_of(
            accepted, [&](const std::string& path) { return is_at_or_below_path(one.path, path); });
        std::string& replaced = notes.replaced[one.path] = one.replaced;
        if (!before || is_accepted) continue;
        const auto known = before->replaced.find(one.path);
        if (known == before->replaced.end() || known->second == replaced) continue;
        replaced = known->second;  // reported until the operator has seen it
        out.changed.push_back(one.path);
    }
    if (before && *before == notes) return out;
    if (const auto saved = save_notes(layer.file, notes); !saved)
        out.error = saved.error().sentence();
    return out;
}

}  // namespace

void LayerKeeper::accept(std::vector<std::string> paths) {
    accepted_ = std::move(paths);
}

void LayerKeeper::follow(const config::Settings& settings,
                         std::shared_ptr<const config::SourceTexts> texts) {
    const config::ManagedLayer& layer = settings.managed;
    file_ = layer.file;
    configuration_ = settings.file;
    error_ = layer.error.empty() ? std::string() : layer.report();
    const bool is_in_force = layer.is_used && layer.error.empty();
    layer_ = layer;
    texts_ = is_in_force ? std::move(texts) : nullptr;
    keep();
}

bool LayerKeeper::accept_now(const std::string& path) {
    if (texts_ == nullptr ||
        std::ranges::find(layer_.overrides, path, &config::ManagedOverride::path) ==
            layer_.overrides.end())
        return false;
    std::erase(changed_, path);
    accept({path});
    keep();
    return true;
}

void LayerKeeper::keep() {
    if (texts_ == nullptr) {
        changed_.clear();
        write_error_.clear();
        return;
    }
    aside_.run([layer = layer_, texts = texts_,
                accepted = std::exchange(accepted_, {})] { return kept(layer, *texts, accepted); },
               [this](Kept now) {
                   changed_ = std::move(now.changed);
                   write_error_ = std::move(now.error);
               });
}

void LayerKeeper::add_problems(Problems& problems) const {
    constexpr std::string_view kSubject = "managed";
    if (!error_.empty()) problems.push_back({kSubject, error_});
    if (!write_error_.empty()) problems.push_back({kSubject, write_error_});
    for (const std::string& text : layer_.left_out)
        problems.push_back({kSubject, text});
    for (const std::string& path : changed_)
        problems.push_back({kSubject, matchers::quoted(path) + " has changed in " + configuration_ +
                                          " since " + file_ +
                                          " has another value for it: run 'steerctl managed "
                                          "keep " +
                                          path + "', or 'steerctl managed remove' with its part"});
}

}  // namespace steer::edit
