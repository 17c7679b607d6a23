#include "control/program/build/image_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "control/host/process/files_as.h"
#include "control/host/process/new_file.h"
#include "control/host/process/regular_file.h"

namespace steer::build {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kKept = 4;  // files of a kind

struct Head {
    std::array<char, 16> magic;
    std::uint64_t size;
    std::uint64_t checksum;
    std::array<std::uint8_t, 32> unused;  // 0
};
static_assert(sizeof(Head) == 64);
constexpr std::array<char, 16> kMagic{'s', 't', 'e', 'e', 'r', 'd', 'n', 's',
                                      ' ', 'i', 'm', 'a', 'g', 'e', '1', '\n'};

// Four sums over eight bytes each: as fast as memory, and they detect missing, zeroed or changed bytes.
std::uint64_t checksum_of(std::span<const std::uint8_t> bytes) {
    constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15U;
    std::array<std::uint64_t, 4> sums{1, 2, 3, bytes.size()};
    const auto mix = [](std::uint64_t sum, std::uint64_t word) {
        sum = (sum ^ word) * kOdd;
        return sum ^ sum >> 29;
    };
    std::size_t at = 0;
    for (; at + 32 <= bytes.size(); at += 32) {
        std::array<std::uint64_t, 4> words;
        std::memcpy(words.data(), bytes.data() + at, sizeof words);
        for (std::size_t i = 0; i < words.size(); ++i)
            sums[i] = mix(sums[i], words[i]);
    }
    for (; at < bytes.size(); ++at)
        sums[0] = mix(sums[0], bytes[at]);
    return mix(mix(sums[0], sums[1]), mix(sums[2], sums[3]));
}

std::string kind_of(const std::string& name) {
    return name.substr(0, name.find('-') + 1);
}

}  // namespace

std::optional<matchers::Arena> ImageFolder::load(const std::string& name) {
    const FilesAs files(owner_);
    const std::string path = folder_ + "/" + name;
    const Descriptor file = open_regular(path, O_NOFOLLOW);
    if (file.get() < 0) {
        if (errno != ENOENT)
            say(path + " cannot be read (" + why_not_open(errno) + "): it is built again");
        return std::nullopt;
    }
    Head head{};
    struct stat facts {};
    const bool fits = read_fully(file.get(), &head, sizeof head) && head.magic == kMagic &&
                      head.unused == decltype(head.unused){} && ::fstat(file.get(), &facts) == 0 &&
                      static_cast<std::uint64_t>(facts.st_size) == head.size + sizeof head;
    if (fits) {
        matchers::Arena bytes(head.size);
        if (read_fully(file.get(), bytes.data(), bytes.size()) &&
            checksum_of(bytes.bytes()) == head.checksum) {
            if (writes_) ::futimens(file.get(), nullptr);  // as used: older ones are removed first
            return bytes;
        }
    }
    say(path + " is damaged or has another version: it is built again");
    return std::nullopt;
}

bool ImageFolder::is_own() const {
    struct stat facts {};
    return !folder_.empty() && ::stat(folder_.c_str(), &facts) == 0 && facts.st_uid == ::geteuid();
}

void ImageFolder::keep(const std::string& name, std::span<const std::uint8_t> bytes) {
    if (!writes_) return;
    const FilesAs files(owner_);
    std::error_code error;
    fs::create_directories(folder_, error);
    if (!error) fs::permissions(folder_, fs::perms::owner_all, error);
    const std::string path = folder_ + "/" + name;
    NewFile::remove_left(path);
    NewFile file(path);
    const Head head{kMagic, bytes.size(), checksum_of(bytes), {}};
    file.write(&head, sizeof head);
    file.write(bytes.data(), bytes.size());
    // Only its owner may enter the folder; the user after the start reads files compiled as root.
    if (!file.replace(NewFile::kForAll)) {
        say("the compiled lists cannot be kept in " + folder_ + " (" + file.why() +
            "): the next start compiles them again; free some space and make the folder writable, "
            "or name "
            "another as 'images' of 'control'");
        return;
    }
    remove_old(name);
}

std::vector<std::string> ImageFolder::take_sentences() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(sentences_, {});
}

void ImageFolder::say(std::string sentence) {
    const std::scoped_lock lock(mutex_);
    sentences_.push_back(std::move(sentence));
}

std::vector<std::string> ImageFolder::names(std::string_view start) {
    const FilesAs as_owner(owner_);
    std::vector<std::pair<fs::file_time_type, std::string>> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder_, error)) {
        auto name = entry.path().filename().string();
        if (name.starts_with(start) && name.find('.') == std::string::npos)
            files.emplace_back(entry.last_write_time(error), std::move(name));
    }
    std::sort(files.begin(), files.end(), std::greater<>());
    std::vector<std::string> out;
    out.reserve(files.size());
    for (auto& [time, name] : files)
        out.push_back(std::move(name));
    return out;
}

// All files of a kind except the newest ones.
void ImageFolder::remove_old(const std::string& name) {
    const auto files = names(kind_of(name));
    std::error_code error;
    for (std::size_t i = kKept; i < files.size(); ++i)
        fs::remove(folder_ + "/" + files[i], error);
}

}  // namespace steer::build
