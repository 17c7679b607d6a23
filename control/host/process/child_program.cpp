#include "control/host/process/child_program.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace steer {
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

std::vector<std::string> ChildProgram::usual_folders() {
    std::vector<std::string> folders;
    std::error_code unknown;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", unknown);
    if (!unknown && self.has_parent_path()) folders.push_back(self.parent_path().string());
    folders.emplace_back(STEER_LIBEXEC_DIR);
    return folders;
}

Starter::Program ChildProgram::for_starter(const std::string& name) {
    Starter::Program program{.name = name, .words = {name}};
    for (const std::string& folder : usual_folders())
        program.files.push_back(std::string(folder).append("/").append(name));
    return program;
}

ChildProgram::ChildProgram(std::string name, std::size_t max_bytes,
                           std::vector<std::string> folders)
    : name_(std::move(name)), max_bytes_(max_bytes), folders_(std::move(folders)) {}

Result<void> ChildProgram::open() {
    if (file_.get() >= 0) return {};
    std::string error, places;
    for (const std::string& folder : folders_) {
        auto file = open_executable(folder + "/" + name_);
        if (file && file->get() >= 0) {
            file_ = std::move(*file);
            return {};
        }
        if (!file && error.empty()) error = file.error().text;
        places += (places.empty() ? " is not in " : " nor in ") + folder;
    }
    if (!error.empty()) return Error{error};
    return Error{name_ + places + ": install it"};
}

Result<StartedChild> ChildProgram::start() {
    if (const auto opened = open(); !opened) return opened.error();
    return start_child(name_, max_bytes_);
}

}  // namespace steer
