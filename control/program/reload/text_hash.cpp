#include "control/program/reload/text_hash.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "matchers/content_hash.h"

namespace steer {

std::uint64_t text_hash(const config::Settings& settings) {
    constexpr std::size_t kDigits = 12;
    matchers::ContentHash hash;
    std::vector<std::string> files = settings.included;
    files.insert(files.begin(), settings.file);
    for (const std::string& file : files) {
        std::error_code error;  // a pipe would wait for its writer
        if (!std::filesystem::is_regular_file(file, error)) return 0;
        std::ifstream in(file, std::ios::binary);
        hash.add_text(std::string{std::istreambuf_iterator<char>(in), {}});
    }
    return std::stoull(hash.hex().substr(0, kDigits), nullptr, 16);
}

}  // namespace steer
