#include "control/program/reload/read_files.h"

#include <algorithm>

namespace steer {

void ReadFiles::begin() {
    if (stamps_.take(files_)) FileStamps::wait_for_tick();
}

void ReadFiles::read(const config::Settings& settings) {
    files_ = settings.opened;
    files_.push_back(settings.file);
    std::erase_if(files_, [&settings](const std::string& file) {
        return std::any_of(settings.rule_files.begin(), settings.rule_files.end(),
                           [&file](const config::RuleFile& set) { return set.file == file; });
    });
    stamps_.take_missing(files_);
}

}  // namespace steer
