#include "control/operator/machine/undo_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <utility>

#include "control/host/process/new_file.h"
#include "control/host/process/read_fully.h"
#include "dataplane/port/descriptor.h"
#include "matchers/quote.h"
#include "matchers/safe_text.h"

namespace steer::machine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHead =
    "#!/bin/sh\n# Takes back what `steerctl setup --apply` did, newest first: `steerctl setup "
    "--undo`.\n";
constexpr mode_t kRootRuns = 0700;
constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;
constexpr std::size_t kMostBytes = 1 << 20;

struct Commands {
    std::vector<std::string> lines;
    std::string foreign;  // why root may not run them; empty: it may
};

// Empty: only this process's user could have changed it.
std::string why_foreign(const struct stat& is, const char* what) {
    if (is.st_uid != ::geteuid()) return std::string("root does not own ") + what;
    if ((is.st_mode & kOthersWrite) != 0) return std::string("others may write ") + what;
    return {};
}

// By descriptors: what is judged is what is read.
Result<Commands> read_commands(const std::string& path) {
    Commands out;
    const fs::path file(path);
    const Descriptor folder(
        ::open(file.parent_path().c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    const Descriptor opened(::openat(folder.get(), file.filename().c_str(),
                                     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (opened.get() < 0 && (errno == ENOENT || folder.get() < 0)) return out;
    if (opened.get() < 0)
        return Error{matchers::quoted_path(path) + " cannot be read: " + std::strerror(errno) +
                     "; look at it, and remove it"};
    struct stat around {
    }, is{};
    if (::fstat(folder.get(), &around) != 0 || ::fstat(opened.get(), &is) != 0 ||
        !S_ISREG(is.st_mode) || static_cast<std::size_t>(is.st_size) > kMostBytes)
        return Error{matchers::quoted_path(path) + " is no file of commands: remove it"};
    out.foreign = why_foreign(around, "its folder");
    if (out.foreign.empty()) out.foreign = why_foreign(is, "it");
    if (out.foreign.empty() && is.st_nlink > 1) out.foreign = "it has another name, too";
    std::string text(static_cast<std::size_t>(is.st_size), '\0');
    if (!read_fully(opened.get(), text.data(), text.size()))
        return Error{matchers::quoted_path(path) + " cannot be read"};
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        if (!line.empty() && !line.starts_with('#')) out.lines.push_back(line);
    return out;
}

Error foreign_error(const std::string& path, const std::string& why) {
    return Error{matchers::quoted_path(path) + " is not run: " + why +
                 ", so its commands may be another user's; run by hand what you know, then remove "
                 "it"};
}

}  // namespace

Result<std::vector<std::string>> UndoFile::read() const {
    auto commands = read_commands(path_);
    if (!commands) return commands.error();
    if (!commands->foreign.empty()) return foreign_error(path_, commands->foreign);
    return std::move(commands->lines);
}

Result<void> UndoFile::take_over(std::vector<std::string>& shown) const {
    if (former_.empty()) return {};
    const auto old = read_commands(former_);
    if (!old) return old.error();
    if (!old->foreign.empty() && !old->lines.empty()) {
        for (const std::string& line : old->lines)
            shown.push_back(safe_text(line, kSafeLineBytes));
        return foreign_error(former_, old->foreign);
    }
    if (old->lines.empty()) return {};
    auto all = read();
    if (!all) return all.error();
    for (const std::string& line : old->lines)
        if (std::ranges::find(*all, line) == all->end()) all->push_back(line);
    if (auto written = write(*all); !written) return written;
    ::unlink(former_.c_str());
    return {};
}

Result<void> UndoFile::remember(const std::string& command) const {
    auto all = read();
    if (!all) return all.error();
    if (command.empty() || std::ranges::find(*all, command) != all->end()) return {};
    all->insert(all->begin(), command);
    return write(*all);
}

Result<void> UndoFile::write(const std::vector<std::string>& commands) const {
    if (commands.empty()) {
        ::unlink(path_.c_str());
        return {};
    }
    make_private_folder(fs::path(path_).parent_path());
    NewFile out(path_);
    out.write(kHead);
    for (const std::string& command : commands)
        out.write(command + "\n");
    if (out.replace(kRootRuns)) return {};
    return Error{path_ + " cannot be written: " + out.why() + "; run as root"};
}

}  // namespace steer::machine
