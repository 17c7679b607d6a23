#include "control/sources/edit/history.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "control/config/reading.h"
#include "control/host/process/new_file.h"

namespace steer::edit {
namespace {

constexpr std::string_view kSuffix = ".yaml";

// 0: not a version.
std::uint64_t number_of(const std::filesystem::path& file) {
    const std::string name = file.filename();
    if (!name.ends_with(kSuffix)) return 0;
    const char* const end = name.data() + name.size() - kSuffix.size();
    std::uint64_t number = 0;
    const auto read = std::from_chars(name.data(), end, number);
    return read.ec == std::errc() && read.ptr == end ? number : 0;
}

}  // namespace

std::string History::file_of(std::uint64_t number) const {
    return folder_ + "/" + std::to_string(number) + std::string(kSuffix);
}

std::vector<History::Version> History::versions() const {
    std::vector<Version> out;
    std::error_code error;
    for (std::filesystem::directory_iterator at(folder_, error), end; !error && at != end;
         at.increment(error)) {
        struct stat found {};
        const std::uint64_t number = number_of(at->path());
        if (number == 0 || ::stat(at->path().c_str(), &found) != 0) continue;
        out.push_back({number, found.st_mtim.tv_sec, static_cast<std::uint64_t>(found.st_size)});
    }
    std::ranges::sort(out, std::greater{}, &Version::number);
    return out;
}

Result<std::string> History::text(std::uint64_t number) const {
    const std::string file = file_of(number);
    std::error_code error;
    if (!std::filesystem::exists(file, error))
        return Error{"there is no version " + std::to_string(number) +
                     ": 'configuration.history' lists them"};
    auto text = config::Reading::read_text(file);
    if (!text) return Error{file + " cannot be read: " + text.error().text};
    return text;
}

Result<std::uint64_t> History::keep(std::string_view now) const {
    const auto before = versions();
    std::uint64_t number = 1;
    if (!before.empty()) {
        number = before.front().number;
        const auto newest = text(number);
        if (newest && *newest == now) return number;
        ++number;
    }
    const std::string file = file_of(number);
    make_folder_of(file);
    std::error_code error;
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, error);
    NewFile draft(file);
    draft.write(now);
    if (!draft.replace(NewFile::kForOwner)) return draft.failure();
    for (std::size_t i = kMost - 1; i < before.size(); ++i)
        std::filesystem::remove(file_of(before[i].number), error);
    return number;
}

}  // namespace steer::edit
