#include "control/fetch/list_facts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace steer::fetch {
namespace json = boost::json;
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kLongest = 64 * 1024;

std::string path_of(const std::string& file) {
    return file + ".json";
}

std::string text(const json::object& all, const char* key) {
    const auto* const value = all.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string{};
}
std::uint64_t number(const json::object& all, const char* key) {
    const auto* const value = all.if_contains(key);
    json::error_code none;
    const auto out = value == nullptr ? 0 : value->to_number<std::uint64_t>(none);
    return none ? 0 : out;
}

Error failed(const std::string& path) {
    return Error{path + " cannot be written: " + std::strerror(errno) +
                 "; make room, and its folder writable for the user that steerdnsd runs as (`user` "
                 "of `control`)"};
}

}  // namespace

std::optional<ListFacts> load_facts(const std::string& file, const std::string& url) {
    std::error_code error;
    const auto size = fs::file_size(file, error);
    if (error) return std::nullopt;
    std::ifstream in(path_of(file), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    if (!in || bytes.size() > kLongest) return std::nullopt;
    json::error_code bad;
    const json::value read = json::parse(bytes, bad);
    const auto* const all = read.if_object();
    if (bad || all == nullptr) return std::nullopt;
    ListFacts facts{text(*all, "url"),      text(*all, "etag"),    text(*all, "last_modified"),
                    number(*all, "bytes"),  number(*all, "rules"), number(*all, "fetched"),
                    number(*all, "checked")};
    if (facts.url != url || facts.bytes != size) return std::nullopt;
    return facts;
}

Result<void> save_facts(const std::string& file, const ListFacts& facts) {
    const std::string bytes = json::serialize(json::object{{"url", facts.url},
                                                           {"etag", facts.etag},
                                                           {"last_modified", facts.last_modified},
                                                           {"bytes", facts.bytes},
                                                           {"rules", facts.rules},
                                                           {"fetched", facts.fetched_s},
                                                           {"checked", facts.checked_s}}) +
                              "\n";
    auto out = NewFile::beside(path_of(file));
    if (!out) return out.error();
    if (auto done = out->write(bytes.data(), bytes.size()); !done) return done;
    return out->replace(path_of(file));
}

Result<NewFile> NewFile::beside(const std::string& file) {
    const fs::path folder = fs::path(file).parent_path();
    std::error_code ignored;  // then what follows says so
    fs::create_directories(folder, ignored);
    std::string path = (folder / "new-XXXXXX").string();
    const int fd = ::mkostemp(path.data(), O_CLOEXEC);
    if (fd < 0) return failed(path);
    return NewFile(fd, std::move(path));
}

NewFile::NewFile(NewFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::exchange(other.path_, {})) {}

NewFile::~NewFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
    if (fd_ >= 0) ::close(fd_);
}

Result<void> NewFile::write(const void* bytes, std::size_t size) {
    const auto* at = static_cast<const char*>(bytes);
    while (size > 0) {
        const ssize_t n = ::write(fd_, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return failed(path_);
        at += n;
        size -= static_cast<std::size_t>(n);
    }
    return {};
}

Result<void> NewFile::sync(mode_t mode) {
    if (::fchmod(fd_, mode) != 0 || ::fsync(fd_) != 0) return failed(path_);
    return {};
}

Result<void> NewFile::replace(const std::string& file) {
    constexpr mode_t kReadable = 0644;
    if (auto done = sync(kReadable); !done) return done;
    if (::rename(path_.c_str(), file.c_str()) != 0) return failed(file);
    path_.clear();
    sync_folder_of(file);
    return {};
}

void sync_folder_of(const std::string& file) {
    const std::string folder = fs::path(file).parent_path().string();
    const int parent = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent >= 0) {
        ::fsync(parent);
        ::close(parent);
    }
}

}  // namespace steer::fetch
