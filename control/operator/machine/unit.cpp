#include "control/operator/machine/unit.h"

#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <vector>

#include "dataplane/port/folder.h"

namespace steer::machine {
namespace {

std::optional<std::string> unit_file(const std::string& root) {
    constexpr std::array kFiles{
        "/etc/systemd/system/steerdnsd.service", "/usr/local/lib/systemd/system/steerdnsd.service",
        "/usr/lib/systemd/system/steerdnsd.service", "/lib/systemd/system/steerdnsd.service"};
    std::error_code ignored;
    for (const char* const file : kFiles)
        if (std::filesystem::exists(root + file, ignored)) return root + file;
    return std::nullopt;
}

}  // namespace

bool has_unit(const std::string& root) {
    return unit_file(root).has_value();
}

std::string unit_setting(const std::string& root, const std::string& key) {
    std::vector<std::string> files{unit_file(root).value_or("")};
    for (const std::string& name : names_in(root + kDropIns))
        if (name.ends_with(".conf")) files.push_back(root + kDropIns + "/" + name);
    std::string value;
    for (const std::string& file : files) {
        std::ifstream in(file);
        for (std::string line; std::getline(in, line);)
            if (line.starts_with(key + "=")) value = line.substr(key.size() + 1);
    }
    return value;
}

std::optional<std::uint64_t> descriptors_of_unit(const std::string& root) {
    if (!has_unit(root)) return std::nullopt;
    const std::string text = unit_setting(root, "LimitNOFILE");
    const std::string_view hard = std::string_view(text).substr(text.find(':') + 1);  // "SOFT:HARD"
    if (hard == "infinity") return UINT64_MAX;
    std::uint64_t limit = 0;
    if (std::from_chars(hard.data(), hard.data() + hard.size(), limit).ec != std::errc{})
        return std::nullopt;
    return limit;
}

}  // namespace steer::machine
