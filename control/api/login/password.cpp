#include "control/api/login/password.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>

#include "control/host/process/files_as.h"
#include "control/host/process/new_file.h"
#include "control/host/process/regular_file.h"
#include "matchers/text.h"

namespace steer::ops {
namespace {

constexpr const char* kYescrypt = "$y$";
constexpr std::string_view kUser = "admin:";
constexpr std::size_t kMostFile = 1024;  // bytes

struct FreeSetting {
    void operator()(char* text) const { std::free(text); }
};

// crypt(3) with its memory, which is overwritten at the end. Empty: it failed.
std::string crypted(const std::string& password, const std::string& setting) {
    void* memory = nullptr;
    int size = 0;
    const char* const made = ::crypt_ra(password.c_str(), setting.c_str(), &memory, &size);
    std::string text = made != nullptr && made[0] != '*' ? made : "";
    if (memory != nullptr) OPENSSL_cleanse(memory, static_cast<std::size_t>(size));
    std::free(memory);
    return text;
}

}  // namespace

std::string why_not_a_password(std::string_view password) {
    if (password.size() < kLeastPassword) return "a password needs at least 8 characters";
    if (password.size() > kMostPassword) return "a password may have 128 bytes at most";
    // crypt(3) ends at a zero byte, and fields of passwords cannot have a line end.
    const bool is_plain = std::ranges::all_of(password, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x20 && byte != 0x7F;
    });
    return is_plain ? "" : "a password cannot have control characters";
}

Result<std::string> hash_of_password(const std::string& password) {
    const std::unique_ptr<char, FreeSetting> setting(::crypt_gensalt_ra(kYescrypt, 0, nullptr, 0));
    std::string hash = setting != nullptr ? crypted(password, setting.get()) : "";
    if (hash.empty())
        return Error{"the system cannot hash a password with yescrypt: install Debian's libcrypt1"};
    return {boost::system::in_place_value, std::move(hash)};
}

bool is_password(const std::string& password, const std::string& hash) {
    if (hash.empty() || !why_not_a_password(password).empty()) return false;
    const std::string made = crypted(password, hash);
    return made.size() == hash.size() && CRYPTO_memcmp(made.data(), hash.data(), hash.size()) == 0;
}

std::string password_file(const std::string& folder) {
    return folder + "/password";
}

Result<std::string> load_password(const std::string& folder) {
    const std::string file = password_file(folder);
    const FilesAs files(owner_below_root(file));
    const auto text = read_regular(file, kMostFile);
    const auto unusable = [&](const std::string& why) {
        return Error{"the page's password in " + file + " cannot be used: " + why +
                     "; set another with `steerctl page password`"};
    };
    if (!text) return unusable(text.error().text);
    if (!*text) return {boost::system::in_place_value, std::string()};
    const std::string_view line = matchers::trimmed(**text);
    const std::string hash(line.substr(std::min(kUser.size(), line.size())));
    if (!line.starts_with(kUser) || !hash.starts_with(kYescrypt) ||
        hash.find_first_of(" \t\r\n:") != std::string::npos)
        return unusable("expected a line `admin:$y$…`");
    return {boost::system::in_place_value, hash};
}

Result<void> save_password(const std::string& folder, const std::string& hash) {
    make_private_folder(folder);
    const std::string path = password_file(folder);
    NewFile::remove_left(path);
    NewFile file(path);
    file.write(kUser);
    file.write(hash);
    file.write("\n");
    if (file.replace(NewFile::kForOwner)) return {};
    return file.failure();
}

}  // namespace steer::ops
