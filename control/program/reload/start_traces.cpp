#include "control/program/reload/start_traces.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace steer {
namespace {

namespace fs = std::filesystem;

bool is_there(const std::string& path) {
    std::error_code error;
    return fs::symlink_status(path, error).type() != fs::file_type::not_found;
}

}  // namespace

StartTraces::StartTraces(const config::Settings& settings) {
    for (const config::RemoteList& list : settings.remote_lists) {
        note_file(list.file);
        note_file(list.file + ".json");
    }
    for (const config::Plugin& plugin : settings.plugins) {
        const auto* const download = std::get_if<config::Download>(&plugin.args);
        if (download == nullptr) continue;
        for (const config::DownloadItem& item : download->items)
            note_file(item.file);
    }
    if (!settings.control.images.empty() && !is_there(settings.control.images)) {
        images_ = settings.control.images;
        note_folders(images_);
    }
    // The innermost first.
    std::ranges::sort(folders_, [](const std::string& a, const std::string& b) {
        return a.size() != b.size() ? a.size() > b.size() : a < b;
    });
    folders_.erase(std::unique(folders_.begin(), folders_.end()), folders_.end());
}

void StartTraces::note_file(const std::string& file) {
    if (is_there(file)) return;
    files_.push_back(file);
    note_folders(fs::path(file).parent_path().string());
}

void StartTraces::note_folders(const std::string& folder) {
    for (fs::path at = folder; !at.empty() && at != at.root_path() && !is_there(at.string());
         at = at.parent_path())
        folders_.push_back(at.string());
}

void StartTraces::remove() const {
    std::error_code error;
    for (const std::string& file : files_)
        fs::remove(file, error);
    if (!images_.empty()) {
        for (const auto& entry : fs::directory_iterator(images_, error)) {
            if (entry.is_regular_file(error)) fs::remove(entry.path(), error);
        }
    }
    for (const std::string& folder : folders_)
        fs::remove(folder, error);  // one that is not empty stays
}

}  // namespace steer
