#include "control/served_version.h"

#include <array>
#include <charconv>
#include <filesystem>
#include <optional>

#include "control/host/process/new_file.h"
#include "control/host/process/regular_file.h"

namespace steer {
namespace {

// Major, minor, patch; of a build between releases date and time.
using Numbers = std::array<std::uint64_t, 5>;

std::optional<Numbers> numbers_of(std::string_view version) {
    Numbers out{};
    constexpr std::string_view kBetween = "+git";
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto [end, error] =
            std::from_chars(version.data(), version.data() + version.size(), out[i]);
        if (error != std::errc{}) return std::nullopt;
        version.remove_prefix(static_cast<std::size_t>(end - version.data()));
        const bool is_release = i == 2;
        if (is_release && !version.starts_with(kBetween)) return out;
        const std::size_t skip = is_release ? kBetween.size() : 1;
        if (i + 1 < out.size() && version.size() <= skip) return std::nullopt;
        version.remove_prefix(std::min(skip, version.size()));
    }
    return out;
}

}  // namespace

bool is_newer_version(std::string_view one, std::string_view other) {
    const auto a = numbers_of(one), b = numbers_of(other);
    return a && b && *a > *b;
}

std::string served_version(const std::string& file) {
    constexpr std::size_t kLongest = 128;
    const auto text = read_regular(file, kLongest);
    if (!text || !*text) return {};
    return (*text)->substr(0, (*text)->find('\n'));
}

void keep_served_version(const std::string& version, const std::string& file) {
    std::error_code error;
    if (!std::filesystem::is_directory(std::filesystem::path(file).parent_path(), error)) return;
    if (served_version(file) == version) return;
    NewFile draft(file);
    draft.write(version + "\n");
    (void)draft.replace(NewFile::kForAll);
}

}  // namespace steer
