// A folder of a test's own, gone with it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace steer::test {

class TempFolder {
  public:
    TempFolder() : path(made()) {}
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;

    [[nodiscard]] std::string operator/(const std::string& name) const {
        return (path / name).string();
    }
    // A new file in place of an older one of this name, as editors write; folders on the path are made. Returns its path.
    std::string write(const std::string& name, std::string_view bytes) const {
        const auto to = path / name;
        std::filesystem::create_directories(to.parent_path());
        const std::string fresh = to.string() + ".new";
        std::ofstream(fresh, std::ios::binary) << bytes;
        std::filesystem::rename(fresh, to);
        return to.string();
    }
    // The content of a file; empty if the file does not exist.
    [[nodiscard]] std::string read(const std::string& name) const {
        std::ifstream in(path / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    const std::filesystem::path path;

  private:
    static std::string made() {
        std::string name = (std::filesystem::temp_directory_path() / "steer-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder " + name);
        return name;
    }
};

}  // namespace steer::test
