#include "control/sinks/kernel_sets/set_program.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "control/sinks/set_process/program.h"

namespace steer::kernel_sets {
namespace {

// Nothing is at `path`: a descriptor of -1.
Result<Descriptor> open_executable(const std::string& path) {
    Descriptor file(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (file.get() < 0) {
        if (errno == ENOENT) return {boost::system::in_place_value, std::move(file)};
        return Error{"'" + path + "' cannot be opened: " + std::strerror(errno)};
    }
    struct stat is {};
    if (::fstat(file.get(), &is) != 0)
        return Error{"'" + path + "' cannot be read: " + std::strerror(errno)};
    if (!S_ISREG(is.st_mode) || (is.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
        return Error{"'" + path + "' is not an executable file: install it again"};
    return {boost::system::in_place_value, std::move(file)};
}

}  // namespace

std::vector<std::string> SetProgram::usual_folders() {
    std::vector<std::string> folders;
    std::error_code unknown;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", unknown);
    if (!unknown && self.has_parent_path()) folders.push_back(self.parent_path().string());
    folders.emplace_back(STEER_LIBEXEC_DIR);
    return folders;
}

Starter::Program SetProgram::for_starter() {
    Starter::Program program{
        .name = sets::kProgramName, .words = {sets::kProgramName}, .gets_net_admin = true};
    for (const std::string& folder : usual_folders())
        program.files.push_back(folder + "/" + sets::kProgramName);
    return program;
}

SetProgram::SetProgram(std::vector<std::string> folders) : folders_(std::move(folders)) {}

Result<void> SetProgram::open() {
    if (file_.get() >= 0) return {};
    std::string error, places;
    for (const std::string& folder : folders_) {
        auto file = open_executable(folder + "/" + sets::kProgramName);
        if (file && file->get() >= 0) {
            file_ = std::move(*file);
            return {};
        }
        if (!file && error.empty()) error = file.error().text;
        places += (places.empty() ? " is not in " : " nor in ") + folder;
    }
    if (!error.empty()) return Error{error};
    return Error{std::string(sets::kProgramName) + places + ": install it"};
}

Result<StartedSets> SetProgram::start() {
    if (const auto opened = open(); !opened) return opened.error();
    return start_set_process();
}

}  // namespace steer::kernel_sets
